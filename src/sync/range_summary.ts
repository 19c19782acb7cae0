/**
 * What a store holds in a range of keys, in short: enough for its fingerprint. Computed here by one
 * pass; a tree may give the same summary without it.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, compareBytes, toHex } from "../base/bytes.ts";
import { administratorFingerprint, selfFingerprint, spanningFingerprint } from "../crypto/mod.ts";
import {
  administratorBound,
  type KeyBound,
  type KeyRange,
  type KindRange,
  kindsHold,
} from "../wire/key_range.ts";
import { isAdministratorKind, type RecordKey } from "../wire/record_key.ts";
import { fingerprintsKept } from "./limits.ts";

/** As much of a verified record as reconciliation looks at. */
export interface RecordEntry {
  readonly key: RecordKey;
  /** 0–255. */
  readonly kind: number;
  readonly serial: number;
  /** SHA-256 of the record's bytes, 32 bytes. */
  readonly hash: Bytes;
  readonly bytes: Bytes;
}

/** A store as reconciliation sees it. */
export interface RecordRanges {
  /** Records with `low` ≤ key < `high` in the order of their keys; no `high`: to the end. */
  range(low: KeyBound, high: KeyBound | undefined): Iterable<RecordEntry>;
  get(key: RecordKey): RecordEntry | undefined;
  /** How many records there are, of all kinds, give or take those that are about to go. */
  readonly size: number;
}

/** A set of records in short. */
export interface RangeSummary {
  /** How many records, of all kinds. */
  readonly count: number;
  /** Sum of the hashes of the self kinds modulo 2²⁵⁶, 32 bytes big-endian. */
  readonly sum: Bytes;
  /** Hashes of the administrator kinds, sorted by bytes. */
  readonly administratorHashes: readonly Bytes[];
}

/** The records of the range whose kinds are compared, by key. */
export function entriesIn(
  store: RecordRanges,
  range: KeyRange,
  kinds: readonly KindRange[],
): RecordEntry[] {
  const entries: RecordEntry[] = [];
  for (const entry of store.range(range.low, range.high)) {
    if (kindsHold(kinds, entry.kind)) entries.push(entry);
  }
  return entries;
}

/** Sums up the records. */
export function summarise(entries: Iterable<RecordEntry>): RangeSummary {
  // Eight words of 32 bits, the least significant first.
  const words = new Uint32Array(8);
  const administratorHashes: Bytes[] = [];
  let count = 0;
  for (const entry of entries) {
    count += 1;
    if (isAdministratorKind(entry.kind)) administratorHashes.push(entry.hash);
    else addHash(words, entry.hash);
  }
  const sum = new Uint8Array(32);
  const view = new DataView(sum.buffer);
  words.forEach((word, i) => view.setUint32(28 - 4 * i, word));
  return { count, sum, administratorHashes: administratorHashes.sort(compareBytes) };
}

function addHash(words: Uint32Array, hash: Bytes): void {
  const view = new DataView(hash.buffer, hash.byteOffset, 32);
  let carry = 0;
  for (let i = 0; i < 8; i++) {
    const total = (words[i] ?? 0) + view.getUint32(28 - 4 * i) + carry;
    words[i] = total;
    carry = total > 0xffff_ffff ? 1 : 0;
  }
}

/** Whether a range ends before the administrators' kinds, begins in them, or spans both. */
export function rangeSide(range: KeyRange): "self" | "administrator" | "both" {
  if (range.low >= administratorBound) return "administrator";
  return range.high !== undefined && range.high <= administratorBound ? "self" : "both";
}

/**
 * Fingerprints made before, by store: neighbours ask for the same ranges again and again, above all
 * for empty ones, and hashing one costs far more than finding it.
 */
const made = new WeakMap<RecordRanges, BoundedMap<string, Promise<Bytes>>>();

/** The range's fingerprint, 16 bytes. Its form follows from the bounds alone (`crypto/fingerprint`). */
export function fingerprintOf(
  store: RecordRanges,
  range: KeyRange,
  summary: RangeSummary,
): Promise<Bytes> {
  if (summary.administratorHashes.length > 0) return makeFingerprint(range, summary);
  let madeHere = made.get(store);
  if (madeHere === undefined) {
    madeHere = new BoundedMap(fingerprintsKept);
    made.set(store, madeHere);
  }
  const name = `${rangeSide(range)} ${summary.count} ${toHex(summary.sum)}`;
  const known = madeHere.get(name);
  if (known !== undefined) return known;
  const fingerprint = makeFingerprint(range, summary);
  madeHere.set(name, fingerprint);
  return fingerprint;
}

function makeFingerprint(range: KeyRange, summary: RangeSummary): Promise<Bytes> {
  const { count, sum, administratorHashes } = summary;
  switch (rangeSide(range)) {
    case "self":
      return selfFingerprint(count, sum);
    case "administrator":
      return administratorFingerprint(count, administratorHashes);
    case "both":
      return spanningFingerprint(count, sum, administratorHashes);
  }
}
