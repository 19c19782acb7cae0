/**
 * Records in bodies: answering a fetch, and telling what came of one. PROTOCOL §8.3.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { answerMessageMax } from "../wire/limits.ts";
import type { FetchAnswer, FetchRequest } from "../wire/message.ts";
import { recordsFitting } from "../wire/message_packing.ts";
import type { RecordKey } from "../wire/record_key.ts";
import type { RecordRanges } from "./range_summary.ts";

/** The records held under the keys, in the order asked, as many as fit `budgetBytes` of message. */
export function answerFetch(
  store: Pick<RecordRanges, "get">,
  request: FetchRequest,
  budgetBytes: number = answerMessageMax,
): FetchAnswer {
  const records: Bytes[] = [];
  for (const key of request.keys) {
    const entry = store.get(key);
    if (entry !== undefined) records.push(entry.bytes);
  }
  return { kind: "fetch", records: records.slice(0, recordsFitting(records, budgetBytes)) };
}

/** What one fetch brought. */
export interface FetchOutcome<T> {
  /** Records that were asked for, each once. */
  readonly asked: readonly T[];
  /** How many came that were not: the peer's mistake or malice, to be counted. */
  readonly unasked: number;
  /** Keys that the peer passed over: it does not have them. */
  readonly missing: readonly RecordKey[];
  /** Keys behind the last record that came: there was no room, ask again. */
  readonly again: readonly RecordKey[];
}

/** Compares what was asked with the (verified) records that came. */
export function settleFetch<T extends { readonly key: RecordKey }>(
  keys: readonly RecordKey[],
  records: readonly T[],
): FetchOutcome<T> {
  const asked = new Map<RecordKey, T>();
  let last = -1;
  for (const record of records) {
    const at = keys.indexOf(record.key);
    if (at < 0 || asked.has(record.key)) continue;
    asked.set(record.key, record);
    last = Math.max(last, at);
  }
  // One record always fits: an answer with nothing that was asked for means there is nothing.
  const passed = last < 0 ? keys : keys.slice(0, last);
  return {
    asked: [...asked.values()],
    unasked: records.length - asked.size,
    missing: passed.filter((key) => !asked.has(key)),
    again: last < 0 ? [] : keys.slice(last + 1),
  };
}
