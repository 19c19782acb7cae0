/**
 * A store of a big fleet: how long it takes to open, and how much memory a node takes that knows so
 * many.
 *
 * @module
 */
import { loopbackInterface } from "../scripts/local_fleet.ts";
import { MeshProcess } from "../scripts/mesh_process.ts";
import { days, instant, wallTime } from "../src/base/instant.ts";
import { parseIp } from "../src/base/ip.ts";
import { invariant } from "../src/base/invariant.ts";
import { DirectoryStorage, SystemEntropy } from "../src/host/mod.ts";
import { KnownAddresses } from "../src/node/known_addresses.ts";
import { addressesReadPerQuestion, readAheadSlice } from "../src/node/limits.ts";
import { GraphAhead, linkGraphOf } from "../src/node/link_graph_making.ts";
import {
  digestOf,
  logEntriesOf,
  openRecordLog,
  recordEntry,
  RecordStore,
  restoreStore,
  type VerifiedRecord,
} from "../src/sync/mod.ts";
import { encodeInfo } from "../src/wire/info.ts";
import { encodeLinks } from "../src/wire/links.ts";
import { linksKind } from "../src/wire/record_key.ts";
import { prefixHexOf } from "../src/wire/links.ts";
import { RecordAuthor } from "../tests/sim/record_author.ts";
import { exampleInfo } from "./authentication_bench.ts";
import { type Bench, SkippedError } from "./frame.ts";
import { longestTurn, nextTurn } from "./longest_turn.ts";

const opened = {
  name: "store opened with 20,000 known nodes",
  unit: "ms",
  goal: { below: 1_000 },
} as const;
const ready = {
  name: "start to ready with 20,000 known nodes, compiled",
  unit: "ms",
  goal: { below: 1_000 },
} as const;
const memory1000 = { name: "memory with 1,000 known", unit: "MB", goal: { below: 90 } } as const;
const memory20000 = { name: "memory with 20,000 known", unit: "MB", goal: { below: 160 } } as const;

const compactionPause = {
  name: "longest pause while the log is compacted, 20,000 nodes",
  unit: "ms",
  goal: { below: 20 },
} as const;
const restoreTurn = {
  name: "longest turn while 20,000 known nodes are restored",
  unit: "ms",
  goal: { below: 20 },
} as const;
const longestTurnKnown = {
  name: "longest turn with 20,000 known",
  unit: "ms",
  goal: { below: 20 },
} as const;

/** Neighbours in a `links` record, as a fleet of that size has them. */
const neighbours = 14;
const authorsAtOnce = 500;

/** Writes a log of so many nodes, each with an `info` and a `links`, as a node would. */
export async function fill(state: string, nodes: number): Promise<void> {
  const { log } = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
  const now = Date.now();
  const wall = wallTime(now);
  let before: RecordAuthor[] = [];
  for (let from = 1; from <= nodes; from += authorsAtOnce) {
    const count = Math.min(authorsAtOnce, nodes - from + 1);
    const authors = await Promise.all(
      Array.from({ length: count }, (_, i) => RecordAuthor.create(from + i)),
    );
    const known = before.length > 0 ? before : authors;
    const entries = await Promise.all(authors.map(async (author, i) => {
      const links = Array.from({ length: neighbours }, (_, k) => {
        const peer = known[(i * 7 + k) % known.length] ?? author;
        return { peer: prefixHexOf(peer.id), costExponent: 1 };
      });
      const info = await author.record({
        serial: now,
        signedAt: now,
        body: encodeInfo({ ...exampleInfo(), name: `node-${from + i}` }),
      });
      const body = encodeLinks({ bootNonce: new Uint8Array(16), links, lost: [] });
      const listed = await author.record({ kind: linksKind, serial: now, signedAt: now, body });
      return [recordEntry(info, wall), recordEntry(listed, wall)];
    }));
    await log.appendEntries(entries.flat());
    before = authors;
  }
  await log.sync();
  await log.close();
}

/** What the process holds in memory, in megabytes. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1_024 / 1_000_000;
}

/** Opens and fills a store from disk, without the start of a process. */
export const storeBench: Bench = {
  metrics: [opened],
  async run({ quick, record }) {
    const state = await Deno.makeTempDir({ prefix: "mesh-bench-" });
    try {
      await fill(state, 20_000);
      for (let run = 0; run < (quick ? 2 : 5); run++) {
        const begun = performance.now();
        const log = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
        const self = await RecordAuthor.create(1);
        const store = new RecordStore({ selfId: self.id, sharing: [run, 7] });
        await restoreStore(log, store, instant(0), wallTime(Date.now()), nextTurn);
        record(opened, performance.now() - begun);
        if (store.size !== 40_000) throw new Error(`${store.size} of 40,000 records came back`);
        await log.log.close();
      }
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
};

/**
 * What a node does with many records, in one process: they are restored; the log is written anew; the
 * first look at the fleet is prepared and taken, strangers connect, and each of some new records is
 * taken in, shows in the digest and makes the fleet be looked at again.
 */
export const storeTurnBench: Bench = {
  metrics: [restoreTurn, compactionPause, longestTurnKnown],
  async run({ quick, record }) {
    const state = await Deno.makeTempDir({ prefix: "mesh-bench-" });
    try {
      await fill(state, 20_000);
      const self = await RecordAuthor.create(1);
      const newcomers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => RecordAuthor.create(50_000 + i)),
      );
      for (let run = 0; run < (quick ? 2 : 5); run++) {
        const log = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
        const store = new RecordStore({ selfId: self.id, sharing: [run, 7] });
        const restore = async () => {
          await restoreStore(log, store, instant(0), wallTime(Date.now()), nextTurn);
        };
        record(restoreTurn, await longestTurn(restore));
        log.forgetEntries();
        const compact = () =>
          log.log.compact(() => logEntriesOf(store, instant(1), wallTime(Date.now())));
        record(compactionPause, await longestTurn(compact));
        await log.log.close();
        const records = await Promise.all(
          newcomers.map((author) => author.record({ serial: run, signedAt: Date.now() })),
        );
        record(longestTurnKnown, await longestTurn(() => liveWith(store, records)));
      }
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
};

async function liveWith(store: RecordStore, news: readonly VerifiedRecord[]): Promise<void> {
  const ahead = new GraphAhead(store);
  while (ahead.read(readAheadSlice)) await nextTurn();
  const stranger = parseIp("203.0.113.9");
  invariant(stranger !== undefined, "that is an address");
  const known = new KnownAddresses(store);
  for (let asked = 0; asked < 2 * 20_000; asked += addressesReadPerQuestion) {
    known.has(stranger);
    await nextTurn();
  }
  linkGraphOf(store);
  await nextTurn();
  for (const record of news) {
    store.admit(record, instant(2), wallTime(Date.now()));
    await digestOf(store);
    await nextTurn();
    linkGraphOf(store);
    await nextTurn();
  }
  store.handleTimeout(instant(days(1)), wallTime(Date.now()));
}

/** The compiled node, alone with what it knows. */
export const memoryBench: Bench = {
  metrics: [memory1000, memory20000, ready],
  async run({ record, executable }) {
    if (Deno.build.os !== "linux") throw new SkippedError("no /proc to read memory from");
    const binary = await executable();
    for (const [metric, nodes] of [[memory1000, 1_000], [memory20000, 20_000]] as const) {
      const state = await Deno.makeTempDir({ prefix: "mesh-bench-" });
      try {
        await fill(state, nodes);
        const begun = performance.now();
        const node = new MeshProcess({
          state,
          binary,
          args: ["--listen", "0", "--interface", loopbackInterface(), "--no-multicast"],
          logLevel: "warn",
        });
        try {
          await node.ready();
          if (metric === memory20000) record(ready, performance.now() - begun);
          await new Promise((resolve) => setTimeout(resolve, 5_000));
          record(metric, await residentMegabytes(node.pid));
        } finally {
          await node.end("SIGTERM");
        }
      } finally {
        await Deno.remove(state, { recursive: true });
      }
    }
  },
};
