import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { MemoryStorage } from "../../tests/sim/memory_storage.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { Counters } from "../base/counters.ts";
import { days, hours, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { restoreSlice } from "../sync/limits.ts";
import { recordEntry } from "../sync/log_format.ts";
import { openRecordLog } from "../sync/mod.ts";
import { Archive } from "./archive.ts";
import { Background } from "./background.ts";
import { writeAgainAfter } from "./limits.ts";

const begins = Date.UTC(2026, 6, 1);
const entropy = new SeededEntropy([1]);

async function opened(storage: MemoryStorage, clock: VirtualClock, clockSuspect = false) {
  const told: string[] = [];
  const counters = new Counters();
  const background = new Background((what, error) => told.push(`${what}: ${error}`));
  const self = await RecordAuthor.create(99);
  const log = await openRecordLog(storage, entropy);
  let breaths = 0;
  const archive = await Archive.restore(log, {
    clock,
    counters,
    background,
    store: { selfId: self.id, builtAt: wallTime(begins - days(30)) },
    clockSuspect,
    breathe: () => {
      breaths += 1;
      return Promise.resolve();
    },
    owner: {
      handleEquivocation: () => void told.push("equivocation"),
      handleGone: (records) => void told.push(`gone: ${records.length}`),
      handleLogFailure: (error) => void told.push(`log: ${error}`),
      handleLogWritten: () => {},
    },
  });
  return { archive, log, told, counters, background, breaths };
}

function world() {
  const time = new VirtualTime();
  const clock = new VirtualClock(time, { wallOrigin: wallTime(begins) });
  return { time, clock, storage: new MemoryStorage({ prng: new Prng([1]) }) };
}

Deno.test("what is received is verified, held, written, and there after a restart", async () => {
  const { clock, storage } = world();
  const { archive, told, background } = await opened(storage, clock);
  const author = await RecordAuthor.create(1);
  const bytes = await author.sign({ serial: 5, signedAt: begins });
  const received = await archive.receive(bytes);
  assert(received.kind === "stored");
  assertEquals([received.record.author, received.previous], [author.id, undefined]);
  const newer = await archive.receive(await author.sign({ serial: 6, signedAt: begins }));
  assert(newer.kind === "stored");
  assertEquals(newer.previous?.serial, 5);
  await background.settled();
  await archive.close();
  const again = await opened(storage, clock);
  assertEquals([...again.archive.store.records()].map(({ serial }) => serial), [6]);
  assertEquals(again.log.entries, [], "what was read has given its memory back");
  assertEquals([...told, ...again.told], []);
});

Deno.test("a log that has grown from start to start is written anew as one that grew at once", async () => {
  const { clock, storage } = world();
  const author = await RecordAuthor.create(1);
  const entry = recordEntry(await author.record({ serial: 5, signedAt: begins }), wallTime(begins));
  const { log } = await openRecordLog(storage, entropy);
  await log.appendEntries(new Array(8_000).fill(entry));
  await log.close();
  const before = storage.used;
  const { archive, background, breaths } = await opened(storage, clock);
  assert(breaths >= 8_000 / restoreSlice, "others had their turn while it was read");
  await archive.receive(await author.sign({ serial: 6, signedAt: begins }));
  await background.settled();
  await archive.close();
  assert(storage.used < before / 100, `${storage.used} bytes of ${before}`);
  const again = await opened(storage, clock);
  assertEquals([...again.archive.store.records()].map(({ serial }) => serial), [6]);
});

Deno.test("bytes that are held are recognised as what they are; refused ones are known as such", async () => {
  const { clock, storage } = world();
  const { archive, counters } = await opened(storage, clock);
  const author = await RecordAuthor.create(1);
  const bytes = await author.sign({ serial: 5, signedAt: begins });
  await archive.receive(bytes);
  const twice = await archive.receive(bytes);
  assert(twice.kind === "held");
  assertEquals([twice.record.author, twice.record.serial], [author.id, 5]);

  const forged = bytes.slice();
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  assertEquals(await archive.receive(forged), {
    kind: "refused",
    reason: "record signature",
    isForged: true,
  });
  assertEquals(await archive.receive(forged), { kind: "known" });
  assertEquals(counters.of("record signature"), 1);
  assertEquals((await archive.receive(new Uint8Array(7))).kind, "refused");
});

Deno.test("an older version is verified and held against the newer one", async () => {
  const { clock, storage } = world();
  const { archive } = await opened(storage, clock);
  const author = await RecordAuthor.create(1);
  await archive.receive(await author.sign({ serial: 6, signedAt: begins }));
  const older = await archive.receive(await author.sign({ serial: 5, signedAt: begins }));
  assert(older.kind === "held");
  assertEquals(older.record.serial, 5);
  assertEquals([...archive.store.records()].map(({ serial }) => serial), [6]);
});

Deno.test("an author that says two things under one serial is told of once, however often he does", async () => {
  const { clock, storage } = world();
  const { archive, told, background } = await opened(storage, clock);
  const author = await RecordAuthor.create(1);
  for (const serial of [5, 6]) {
    for (const body of ["one", "two"]) {
      await archive.receive(await author.sign({ kind: 9, serial, body, signedAt: begins }));
    }
  }
  await background.settled();
  await archive.close();
  assertEquals(told, ["equivocation"]);
});

Deno.test("a disk that is full is told, the record is held all the same", async () => {
  const { clock, storage } = world();
  const { archive, told, background } = await opened(storage, clock);
  storage.setBytesMax(0);
  const author = await RecordAuthor.create(1);
  const received = await archive.receive(await author.sign({ serial: 5, signedAt: begins }));
  await background.settled();
  assertEquals(received.kind, "stored");
  assertEquals(told.length, 1);
  assert(told[0]?.includes("No space left"), told[0]);
});

Deno.test("while all is written anew nothing is due, and what a full disk refused is there after it", async () => {
  const { time, clock, storage } = world();
  const { archive, background } = await opened(storage, clock);
  storage.setBytesMax(0);
  await archive.receive(await (await RecordAuthor.create(1)).sign({ serial: 5, signedAt: begins }));
  await background.settled();
  storage.setBytesMax(Number.POSITIVE_INFINITY);
  await time.advance(writeAgainAfter);
  const now = clock.monotonic();
  assert((archive.nextTimeout() ?? Infinity) <= now);
  // Something else is being written in that moment.
  await archive.receive(await (await RecordAuthor.create(2)).sign({ serial: 6, signedAt: begins }));
  archive.handleTimeout(now);
  assert((archive.nextTimeout() ?? Infinity) > now, "or the pump would spin");
  await background.settled();
  await archive.close();
  const again = await opened(storage, clock);
  assertEquals([...again.archive.store.records()].map(({ serial }) => serial).sort(), [5, 6]);
});

Deno.test("what has aged goes for good, at a restart too; under a suspect clock it stays", async () => {
  const { time, clock, storage } = world();
  const first = await opened(storage, clock);
  const author = await RecordAuthor.create(1);
  const bytes = await author.sign({ serial: 5, signedAt: begins });
  await first.archive.receive(bytes);
  await time.advance(days(61));
  const look = (archive: Archive) => {
    if (archive.nextTimeout() !== undefined) archive.handleTimeout(clock.monotonic());
  };
  look(first.archive);
  assertEquals([...first.archive.store.records()], []);
  await time.advance(hours(25));
  look(first.archive);
  // It leaves the picture first, and is deleted a day later.
  assertEquals(first.told, ["gone: 0", "gone: 1"]);
  assertEquals((await first.archive.receive(bytes)).kind, "refused");
  await first.background.settled();
  await first.archive.close();
  // Its tombstone was written.
  const again = await opened(storage, clock);
  assertEquals(again.archive.store.size, 0);
  assertEquals(again.archive.store.tombstones().length, 1);

  const other = world();
  const suspect = await opened(other.storage, other.clock);
  await suspect.archive.receive(bytes);
  await suspect.archive.close();
  other.clock.setWall(wallTime(Date.UTC(2100, 0, 1)));
  const restored = await opened(other.storage, other.clock, true);
  assertEquals([...restored.archive.store.records()].length, 1);
  await other.time.advance(hours(25));
  look(restored.archive);
  assertEquals(restored.archive.store.size, 1);
});
