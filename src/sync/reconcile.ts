/**
 * The answerer's half of reconciliation: range-based set reconciliation (A. Meyer, 2023) over record
 * keys. Nothing is kept between two requests. PROTOCOL §8.3.
 *
 * The store is read before the first await, so that every answer describes one moment of it.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../base/bytes.ts";
import {
  administratorBound,
  allKinds,
  boundBetween,
  commonKinds,
  equalKinds,
  type KeyBound,
  type KeyRange,
  type KindRange,
  wholeRange,
} from "../wire/key_range.ts";
import { answerMessageMax } from "../wire/limits.ts";
import type {
  CompareAnswer,
  CompareRequest,
  CompareResult,
  ProbeMessage,
  SplitPart,
} from "../wire/message.ts";
import { byteStringSize, heldSizeMax, offerSize } from "../wire/message_packing.ts";
import { offerOf } from "../wire/offer.ts";
import { isAdministratorKind } from "../wire/record_key.ts";
import { listedRecordsMax, partsPerSplitMax } from "./limits.ts";
import {
  entriesIn,
  fingerprintOf,
  rangeSide,
  type RangeSummary,
  type RecordEntry,
  type RecordRanges,
  summarise,
} from "./range_summary.ts";

/** Bytes of a compare answer beside its results: number, kinds, two array heads, what is held. */
const answerHeadSize = 1 + 1 + 1 + 8 * 5 + 3 + heldSizeMax;
/** Bytes of a result before its items. */
const resultHeadSize = 1 + 1 + 3;
/** Bytes of a part beside its high bound. */
const partFixedSize = 1 + 17;

/** The digest of everything of these kinds: what a probe carries, 16 bytes. */
export function digestOf(
  store: RecordRanges,
  kinds: readonly KindRange[] = allKinds,
): Promise<Bytes> {
  return fingerprintOf(store, wholeRange, summarise(entriesIn(store, wholeRange, kinds)));
}

/** Answers a probe: the digest over the kinds that both sides keep. Equal digests: in step. */
export async function answerProbe(
  store: RecordRanges,
  request: ProbeMessage,
  keptKinds: readonly KindRange[] = allKinds,
): Promise<ProbeMessage> {
  const kinds = commonKinds(request.kinds, keptKinds);
  return { kind: "probe", kinds, digest: await digestOf(store, kinds) };
}

/**
 * Answers a comparison with as many results as fit `budgetBytes` of message, at least one if the
 * budget is 500 or more. Where the kinds asked are more than those kept there are no results: the
 * requester's fingerprints were made over other kinds, and it asks again with those in the answer.
 */
export async function answerCompare(
  store: RecordRanges,
  request: CompareRequest,
  budgetBytes: number = answerMessageMax,
  keptKinds: readonly KindRange[] = allKinds,
): Promise<CompareAnswer> {
  const kinds = commonKinds(request.kinds, keptKinds);
  const size = store.size;
  if (!equalKinds(kinds, request.kinds)) return { kind: "compare", kinds, results: [], held: size };
  const held = request.ranges.map((range) => entriesIn(store, range, kinds));
  const ours = await Promise.all(
    request.ranges.map((range, i) => fingerprintOf(store, range, summarise(held[i] ?? []))),
  );
  const nothing = await Promise.all(
    request.ranges.map((range) => fingerprintOf(store, range, emptySummary)),
  );
  const differs = request.ranges.map((range, i) => !equal(range.fingerprint, ours[i]));
  let left = Math.min(budgetBytes, answerMessageMax) - answerHeadSize;
  let different = differs.filter((differ) => differ).length;
  const results: CompareResult[] = [];
  for (const [i, range] of request.ranges.entries()) {
    if (differs[i] !== true) {
      if (left < 2) break;
      left -= 2;
      results.push({ kind: "equal" });
      continue;
    }
    const entries = held[i] ?? [];
    const share = Math.floor(left / different);
    different -= 1;
    const listSize = resultHeadSize + sumOf(entries, (entry) => offerSize(offerOf(entry)));
    const listed = entries.length <= listedRecordsMax || equal(range.fingerprint, nothing[i]);
    if (listed && listSize <= left) {
      left -= listSize;
      results.push({ kind: "list", offers: entries.map(offerOf) });
      continue;
    }
    if (entries.length < 2) break;
    let parts = partsThatFit(entries, share);
    let pieces = splitRange(range, entries, parts);
    let splitSize = sizeOfSplit(pieces);
    // The parts were guessed by one bound; keys that share long prefixes have longer ones.
    while (splitSize > left && parts > 2) {
      parts = Math.max(2, parts >> 1);
      pieces = splitRange(range, entries, parts);
      splitSize = sizeOfSplit(pieces);
    }
    if (splitSize > left) break;
    left -= splitSize;
    results.push({ kind: "split", parts: await partsOf(store, pieces) });
  }
  return { kind: "compare", kinds, results, held: size };
}

const emptySummary: RangeSummary = summarise([]);

function equal(a: Bytes, b: Bytes | undefined): boolean {
  return b !== undefined && equalBytes(a, b);
}

function sumOf<T>(items: readonly T[], sizeOf: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += sizeOf(item);
  return total;
}

interface Piece {
  readonly range: KeyRange;
  readonly entries: readonly RecordEntry[];
}

function sizeOfSplit(pieces: readonly Piece[]): number {
  return resultHeadSize +
    sumOf(
      pieces,
      ({ range: { high } }) =>
        partFixedSize + (high === undefined ? 1 : byteStringSize(high.length / 2)),
    );
}

/** How many parts about `shareBytes` hold, judged by the bound in the middle. */
function partsThatFit(entries: readonly RecordEntry[], shareBytes: number): number {
  const [before, after] = entries.slice((entries.length >> 1) - 1);
  if (before === undefined || after === undefined) return 2;
  const size = partFixedSize + byteStringSize(boundBetween(before.key, after.key).length / 2);
  const fitting = Math.floor((shareBytes - resultHeadSize) / size);
  return Math.max(2, Math.min(partsPerSplitMax, fitting, entries.length));
}

/**
 * Cuts the range into `parts` of about equally many records. A range that spans self and
 * administrator kinds is cut between them as well.
 */
function splitRange(range: KeyRange, entries: readonly RecordEntry[], parts: number): Piece[] {
  const cut = entries.findIndex((entry) => isAdministratorKind(entry.kind));
  const middle = rangeSide(range) === "both" ? (cut < 0 ? entries.length : cut) : undefined;
  const pieces: Piece[] = [];
  let low = range.low;
  let from = 0;
  const cutAt = (to: number, high: KeyBound | undefined) => {
    pieces.push({ range: { low, high }, entries: entries.slice(from, to) });
    if (high !== undefined) low = high;
    from = to;
  };
  for (let i = 1; i < parts; i++) {
    const to = Math.floor(entries.length * i / parts);
    if (middle !== undefined && from <= middle && to >= middle && low < administratorBound) {
      cutAt(middle, administratorBound);
    }
    const [last, next] = [entries[to - 1], entries[to]];
    if (to <= from || last === undefined || next === undefined) continue;
    cutAt(to, boundBetween(last.key, next.key));
  }
  if (middle !== undefined && low < administratorBound) cutAt(middle, administratorBound);
  cutAt(entries.length, range.high);
  return pieces;
}

function partsOf(store: RecordRanges, pieces: readonly Piece[]): Promise<SplitPart[]> {
  return Promise.all(pieces.map(async (piece) => ({
    high: piece.range.high,
    fingerprint: await fingerprintOf(store, piece.range, summarise(piece.entries)),
  })));
}
