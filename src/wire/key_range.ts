/**
 * Parts of the ordered space of record keys, as reconciliation names them: ranges of keys, and
 * ranges of kinds. PROTOCOL §8.3.
 *
 * @module
 */
import { fromHex, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { invariant } from "../base/invariant.ts";
import { asArray, asBytes, asUint, type CborValue } from "./cbor.ts";
import { kindRangesMax, subjectBytesMax } from "./limits.ts";
import { nodeIdBytesLength } from "./node_id.ts";
import { administratorKindFirst, recordKindLast } from "./record_key.ts";

declare const keyBoundBrand: unique symbol;

/**
 * Where a range of keys begins or ends, as lower-case hexadecimal of 0–65 bytes that need not be a
 * whole key: bounds and keys are compared as bytes, a prefix before what it begins (the texts sort
 * alike). The empty bound comes before every key.
 */
export type KeyBound = string & { readonly [keyBoundBrand]: true };

/** Most bytes of a bound: those of the longest key. */
const keyBoundBytesMax = 1 + nodeIdBytesLength + subjectBytesMax;

/** The bound of its bytes, at most 65. */
export function keyBound(bytes: Uint8Array): KeyBound {
  invariant(bytes.length <= keyBoundBytesMax, "a bound is no longer than a key");
  return toHex(bytes) as KeyBound;
}

/** The bound's bytes. */
function keyBoundToBytes(bound: KeyBound): Uint8Array {
  const bytes = fromHex(bound);
  invariant(bytes !== undefined, "a bound is hexadecimal");
  return bytes;
}

/** The shortest bound that lies above `before` and not above `after`; `before < after`. */
export function boundBetween(before: string, after: string): KeyBound {
  let shared = 0;
  while (before.slice(shared, shared + 2) === after.slice(shared, shared + 2)) shared += 2;
  return after.slice(0, shared + 2) as KeyBound;
}

/** Keys from `low` on, up to but without `high`; no `high`: to the end. */
export interface KeyRange {
  readonly low: KeyBound;
  readonly high: KeyBound | undefined;
}

/** Before every key. */
export const lowestBound: KeyBound = keyBound(new Uint8Array(0));
/** Where the administrators' kinds begin. */
export const administratorBound: KeyBound = keyBound(new Uint8Array([administratorKindFirst]));
/** All keys. */
export const wholeRange: KeyRange = { low: lowestBound, high: undefined };

/** Whether the key lies in the range. */
export function rangeHolds(range: KeyRange, key: string): boolean {
  return key >= range.low && (range.high === undefined || key < range.high);
}

/** Record kinds `first` to `last`, both included, 0–255. */
export interface KindRange {
  readonly first: number;
  readonly last: number;
}

/** Every kind. */
export const allKinds: readonly KindRange[] = [{ first: 0, last: recordKindLast }];

/** Whether one of the ranges holds the kind. */
export function kindsHold(kinds: readonly KindRange[], kind: number): boolean {
  return kinds.some((range) => kind >= range.first && kind <= range.last);
}

/** The kinds in both; each argument and the result ascending and disjoint. */
export function commonKinds(a: readonly KindRange[], b: readonly KindRange[]): KindRange[] {
  const common: KindRange[] = [];
  for (const left of a) {
    for (const right of b) {
      const first = Math.max(left.first, right.first);
      const last = Math.min(left.last, right.last);
      if (first <= last) common.push({ first, last });
    }
  }
  return common.slice(0, kindRangesMax);
}

/** Whether the two hold the same ranges. */
export function equalKinds(a: readonly KindRange[], b: readonly KindRange[]): boolean {
  return a.length === b.length &&
    a.every((range, i) => range.first === b[i]?.first && range.last === b[i]?.last);
}

/** CBOR `[[first, last], …]`. */
export function kindsToCbor(kinds: readonly KindRange[]): CborValue {
  return kinds.map((range) => [range.first, range.last]);
}

/** At most 8 ranges, ascending, with a gap between any two, so that each set has one form. */
export function kindsFromCbor(value: CborValue | undefined): KindRange[] | DecodeError {
  const items = asArray(value, kindRangesMax);
  if (items === undefined) return new DecodeError("kind ranges");
  const kinds: KindRange[] = [];
  let free = 0;
  for (const item of items) {
    const pair = asArray(item, 2);
    const first = asUint(pair?.[0], recordKindLast);
    const last = asUint(pair?.[1], recordKindLast);
    if (first === undefined || last === undefined || first < free || last < first) {
      return new DecodeError("kind range");
    }
    kinds.push({ first, last });
    free = last + 2;
  }
  return kinds;
}

/** The bound in a CBOR byte string of 0–65 bytes; `null` is the end, which a low bound cannot be. */
export function boundFromCbor(value: CborValue | undefined): KeyBound | null | DecodeError {
  if (value === null) return null;
  const bytes = asBytes(value, 0, keyBoundBytesMax);
  return bytes === undefined ? new DecodeError("key bound") : keyBound(bytes);
}

/** The bound as CBOR: a byte string, or `null` for the end. */
export function boundToCbor(bound: KeyBound | undefined): CborValue {
  return bound === undefined ? null : keyBoundToBytes(bound);
}

/** The range of its bounds in CBOR, never an empty one. */
export function rangeFromCbor(
  lowValue: CborValue | undefined,
  highValue: CborValue | undefined,
): KeyRange | DecodeError {
  const low = boundFromCbor(lowValue);
  const high = boundFromCbor(highValue);
  if (low === null || low instanceof DecodeError || high instanceof DecodeError) {
    return new DecodeError("key range");
  }
  if (high !== null && high <= low) return new DecodeError("key range");
  return { low, high: high ?? undefined };
}

/** Whether each range ends before the next begins. */
export function areAscending(ranges: readonly KeyRange[]): boolean {
  return ranges.every((range, i) => {
    const before = ranges[i - 1];
    return before === undefined || (before.high !== undefined && before.high <= range.low);
  });
}
