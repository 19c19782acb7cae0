import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Bytes, concatBytes, copyBytes, encodeUint, toHex, utf8 } from "../base/bytes.ts";
import { days, instant, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { Entropy } from "../platform/entropy.ts";
import { DiskFull, MemoryStorage, SimulatedCrash } from "../../tests/sim/memory_storage.ts";
import { fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import {
  encodeLogEntry,
  encodeLogHeader,
  type LogEntry,
  logMarkerLength,
  readLog,
  recordEntry,
} from "./log_format.ts";
import { crc32 } from "./crc32.ts";
import { openRecordLog, type RecordLog, recordLogName } from "./record_log.ts";
import { RecordStore } from "./record_store.ts";
import { logEntriesOf, restoreStore } from "./restore_store.ts";
import type { VerifiedRecord } from "./verify_record.ts";

const self = await RecordAuthor.create(1);
const other = await RecordAuthor.create(2);
const wall = wallTime(1_700_000_001_000);
const now = instant(0);

/** Own records of rising serials and records of another author, signed once for all tests. */
const own = await Promise.all(
  [...new Array(60).keys()].map((n) => self.record({ kind: n % 2, ...body(n % 2), serial: n + 1 })),
);
const foreign = await Promise.all(
  [...new Array(60).keys()].map((n) => other.record({ kind: 2 + n % 3, serial: n + 1, body: n })),
);

function body(kind: number) {
  return kind === 0
    ? {}
    : { body: new Map<number, Uint8Array | never[]>([[1, new Uint8Array(16)], [2, []]]) };
}

function entropyOf(prng: Prng): Entropy {
  return { bytes: (length) => Uint8Array.from({ length }, () => prng.below(256)) };
}

function hexOf(entry: LogEntry): string {
  return entry.kind === "record" || entry.kind === "own record"
    ? toHex(entry.bytes)
    : JSON.stringify(entry);
}

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

/** One run of a random workload until the disk stops; what was promised goes into `durable`. */
async function work(
  storage: MemoryStorage,
  prng: Prng,
  written: Set<string>,
  promised: { serial: number; newest: Map<number, VerifiedRecord> },
): Promise<void> {
  const { log, entries, ownSerial } = await openRecordLog(storage, entropyOf(prng));
  check(entries, ownSerial, written, promised);
  for (;;) {
    const pick = prng.below(10);
    if (pick < 3) {
      const record = own[Math.max(log.ownSerial, promised.serial)];
      if (record === undefined) return;
      written.add(toHex(record.bytes));
      await log.appendOwn(record, wall);
      promised.serial = record.serial;
      promised.newest.set(record.kind, record);
    } else if (pick < 9) {
      const record = prng.pick(foreign);
      assert(record !== undefined);
      written.add(toHex(record.bytes));
      // Not awaited one by one: writes queue up, a compaction may come between.
      const writes = [log.appendRecord(record, wall)];
      if (pick === 8) writes.push(log.compact(() => []));
      const results = await Promise.allSettled(writes);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    } else {
      await log.close();
      return;
    }
  }
}

function check(
  entries: readonly LogEntry[],
  ownSerial: number,
  written: ReadonlySet<string>,
  promised: { serial: number; newest: ReadonlyMap<number, VerifiedRecord> },
): void {
  assert(ownSerial >= promised.serial, `own serial ${ownSerial} < ${promised.serial}`);
  const read = new Set(entries.map(hexOf));
  for (const entry of entries) {
    if (entry.kind === "own serial") assert(entry.serial <= own.length);
    else assert(written.has(hexOf(entry)), "an entry was invented");
  }
  for (const record of promised.newest.values()) {
    const newer = entries.some((entry) =>
      entry.kind === "own record" &&
      own.some((candidate) =>
        candidate.kind === record.kind && candidate.serial > record.serial &&
        toHex(candidate.bytes) === toHex(entry.bytes)
      )
    );
    assert(newer || read.has(toHex(record.bytes)), `own record ${record.serial} is lost`);
  }
}

Deno.test("a crash at any byte or step loses nothing promised and invents nothing", async () => {
  for (const garbles of [false, true]) {
    for (let seed = 0; seed < 200; seed++) {
      const prng = new Prng([seed, garbles ? 1 : 0]);
      const storage = new MemoryStorage({ prng, garbles });
      const written = new Set<string>();
      const promised = { serial: 0, newest: new Map<number, VerifiedRecord>() };
      try {
        for (let run = 0; run < 6; run++) {
          storage.crashAfter(prng.below(run % 2 === 0 ? 3_000 : 60));
          try {
            await work(storage, prng, written, promised);
          } catch (error) {
            if (!(error instanceof SimulatedCrash)) throw error;
          }
          storage.restart();
        }
        const { entries, ownSerial, damage } = await openRecordLog(storage, entropyOf(prng));
        check(entries, ownSerial, written, promised);
        if (!garbles) assertEquals(damage, undefined);
      } catch (error) {
        throw new Error(`seed ${seed}, garbles ${garbles}`, { cause: error });
      }
    }
  }
});

Deno.test("a crash at each single step of one history is survived", async () => {
  const history = async (storage: MemoryStorage, done: { serial: number }) => {
    const { log } = await openRecordLog(storage, entropyOf(new Prng([9])));
    for (const serial of [1, 2, 3]) {
      const mine = own[serial - 1];
      const theirs = foreign[serial];
      assert(mine !== undefined && theirs !== undefined);
      await log.appendRecord(theirs, wall);
      await log.appendOwn(mine, wall);
      done.serial = serial;
      if (serial === 2) await log.compact(() => []);
    }
    await log.close();
  };
  const whole = new MemoryStorage({ prng: new Prng([0]) });
  await history(whole, { serial: 0 });
  for (let step = 0; step <= whole.steps; step++) {
    const storage = new MemoryStorage({ prng: new Prng([step]) });
    const done = { serial: 0 };
    storage.crashAfter(step);
    try {
      await history(storage, done);
    } catch (error) {
      assert(error instanceof SimulatedCrash);
    }
    storage.restart();
    const { ownSerial, damage } = await openRecordLog(storage, entropyOf(new Prng([step])));
    assert(ownSerial >= done.serial, `step ${step}: ${ownSerial} < ${done.serial}`);
    assertEquals(damage, undefined, `step ${step}`);
  }
});

async function filled(prng: Prng, count: number): Promise<MemoryStorage> {
  const storage = new MemoryStorage({ prng });
  const { log } = await openRecordLog(storage, entropyOf(prng));
  for (let n = 0; n < count; n++) {
    const [mine, theirs] = [own[n], foreign[n]];
    assert(mine !== undefined && theirs !== undefined);
    await log.appendRecord(theirs, wall);
    await log.appendOwn(mine, wall);
  }
  await log.close();
  return storage;
}

const damages: readonly (readonly [string, (bytes: Bytes, prng: Prng) => Bytes])[] = [
  ["one byte changed", (bytes, prng) => {
    const at = prng.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 + prng.below(255));
    return bytes;
  }],
  ["zeros to the end", (bytes, prng) => bytes.fill(0, prng.below(bytes.length))],
  ["512 garbled bytes", (bytes, prng) => {
    const from = prng.below(bytes.length - 512);
    for (let at = from; at < from + 512; at++) bytes[at] = prng.below(256);
    return bytes;
  }],
  ["a stretch cut out", (bytes, prng) => {
    const from = prng.below(bytes.length - 300);
    return concatBytes(bytes.subarray(0, from), bytes.subarray(from + 1 + prng.below(280)));
  }],
  ["a stretch put in", (bytes, prng) => {
    const from = prng.below(bytes.length);
    const strange = Uint8Array.from({ length: 1 + prng.below(99) }, () => prng.below(256));
    return concatBytes(bytes.subarray(0, from), strange, bytes.subarray(from));
  }],
  ["the header gone", (bytes) => bytes.slice(10)],
];

Deno.test("damage anywhere keeps what it did not hit, sets the file aside and says so", async () => {
  for (const [name, damageOf] of damages) {
    for (let seed = 0; seed < 60; seed++) {
      const prng = new Prng([seed, name.length]);
      const storage = await filled(prng, 10);
      let before: Bytes = new Uint8Array(0);
      let after: Bytes = before;
      storage.tamper(recordLogName, (bytes) => {
        before = copyBytes(bytes);
        after = copyBytes(damageOf(bytes, prng));
        return after;
      });
      const whole = readLog(before).entries.map(hexOf);
      const where = `${name}, seed ${seed}`;
      const { entries, log, damage } = await openRecordLog(storage, entropyOf(prng));
      for (const entry of entries) assert(whole.includes(hexOf(entry)), `${where}: invented`);
      // 600 bytes touch at most four of these frames of 250 bytes and more.
      if (name !== "zeros to the end") {
        assert(entries.length >= whole.length - 5, `${where}: kept ${entries.length}`);
      }
      if (readLog(after).tornBytes === 0) {
        assert(damage !== undefined, `${where}: not noticed`);
        assertEquals(damage.entriesKept, entries.length);
        assertEquals(await storage.read(damage.setAside), after);
      }
      // And the log works on.
      const next = own[30];
      assert(next !== undefined);
      await log.appendOwn(next, wall);
      await log.close();
      const again = await openRecordLog(storage, entropyOf(prng));
      assertEquals(again.entries.map(hexOf), [...entries.map(hexOf), toHex(next.bytes)], where);
      assertEquals([again.ownSerial, again.damage], [31, undefined]);
    }
  }
});

Deno.test("a file of noise or of zeros or of nothing is set aside, and the log begins anew", async () => {
  const prng = new Prng([5]);
  const noise = Uint8Array.from({ length: 20_000 }, () => prng.below(256));
  for (const bytes of [noise, new Uint8Array(20_000), new Uint8Array(0)]) {
    const storage = new MemoryStorage({ prng });
    storage.tamper(recordLogName, () => bytes);
    const { entries, log, damage } = await openRecordLog(storage, entropyOf(prng));
    assertEquals(entries, []);
    assert(damage !== undefined);
    assertEquals(await storage.read(damage.setAside), bytes);
    await log.close();
    assertEquals((await openRecordLog(storage, entropyOf(prng))).damage, undefined);
  }
});

Deno.test("a log that cannot be read at all is set aside whole, and one that stays says why", async () => {
  class UnreadableStorage extends MemoryStorage {
    isStuck = false;
    override read(name: string): Promise<Bytes | undefined> {
      const isLog = name === recordLogName && this.names.includes(name);
      return isLog && !this.wasSetAside
        ? Promise.reject(new Error("it is not a file"))
        : super.read(name);
    }
    wasSetAside = false;
    override setAside(name: string): Promise<string> {
      if (this.isStuck) return Promise.reject(new Error("read-only"));
      this.wasSetAside = true;
      return super.setAside(name);
    }
  }
  const prng = new Prng([7]);
  const storage = new UnreadableStorage({ prng });
  storage.tamper(recordLogName, () => new Uint8Array(9));
  storage.isStuck = true;
  await assertRejects(() => openRecordLog(storage, entropyOf(prng)), Error, "it is not a file");
  storage.isStuck = false;
  const { entries, log, damage } = await openRecordLog(storage, entropyOf(prng));
  assertEquals([entries, damage?.entriesKept], [[], 0]);
  assert(damage !== undefined && storage.names.includes(damage.setAside));
  await log.sync();
  await log.close();
  assertEquals((await openRecordLog(storage, entropyOf(prng))).damage, undefined);
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

Deno.test("a log cut anywhere keeps every whole frame before the cut", async () => {
  const prng = new Prng([6]);
  const bytes = await (await filled(prng, 4)).read(recordLogName);
  assert(bytes !== undefined);
  const whole = readLog(bytes).entries.map(hexOf);
  for (let length = 0; length < bytes.length; length++) {
    const reading = readLog(bytes.slice(0, length));
    assertEquals(reading.entries.map(hexOf), whole.slice(0, reading.entries.length));
    if (length >= 27) assertEquals(reading.damagedBytes, 0, `${length}`);
  }
});

Deno.test("a crash while a damaged log is mended loses nothing of its readable part", async () => {
  for (let step = 0; step < 24; step++) {
    const prng = new Prng([step]);
    const storage = await filled(prng, 10);
    storage.tamper(recordLogName, (bytes) => bytes.fill(0x55, 1_000, 1_100));
    const bytes = await storage.read(recordLogName);
    assert(bytes !== undefined);
    const readable = readLog(bytes).entries.map(hexOf);
    assert(readable.length >= 17);
    storage.crashAfter(step);
    try {
      await openRecordLog(storage, entropyOf(prng));
    } catch (error) {
      assert(error instanceof SimulatedCrash);
    }
    storage.restart();
    const { entries } = await openRecordLog(storage, entropyOf(prng));
    assertEquals(entries.map(hexOf), readable, `step ${step}`);
    assert(storage.names.some((name) => name.includes("damaged")));
  }
});

Deno.test("a record cannot hold a frame that a search for the next one would find", async () => {
  const prng = new Prng([8]);
  const storage = await filled(prng, 2);
  const marker = new Uint8Array(8).fill(0x41);
  const forged = encodeLogEntry(marker, { kind: "own serial", serial: 2 ** 50 });
  const trap = await other.record({ kind: 9, serial: 1, body: forged });
  const { log } = await openRecordLog(storage, entropyOf(prng));
  await log.appendRecord(trap, wall);
  await log.appendOwn(own[20] ?? trap, wall);
  await log.close();
  // The trap's own frame is damaged just before the forged one.
  storage.tamper(recordLogName, (bytes) => {
    const at = toHex(bytes).indexOf(toHex(forged)) / 2;
    assert(at > 0);
    bytes[at - 3] = (bytes[at - 3] ?? 0) ^ 1;
    return bytes;
  });
  const { ownSerial, damage } = await openRecordLog(storage, entropyOf(prng));
  assert(damage !== undefined);
  assertEquals(ownSerial, 21);
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

Deno.test("a log of another version is set aside whole and named as such", async () => {
  const prng = new Prng([3]);
  const storage = await filled(prng, 3);
  storage.tamper(recordLogName, (bytes) => {
    const head = concatBytes(utf8("mesh records 9\n"), bytes.subarray(15, 23));
    return concatBytes(head, encodeUint(crc32(head), 4), bytes.subarray(27));
  });
  const { entries, log, damage } = await openRecordLog(storage, entropyOf(prng));
  assertEquals([entries.length, damage?.isForeign, damage?.entriesKept], [0, true, 0]);
  assert(storage.names.includes(damage?.setAside ?? ""));
  await log.appendOwn(own[0] ?? fail(), wall);
  await log.close();
  assertEquals((await openRecordLog(storage, entropyOf(prng))).entries.length, 1);
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

function fail(): never {
  throw new Error("a test's record is missing");
}

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

Deno.test("the log has these bytes", () => {
  const marker = Uint8Array.from({ length: 8 }, (_, i) => i);
  assertEquals(
    toHex(encodeLogHeader(marker)),
    "6d657368207265636f7264" + "7320320a" + "0001020304050607" + "69a25808",
  );
  assertEquals(
    toHex(encodeLogEntry(marker, { kind: "own serial", serial: 258 })),
    "0001020304050607" + "0009" + "539b580f" + "05" + "0000000000000102",
  );
});
