/**
 * Records in bulk: a page of what a node holds in ranges of keys, asked over HTTPS by a node that
 * lacks hundreds. Pages stand in the order of keys, so the key of the last record received says
 * where to go on, with whatever node. PROTOCOL §8.7.
 *
 * ```
 * request  [kinds, [[low, high]…], after, bytesMax]   after: key of the last record received, or null
 * answer   [state, [record bytes…]]                   state: 0 that was all, 1 there is more, 2 busy
 * ```
 *
 * Decoding checks form and order of the ranges, never what the records are worth.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { asArray, asBytes, asUint, type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";
import {
  areAscending,
  boundToCbor,
  type KeyRange,
  type KindRange,
  kindsFromCbor,
  kindsToCbor,
  rangeFromCbor,
} from "./key_range.ts";
import {
  bulkPageBytesMax,
  bulkPageBytesMin,
  bulkPageRecordsMax,
  bulkRangesMax,
  bulkRequestBytesMax,
  recordBytesMax,
} from "./limits.ts";
import { decodeEach } from "./message_items.ts";
import { decodeRecordKey, encodeRecordKey, type RecordKey } from "./record_key.ts";

/** Asks for the records of these kinds in these ranges. */
export interface BulkRequest {
  readonly kinds: readonly KindRange[];
  /** Ascending and disjoint, 1 to 64. */
  readonly ranges: readonly KeyRange[];
  /** Only records whose keys come after this one. */
  readonly after: RecordKey | undefined;
  /** Most bytes of the whole answer, 4,096 to 262,144. */
  readonly bytesMax: number;
}

/** What a page is: the last one, one of several, or a request to come later. */
export type BulkState = "end" | "more" | "busy";

/** A page of records, in the order of their keys. */
export interface BulkPage {
  /** `more` only on a page that is at least half as long as asked. */
  readonly state: BulkState;
  /** Their bytes, unverified. None where the state is `busy`. */
  readonly records: readonly Bytes[];
}

/** States by their number; append only. */
const bulkStates: readonly BulkState[] = ["end", "more", "busy"];

/** Bytes of a page beside its records: array head, state, list head. */
export const bulkPageHeadSize = 1 + 1 + 3;

/** Encodes the request. */
export function encodeBulkRequest(request: BulkRequest): Bytes {
  return encodeCbor([
    kindsToCbor(request.kinds),
    request.ranges.map(({ low, high }) => [boundToCbor(low), boundToCbor(high)]),
    request.after === undefined ? null : encodeRecordKey(request.after),
    request.bytesMax,
  ]);
}

/** Decodes a request. */
export function decodeBulkRequest(bytes: Uint8Array): BulkRequest | DecodeError {
  if (bytes.length > bulkRequestBytesMax) return new DecodeError("bulk request too long");
  const items = itemsOf(bytes, 4);
  if (items instanceof DecodeError) return items;
  const kinds = kindsFromCbor(items[0]);
  if (kinds instanceof DecodeError) return kinds;
  const values = asArray(items[1], bulkRangesMax);
  if (values === undefined || values.length === 0) return new DecodeError("bulk ranges");
  const ranges = decodeEach(values, (value) => {
    const pair = asArray(value, 2);
    return pair?.length === 2 ? rangeFromCbor(pair[0], pair[1]) : new DecodeError("key range");
  });
  if (ranges instanceof DecodeError) return ranges;
  if (!areAscending(ranges)) return new DecodeError("key ranges not ascending");
  const after = items[2] === null ? undefined : keyFromCbor(items[2]);
  if (after instanceof DecodeError) return after;
  const bytesMax = asUint(items[3], bulkPageBytesMax);
  if (bytesMax === undefined || bytesMax < bulkPageBytesMin) {
    return new DecodeError("bulk page size");
  }
  return { kinds, ranges, after, bytesMax };
}

/** Encodes a page. */
export function encodeBulkPage(page: BulkPage): Bytes {
  return encodeCbor([bulkStates.indexOf(page.state), page.records]);
}

/** Decodes a page that was to be at most `bytesMax` bytes long. */
export function decodeBulkPage(bytes: Uint8Array, bytesMax: number): BulkPage | DecodeError {
  if (bytes.length > bytesMax) return new DecodeError("bulk page too long");
  const items = itemsOf(bytes, 2);
  if (items instanceof DecodeError) return items;
  const state = bulkStates[asUint(items[0]) ?? bulkStates.length];
  const values = asArray(items[1], bulkPageRecordsMax);
  if (state === undefined || values === undefined) return new DecodeError("bulk page");
  const records = decodeEach(
    values,
    (value) => asBytes(value, 1, recordBytesMax) ?? new DecodeError("bulk page"),
  );
  if (records instanceof DecodeError) return records;
  if (state === "busy" && records.length > 0) return new DecodeError("bulk page");
  // Each page costs a round trip: one that is short though there is more would never end.
  if (state === "more" && bytes.length < bytesMax / 2) {
    return new DecodeError("bulk page too short");
  }
  return { state, records };
}

function itemsOf(bytes: Uint8Array, count: number): readonly CborValue[] | DecodeError {
  const value = decodeCbor(bytes);
  if (value instanceof DecodeError) return value;
  const items = asArray(value, count);
  return items?.length === count ? items : new DecodeError("bulk shape");
}

function keyFromCbor(value: CborValue | undefined): RecordKey | DecodeError {
  const bytes = asBytes(value, 0, 65);
  return bytes === undefined ? new DecodeError("record key") : decodeRecordKey(bytes);
}
