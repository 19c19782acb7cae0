/**
 * The answerer's half of reconciliation: range-based set reconciliation (A. Meyer, 2023) over record
 * keys. Nothing is kept between two requests. PROTOCOL §8.3.
 *
 * The store's tree is taken before the first await and never changes, so that every answer describes
 * one moment.
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
import { type Offer, offerOf } from "../wire/offer.ts";
import { listedRecordsMax, partsPerSplitMax } from "./limits.ts";
import {
  fingerprintIn,
  fingerprintOf,
  rangeSide,
  type RangeSummary,
  RangeView,
  type RecordRanges,
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
  return fingerprintIn(store, store.tree, wholeRange, kinds);
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
  const { size, tree } = store;
  if (!equalKinds(kinds, request.kinds)) return { kind: "compare", kinds, results: [], held: size };
  const held = request.ranges.map((range) => new RangeView(tree, range, kinds));
  const ours = await Promise.all(
    request.ranges.map((range) => fingerprintIn(store, tree, range, kinds)),
  );
  const nothing = await Promise.all(
    request.ranges.map((range) => fingerprintOf(store, range, nothingHeld)),
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
    const view = held[i];
    if (view === undefined) break;
    const share = Math.floor(left / different);
    different -= 1;
    const isListed = view.count <= listedRecordsMax || equal(range.fingerprint, nothing[i]);
    const list = isListed ? listWithin(view, left) : undefined;
    if (list !== undefined) {
      left -= list.size;
      results.push({ kind: "list", offers: list.offers });
      continue;
    }
    if (view.count < 2) break;
    let partCount = partsThatFit(view, share);
    let pieces = splitRange(range, view, partCount);
    let splitSize = sizeOfSplit(pieces);
    // The parts were guessed by one bound; keys that share long prefixes have longer ones.
    while (splitSize > left && partCount > 2) {
      partCount = Math.max(2, partCount >> 1);
      pieces = splitRange(range, view, partCount);
      splitSize = sizeOfSplit(pieces);
    }
    if (splitSize > left) break;
    left -= splitSize;
    const parts = await Promise.all(
      pieces.map(async (piece): Promise<SplitPart> => ({
        high: piece.high,
        fingerprint: await fingerprintIn(store, tree, piece, kinds),
      })),
    );
    results.push({ kind: "split", parts });
  }
  return { kind: "compare", kinds, results, held: size };
}

const nothingHeld: RangeSummary = { count: 0, sum: new Uint8Array(32), administratorHashes: [] };

function equal(a: Bytes, b: Bytes | undefined): boolean {
  return b !== undefined && equalBytes(a, b);
}

/** Everything in the view as offers, if that fits; looks at no more than could. */
function listWithin(
  view: RangeView,
  bytesMax: number,
): { readonly offers: readonly Offer[]; readonly size: number } | undefined {
  const offers: Offer[] = [];
  let size = resultHeadSize;
  for (const entry of view.entries()) {
    const offer = offerOf(entry);
    size += offerSize(offer);
    if (size > bytesMax) return undefined;
    offers.push(offer);
  }
  return size <= bytesMax ? { offers, size } : undefined;
}

function sizeOfSplit(pieces: readonly KeyRange[]): number {
  let size = resultHeadSize;
  for (const { high } of pieces) {
    size += partFixedSize + (high === undefined ? 1 : byteStringSize(high.length / 2));
  }
  return size;
}

/** How many parts about `shareBytes` hold, judged by the bound in the middle. */
function partsThatFit(view: RangeView, shareBytes: number): number {
  const middle = view.count >> 1;
  const [before, after] = [view.at(middle - 1), view.at(middle)];
  if (before === undefined || after === undefined) return 2;
  const size = partFixedSize + byteStringSize(boundBetween(before.key, after.key).length / 2);
  const fitting = Math.floor((shareBytes - resultHeadSize) / size);
  return Math.max(2, Math.min(partsPerSplitMax, fitting, view.count));
}

/**
 * Cuts the range into `parts` of about equally many records. A range that spans self and
 * administrator kinds is cut between them as well.
 */
function splitRange(range: KeyRange, view: RangeView, parts: number): KeyRange[] {
  const spansBoth = rangeSide(range) === "both";
  const pieces: KeyRange[] = [];
  let low = range.low;
  const cutAt = (high: KeyBound | undefined) => {
    pieces.push({ low, high });
    if (high !== undefined) low = high;
  };
  for (let i = 1; i < parts; i++) {
    const to = Math.floor(view.count * i / parts);
    const [last, next] = [view.at(to - 1), view.at(to)];
    if (last === undefined || next === undefined) continue;
    const bound = boundBetween(last.key, next.key);
    if (spansBoth && low < administratorBound && bound >= administratorBound) {
      cutAt(administratorBound);
    }
    if (bound > low) cutAt(bound);
  }
  if (spansBoth && low < administratorBound) cutAt(administratorBound);
  cutAt(range.high);
  return pieces;
}
