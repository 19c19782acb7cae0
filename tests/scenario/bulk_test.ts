import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../src/base/bytes.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import { minutes, seconds } from "../../src/base/instant.ts";
import { paths } from "../../src/node/authenticator.ts";
import type { SecureDialer } from "../../src/platform/secure_streams.ts";
import { recordKeyOf } from "../../src/sync/mod.ts";
import { type BulkPage, decodeBulkPage, encodeBulkPage } from "../../src/wire/bulk.ts";
import { bulkPageBytesMax } from "../../src/wire/limits.ts";
import { recordsOfAbsent } from "../sim/absent.ts";
import { type Machine, World } from "../sim/world.ts";

async function hold(machine: Machine, records: readonly Bytes[]): Promise<void> {
  await Promise.all(records.map((bytes) => machine.node.archive.receive(bytes)));
}

const absent = await recordsOfAbsent(3_000);

/** Whether all that run hold the same. */
function agree(world: World): boolean {
  const running = world.machines.filter(({ isRunning }) => isRunning);
  if (new Set(running.map(({ node }) => node.archive.store.size)).size > 1) return false;
  return new Set(running.map((one) => one.recordDigest())).size === 1;
}

/** What the newcomer sees in place of the page that a neighbour sent. */
type Bend = (page: BulkPage, from: Machine, pagesBefore: number) => BulkPage | Bytes | Error;

/** A dialler that shows pages through `bend`, and notes which records came whole. */
function bending(world: World, came: Bytes[], bend: Bend): (dialer: SecureDialer) => SecureDialer {
  let pages = 0;
  return (dialer) => ({
    dial: async (to, signal, onConnected) => {
      const connection = await dialer.dial(to, signal, onConnected);
      if ("failed" in connection) return connection;
      const from = world.machines.find(({ host }) =>
        host.attachments.some(({ ips }) => ips.includes(to.ip))
      );
      return {
        ...connection,
        request: async (method, path, body, pageSignal, bytesMax) => {
          const answer = await connection.request(method, path, body, pageSignal, bytesMax);
          if (path !== paths.records) return answer;
          const page = decodeBulkPage(answer.body, bulkPageBytesMax);
          assert(!isDecodeError(page) && from !== undefined);
          const bent = bend(page, from, pages++);
          if (bent instanceof Error) throw bent;
          if (bent === page) came.push(...page.records);
          return { status: 200, body: bent instanceof Uint8Array ? bent : encodeBulkPage(bent) };
        },
      };
    },
  });
}

Deno.test("a newcomer takes 3,000 records from one of its neighbours, and all are in step", async () => {
  using world = new World(71);
  const olds = await world.nodes("a", "b", "c");
  await Promise.all(olds.map((old) => hold(old, absent)));
  const newcomer = await world.machine("newcomer");
  const came: Bytes[] = [];
  await newcomer.start({ bendDialer: bending(world, came, (page) => page) });
  await world.until(
    "agreement",
    () => agree(world),
    seconds(10),
  );
  assertEquals(newcomer.count("bulk: complete"), 1);
  assert(came.length >= 3_000 && came.length < 3_020, `${came.length} records came`);
  for (const old of olds) {
    assertEquals(old.node.counters.of("bulk: complete"), 0, old.name);
    assertEquals(old.count("reconciliation: left to bulk"), 0, old.name);
  }
  assert(newcomer.count("reconciliation: keys used up") === 0);
  await world.end();
});

Deno.test("where the neighbour dies in the middle, another goes on and nothing comes twice", async () => {
  using world = new World(72);
  const olds = await world.nodes("a", "b", "c");
  await Promise.all(olds.map((old) => hold(old, absent)));
  await world.until("links", () => olds.every((old) => old.linkNames().length === 2));
  const newcomer = await world.machine("newcomer");
  const came: Bytes[] = [];
  let dead: Machine | undefined;
  const bendDialer = bending(world, came, (page, from, before) => {
    if (before !== 2) return page;
    dead = from;
    from.kill();
    return new Error("connection closed");
  });
  await newcomer.start({ bendDialer });
  await world.until("all records", () => newcomer.node.archive.store.size >= 3_004, seconds(20));
  assert(dead !== undefined);
  assertEquals(newcomer.count("bulk: broken off"), 1);
  assertEquals(newcomer.count("bulk: complete"), 1);
  assert(came.length < 3_020, `${came.length} records came`);
  const keys = await Promise.all(came.map(recordKeyOf));
  assertEquals(new Set(keys).size, keys.length);
  await world.until(
    "agreement of those alive",
    () => agree(world),
    minutes(1),
  );
  await world.end();
});

const lies: Readonly<Record<string, Bend>> = {
  "page malformed": () => Uint8Array.of(0x82, 0x00),
  "page malformed, endless short ones": (page) => ({
    state: "more",
    records: page.records.slice(0, 1),
  }),
  "record malformed": (page) => ({ ...page, records: [Uint8Array.of(1), ...page.records] }),
  "record forged": (page) => {
    const [first = new Uint8Array(1), ...rest] = page.records;
    return { ...page, records: [first.with(first.length - 1, (first.at(-1) ?? 0) ^ 1), ...rest] };
  },
  "records not in order": (page) => ({ ...page, records: page.records.toReversed() }),
  "records not in order, repeated": (page) => ({
    ...page,
    records: [...page.records.slice(0, 300), ...page.records.slice(0, 300)],
  }),
  "broken off": () => new Error("connection closed"),
  "busy": () => ({ state: "busy", records: [] }),
};

for (const [lie, bend] of Object.entries(lies)) {
  Deno.test(`a neighbour whose bulk ends as "${lie}" is counted, and another one is taken`, async () => {
    using world = new World(73);
    const olds = await world.nodes("a", "b", "c");
    await Promise.all(olds.map((old) => hold(old, absent.slice(0, 600))));
    await world.until("links", () => olds.every((old) => old.linkNames().length === 2));
    const newcomer = await world.machine("newcomer");
    let liar: Machine | undefined;
    const bendDialer = bending(world, [], (page, from, before) => {
      liar ??= from;
      return from === liar ? bend(page, from, before) : page;
    });
    await newcomer.start({ bendDialer });
    await world.until(
      "agreement",
      () => agree(world),
      seconds(20),
    );
    const [reason = ""] = lie.split(",");
    assertEquals(newcomer.count(`bulk: ${reason}`), 1);
    assertEquals(newcomer.count("bulk: complete"), 1);
    await world.end();
  });
}

Deno.test("a neighbour that claims millions and has nothing costs one transfer", async () => {
  using world = new World(74);
  const [honest] = await world.nodes("honest");
  assert(honest !== undefined);
  await hold(honest, absent.slice(0, 600));
  const newcomer = await world.machine("newcomer");
  let transfers = 0;
  const bendDialer = bending(world, [], (page) => {
    transfers += 1;
    return { state: "end", records: page.records.slice(0, 0) };
  });
  await newcomer.start({ bendDialer });
  await world.until("a link", () => newcomer.isLinked(honest));
  await world.run(seconds(50));
  assertEquals(transfers, 1);
  // What was kept back comes by datagrams all the same.
  assert(newcomer.recordDigest() === honest.recordDigest());
  await world.end();
});

Deno.test("two islands that each hold what the other lacks take it from each other", async () => {
  using world = new World(75);
  const others = await recordsOfAbsent(3_000, 10_000);
  const left = await world.machine("left");
  const right = await world.machine("right");
  await Promise.all([left.start(), right.start()]);
  await Promise.all([hold(left, absent), hold(right, others)]);
  await world.until(
    "agreement",
    () => left.node.archive.store.size > 6_000 && agree(world),
    minutes(1),
  );
  assert(left.count("bulk: complete") + right.count("bulk: complete") >= 2);
  await world.end();
});
