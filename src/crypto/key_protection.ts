/**
 * A private key under a secret: a passphrase (Argon2id, RFC 9106) or a credential that the service
 * manager hands over (HKDF-SHA-256, RFC 5869); then AES-256-GCM.
 *
 * The envelope is deterministic CBOR, PROTOCOL §2.3:
 * `[1, method, salt 16, nonce 12, parameters, ciphertext]`, where method 1 is a passphrase with
 * parameters `[memory KiB, passes, lanes]` and method 2 a credential with parameters `[]`. The
 * associated data is `"mesh v1 key file"`, a zero byte, and the CBOR array without its last item.
 *
 * Randomness comes from the platform's generator, as the key inside does.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { asArray, asBytes, asUint, type CborValue, decodeCbor, encodeCbor } from "../wire/cbor.ts";
import {
  argonLanes,
  argonLanesMax,
  argonMemoryKib,
  argonMemoryKibMax,
  argonPasses,
  argonPassesMax,
  credentialBytesMin,
  protectedKeyBytesMax,
} from "./limits.ts";

/** What a key can be protected by. */
export type KeySecret =
  | { readonly kind: "passphrase"; readonly passphrase: string }
  | { readonly kind: "credential"; readonly credential: Bytes };

const formatVersion = 1;
const methodNumbers = { passphrase: 1, credential: 2 } as const;
const saltLength = 16;
const nonceLength = 12;
const tagLength = 16;

interface Header {
  readonly method: KeySecret["kind"];
  readonly salt: Bytes;
  readonly nonce: Bytes;
  /** Memory in KiB, passes, lanes; empty for a credential. */
  readonly costs: readonly number[];
}

interface Envelope {
  readonly header: Header;
  readonly ciphertext: Bytes;
}

/** Argon2id as the platform takes it (WICG "Modern Algorithms in the Web Cryptography API"). */
interface Argon2Params extends Algorithm {
  readonly nonce: Bytes;
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly secretValue?: Bytes;
  readonly associatedData?: Bytes;
}

/** Argon2id, version 0x13; 32 bytes. */
async function argon2id(
  message: Uint8Array,
  params: Omit<Argon2Params, "name">,
): Promise<Bytes> {
  const secret = await crypto.subtle.importKey("raw", copyBytes(message), "Argon2id", false, [
    "deriveBits",
  ]);
  const named: Argon2Params = { name: "Argon2id", ...params };
  return new Uint8Array(await crypto.subtle.deriveBits(named, secret, 256));
}

/** Argon2id, version 0x13, without secret and associated data; 32 bytes. Costs as in the RFC. */
export function deriveFromPassphrase(
  passphrase: Uint8Array,
  salt: Bytes,
  memoryKib: number,
  passes: number,
  lanes: number,
): Promise<Bytes> {
  return argon2id(passphrase, { nonce: salt, memory: memoryKib, passes, parallelism: lanes });
}

async function deriveFromCredential(credential: Bytes, salt: Bytes): Promise<Bytes> {
  const secret = await crypto.subtle.importKey("raw", credential, "HKDF", false, ["deriveBits"]);
  const params = {
    name: "HKDF",
    hash: "SHA-256",
    salt,
    info: utf8("mesh v1 key file credential"),
  };
  return new Uint8Array(await crypto.subtle.deriveBits(params, secret, 256));
}

async function wrappingKey(
  header: Header,
  secret: KeySecret,
  usage: "encrypt" | "decrypt",
): Promise<CryptoKey> {
  const [memoryKib = 0, passes = 0, lanes = 0] = header.costs;
  const raw = secret.kind === "passphrase"
    ? await deriveFromPassphrase(
      // The same passphrase typed on two keyboards may differ in composition (RFC 8265 §4.2).
      utf8(secret.passphrase.normalize("NFC")),
      header.salt,
      memoryKib,
      passes,
      lanes,
    )
    : await deriveFromCredential(secret.credential, header.salt);
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [usage]);
}

function headerItems(header: Header): CborValue[] {
  return [formatVersion, methodNumbers[header.method], header.salt, header.nonce, header.costs];
}

function gcmParams(header: Header): AesGcmParams {
  return {
    name: "AES-GCM",
    iv: header.nonce,
    additionalData: concatBytes(
      utf8("mesh v1 key file"),
      Uint8Array.of(0),
      encodeCbor(headerItems(header)),
    ),
  };
}

/** Why a secret cannot be used at all, or `undefined` if it can. */
export function secretFault(secret: KeySecret): DecodeError | undefined {
  if (secret.kind === "passphrase") {
    return secret.passphrase === "" ? new DecodeError("passphrase empty") : undefined;
  }
  return secret.credential.length < credentialBytesMin
    ? new DecodeError("credential too short")
    : undefined;
}

/** Seals the key: a fresh salt and nonce each time. Refuses an empty or too short secret. */
export async function sealKey(plain: Uint8Array, secret: KeySecret): Promise<Bytes | DecodeError> {
  const fault = secretFault(secret);
  if (fault !== undefined) return fault;
  const header: Header = {
    method: secret.kind,
    salt: crypto.getRandomValues(new Uint8Array(saltLength)),
    nonce: crypto.getRandomValues(new Uint8Array(nonceLength)),
    costs: secret.kind === "passphrase" ? [argonMemoryKib, argonPasses, argonLanes] : [],
  };
  const key = await wrappingKey(header, secret, "encrypt");
  const ciphertext = await crypto.subtle.encrypt(gcmParams(header), key, copyBytes(plain));
  return encodeCbor([...headerItems(header), new Uint8Array(ciphertext)]);
}

function decodeCosts(method: KeySecret["kind"], value: CborValue | undefined) {
  const items = asArray(value, 3);
  if (items === undefined || items.length !== (method === "passphrase" ? 3 : 0)) return undefined;
  if (method === "credential") return [];
  const memoryKib = asUint(items[0], argonMemoryKibMax);
  const passes = asUint(items[1], argonPassesMax);
  const lanes = asUint(items[2], argonLanesMax);
  if (memoryKib === undefined || passes === undefined || lanes === undefined) return undefined;
  // RFC 9106 §3.1: at least one pass, one lane and 8 KiB for each lane.
  return passes >= 1 && lanes >= 1 && memoryKib >= 8 * lanes
    ? [memoryKib, passes, lanes]
    : undefined;
}

function decodeEnvelope(bytes: Uint8Array): Envelope | DecodeError {
  if (bytes.length > protectedKeyBytesMax) return new DecodeError("protected key too long");
  const value = decodeCbor(bytes);
  if (value instanceof DecodeError) return value;
  const items = asArray(value, 6);
  if (items?.length !== 6) return new DecodeError("protected key shape");
  if (items[0] !== formatVersion) return new DecodeError("protected key version");
  const method = items[1] === methodNumbers.passphrase
    ? "passphrase"
    : items[1] === methodNumbers.credential
    ? "credential"
    : undefined;
  if (method === undefined) return new DecodeError("protected key method");
  const salt = asBytes(items[2], saltLength);
  const nonce = asBytes(items[3], nonceLength);
  const costs = decodeCosts(method, items[4]);
  const ciphertext = asBytes(items[5], tagLength, protectedKeyBytesMax);
  if (
    salt === undefined || nonce === undefined || costs === undefined || ciphertext === undefined
  ) return new DecodeError("protected key shape");
  return { header: { method, salt, nonce, costs }, ciphertext };
}

/** What the envelope asks for, without opening it. */
export function protectionOf(envelope: Uint8Array): KeySecret["kind"] | DecodeError {
  const decoded = decodeEnvelope(envelope);
  return decoded instanceof DecodeError ? decoded : decoded.header.method;
}

/** Opens the envelope. A wrong secret and a changed envelope look the same. Never throws. */
export async function openKey(
  envelope: Uint8Array,
  secret: KeySecret,
): Promise<Bytes | DecodeError> {
  const decoded = decodeEnvelope(envelope);
  if (decoded instanceof DecodeError) return decoded;
  const { header, ciphertext } = decoded;
  if (header.method !== secret.kind) return new DecodeError("protected by another kind of secret");
  const fault = secretFault(secret);
  if (fault !== undefined) return fault;
  try {
    const key = await wrappingKey(header, secret, "decrypt");
    return new Uint8Array(await crypto.subtle.decrypt(gcmParams(header), key, ciphertext));
  } catch {
    // Web Crypto tells a failed tag by throwing, and so a lack of memory for Argon2id.
    return new DecodeError("wrong secret or damaged envelope");
  }
}

/** What lies below the purposes, for known-answer tests and the self test; nothing else uses it. */
export const keyProtectionKnownAnswer = { argon2id } as const;
