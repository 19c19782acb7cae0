/**
 * Signing and verifying records: Ed25519 over the COSE Sig_structure (RFC 9052 §4.4) with the
 * external data "mesh v1 record".
 *
 * The platform's limits: `crypto.subtle` accepts small-order and non-canonical public keys, so a
 * key that comes in here must have passed `parsePublicKey`. What is signed begins with CBOR
 * `84 6a "Signature1"`, so it is never a labelled signature's data (64 spaces first), nor a
 * certificate's (DER).
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, copyBytes, toHex } from "../base/bytes.ts";
import {
  encodeCoseSign1,
  encodeProtectedHeader,
  encodeSigStructure,
  recordExternalAad,
} from "../wire/cose_sign1.ts";
import type { PublicKey } from "./identity_key.ts";

/** Imported keys kept: an import costs about as much as a third of a verification. */
const importedKeysMax = 1_024;
const importedKeys = new BoundedMap<string, CryptoKey>(importedKeysMax);

async function importVerifyKey(key: Bytes): Promise<CryptoKey> {
  const name = toHex(key);
  const known = importedKeys.get(name);
  if (known !== undefined) return known;
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  importedKeys.set(name, imported);
  return imported;
}

/** What stands in a COSE_Sign1 and beside it. */
export interface CoseSignature {
  /** The exact bytes of the protected header. */
  readonly protectedHeader: Uint8Array;
  /** Data signed along that does not travel. */
  readonly externalAad: Uint8Array;
  readonly payload: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/**
 * Whether the holder of `key` (raw Ed25519, 32 bytes, already judged) signed this COSE_Sign1.
 * Never rejects: what the platform throws on is no signature.
 */
export async function verifyCose(key: Bytes, cose: CoseSignature): Promise<boolean> {
  try {
    return await crypto.subtle.verify(
      "Ed25519",
      await importVerifyKey(key),
      copyBytes(cose.signature),
      encodeSigStructure(cose.protectedHeader, cose.externalAad, cose.payload),
    );
  } catch {
    // A key or signature that the platform cannot even read proves nothing; why is of no use here.
    return false;
  }
}

/** Whether the envelope's signature is that of the key it names. */
export function verifyRecordSignature(
  envelope: Omit<CoseSignature, "externalAad"> & { readonly key: Bytes },
): Promise<boolean> {
  return verifyCose(envelope.key, {
    protectedHeader: envelope.protectedHeader,
    externalAad: recordExternalAad,
    payload: envelope.payload,
    signature: envelope.signature,
  });
}

/** Who can sign records: an identity. */
export interface CoseSigner {
  readonly publicKey: PublicKey;
  /** Signs a Sig_structure of one signer (RFC 9052 §4.4) and nothing else; 64 bytes. */
  signCose(sigStructure: Bytes): Promise<Bytes>;
}

/** The whole record, signed: the payload's bytes in their COSE_Sign1 envelope. */
export async function signRecord(signer: CoseSigner, payload: Bytes): Promise<Bytes> {
  const key = signer.publicKey;
  const signature = await signer.signCose(
    encodeSigStructure(encodeProtectedHeader(key), recordExternalAad, payload),
  );
  return encodeCoseSign1({ key, payload, signature });
}
