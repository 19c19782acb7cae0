/**
 * The answerer's half of a bulk transfer: one page of what the store holds. Nothing is kept between
 * two pages. PROTOCOL §8.7.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { type BulkPage, bulkPageHeadSize, type BulkRequest } from "../wire/bulk.ts";
import { allKinds, commonKinds, keyBound, type KindRange, kindsHold } from "../wire/key_range.ts";
import { bulkPageRecordsMax } from "../wire/limits.ts";
import { byteStringSize } from "../wire/message_packing.ts";
import { encodeRecordKey } from "../wire/record_key.ts";
import type { RecordRanges } from "./range_summary.ts";

/** The next records in the ranges, in the order of keys, as many as a page of `bytesMax` holds. */
export function answerBulk(
  store: RecordRanges,
  request: BulkRequest,
  keptKinds: readonly KindRange[] = allKinds,
): BulkPage {
  const { after } = request;
  const kinds = commonKinds(request.kinds, keptKinds);
  const from = after === undefined ? undefined : keyBound(encodeRecordKey(after));
  const records: Bytes[] = [];
  let left = request.bytesMax - bulkPageHeadSize;
  for (const { low, high } of request.ranges) {
    if (from !== undefined && high !== undefined && high <= from) continue;
    const start = from !== undefined && from > low ? from : low;
    for (const { key, kind, bytes } of store.tree.range(start, high)) {
      if (key === after || !kindsHold(kinds, kind)) continue;
      left -= byteStringSize(bytes.length);
      if (left < 0 || records.length === bulkPageRecordsMax) return { state: "more", records };
      records.push(bytes);
    }
  }
  return { state: "end", records };
}
