/**
 * The key that is a node: Ed25519 (RFC 8032, keys in the forms of RFC 8410).
 *
 * What the platform does not do, and this file therefore does: Web Crypto imports small-order public
 * keys (for which one signature fits any message) and non-canonical ones (two texts, one key). Both
 * are refused by `parsePublicKey`, the only maker of a `PublicKey`. That a key lies on the curve is
 * not asked: under one that does not, no signature ever verifies.
 *
 * One key signs three kinds of things, told apart by how they begin: certificates (DER, `0x30`),
 * messages under a purpose (64 × `0x20`, label, `0x00`), COSE signature structures
 * (`0x84 0x6a "Signature1"`). None can be taken for another.
 *
 * PROTOCOL §1.3, §2.1.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes, equalBytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { invariant } from "../base/invariant.ts";
import { decodeBase64 } from "@std/encoding";
import { publicKeyLength, signatureLength } from "../wire/limits.ts";
import { type NodeId, nodeIdFromBytes } from "../wire/node_id.ts";
import { sha256 } from "./digest.ts";

declare const publicKeyBrand: unique symbol;

/** A raw Ed25519 public key, 32 bytes, canonical and not of small order. */
export type PublicKey = Bytes & { readonly [publicKeyBrand]: true };

/** Bytes in a private key seed. */
const seedLength = 32;

/** What precedes the raw key in a SubjectPublicKeyInfo: RFC 8410 §4, 44 bytes in all. */
const spkiPrefix = Uint8Array.of(
  ...[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00],
);
/** What precedes the seed in a PrivateKeyInfo of version 0: RFC 8410 §7, 48 bytes in all. */
const pkcs8Prefix = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
  ...[0x04, 0x22, 0x04, 0x20],
);
/** What precedes every message signed under a purpose, as TLS 1.3 does (RFC 8446 §4.4.3). */
const purposePadding = new Uint8Array(64).fill(0x20);
/** How a TBSCertificate begins. */
const derSequence = 0x30;
const coseBeginning = concatBytes(Uint8Array.of(0x84, 0x6a), utf8("Signature1"));

/**
 * The y-coordinates of the eight points whose order divides 8, little-endian without the sign of x:
 * 0 (order 4), 1 (the neutral element), p − 1 (order 2), and the two of order 8.
 */
const smallOrderY: readonly Uint8Array[] = [
  new Uint8Array(32),
  Uint8Array.of(1, ...new Uint8Array(31)),
  Uint8Array.of(0xec, ...new Uint8Array(30).fill(0xff), 0x7f),
  Uint8Array.of(
    ...[0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98],
    ...[0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53],
    ...[0xfc, 0x05],
  ),
  Uint8Array.of(
    ...[0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67],
    ...[0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac],
    ...[0x03, 0x7a],
  ),
];

/** Whether y, little-endian without the sign bit, is p = 2²⁵⁵ − 19 or more. */
function isAtLeastP(y: Uint8Array): boolean {
  if ((y[0] ?? 0) < 0xed || y[31] !== 0x7f) return false;
  return y.subarray(1, 31).every((byte) => byte === 0xff);
}

/** Accepts 32 bytes as a public key: canonical (RFC 8032 §5.1.3) and not of small order. */
export function parsePublicKey(raw: Uint8Array): PublicKey | DecodeError {
  if (raw.length !== publicKeyLength) return new DecodeError("public key length");
  const key = copyBytes(raw);
  const y = copyBytes(raw);
  y[31] = (y[31] ?? 0) & 0x7f;
  if (isAtLeastP(y)) return new DecodeError("public key not canonical");
  if (smallOrderY.some((small) => equalBytes(small, y))) {
    return new DecodeError("public key of small order");
  }
  return key as PublicKey;
}

/** The key's SubjectPublicKeyInfo, DER, 44 bytes. */
export function spkiOf(publicKey: PublicKey): Bytes {
  return concatBytes(spkiPrefix, publicKey);
}

/** The node id of a root key: SHA-256 of its SubjectPublicKeyInfo. PROTOCOL §2.1. */
export async function nodeIdOf(publicKey: PublicKey): Promise<NodeId> {
  const id = nodeIdFromBytes(await sha256(spkiOf(publicKey)));
  invariant(id !== undefined, "a SHA-256 is as long as a node id");
  return id;
}

/** A private key that can sign but not be read out again. */
export interface IdentityKey {
  readonly publicKey: PublicKey;
  /** Not extractable; used by nothing but the purposes of this room. */
  readonly privateKey: CryptoKey;
}

/** A key just made, with the PKCS#8 form (48 bytes) that is written to the key file once. */
export interface NewKey {
  readonly key: IdentityKey;
  readonly pkcs8: Bytes;
}

/** Makes a key: for an identity, or for a TLS leaf. */
export async function generateKey(): Promise<NewKey> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  invariant("privateKey" in pair, "Ed25519 keys are made in pairs");
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const key = await importPrivateKey(pkcs8);
  invariant(!(key instanceof DecodeError), "a generated key can be imported");
  return { key, pkcs8 };
}

/** Imports a PKCS#8 private key of exactly the form of RFC 8410 §7 version 0 (48 bytes). */
export async function importPrivateKey(pkcs8: Uint8Array): Promise<IdentityKey | DecodeError> {
  if (pkcs8.length !== pkcs8Prefix.length + seedLength) return new DecodeError("pkcs8 length");
  if (!equalBytes(pkcs8.subarray(0, pkcs8Prefix.length), pkcs8Prefix)) {
    return new DecodeError("pkcs8 is not a plain Ed25519 key");
  }
  const bytes = copyBytes(pkcs8);
  // Web Crypto tells the public half only of a key that may be exported.
  const readable = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", readable);
  invariant(x !== undefined, "an exported Ed25519 key names its public half");
  const publicKey = parsePublicKey(
    decodeBase64(`${x.replaceAll("-", "+").replaceAll("_", "/")}=`),
  );
  if (publicKey instanceof DecodeError) return publicKey;
  const privateKey = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", false, ["sign"]);
  return { publicKey, privateKey };
}

/** The key of a 32-byte seed (RFC 8032 §5.1.5): for simulations and vectors. */
export async function privateKeyOfSeed(seed: Uint8Array): Promise<IdentityKey> {
  invariant(seed.length === seedLength, "a seed has 32 bytes");
  const key = await importPrivateKey(concatBytes(pkcs8Prefix, seed));
  invariant(!(key instanceof DecodeError), "every seed makes a key");
  return key;
}

function underPurpose(label: string, data: Uint8Array): Bytes {
  invariant(/^[\x20-\x7e]+$/.test(label), "a purpose label is printable ASCII");
  return concatBytes(purposePadding, utf8(label), Uint8Array.of(0), data);
}

/** Signs 64 × `0x20` ‖ label ‖ `0x00` ‖ data; 64 bytes. */
export async function signWith(
  key: IdentityKey,
  label: string,
  data: Uint8Array,
): Promise<Bytes> {
  const form = underPurpose(label, data);
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, form));
}

/** Signs a TBSCertificate (RFC 5280 §4.1.1.3), DER, and nothing else; 64 bytes. */
export async function signCertificate(key: IdentityKey, tbs: Uint8Array): Promise<Bytes> {
  invariant(tbs[0] === derSequence, "only a DER sequence is signed as a certificate");
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, copyBytes(tbs)));
}

/** Signs a COSE `Sig_structure` of one signer (RFC 9052 §4.4) and nothing else; 64 bytes. */
export async function signCose(key: IdentityKey, sigStructure: Uint8Array): Promise<Bytes> {
  invariant(
    equalBytes(sigStructure.subarray(0, coseBeginning.length), coseBeginning),
    "only a Signature1 structure is signed as COSE",
  );
  const data = copyBytes(sigStructure);
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, data));
}

/** Whether `signature` is the key's over label and data, as `signWith` makes it. Never throws. */
export function verifyFrom(
  publicKey: PublicKey,
  label: string,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return verifySignature(publicKey, underPurpose(label, data), signature);
}

/** Whether `signature` is the key's over exactly `data` (RFC 8032 §5.1.7). Never throws. */
export async function verifySignature(
  publicKey: PublicKey,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== signatureLength) return false;
  const form = copyBytes(data);
  const proof = copyBytes(signature);
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, proof, form);
  } catch {
    // What the platform will not even look at is not a valid signature.
    return false;
  }
}

/** What lies below the purposes, for known-answer tests and the self test; nothing else uses it. */
export const identityKnownAnswer = {
  /** Ed25519 over exactly `data`, by the key of a 32-byte seed; 64 bytes. */
  async sign(seed: Bytes, data: Bytes): Promise<Bytes> {
    const { privateKey } = await privateKeyOfSeed(seed);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, data));
  },
} as const;
