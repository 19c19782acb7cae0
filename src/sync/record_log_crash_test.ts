import { assert, assertEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { MemoryStorage, SimulatedCrash } from "../../tests/sim/memory_storage.ts";
import { entropyOf, foreign, hexOf, own, wall } from "../../tests/fixtures/log_records.ts";
import type { LogEntry } from "./log_format.ts";
import { openRecordLog } from "./record_log.ts";
import type { VerifiedRecord } from "./verify_record.ts";

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
