/**
 * The envelope of a record: COSE_Sign1 (RFC 9052 §4.2), tagged, in the one form that mesh writes.
 *
 * ```text
 * d2                        tag 18
 * 84                        array of 4
 *   58 2c                   protected header, 44 bytes, deterministic CBOR:
 *     a3 01 27                {1 (alg): −8 (EdDSA),
 *        04 58 20 …             4 (kid): the author's raw Ed25519 key, 32 bytes,
 *        3a 00010000 01         −65537 (format version): 1}
 *   a0                      unprotected header, empty
 *   4x | 58 … | 59 …        payload, shortest length form
 *   58 40 …                 signature, 64 bytes
 * ```
 *
 * All but the payload and its length stand at fixed places, so the envelope is compared, not
 * parsed: whatever differs in one byte is refused. What is in the payload is not looked at.
 * PROTOCOL §7.1.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes, equalBytes, fromHex, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { invariant } from "../base/invariant.ts";
import { type CborValue, encodeCbor } from "./cbor.ts";
import { publicKeyLength, recordBytesMax, signatureLength } from "./limits.ts";

/** Bytes of the protected header. */
const protectedLength = 44;

function literal(hex: string): Bytes {
  const bytes = fromHex(hex);
  invariant(bytes !== undefined, "a literal is hexadecimal");
  return bytes;
}

const beforeProtected = literal("d284" + "582c");
const protectedHead = literal("a30127" + "045820");
const protectedTail = literal("3a0001000001");
const unprotected = literal("a0");
const signatureHead = literal("5840");
const payloadAt = beforeProtected.length + protectedLength + unprotected.length;
const keyAt = beforeProtected.length + protectedHead.length;

/** The parts of an envelope, not verified. */
export interface CoseSign1 {
  /** The protected header's exact 44 bytes. */
  readonly protectedHeader: Bytes;
  /** The key it names: raw, 32 bytes, not judged. */
  readonly key: Bytes;
  readonly payload: Bytes;
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** The protected header that names this key (32 raw bytes). */
export function encodeProtectedHeader(key: Uint8Array): Bytes {
  invariant(key.length === publicKeyLength, "a raw Ed25519 key has 32 bytes");
  return concatBytes(protectedHead, key, protectedTail);
}

/**
 * What is signed: the deterministic CBOR array ["Signature1", protected header, external data,
 * payload] (RFC 9052 §4.4).
 */
export function encodeSigStructure(
  protectedHeader: Uint8Array,
  externalAad: Uint8Array,
  payload: Uint8Array,
): Bytes {
  return encodeCbor(["Signature1", protectedHeader, externalAad, payload] satisfies CborValue);
}

/** The envelope's bytes. */
export function encodeCoseSign1(parts: Omit<CoseSign1, "protectedHeader">): Bytes {
  invariant(parts.signature.length === signatureLength, "an Ed25519 signature has 64 bytes");
  return concatBytes(
    beforeProtected,
    encodeProtectedHeader(parts.key),
    unprotected,
    encodeCbor(parts.payload),
    signatureHead,
    parts.signature,
  );
}

/** Where the payload lies: [first byte, one past the last]; `undefined` if its length is not in the shortest form or not what is there. */
function payloadSpan(bytes: Uint8Array): readonly [number, number] | undefined {
  const end = bytes.length - signatureLength - signatureHead.length;
  const head = bytes[payloadAt] ?? 0;
  const one = bytes[payloadAt + 1] ?? 0;
  const two = bytes[payloadAt + 2] ?? 0;
  if (head >= 0x40 && head < 0x58) {
    return payloadAt + 1 + (head - 0x40) === end ? [payloadAt + 1, end] : undefined;
  }
  if (head === 0x58) {
    return one >= 24 && payloadAt + 2 + one === end ? [payloadAt + 2, end] : undefined;
  }
  const length = one * 256 + two;
  return head === 0x59 && length >= 256 && payloadAt + 3 + length === end
    ? [payloadAt + 3, end]
    : undefined;
}

/** Takes the envelope apart; refuses anything but its one form. Never throws. */
export function decodeCoseSign1(bytes: Uint8Array): CoseSign1 | DecodeError {
  if (bytes.length > recordBytesMax) return new DecodeError("record too big");
  if (bytes.length < payloadAt + 1 + signatureHead.length + signatureLength) {
    return new DecodeError("record too short");
  }
  const keyEnd = keyAt + publicKeyLength;
  const fits = equalBytes(bytes.subarray(0, beforeProtected.length), beforeProtected) &&
    equalBytes(bytes.subarray(beforeProtected.length, keyAt), protectedHead) &&
    equalBytes(bytes.subarray(keyEnd, keyEnd + protectedTail.length), protectedTail) &&
    equalBytes(bytes.subarray(payloadAt - unprotected.length, payloadAt), unprotected);
  if (!fits) return new DecodeError("record envelope");
  const span = payloadSpan(bytes);
  if (span === undefined) return new DecodeError("record payload length");
  const [start, end] = span;
  if (!equalBytes(bytes.subarray(end, end + signatureHead.length), signatureHead)) {
    return new DecodeError("record signature length");
  }
  return {
    protectedHeader: copyBytes(bytes.subarray(beforeProtected.length, payloadAt - 1)),
    key: copyBytes(bytes.subarray(keyAt, keyEnd)),
    payload: copyBytes(bytes.subarray(start, end)),
    signature: copyBytes(bytes.subarray(end + signatureHead.length)),
  };
}

/** The payload in what looks like an envelope, not copied and nothing else looked at; `undefined` if its length is wrong. */
export function payloadWithin(bytes: Uint8Array): Uint8Array | undefined {
  const span = payloadSpan(bytes);
  return span === undefined ? undefined : bytes.subarray(...span);
}

/** Whether two envelopes say the same under signatures that may differ. */
export function sameExceptSignature(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length &&
    equalBytes(
      a.subarray(0, Math.max(0, a.length - signatureLength)),
      b.subarray(0, Math.max(0, b.length - signatureLength)),
    );
}

/** The external data under which records are signed, and nothing else. */
export const recordExternalAad: Bytes = utf8("mesh v1 record");
