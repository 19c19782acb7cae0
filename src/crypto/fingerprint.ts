/**
 * Fingerprints of sets of records, by which two stores find where they differ. PROTOCOL §8.1.
 *
 * Self kinds are summed, so that a tree can hold the sums; a sum can be forged by who makes very many
 * identities and hashes. Administrator kinds are therefore never summed: their hashes are sorted and
 * hashed again.
 *
 * Three forms, told apart by the bounds of the range alone, never by what lies in it:
 * - only self kinds:          SHA-256(count u64 ‖ sum 32)
 * - only administrator kinds: SHA-256(count u64 ‖ SHA-256(sorted hashes))
 * - both (also the digest):   SHA-256(count u64 ‖ sum of the self kinds 32 ‖
 *                             SHA-256(sorted hashes of the administrator kinds))
 *
 * each cut to its first 16 bytes. `sum` is the sum of the record hashes as big-endian integers modulo
 * 2²⁵⁶; hashes sort by bytes; count counts all records in the range.
 *
 * @module
 */
import { type Bytes, encodeUint, joinBytes } from "../base/bytes.ts";
import { fingerprintLength } from "../wire/limits.ts";
import { sha256 } from "./digest.ts";

/** Without administrators, as most meshes are, this stands in every digest of a probe. */
let hashOfNothing: Promise<Bytes> | undefined;

function hashOf(sortedHashes: readonly Uint8Array[]): Promise<Bytes> {
  return sortedHashes.length === 0 ? hashOfNothing ??= sha256() : sha256(joinBytes(sortedHashes));
}

/** Of a range of self kinds: `sum` 32 bytes. Returns 16 bytes. */
export async function selfFingerprint(count: number, sum: Uint8Array): Promise<Bytes> {
  return (await sha256(encodeUint(count, 8), sum)).slice(0, fingerprintLength);
}

/** Of a range of administrator kinds: their hashes, 32 bytes each, sorted. Returns 16 bytes. */
export async function administratorFingerprint(
  count: number,
  sortedHashes: readonly Uint8Array[],
): Promise<Bytes> {
  const hashes = await hashOf(sortedHashes);
  return (await sha256(encodeUint(count, 8), hashes)).slice(0, fingerprintLength);
}

/** Of a range that spans both, and of everything (the digest of a probe). Returns 16 bytes. */
export async function spanningFingerprint(
  count: number,
  sum: Uint8Array,
  sortedHashes: readonly Uint8Array[],
): Promise<Bytes> {
  const hashes = await hashOf(sortedHashes);
  return (await sha256(encodeUint(count, 8), sum, hashes)).slice(0, fingerprintLength);
}
