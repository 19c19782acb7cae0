/** Examples of PROTOCOL §2: node id, certificates, protected key file. @module */
import { concatBytes, copyBytes, equalBytes, utf8 } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { invariant } from "../../src/base/invariant.ts";
import {
  exchangeKnownAnswer,
  importSealKey,
  openKey,
  sealDatagram,
  spkiOf,
} from "../../src/crypto/mod.ts";
import { isChainRefusal, judgeChain } from "../../src/identity/mod.ts";
import { encodeCbor } from "../../src/wire/cbor.ts";
import { nodeIdToBytes } from "../../src/wire/node_id.ts";
import { type Cast, counted, filled } from "./cast.ts";
import { annotated, dump, fields } from "./hex.ts";

/** A 48-byte PKCS#8 key under a credential, salt and nonce fixed. */
async function protectedKey(): Promise<string> {
  const pkcs8 = concatBytes(
    Uint8Array.of(...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70]),
    Uint8Array.of(...[0x04, 0x22, 0x04, 0x20]),
    filled(0x01, 32),
  );
  const credential = counted(0, 32);
  const [salt, nonce] = [filled(0x5a, 16), filled(0x0c, 12)];
  const header = [1, 2, salt, nonce, []];
  const key = await exchangeKnownAnswer.expand(
    credential,
    salt,
    utf8("mesh v1 key file credential"),
    32,
  );
  const aad = concatBytes(utf8("mesh v1 key file"), Uint8Array.of(0), encodeCbor(header));
  const sealed = await sealDatagram(await importSealKey(key), nonce, aad, pkcs8);
  const envelope = encodeCbor([...header, sealed.slice(aad.length)]);
  const opened = await openKey(envelope, { kind: "credential", credential });
  invariant(!(opened instanceof DecodeError) && equalBytes(opened, pkcs8), "the example opens");
  return await annotated(envelope);
}

/** By name in the document. */
export async function identityExamples({ ann }: Cast): Promise<Record<string, string>> {
  const judged = await judgeChain({ leaf: ann.leaf, root: ann.root });
  invariant(!isChainRefusal(judged) && judged.id === ann.identity.id, "the example is judged");
  return {
    "node-id": fields([
      ["public key", copyBytes(ann.identity.publicKey)],
      ["key info", spkiOf(ann.identity.publicKey)],
      ["id, bytes", nodeIdToBytes(ann.identity.id)],
      ["id, text", ann.identity.id],
    ]),
    "root-certificate": dump(ann.root),
    "leaf-certificate": dump(ann.leaf),
    "key-file": await protectedKey(),
  };
}
