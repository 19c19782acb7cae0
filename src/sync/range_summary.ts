/**
 * What a store holds in a range of keys, in short: enough for its fingerprint, and for cutting it
 * into parts. All of it costs some walks down the store's tree, however many records there are; only
 * administrators' hashes are gathered one by one.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, compareBytes, toHex } from "../base/bytes.ts";
import { administratorFingerprint, selfFingerprint, spanningFingerprint } from "../crypto/mod.ts";
import { administratorBound, type KeyRange, type KindRange } from "../wire/key_range.ts";
import { type RecordKey, recordKindLast } from "../wire/record_key.ts";
import { fingerprintsKept } from "./limits.ts";
import type { RecordTree } from "./record_tree.ts";
import { type RecordEntry, RecordSum } from "./record_tree_node.ts";

export type { RecordEntry } from "./record_tree_node.ts";

/** A store as reconciliation sees it. */
export interface RecordRanges {
  /** What is compared, as it is now; it never changes, the store goes on to another one. */
  readonly tree: RecordTree<RecordEntry>;
  /** Any record held, compared or not. */
  get(key: RecordKey): RecordEntry | undefined;
  /** How many records there are, of all kinds, give or take those that are about to go. */
  readonly size: number;
  /** Under whom fingerprints are remembered, if not under the store itself: stores that agree. */
  readonly fingerprintOwner?: object;
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

/** The lowest keys of a kind; past the last kind what no key reaches. */
function kindBound(kind: number): string {
  return kind > recordKindLast ? "g" : kind.toString(16).padStart(2, "0");
}

/** A stretch of the tree without gaps. */
interface Span {
  readonly low: string;
  readonly high: string | undefined;
  /** How many records lie before it in the tree. */
  readonly from: number;
  readonly count: number;
}

/** The records of a range whose kinds are compared, at one moment. */
export class RangeView {
  readonly #tree: RecordTree<RecordEntry>;
  readonly #spans: readonly Span[];
  /** How many there are. */
  readonly count: number;

  constructor(tree: RecordTree<RecordEntry>, range: KeyRange, kinds: readonly KindRange[]) {
    this.#tree = tree;
    const spans: Span[] = [];
    for (const { first, last } of kinds) {
      const [kindsLow, kindsHigh] = [kindBound(first), kindBound(last + 1)];
      const low = range.low > kindsLow ? range.low : kindsLow;
      const end = range.high !== undefined && range.high < kindsHigh ? range.high : kindsHigh;
      if (low >= end) continue;
      const from = tree.countBelow(low);
      const high = end === "g" ? undefined : end;
      const to = high === undefined ? tree.size : tree.countBelow(high);
      if (to > from) spans.push({ low, high, from, count: to - from });
    }
    this.#spans = spans;
    this.count = spans.reduce((sum, { count }) => sum + count, 0);
  }

  /** The one before which there are `index` others. */
  at(index: number): RecordEntry | undefined {
    let left = index;
    for (const { from, count } of this.#spans) {
      if (left < count) return this.#tree.at(from + left);
      left -= count;
    }
    return undefined;
  }

  /** All of them, in order of keys. */
  *entries(): IterableIterator<RecordEntry> {
    for (const { low, high } of this.#spans) yield* this.#tree.range(low, high);
  }

  /** All of them in short. */
  summary(): RangeSummary {
    const sum = new RecordSum();
    const administratorHashes: Bytes[] = [];
    for (const { low, high } of this.#spans) {
      this.#tree.sumUp(low, high, sum);
      if (high !== undefined && high <= administratorBound) continue;
      const from = low > administratorBound ? low : administratorBound;
      for (const { hash } of this.#tree.range(from, high)) administratorHashes.push(hash);
    }
    return {
      count: sum.count,
      sum: sum.toBytes(),
      administratorHashes: administratorHashes.sort(compareBytes),
    };
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
const made = new WeakMap<object, BoundedMap<string, Promise<Bytes>>>();

/** The range's fingerprint, 16 bytes. Its form follows from the bounds alone (`crypto/fingerprint`). */
export function fingerprintOf(
  store: RecordRanges,
  range: KeyRange,
  summary: RangeSummary,
): Promise<Bytes> {
  if (summary.administratorHashes.length > 0) return makeFingerprint(range, summary);
  const owner = store.fingerprintOwner ?? store;
  let madeHere = made.get(owner);
  if (madeHere === undefined) {
    madeHere = new BoundedMap(fingerprintsKept);
    made.set(owner, madeHere);
  }
  const name = `${rangeSide(range)} ${summary.count} ${toHex(summary.sum)}`;
  const known = madeHere.get(name);
  if (known !== undefined) return known;
  const fingerprint = makeFingerprint(range, summary);
  madeHere.set(name, fingerprint);
  return fingerprint;
}

/** The fingerprint of what this version of the store's tree holds in the range. */
export function fingerprintIn(
  store: RecordRanges,
  tree: RecordTree<RecordEntry>,
  range: KeyRange,
  kinds: readonly KindRange[],
): Promise<Bytes> {
  return fingerprintOf(store, range, new RangeView(tree, range, kinds).summary());
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
