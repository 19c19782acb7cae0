/**
 * A newcomer meets a node that knows thousands of others, all of them absent: how long until it knows
 * as many, over real sockets.
 *
 * @module
 */
import { eventually } from "../scripts/eventually.ts";
import { wallTime } from "../src/base/instant.ts";
import { DirectoryStorage, SystemEntropy } from "../src/host/mod.ts";
import { type LogEntry, openRecordLog, recordEntry } from "../src/sync/mod.ts";
import { encodeInfo } from "../src/wire/info.ts";
import { NodeProcess } from "../tests/e2e/node_process.ts";
import { plainInfo, RecordAuthor } from "../tests/sim/record_author.ts";
import type { Bench } from "./frame.ts";

const inStep = (known: number) =>
  ({ name: `newcomer ready to ${known.toLocaleString("en")} records known`, unit: "ms" }) as const;
const few = inStep(2_000);
const many = inStep(20_000);

/** Fills a state directory's log with an `info` of each of `count` authors. */
async function fill(directory: string, count: number): Promise<void> {
  const storage = await DirectoryStorage.open(directory);
  const { log } = await openRecordLog(storage, new SystemEntropy());
  const now = wallTime(Date.now());
  const some = 500;
  for (let at = 0; at < count; at += some) {
    const numbers = Array.from({ length: Math.min(some, count - at) }, (_, i) => at + i);
    const entries = await Promise.all(numbers.map(async (number): Promise<LogEntry> => {
      const author = await RecordAuthor.create(number);
      const body = encodeInfo(plainInfo(`absent-${number}`));
      return recordEntry(await author.record({ serial: now, signedAt: now, body }), now);
    }));
    await log.appendEntries(entries);
  }
  await log.sync();
  await log.close();
}

/** On loopback, so that nobody else on this machine's networks is met. */
const seclusion = ["--interface", "lo", "--listen", "0"];

async function measure(count: number, runs: number, binary: string, take: (ms: number) => void) {
  const state = await Deno.makeTempDir({ prefix: "mesh-bench-" });
  try {
    await fill(state, count);
    await using old = await NodeProcess.start({
      state,
      binary,
      args: [...seclusion, "--name", "old"],
    });
    await eventually("the log is read", async () => (await old.status()).known > count);
    for (let run = 0; run < runs; run++) {
      await using newcomer = await NodeProcess.start({ binary, args: seclusion });
      const ready = performance.now();
      await eventually(
        "all is known",
        async () => (await newcomer.status()).known > count + 1,
        { everyMs: 250, withinMs: 120_000 },
      );
      take(performance.now() - ready);
    }
  } finally {
    await Deno.remove(state, { recursive: true });
  }
}

/** Takes thousands of records over HTTPS, page by page. */
export const bulkBench: Bench = {
  metrics: [few, many],
  async run({ quick, record, executable }) {
    const binary = await executable();
    await measure(2_000, quick ? 1 : 5, binary, (ms) => record(few, ms));
    await measure(20_000, quick ? 1 : 3, binary, (ms) => record(many, ms));
  },
};
