/**
 * The stand-in's digest and the fingerprints over it. NOT SECURE: collisions can be made at will.
 *
 * @module
 */
import { type Bytes, encodeUint } from "../../../src/base/bytes.ts";
import { fingerprintLength } from "../../../src/wire/limits.ts";
import { mixedParts } from "./mixing.ts";

const digest = 0x20;
const fingerprint = 0x21;

/** 32 bytes that depend on the parts joined, as the real one's do. NOT SECURE. */
export function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return Promise.resolve(mixedParts(digest, 32, ...parts));
}

function fingerprintOf(count: number, ...parts: readonly Uint8Array[]): Promise<Bytes> {
  return Promise.resolve(
    mixedParts(fingerprint, fingerprintLength, encodeUint(count, 8), ...parts),
  );
}

/** Of a range of self kinds. */
export function selfFingerprint(count: number, sum: Uint8Array): Promise<Bytes> {
  return fingerprintOf(count, sum);
}

/** Of a range of administrator kinds. */
export function administratorFingerprint(
  count: number,
  sortedHashes: readonly Uint8Array[],
): Promise<Bytes> {
  return fingerprintOf(count, ...sortedHashes);
}

/** Of a range that spans both. */
export function spanningFingerprint(
  count: number,
  sum: Uint8Array,
  sortedHashes: readonly Uint8Array[],
): Promise<Bytes> {
  return fingerprintOf(count, sum, ...sortedHashes);
}
