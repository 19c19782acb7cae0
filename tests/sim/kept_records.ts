/**
 * A record log for large worlds, which writes nothing: what a node held when it ended is handed to
 * its next start as it is. Such a disk loses nothing in a crash; worlds that are about disks have
 * `MemoryStorage`.
 *
 * @module
 */
import type { Instant, WallTime } from "../../src/base/instant.ts";
import {
  logEntriesOf,
  type LogEntry,
  type OpenedLog,
  type RecordStore,
  type VerifiedRecord,
  type WritableLog,
} from "../../src/sync/mod.ts";

/** What stays of a node from start to start. */
export class KeptRecords {
  #store: RecordStore | undefined;
  #ownSerial = 0;

  /** The node that ended held these. */
  keep(store: RecordStore): void {
    this.#store = store;
  }

  /** The log for the next start. */
  open(now: Instant, wall: WallTime): OpenedLog {
    const entries: readonly LogEntry[] = this.#store === undefined
      ? []
      : [...logEntriesOf(this.#store, now, wall)];
    this.#store = undefined;
    const noteOwn = (record: VerifiedRecord) => {
      this.#ownSerial = Math.max(this.#ownSerial, record.serial);
    };
    const log: WritableLog = {
      noteStanding: () => {},
      wantsCompaction: false,
      appendOwn(record) {
        noteOwn(record);
        return Promise.resolve();
      },
      appendEntries: () => Promise.resolve(),
      compact: () => Promise.resolve(),
      sync: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const newestFirst = () => entries.toReversed();
    return { newestFirst, log, ownSerial: this.#ownSerial, forgetEntries: () => {} };
  }
}
