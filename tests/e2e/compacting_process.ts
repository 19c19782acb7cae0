/**
 * Writes its record log anew again and again while it writes to it, until it is killed:
 *
 *     compacting_process.ts STATE FIRST
 *
 * Holds `heldFirst` records of others. Then, from serial FIRST on: a record of somebody new, lazily,
 * and an own one; prints the serial when that is on the disk, and with it what came before.
 *
 * @module
 */
import { wallTime } from "../../src/base/instant.ts";
import { DirectoryStorage } from "../../src/host/directory_storage.ts";
import { SystemEntropy } from "../../src/host/system_entropy.ts";
import { openRecordLog } from "../../src/sync/record_log.ts";
import { type LogEntry, recordEntry } from "../../src/sync/log_format.ts";
import type { VerifiedRecord } from "../../src/sync/verify_record.ts";
import { fakeRecord } from "../fixtures/fake_records.ts";

/** Enough for a dozen slices. */
export const heldFirst = 2_500;
const firstSeen = wallTime(1_700_000_000_000);

/** The record of another that came before the own one of that serial. */
export function anothers(serial: number): VerifiedRecord {
  return fakeRecord({ author: 100_000 + serial, bodyLength: 200 });
}

if (import.meta.main) {
  const [state = "", first = "1"] = Deno.args;
  const { log, entries } = await openRecordLog(
    await DirectoryStorage.open(state),
    new SystemEntropy(),
  );
  const held = new Map<string, LogEntry>();
  for (const entry of entries) {
    if (entry.kind === "record") held.set(entry.bytes.toHex(), entry);
  }
  const hold = (record: VerifiedRecord) => {
    const entry = recordEntry(record, firstSeen);
    held.set(record.bytes.toHex(), entry);
    return log.appendEntries([entry]);
  };
  if (held.size === 0) {
    for (let author = 0; author < heldFirst; author++) {
      void hold(fakeRecord({ author, bodyLength: 200 }));
    }
    await log.sync();
  }
  console.log("writing");
  const compacting = (async () => {
    for (;;) await log.compact(() => [...held.values()]);
  })();
  const writing = (async () => {
    for (let serial = Number(first);; serial++) {
      void hold(anothers(serial));
      await log.appendOwn(fakeRecord({ author: 0, kind: 1, serial }), firstSeen);
      console.log(serial);
    }
  })();
  await Promise.all([compacting, writing]);
}
