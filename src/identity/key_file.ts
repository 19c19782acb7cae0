/**
 * The key file: a node's private key on disk, plain (PKCS#8 PEM, as `openssl genpkey -algorithm
 * ed25519` writes it) or protected (PROTOCOL §2.3 in PEM). Reading, writing, creating once.
 *
 * A file that cannot be read is refused and left as it is: a new key would be another node, and
 * making one is a person's decision.
 *
 * @module
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  generateKey,
  type IdentityKey,
  importPrivateKey,
  type KeySecret,
  openKey,
  protectionOf,
  sealKey,
  secretFault,
} from "../crypto/mod.ts";
import type { Storage } from "../platform/storage.ts";
import { keyFileBytesMax } from "./limits.ts";
import { decodePem, encodePem } from "./pem.ts";

/** Name of the key file in the state directory. */
export const keyFileName = "identity.key";

const plainLabel = "PRIVATE KEY";
const protectedLabel = "MESH PROTECTED KEY";

/** How a private key is kept. `host`: not in the state directory, the service manager holds it. */
export type KeyProtection = "plain" | "passphrase" | "credential" | "host";

/** What can be at hand to open or to protect a key. */
export interface KeySecrets {
  readonly passphrase?: string;
  /**
   * The content of the service manager's credential: a private key in PEM, which then *is* the
   * identity, or a secret of at least 32 bytes that protects the key file.
   */
  readonly credential?: Bytes;
}

/** Why there is no identity, said to a person. */
export class IdentityProblem {
  /** A fixed word, for programs. */
  readonly reason:
    | "damaged"
    | "passphrase-needed"
    | "credential-needed"
    | "wrong-secret"
    | "unusable-secret"
    | "ambiguous"
    | "missing"
    | "storage";
  /** What is wrong and what to do. */
  readonly message: string;
  /** What the system said, if it did. */
  readonly cause: unknown;

  constructor(reason: IdentityProblem["reason"], message: string, cause?: unknown) {
    this.reason = reason;
    this.message = message;
    this.cause = cause;
  }
}

/** A private key and how it is kept. */
export interface OpenedKey {
  readonly key: IdentityKey;
  readonly protection: KeyProtection;
}

function damaged(why: string): IdentityProblem {
  return new IdentityProblem(
    "damaged",
    `Cannot use key file "${keyFileName}": it is damaged (${why}). Restore it from a backup, or ` +
      `give up this node's identity: move the file away, and the next start makes a new one`,
  );
}

function storageProblem(action: string, error: unknown): IdentityProblem {
  const why = error instanceof Error ? error.message : String(error);
  return new IdentityProblem(
    "storage",
    `Cannot ${action} key file "${keyFileName}": ${why}`,
    error,
  );
}

/** Parsed but not opened. */
type KeyFile =
  | { readonly kind: "plain"; readonly pkcs8: Bytes }
  | { readonly kind: KeySecret["kind"]; readonly envelope: Bytes };

/** Parses the file's bytes. Never throws. */
function decodeKeyFile(bytes: Uint8Array): KeyFile | DecodeError {
  if (bytes.length === 0) return new DecodeError("it is empty");
  if (bytes.length > keyFileBytesMax) return new DecodeError("it is too long");
  const block = decodePem(new TextDecoder().decode(bytes));
  if (block instanceof DecodeError) return block;
  if (block.label === plainLabel) return { kind: "plain", pkcs8: block.bytes };
  if (block.label !== protectedLabel) return new DecodeError("it holds something else");
  const kind = protectionOf(block.bytes);
  return kind instanceof DecodeError ? kind : { kind, envelope: block.bytes };
}

function secretFor(kind: KeySecret["kind"], secrets: KeySecrets): KeySecret | undefined {
  if (kind === "passphrase") {
    return secrets.passphrase === undefined
      ? undefined
      : { kind: "passphrase", passphrase: secrets.passphrase };
  }
  return secrets.credential === undefined
    ? undefined
    : { kind: "credential", credential: secrets.credential };
}

async function openPkcs8(file: KeyFile, secrets: KeySecrets): Promise<Bytes | IdentityProblem> {
  if (file.kind === "plain") return file.pkcs8;
  const secret = secretFor(file.kind, secrets);
  if (secret === undefined) {
    return file.kind === "passphrase"
      ? new IdentityProblem(
        "passphrase-needed",
        `Key file "${keyFileName}" is protected by a passphrase: give it with ` +
          `--passphrase-file or $MESH_PASSPHRASE`,
      )
      : new IdentityProblem(
        "credential-needed",
        `Key file "${keyFileName}" is protected by a credential of the service manager, which is ` +
          `not there: start the node as its service`,
      );
  }
  const fault = unusable(secret);
  if (fault !== undefined) return fault;
  const opened = await openKey(file.envelope, secret);
  if (!(opened instanceof DecodeError)) return opened;
  return new IdentityProblem(
    "wrong-secret",
    `Cannot open key file "${keyFileName}": the ${file.kind} is wrong, or the file is damaged ` +
      `(then restore it from a backup)`,
  );
}

function unusable(secret: KeySecret): IdentityProblem | undefined {
  if (secretFault(secret) === undefined) return undefined;
  return new IdentityProblem(
    "unusable-secret",
    secret.kind === "passphrase"
      ? "Cannot protect a key by an empty passphrase"
      : "Cannot protect a key by a credential of less than 32 bytes: make one with " +
        '"head -c 32 /dev/urandom | systemd-creds encrypt - FILE"',
  );
}

/** The key in the file's bytes, once more with its PKCS#8 form for who writes it again. */
async function unlockFile(
  bytes: Uint8Array,
  secrets: KeySecrets,
): Promise<{ readonly opened: OpenedKey; readonly pkcs8: Bytes } | IdentityProblem> {
  const file = decodeKeyFile(bytes);
  if (file instanceof DecodeError) return damaged(file.reason);
  const pkcs8 = await openPkcs8(file, secrets);
  if (pkcs8 instanceof IdentityProblem) return pkcs8;
  const key = await importPrivateKey(pkcs8);
  if (key instanceof DecodeError) return damaged(key.reason);
  return { opened: { key, protection: file.kind }, pkcs8 };
}

async function openFile(
  bytes: Uint8Array,
  secrets: KeySecrets,
): Promise<OpenedKey | IdentityProblem> {
  const file = await unlockFile(bytes, secrets);
  return file instanceof IdentityProblem ? file : file.opened;
}

/** The file's bytes for the key: plain, or under the secret. */
async function encodeKeyFile(
  pkcs8: Bytes,
  secret: KeySecret | undefined,
): Promise<Bytes | IdentityProblem> {
  if (secret === undefined) return utf8(encodePem(plainLabel, pkcs8));
  const fault = unusable(secret);
  if (fault !== undefined) return fault;
  const envelope = await sealKey(pkcs8, secret);
  return envelope instanceof DecodeError
    ? new IdentityProblem("unusable-secret", `Cannot protect the key: ${envelope.reason}`)
    : utf8(encodePem(protectedLabel, envelope));
}

async function readKeyFile(storage: Storage): Promise<Bytes | undefined | IdentityProblem> {
  try {
    return await storage.read(keyFileName);
  } catch (error) {
    return storageProblem("read", error);
  }
}

/** A credential that begins like PEM is a key, not a secret. */
function isKeyCredential(credential: Uint8Array): boolean {
  return new TextDecoder().decode(credential.subarray(0, 64)).trimStart().startsWith("-----BEGIN ");
}

async function openKeyCredential(
  storage: Storage,
  credential: Bytes,
): Promise<OpenedKey | IdentityProblem> {
  const file = decodeKeyFile(credential);
  const key = file instanceof DecodeError || file.kind !== "plain"
    ? new DecodeError("not a plain private key")
    : await importPrivateKey(file.pkcs8);
  if (key instanceof DecodeError) {
    return new IdentityProblem(
      "unusable-secret",
      `Cannot use the credential as this node's key (${key.reason}): it must be what ` +
        `"openssl genpkey -algorithm ed25519" writes`,
    );
  }
  const existing = await readKeyFile(storage);
  if (existing instanceof IdentityProblem) return existing;
  if (existing === undefined) return { key, protection: "host" };
  return new IdentityProblem(
    "ambiguous",
    `There are two keys: the credential is one and key file "${keyFileName}" is another. Move the ` +
      `file away, or take the credential out of the service`,
  );
}

/**
 * Opens the node's key, or creates it if there is no key file. Two processes that create at once
 * end with one and the same key; a crash leaves no file or a whole one. Never rejects.
 *
 * A new key is protected by whichever secret is given; two at once are refused. A file that is there
 * already is opened by what it asks for, and a plain one stays plain.
 */
export async function openOrCreateKey(
  storage: Storage,
  secrets: KeySecrets,
): Promise<OpenedKey | IdentityProblem> {
  const { credential } = secrets;
  if (credential !== undefined && isKeyCredential(credential)) {
    return await openKeyCredential(storage, credential);
  }
  const existing = await readKeyFile(storage);
  if (existing instanceof IdentityProblem) return existing;
  if (existing !== undefined) return await openFile(existing, secrets);

  if (secrets.passphrase !== undefined && credential !== undefined) {
    return new IdentityProblem(
      "ambiguous",
      "Cannot protect a new key by a passphrase and a credential at once: give only one",
    );
  }
  const secret = secretFor("passphrase", secrets) ?? secretFor("credential", secrets);
  const made = await generateKey();
  const bytes = await encodeKeyFile(made.pkcs8, secret);
  if (bytes instanceof IdentityProblem) return bytes;
  try {
    if (await storage.createExclusive(keyFileName, bytes)) {
      return { key: made.key, protection: secret?.kind ?? "plain" };
    }
  } catch (error) {
    return storageProblem("create", error);
  }
  // Another process was first: its key is the node's.
  const theirs = await readKeyFile(storage);
  if (theirs instanceof IdentityProblem) return theirs;
  return theirs === undefined
    ? new IdentityProblem("storage", `Key file "${keyFileName}" came and went: start again`)
    : await openFile(theirs, secrets);
}

/** How the key file is protected, without opening it; `undefined` if there is none. */
export async function inspectKeyFile(
  storage: Storage,
): Promise<KeyProtection | undefined | IdentityProblem> {
  const bytes = await readKeyFile(storage);
  if (bytes === undefined || bytes instanceof IdentityProblem) return bytes;
  const file = decodeKeyFile(bytes);
  return file instanceof DecodeError ? damaged(file.reason) : file.kind;
}

/**
 * Writes the key file again under another secret (`undefined`: plain). The id stays. Never rejects.
 *
 * @param secrets What opens the file as it is.
 */
export async function protectKeyFile(
  storage: Storage,
  secrets: KeySecrets,
  next: KeySecret | undefined,
): Promise<KeyProtection | IdentityProblem> {
  const bytes = await readKeyFile(storage);
  if (bytes instanceof IdentityProblem) return bytes;
  if (bytes === undefined) {
    return new IdentityProblem("missing", `There is no key file "${keyFileName}" to protect`);
  }
  const file = await unlockFile(bytes, secrets);
  if (file instanceof IdentityProblem) return file;
  const rewritten = await encodeKeyFile(file.pkcs8, next);
  if (rewritten instanceof IdentityProblem) return rewritten;
  try {
    await storage.replace(keyFileName, rewritten);
  } catch (error) {
    return storageProblem("write", error);
  }
  return next?.kind ?? "plain";
}

/**
 * Gives up the identity: the key file is set aside (whatever its state) and the next start makes
 * another. Resolves to the name it was kept under, `undefined` if there was none. Never rejects.
 */
export async function resetKeyFile(
  storage: Storage,
): Promise<string | undefined | IdentityProblem> {
  try {
    if (await storage.read(keyFileName) === undefined) return undefined;
    return await storage.setAside(keyFileName);
  } catch (error) {
    return storageProblem("set aside", error);
  }
}
