import { assert, assertEquals, assertRejects } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { DiskFull, MemoryStorage, SimulatedCrash } from "../../tests/sim/memory_storage.ts";
import { fakeRecord } from "../../tests/fixtures/fake_records.ts";
import {
  entropyOf,
  fail,
  filled,
  foreign,
  hexOf,
  other,
  own,
  wall,
} from "../../tests/fixtures/log_records.ts";
import { recordEntry } from "./log_format.ts";
import { openRecordLog, recordLogName } from "./record_log.ts";

Deno.test("a compaction keeps an own record that is on the disk before anybody holds it", async () => {
  const prng = new Prng([3]);
  const storage = new MemoryStorage({ prng });
  const { log } = await openRecordLog(storage, entropyOf(prng));
  const [first, second, third] = own;
  assert(first !== undefined && second !== undefined && third !== undefined);
  await Promise.all([
    log.appendOwn(first, wall),
    log.appendOwn(second, wall),
    log.appendOwn(third, wall),
    log.compact(() => []),
    log.appendEntries([{ kind: "flag", author: other.id }]),
  ]);
  await log.close();
  const { entries, ownSerial } = await openRecordLog(storage, entropyOf(prng));
  assertEquals(ownSerial, 3);
  // Of kind 0 the first gave way to the third.
  assertEquals(
    entries.map(hexOf).filter((text) => !text.startsWith("{")).sort(),
    [
      toHex(second.bytes),
      toHex(third.bytes),
    ].sort(),
  );
  assert(entries.some((entry) => entry.kind === "flag"));
});

Deno.test("what is appended while the log is written anew is in the new one, whenever that ends", async () => {
  const many = Array.from({ length: 900 }, (_, i) => fakeRecord({ author: i, bodyLength: 200 }));
  const history = async (storage: MemoryStorage, done: { own: number; isSynced: boolean }) => {
    const { log } = await openRecordLog(storage, entropyOf(new Prng([5])));
    const first = own[0] ?? fail();
    await log.appendOwn(first, wall);
    done.own = 1;
    for (const record of many) void log.appendRecord(record, wall).catch(() => undefined);
    await log.sync();
    done.isSynced = true;
    const compacted = log.compact(() => many.slice(0, 600).map((one) => recordEntry(one, wall)));
    compacted.catch(() => undefined); // Awaited below, if the disk lasts that long.
    assert(!log.wantsCompaction);
    for (const serial of [2, 3]) {
      await log.appendRecord(foreign[serial] ?? fail(), wall);
      await log.appendOwn(own[serial - 1] ?? fail(), wall);
      done.own = serial;
    }
    await compacted;
    await log.close();
  };
  const whole = new MemoryStorage({ prng: new Prng([0]) });
  await history(whole, { own: 0, isSynced: false });
  const { entries } = await openRecordLog(whole, entropyOf(new Prng([6])));
  const read = new Set(entries.map(hexOf));
  for (const record of many.slice(0, 600)) assert(read.has(toHex(record.bytes)));
  for (const record of many.slice(600)) assert(!read.has(toHex(record.bytes)));
  for (const serial of [2, 3]) {
    assert(read.has(toHex((foreign[serial] ?? fail()).bytes)));
    assert(read.has(toHex((own[serial - 1] ?? fail()).bytes)));
  }
  assertEquals(whole.names, [recordLogName]);
  // A crash anywhere in it leaves the old log or the new, and what was promised in either.
  for (let seed = 0; seed < 60; seed++) {
    const storage = new MemoryStorage({ prng: new Prng([seed]), garbles: seed % 2 === 0 });
    const done = { own: 0, isSynced: false };
    storage.crashAfter(Math.floor(whole.steps * (0.5 + seed / 120)));
    try {
      await history(storage, done);
    } catch (error) {
      assert(error instanceof SimulatedCrash);
    }
    storage.restart();
    const again = await openRecordLog(storage, entropyOf(new Prng([seed])));
    assert(again.ownSerial >= done.own, `seed ${seed}: ${again.ownSerial} < ${done.own}`);
    const kept = new Set(again.entries.map(hexOf));
    for (const record of many.slice(0, 600)) {
      assert(!done.isSynced || kept.has(toHex(record.bytes)), `seed ${seed}`);
    }
  }
});

Deno.test("a log that is closed while it is written anew stays the old one", async () => {
  const prng = new Prng([3]);
  const storage = await filled(prng, 20);
  const { log } = await openRecordLog(storage, entropyOf(prng));
  const compacted = log.compact(() => foreign.map((one) => recordEntry(one, wall)));
  await log.close();
  await compacted;
  assertEquals(storage.names, [recordLogName]);
  assertEquals((await openRecordLog(storage, entropyOf(prng))).entries.length, 40);
});

Deno.test("what a compaction that was killed has left is gone at the next opening", async () => {
  const prng = new Prng([3]);
  const storage = await filled(prng, 20);
  const names = async () => {
    const { log } = await openRecordLog(storage, entropyOf(prng));
    await log.close();
    return storage.names;
  };
  const { log } = await openRecordLog(storage, entropyOf(prng));
  storage.crashAfter(3);
  await assertRejects(
    () => log.compact(() => foreign.map((one) => recordEntry(one, wall))),
    SimulatedCrash,
  );
  storage.restart();
  assertEquals(storage.names.length, 2, "it was killed while there were two files");
  assertEquals(await names(), [recordLogName]);
});

Deno.test("a failed compaction leaves the log as it was", async () => {
  const prng = new Prng([4]);
  const storage = await filled(prng, 3);
  const { log } = await openRecordLog(storage, entropyOf(prng));
  storage.setBytesMax(1);
  await assertRejects(() => log.compact(() => []), DiskFull);
  storage.setBytesMax(Number.POSITIVE_INFINITY);
  await log.appendOwn(own[9] ?? fail(), wall);
  await log.close();
  const { entries, ownSerial } = await openRecordLog(storage, entropyOf(prng));
  assertEquals([entries.length, ownSerial], [7, 10]);
});

Deno.test("a compaction that fails after its file is in place loses nothing written later", async () => {
  const prng = new Prng([4]);
  const storage = await filled(prng, 3);
  const { log } = await openRecordLog(storage, entropyOf(prng));
  storage.failNextReplaceLate();
  await assertRejects(() => log.compact(() => []));
  await log.appendOwn(own[9] ?? fail(), wall);
  await log.close();
  assertEquals((await openRecordLog(storage, entropyOf(prng))).ownSerial, 10);
});
