import { assert, assertEquals, assertRejects } from "@std/assert";
import { concatBytes } from "../base/bytes.ts";
import { days, instant, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { DiskFull, MemoryStorage } from "../../tests/sim/memory_storage.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import {
  entropyOf,
  filled,
  foreign,
  now,
  other,
  own,
  self,
  wall,
} from "../../tests/fixtures/log_records.ts";
import {
  encodeLogEntry,
  encodeLogHeader,
  type LogEntry,
  logMarkerLength,
  recordEntry,
} from "./log_format.ts";
import { openRecordLog, type RecordLog, recordLogName } from "./record_log.ts";
import { RecordStore } from "./record_store.ts";
import { logEntriesOf, restoreStore } from "./restore_store.ts";
import type { VerifiedRecord } from "./verify_record.ts";

Deno.test("what was written is read again, with its times", async () => {
  const prng = new Prng([1]);
  const storage = new MemoryStorage({ prng });
  const { log, entries, ownSerial, damage } = await openRecordLog(storage, entropyOf(prng));
  assertEquals([entries.length, ownSerial, damage], [0, 0, undefined]);
  const [mine, theirs] = [own[4], foreign[0]];
  assert(mine !== undefined && theirs !== undefined);
  await log.appendOwn(mine, wall);
  await log.appendRecord(theirs, wall);
  const others: LogEntry[] = [
    { kind: "tombstone", key: theirs.key, serial: 3, deletedAt: wall },
    { kind: "flag", author: other.id },
    { kind: "own serial", serial: 99 },
  ];
  await log.appendEntries(others);
  await log.close();
  const again = await openRecordLog(storage, entropyOf(prng));
  assertEquals(again.entries, [
    recordEntry(mine, wall, "own record"),
    recordEntry(theirs, wall),
    ...others,
  ]);
  assertEquals(again.ownSerial, 99);
  assertEquals(again.damage, undefined);
});

Deno.test("a log of more entries than a call can have arguments is mended", async () => {
  const prng = new Prng([9]);
  const storage = new MemoryStorage({ prng });
  const marker = new Uint8Array(logMarkerLength).fill(1);
  const frame = encodeLogEntry(marker, { kind: "own serial", serial: 7 });
  const count = 200_000;
  const frames = new Uint8Array(count * frame.length + 3);
  for (let i = 0; i < count; i++) frames.set(frame, i * frame.length);
  // A crash has torn the last one.
  storage.tamper(recordLogName, () => concatBytes(encodeLogHeader(marker), frames));
  const { log, ownSerial } = await openRecordLog(storage, entropyOf(prng));
  assertEquals(ownSerial, 7);
  await log.close();
});

Deno.test("a full disk refuses, and what follows is whole once there is room", async () => {
  for (let room = 0; room < 400; room += 7) {
    const prng = new Prng([room]);
    const storage = await filled(prng, 3);
    const { log } = await openRecordLog(storage, entropyOf(prng));
    const size = (await storage.read(recordLogName))?.length ?? 0;
    storage.setBytesMax(size + room);
    const [fourth, fifth] = [own[3], own[4]];
    assert(fourth !== undefined && fifth !== undefined);
    const entry = recordEntry(fourth, wall, "own record");
    if (encodeLogEntry(new Uint8Array(8), entry).length > room) {
      await assertRejects(() => log.appendOwn(fourth, wall), DiskFull);
    } else {
      continue;
    }
    storage.setBytesMax(Number.POSITIVE_INFINITY);
    await log.appendOwn(fifth, wall);
    await log.close();
    const again = await openRecordLog(storage, entropyOf(prng));
    assertEquals([again.ownSerial, again.damage], [5, undefined]);
    assertEquals(again.entries.length, 7);
  }
});

Deno.test("a store goes through the log and comes back the same", async () => {
  const prng = new Prng([7]);
  const storage = new MemoryStorage({ prng });
  const { log } = await openRecordLog(storage, entropyOf(prng));
  const store = new RecordStore({ selfId: self.id });
  const write = async (record: VerifiedRecord, target: RecordLog) => {
    if (store.admit(record, now, wall).kind === "stored") await target.appendRecord(record, wall);
  };
  for (const record of prng.shuffled([...foreign, ...own])) await write(record, log);
  const third = await RecordAuthor.create(3);
  await write(await third.record({}), log);
  for (const { record } of store.forget(third.id, wall)) {
    const { key, serial } = record;
    await log.appendEntries([{ kind: "tombstone", key, serial, deletedAt: wall }]);
  }
  const later = wallTime(wall + days(1));
  for (const compacts of [false, true]) {
    if (compacts) await log.compact(() => logEntriesOf(store, instant(days(1)), later));
    const opened = await openRecordLog(storage, entropyOf(prng));
    const next = new RecordStore({ selfId: self.id });
    await restoreStore(opened, next, instant(50), later, () => Promise.resolve());
    assertEquals(
      [...next.records()].map(({ hash }) => hash),
      [...store.records()].map((r) => r.hash),
    );
    assertEquals(next.tombstones(), store.tombstones());
    for (const record of next.records()) {
      assertEquals(next.agesFrom(record, instant(50), later), record.signedAt);
    }
  }
});

Deno.test("a log that was read gives its memory back and is written on", async () => {
  const prng = new Prng([6]);
  const storage = new MemoryStorage({ prng });
  const [mine, theirs] = [own[0], foreign[0]];
  assert(mine !== undefined && theirs !== undefined);
  const first = await openRecordLog(storage, entropyOf(prng));
  await first.log.appendOwn(mine, wall);
  await first.log.appendRecord(theirs, wall);
  await first.log.close();
  const opened = await openRecordLog(storage, entropyOf(prng));
  const entry = opened.entries[1];
  assert(entry?.kind === "record" && entry.bytes.length > 0);
  opened.forgetEntries();
  assertEquals([entry.bytes.length, opened.entries], [0, []]);
  await opened.log.compact(() => [recordEntry(theirs, wall)]);
  await opened.log.close();
  assertEquals((await openRecordLog(storage, entropyOf(prng))).entries, [
    recordEntry(theirs, wall),
    { kind: "own serial", serial: mine.serial },
    recordEntry(mine, wall, "own record"),
  ]);
});
