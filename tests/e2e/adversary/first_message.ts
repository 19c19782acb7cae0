/** The first message of an exchange that will never be finished. @module */
import type { Bytes } from "../../../src/base/bytes.ts";
import { SystemEntropy } from "../../../src/host/mod.ts";
import { newIdentity } from "../../../src/identity/mod.ts";
import { beginExchange } from "../../../src/session/mod.ts";

/** A first message that an honest node answers, if it lets anybody speak. */
export async function firstMessage(): Promise<Bytes> {
  const identity = await newIdentity();
  const value = new Uint8Array(32);
  const { m1 } = await beginExchange({
    self: { identity, leafHash: value, bootNonce: value.subarray(0, 16) },
    peer: { id: identity.id, publicKey: identity.publicKey, leafHash: value },
    binding: { kind: 1, client: value, server: value },
    entropy: new SystemEntropy(),
  });
  return m1;
}
