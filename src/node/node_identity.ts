/**
 * Opens the identity of a state directory with what is at hand, asking a person only if the key
 * turns out to be protected by a passphrase that nobody told.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Identity, IdentityProblem } from "../identity/mod.ts";
import type { Storage } from "../platform/storage.ts";
import type { PassphraseSource } from "./run_options.ts";

/** What is at hand to open an identity. */
export interface OpenIdentityOptions {
  /** Make one if there is none. */
  readonly create: boolean;
  readonly passphrase: PassphraseSource;
  /** What the service manager handed over, if it did. */
  readonly credential?: Bytes;
}

/** Opens it, or makes it if that is wanted. Never rejects. */
export async function openNodeIdentity(
  storage: Storage,
  { create, passphrase, credential }: OpenIdentityOptions,
): Promise<Identity | IdentityProblem> {
  // Loaded when it is needed: certificates cost a command that needs none 80 ms.
  const identity = await import("../identity/mod.ts");
  const protection = await identity.inspectKeyFile(storage);
  if (identity.isIdentityProblem(protection)) return protection;
  if (protection === undefined && !create && credential === undefined) {
    return new identity.IdentityProblem(
      "missing",
      `There is no identity here yet (no key file "${identity.keyFileName}"): \`mesh id\` makes one`,
    );
  }
  // A new key is protected by a passphrase that was told; nobody is asked for one unprompted.
  const secret = passphrase.told ??
    (protection === "passphrase" ? await passphrase.ask() : undefined);
  return await identity.loadOrCreateIdentity(storage, {
    ...secret === undefined ? {} : { passphrase: secret },
    ...credential === undefined ? {} : { credential },
  });
}
