/**
 * From the log into the store at the start, and from the store into a new log.
 *
 * @module
 */
import { DecodeError } from "../base/decode.ts";
import type { Instant, WallTime } from "../base/instant.ts";
import { restoreBatch } from "./limits.ts";
import type { LogEntry } from "./log_format.ts";
import type { OpenedRecordLog } from "./record_log.ts";
import type { RecordStore } from "./record_store.ts";
import { restoreRecord, type VerifiedRecord, verifyRecord } from "./verify_record.ts";

/** What came back. */
export interface RestoredStore {
  /** Records that are held now. */
  readonly records: number;
  /** Entries that no longer stand: superseded, refused, unreadable. */
  readonly dropped: number;
}

/**
 * Fills an empty store with what the log holds, in the order in which it was written. If the log
 * was damaged every signature is verified again, else a checksum has kept the records.
 */
export async function restoreStore(
  opened: Pick<OpenedRecordLog, "entries" | "damage">,
  store: RecordStore,
  now: Instant,
  wall: WallTime,
): Promise<RestoredStore> {
  const judge = opened.damage === undefined ? restoreRecord : verifyRecord;
  for (let at = 0; at < opened.entries.length; at += restoreBatch) {
    const batch = opened.entries.slice(at, at + restoreBatch);
    const judged = await Promise.all(
      batch.map((entry) =>
        entry.kind === "record" || entry.kind === "own record" ? judge(entry.bytes) : undefined
      ),
    );
    batch.forEach((entry, i) => takeBack(entry, judged[i], store, now, wall));
  }
  return { records: store.size, dropped: opened.entries.length - store.size };
}

function takeBack(
  entry: LogEntry,
  record: VerifiedRecord | DecodeError | undefined,
  store: RecordStore,
  now: Instant,
  wall: WallTime,
): void {
  if (entry.kind === "tombstone") store.restoreTombstone(entry, wall);
  if (entry.kind === "flag") store.restoreFlag(entry.author);
  if (entry.kind !== "record" && entry.kind !== "own record") return;
  if (record !== undefined && !(record instanceof DecodeError)) {
    store.restore(record, entry.firstSeen, now, wall);
  }
}

/** All that a new log must hold for `restoreStore` to make this store again. */
export function* logEntriesOf(
  store: RecordStore,
  now: Instant,
  wall: WallTime,
): IterableIterator<LogEntry> {
  for (const author of store.flagged()) yield { kind: "flag", author };
  for (const tombstone of store.tombstones()) yield { kind: "tombstone", ...tombstone };
  for (const [record, firstSeen] of store.held(now, wall)) {
    yield { kind: "record", firstSeen, bytes: record.bytes };
  }
}
