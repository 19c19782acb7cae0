/**
 * The stand-in's keys, signatures and records. A signature is a mix of the public key and what is
 * signed: it fits nothing else, and anybody who wants to can make it. NOT SECURE.
 *
 * @module
 */
import { type Bytes, concatBytes, equalBytes, utf8 } from "../../../src/base/bytes.ts";
import { DecodeError } from "../../../src/base/decode.ts";
import { invariant } from "../../../src/base/invariant.ts";
import type { IdentityKey, NewKey, PublicKey } from "../../../src/crypto/identity_key.ts";
import { parsePublicKey, spkiOf } from "../../../src/crypto/identity_key.ts";
import type { CoseSignature, CoseSigner } from "../../../src/crypto/record.ts";
import {
  encodeCoseSign1,
  encodeProtectedHeader,
  encodeSigStructure,
  recordExternalAad,
} from "../../../src/wire/cose_sign1.ts";
import { publicKeyLength, signatureLength } from "../../../src/wire/limits.ts";
import { type NodeId, nodeIdFromBytes } from "../../../src/wire/node_id.ts";
import { sha256 } from "./digest.ts";
import { bytesOf, drawn, mixed, mixedParts, StandInKey } from "./mixing.ts";

const publicHalf = 0x10;
const signature = 0x11;
const seedLength = 32;
/** What precedes the seed in a PrivateKeyInfo (RFC 8410 §7), so that key files have their length. */
const pkcs8Prefix = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
  ...[0x04, 0x22, 0x04, 0x20],
);
const separator = Uint8Array.of(0);

/** As the real one; the id is a mix. */
export async function nodeIdOf(publicKey: PublicKey): Promise<NodeId> {
  const id = nodeIdFromBytes(await sha256(spkiOf(publicKey)));
  invariant(id !== undefined, "a digest is as long as a node id");
  return id;
}

function keyOfSeed(seed: Bytes): IdentityKey {
  const publicKey = parsePublicKey(mixed(publicHalf, seed, publicKeyLength));
  invariant(!(publicKey instanceof DecodeError), "a mix is hardly ever an unfit key");
  // Who signs needs the public key alone: that is what makes it a stand-in.
  return { publicKey, privateKey: new StandInKey(publicKey) };
}

/** A key of drawn bytes. NOT SECURE. */
export function generateKey(): Promise<NewKey> {
  const seed = drawn();
  return Promise.resolve({ key: keyOfSeed(seed), pkcs8: concatBytes(pkcs8Prefix, seed) });
}

/** As the real one. */
export function importPrivateKey(pkcs8: Uint8Array): Promise<IdentityKey | DecodeError> {
  if (pkcs8.length !== pkcs8Prefix.length + seedLength) {
    return Promise.resolve(new DecodeError("pkcs8 length"));
  }
  if (!equalBytes(pkcs8.subarray(0, pkcs8Prefix.length), pkcs8Prefix)) {
    return Promise.resolve(new DecodeError("pkcs8 is not a plain Ed25519 key"));
  }
  return Promise.resolve(keyOfSeed(pkcs8.slice(pkcs8Prefix.length)));
}

/** As the real one. */
export function privateKeyOfSeed(seed: Uint8Array): Promise<IdentityKey> {
  invariant(seed.length === seedLength, "a seed has 32 bytes");
  return Promise.resolve(keyOfSeed(new Uint8Array(seed)));
}

/** The signature of the key of these public bytes over exactly `data`. NOT SECURE. */
export function signatureOf(publicKey: Uint8Array, data: Uint8Array): Bytes {
  return mixedParts(signature, signatureLength, publicKey, data);
}

function underPurpose(label: string, data: Uint8Array): Bytes {
  invariant(/^[\x20-\x7e]+$/.test(label), "a purpose label is printable ASCII");
  return concatBytes(utf8(label), separator, data);
}

/** Signs label and data; 64 bytes. NOT SECURE. */
export function signWith(key: IdentityKey, label: string, data: Uint8Array): Promise<Bytes> {
  return Promise.resolve(signatureOf(bytesOf(key.privateKey), underPurpose(label, data)));
}

/** Signs a TBSCertificate; 64 bytes. NOT SECURE. */
export function signCertificate(key: IdentityKey, tbs: Uint8Array): Promise<Bytes> {
  return Promise.resolve(signatureOf(bytesOf(key.privateKey), tbs));
}

/** Signs a COSE `Sig_structure`; 64 bytes. NOT SECURE. */
export function signCose(key: IdentityKey, sigStructure: Uint8Array): Promise<Bytes> {
  return Promise.resolve(signatureOf(bytesOf(key.privateKey), sigStructure));
}

function isSignature(publicKey: Uint8Array, data: Uint8Array, proof: Uint8Array): boolean {
  return proof.length === signatureLength && equalBytes(signatureOf(publicKey, data), proof);
}

/** Whether `proof` is what `signWith` makes of label and data. */
export function verifyFrom(
  publicKey: PublicKey,
  label: string,
  data: Uint8Array,
  proof: Uint8Array,
): Promise<boolean> {
  return Promise.resolve(isSignature(publicKey, underPurpose(label, data), proof));
}

/** Whether `proof` is the key's over exactly `data`. */
export function verifySignature(
  publicKey: PublicKey,
  data: Uint8Array,
  proof: Uint8Array,
): Promise<boolean> {
  return Promise.resolve(isSignature(publicKey, data, proof));
}

/** Whether the key signed this COSE_Sign1. */
export function verifyCose(key: Bytes, cose: CoseSignature): Promise<boolean> {
  const data = encodeSigStructure(cose.protectedHeader, cose.externalAad, cose.payload);
  return Promise.resolve(isSignature(key, data, cose.signature));
}

/** Whether the envelope's signature is that of the key it names. */
export function verifyRecordSignature(
  envelope: Omit<CoseSignature, "externalAad"> & { readonly key: Bytes },
): Promise<boolean> {
  return verifyCose(envelope.key, { ...envelope, externalAad: recordExternalAad });
}

/** The whole record, signed. */
export async function signRecord(signer: CoseSigner, payload: Bytes): Promise<Bytes> {
  const key = signer.publicKey;
  const signed = await signer.signCose(
    encodeSigStructure(encodeProtectedHeader(key), recordExternalAad, payload),
  );
  return encodeCoseSign1({ key, payload, signature: signed });
}
