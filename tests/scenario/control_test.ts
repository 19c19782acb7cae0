import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Duration, milliseconds, seconds } from "../../src/base/instant.ts";
import type { ControlFailure, PingOptions } from "../../src/control/mod.ts";
import { isControlFailure } from "../../src/control/mod.ts";
import type { PingLoss, PingReply } from "../../src/control/mod.ts";
import { listingsMax } from "../../src/node/limits.ts";
import { type Machine, World } from "../sim/world.ts";

async function restingPair(world: World): Promise<[Machine, Machine]> {
  const [a, b] = await world.pair("a", "b");
  await world.run(seconds(3));
  return [a, b];
}

/** All that a ping yields. */
async function pinged(
  world: World,
  from: Machine,
  to: string,
  options: PingOptions,
  limit: Duration = seconds(30),
): Promise<(PingReply | PingLoss | ControlFailure)[]> {
  const { signal } = new AbortController();
  const all = async () => {
    const items: (PingReply | PingLoss | ControlFailure)[] = [];
    for await (const item of from.control.ping(to, options, signal)) items.push(item);
    return items;
  };
  return await world.done("the ping", all(), limit);
}

Deno.test("ping counts round trips of a link, in its rhythm, and says what is lost", async () => {
  using world = new World(71);
  const [a, b] = await restingPair(world);
  const begun = world.time.now;
  const items = await pinged(world, a, "b", { count: 3, intervalMs: 1_000 });
  assertEquals(
    items,
    [1, 2, 3].map((seq) => ({ seq, rttMs: 2, hops: 1, via: b.id })),
  );
  assertEquals(Math.round((world.time.now - begun) / 1_000), 2);
  let dropped = 0;
  world.network.filter = (bytes, from) => from === b.host && dropped++ === 0 ? undefined : bytes;
  const lossy = await pinged(world, a, b.id, { count: 2, intervalMs: 200 });
  assertEquals(lossy, [{ seq: 1, lost: true }, { seq: 2, rttMs: 2, hops: 1, via: b.id }]);
  await world.end();
});

Deno.test("ping answers for oneself, and fails for whom there is no link with, or nobody", async () => {
  using world = new World(72);
  const [a, b] = await restingPair(world);
  const once = { count: 1, intervalMs: 200 };
  assertEquals(await pinged(world, a, "a", once), [{ seq: 1, rttMs: 0, hops: 0, via: a.id }]);
  const code = async (to: string) => {
    const [item] = await pinged(world, a, to, once);
    return item !== undefined && "error" in item ? item.error.code : item;
  };
  assertEquals(await code("nobody"), "no-such-node");
  await world.done("stop", b.stop());
  await world.run(seconds(1));
  assertEquals(await code("b"), "no-route");
  await world.end();
});

Deno.test("status, nodes and links agree with one another", async () => {
  using world = new World(73);
  const [a, b] = await restingPair(world);
  const status = await a.control.status();
  assertEquals([status.links, status.known, status.reachable, status.port], [1, 2, 2, 7411]);
  assertEquals(status.interfaces, [{ name: "eth0", index: 1, multicast: true }]);
  assert(status.upMs >= 3_000 && status.upMs < 5_000);
  const listed = await a.control.nodes();
  assert(!isControlFailure(listed));
  assertEquals(listed.nodes.map(({ name, state }) => [name, state]), [["a", "self"], [
    "b",
    "linked",
  ]]);
  const { links } = await a.control.links();
  assertEquals(links.map(({ id, via, loss }) => [id, via, loss]), [[b.id, "udp", 0]]);
  const detail = await a.control.node("b");
  assert(!isControlFailure(detail));
  assertEquals(detail.record.author, b.id);
  assertEquals(detail.links.map(({ id }) => id), [a.id]);
  await world.end();
});

Deno.test("who watches is told of links and nodes, beginning with ready, until he stops", async () => {
  using world = new World(74);
  const a = await world.machine("a");
  const b = await world.machine("b");
  await a.start();
  const watching = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { event, name } of a.control.watch(watching.signal)) {
      if (event !== "warning") seen.push(`${event} ${name}`);
    }
  })();
  await world.run(seconds(1));
  await b.start();
  await world.run(seconds(5));
  await world.done("stop", b.stop());
  await world.run(milliseconds(500));
  watching.abort();
  await world.done("the end of watching", reading);
  assertEquals(seen, [
    "ready a",
    "link-up b",
    "node-new b",
    "node-reachable b",
    "link-down b",
    "node-unreachable b",
  ]);
  await world.end();
});

Deno.test("nodes are listed so often at a time, and who is given up leaves his place", async () => {
  using world = new World(75);
  const [a] = await restingPair(world);
  const given = new AbortController();
  const lists = Array.from({ length: listingsMax }, () => a.control.nodesInSlices(given.signal));
  for (const list of lists) assertEquals((await list.next()).done, false);
  assert(isControlFailure(await a.control.nodes()));
  await lists[0]?.return(undefined);
  assert(!isControlFailure(await a.control.nodes()));
  given.abort();
  for (const list of lists.slice(1)) await assertRejects(() => list.next());
  for (let i = 0; i < 2 * listingsMax; i++) {
    assert(!isControlFailure(await a.control.nodes()));
  }
  await world.end();
});
