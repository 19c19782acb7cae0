import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Bytes, concatBytes, copyBytes, encodeUint, toHex, utf8 } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { MemoryStorage, SimulatedCrash } from "../../tests/sim/memory_storage.ts";
import {
  entropyOf,
  fail,
  filled,
  hexOf,
  other,
  own,
  wall,
} from "../../tests/fixtures/log_records.ts";
import { encodeLogEntry, readLog } from "./log_format.ts";
import { crc32 } from "./crc32.ts";
import { openRecordLog, recordLogName } from "./record_log.ts";

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
