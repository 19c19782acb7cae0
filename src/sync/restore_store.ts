/**
 * From the log into the store at the start, and from the store into a new log.
 *
 * @module
 */
import { type Bytes, compareBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import type { Instant, WallTime } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { restoreBatch, restoreBlockBytes, restoreSlice } from "./limits.ts";
import { type LogEntry, recordEntry } from "./log_format.ts";
import type { OpenedLog } from "./record_log.ts";
import type { SeenRecord } from "./record_restoring.ts";
import type { RecordStore, Tombstone } from "./record_store.ts";
import { movedRecord, restoreRecord, type VerifiedRecord, verifyRecord } from "./verify_record.ts";

/** What came back. */
export interface RestoredStore {
  /** Records that are held now. */
  readonly records: number;
  /** Entries that no longer stand: superseded, refused, unreadable. */
  readonly dropped: number;
}

/**
 * Fills an empty store with what the log holds. If the log was damaged every signature is verified
 * again, else a checksum has kept the records. The log's memory is not held on to.
 *
 * @param breathe Lets everything else have its turn, every few milliseconds.
 */
export async function restoreStore(
  opened: Pick<OpenedLog, "newestFirst" | "damage">,
  store: RecordStore,
  now: Instant,
  wall: WallTime,
  breathe: () => Promise<void>,
): Promise<RestoredStore> {
  const entries = opened.damage === undefined
    ? await restoreKept(opened.newestFirst(), store, now, wall, breathe)
    : await restoreVerified([...opened.newestFirst()].reverse(), store, now, wall);
  return { records: store.size, dropped: entries - store.size };
}

/**
 * Takes back what a checksum has kept, of each key only what was the newest when the log ended: the
 * newest entries come first, so that most of the others are passed over.
 *
 * @returns How many entries there were.
 */
async function restoreKept(
  newestFirst: Iterable<LogEntry>,
  store: RecordStore,
  now: Instant,
  wall: WallTime,
  breathe: () => Promise<void>,
): Promise<number> {
  const newest = new Map<RecordKey, SeenRecord>();
  const memory = new RecordMemory();
  const tombstones: Tombstone[] = [];
  const flagged: NodeId[] = [];
  let entries = 0;
  for (const entry of newestFirst) {
    entries += 1;
    if (entries % restoreSlice === 0) await breathe();
    if (entry.kind === "tombstone") tombstones.push(entry);
    if (entry.kind === "flag") flagged.push(entry.author);
    if (entry.kind !== "record" && entry.kind !== "own record") continue;
    const record = restoreRecord(entry);
    if (record instanceof DecodeError) continue;
    const before = newest.get(record.key)?.[0];
    if (before !== undefined && before.serial >= record.serial) {
      if (before.serial > record.serial || compareBytes(before.hash, record.hash) <= 0) continue;
    }
    const moved = movedRecord(record, memory.copy(record.bytes), memory.copy(record.hash));
    newest.set(record.key, [moved, entry.firstSeen]);
  }
  for (const tombstone of tombstones.reverse()) store.restoreTombstone(tombstone, wall);
  for (const author of flagged.reverse()) store.restoreFlag(author);
  // As they were written: it counts who came last.
  for (const _ of store.restoreInSlices([...newest.values()].reverse(), now, wall)) await breathe();
  return entries;
}

/** Memory for many small things: blocks of some of them, so that each costs little beside its bytes, and one that is kept keeps few others. */
class RecordMemory {
  #block: Bytes = new Uint8Array(0);
  #at = 0;

  copy(bytes: Bytes): Bytes {
    if (this.#at + bytes.length > this.#block.length) {
      this.#block = new Uint8Array(Math.max(restoreBlockBytes, bytes.length));
      this.#at = 0;
    }
    const place = this.#block.subarray(this.#at, this.#at + bytes.length);
    place.set(bytes);
    this.#at += bytes.length;
    return place;
  }
}

/** Takes back what can be read of a damaged log, entry by entry. */
async function restoreVerified(
  entries: readonly LogEntry[],
  store: RecordStore,
  now: Instant,
  wall: WallTime,
): Promise<number> {
  for (let at = 0; at < entries.length; at += restoreBatch) {
    const batch = entries.slice(at, at + restoreBatch);
    const judged = await Promise.all(
      batch.map((entry) =>
        entry.kind === "record" || entry.kind === "own record"
          ? verifyRecord(entry.bytes)
          : undefined
      ),
    );
    batch.forEach((entry, i) => takeBack(entry, judged[i], store, now, wall));
  }
  return entries.length;
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

/**
 * All that a new log must hold for `restoreStore` to make this store again, as it is now, whenever
 * that is walked.
 */
export function logEntriesOf(
  store: RecordStore,
  now: Instant,
  wall: WallTime,
): IterableIterator<LogEntry> {
  const flagged = store.flagged();
  const tombstones = store.tombstones();
  const held = store.held(now, wall);
  return (function* (): IterableIterator<LogEntry> {
    for (const author of flagged) yield { kind: "flag", author };
    for (const tombstone of tombstones) yield { kind: "tombstone", ...tombstone };
    for (const [record, firstSeen] of held) yield recordEntry(record, firstSeen);
  })();
}
