/**
 * The comparison of what two nodes hold in ranges of keys: message 3 of `message.ts`, which shows the
 * forms. Decoding checks form and order, never truth. PROTOCOL §6.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { asArray, asBytes, asUint, type CborValue } from "./cbor.ts";
import {
  areAscending,
  boundFromCbor,
  boundToCbor,
  type KeyBound,
  type KeyRange,
  type KindRange,
  kindsFromCbor,
  kindsToCbor,
  rangeFromCbor,
} from "./key_range.ts";
import {
  compareRangesMax,
  fingerprintLength,
  heldMax,
  messageItemsMax,
  splitPartsMax,
} from "./limits.ts";
import { decodeEach, type MessageItems, wrongShape } from "./message_items.ts";
import { type Offer, offerFromCbor, offerToCbor } from "./offer.ts";

/** A range of keys and what the requester holds in it. */
export interface ComparedRange extends KeyRange {
  /** 16 bytes. */
  readonly fingerprint: Bytes;
}

/** A part of a split range: it begins where the one before it ends. */
export interface SplitPart {
  readonly high: KeyBound | undefined;
  /** 16 bytes: what the answerer holds in this part. */
  readonly fingerprint: Bytes;
}

/** What the answerer says of one range. */
export type CompareResult =
  | { readonly kind: "equal" }
  | { readonly kind: "list"; readonly offers: readonly Offer[] }
  | { readonly kind: "split"; readonly parts: readonly SplitPart[] };

/** Asks for a comparison of these kinds, range by range. */
export interface CompareRequest {
  readonly kind: "compare";
  readonly kinds: readonly KindRange[];
  readonly ranges: readonly ComparedRange[];
  /** About how many records the requester holds, of all kinds: a hint, whose truth nobody checks. */
  readonly held: number;
}

/** Results for the ranges in order, as many as fit. */
export interface CompareAnswer {
  readonly kind: "compare";
  readonly kinds: readonly KindRange[];
  readonly results: readonly CompareResult[];
  /** About how many records the answerer holds, of all kinds: a hint as well. */
  readonly held: number;
}

/** The request's items. */
export function compareRequestItems(request: CompareRequest): MessageItems {
  const ranges = request.ranges.map((range) => [
    boundToCbor(range.low),
    boundToCbor(range.high),
    range.fingerprint,
  ]);
  return [kindsToCbor(request.kinds), ranges, request.held];
}

/** The answer's items. */
export function compareAnswerItems(answer: CompareAnswer): MessageItems {
  return [kindsToCbor(answer.kinds), answer.results.map(compareResultToCbor), answer.held];
}

function compareResultToCbor(result: CompareResult): CborValue {
  switch (result.kind) {
    case "equal":
      return [0];
    case "list":
      return [1, result.offers.map(offerToCbor)];
    case "split":
      return [2, result.parts.map((part) => [boundToCbor(part.high), part.fingerprint])];
  }
}

/** The comparison in these items. */
export function decodeCompareRequest(items: MessageItems): CompareRequest | DecodeError {
  const kinds = kindsFromCbor(items[0]);
  if (kinds instanceof DecodeError) return kinds;
  const values = asArray(items[1], compareRangesMax);
  const held = asUint(items[2], heldMax);
  if (items.length !== 3 || held === undefined) return wrongShape;
  if (values === undefined || values.length === 0) return wrongShape;
  const ranges = decodeEach(values, decodeRange);
  if (ranges instanceof DecodeError) return ranges;
  // Disjoint ranges bound the answerer's work.
  if (!areAscending(ranges)) return new DecodeError("key ranges not ascending");
  return { kind: "compare", kinds, ranges, held };
}

function decodeRange(value: CborValue): ComparedRange | DecodeError {
  const items = asArray(value, 3);
  const range = rangeFromCbor(items?.[0], items?.[1]);
  const fingerprint = asBytes(items?.[2], fingerprintLength);
  if (range instanceof DecodeError) return range;
  return fingerprint === undefined ? new DecodeError("key range") : { ...range, fingerprint };
}

/** The answer in these items. */
export function decodeCompareAnswer(items: MessageItems): CompareAnswer | DecodeError {
  const kinds = kindsFromCbor(items[0]);
  if (kinds instanceof DecodeError) return kinds;
  const values = asArray(items[1], compareRangesMax);
  const held = asUint(items[2], heldMax);
  if (items.length !== 3 || values === undefined || held === undefined) return wrongShape;
  const results = decodeEach(values, decodeCompareResult);
  return results instanceof DecodeError ? results : { kind: "compare", kinds, results, held };
}

function decodeCompareResult(value: CborValue): CompareResult | DecodeError {
  const items = asArray(value, 2) ?? [];
  const code = asUint(items[0]);
  if (code === 0) return items.length === 1 ? { kind: "equal" } : wrongShape;
  if (code === 1) return decodeOfferList(asArray(items[1], messageItemsMax));
  if (code === 2) return decodeSplit(asArray(items[1], splitPartsMax));
  return new DecodeError("compare result");
}

function decodeOfferList(values: MessageItems | undefined): CompareResult | DecodeError {
  if (values === undefined) return wrongShape;
  const offers = decodeEach(values, offerFromCbor);
  if (offers instanceof DecodeError) return offers;
  for (const [i, offer] of offers.entries()) {
    const before = offers[i - 1];
    if (before !== undefined && before.key >= offer.key) {
      return new DecodeError("listed offers not ascending");
    }
  }
  return { kind: "list", offers };
}

function decodeSplit(values: MessageItems | undefined): CompareResult | DecodeError {
  if (values === undefined || values.length < 2) return wrongShape;
  const parts = decodeEach(values, decodeSplitPart);
  if (parts instanceof DecodeError) return parts;
  for (const [i, part] of parts.entries()) {
    const before = parts[i - 1];
    if (before === undefined) continue;
    const ascending = before.high !== undefined &&
      (part.high === undefined || before.high < part.high);
    if (!ascending) return new DecodeError("split parts not ascending");
  }
  return { kind: "split", parts };
}

function decodeSplitPart(value: CborValue): SplitPart | DecodeError {
  const items = asArray(value, 2);
  const high = boundFromCbor(items?.[0]);
  const fingerprint = asBytes(items?.[1], fingerprintLength);
  if (high instanceof DecodeError || high === "" || fingerprint === undefined) {
    return new DecodeError("split part");
  }
  return { high: high ?? undefined, fingerprint };
}
