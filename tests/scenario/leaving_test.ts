import { assert, assertEquals } from "@std/assert";
import { milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { readLinks } from "../../src/sync/mod.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import { prefixHexOf } from "../../src/wire/links.ts";
import { linksKind, recordKey } from "../../src/wire/record_key.ts";
import { type Machine, World } from "../sim/world.ts";

async function three(world: World): Promise<[Machine, Machine, Machine]> {
  const [a, b, c] = await world.nodes("a", "b", "c");
  assert(a !== undefined && b !== undefined && c !== undefined);
  const all = [a, b, c];
  await world.until(
    "everybody linked and seen so",
    () => all.every((one) => one.linkNames().length === 2 && one.node.fleet.view.reachable === 3),
  );
  // Links that came late are published with the next coalescing.
  await world.run(seconds(40));
  assertEquals(new Set(all.map((one) => one.recordDigest())).size, 1);
  return [a, b, c];
}

function downReasons(machine: Machine, of: Machine): (string | undefined)[] {
  return machine.events.filter(({ event, id }) => event === "link-down" && id === of.id)
    .map(({ reason }) => reason);
}

function lostOf(machine: Machine): readonly string[] {
  const { store } = machine.node.archive;
  const record = store.get(recordKey(linksKind, machine.id, new Uint8Array(0)));
  const body = record === undefined ? undefined : readLinks(record);
  return body === undefined || isDecodeError(body) ? [] : body.lost;
}

Deno.test("a killed node is found out by its closed port and named as lost", async () => {
  using world = new World(11);
  const [a, b, c] = await three(world);
  c.kill();
  await world.until(
    "both know",
    () => a.stateOf(c) === "unreachable" && b.stateOf(c) === "unreachable",
    seconds(9),
  );
  await world.run(seconds(1));
  for (const one of [a, b]) {
    assertEquals(downReasons(one, c), ["refused"]);
    assertEquals(
      one.events.filter(({ event, id }) => event === "node-unreachable" && id === c.id).length,
      1,
    );
    assertEquals(lostOf(one), [prefixHexOf(c.id)]);
  }
  assertEquals(a.linkNames(), ["b"]);
  await world.end();
});

Deno.test("a machine that falls silent is found out without a port to ask", async () => {
  using world = new World(12);
  const [a, b, c] = await three(world);
  const ips = c.host.attachments.flatMap((at) => at.ips);
  c.host.attach("eth0", "nowhere", ...ips);
  await world.until(
    "both know",
    () => a.stateOf(c) === "unreachable" && b.stateOf(c) === "unreachable",
    seconds(15),
  );
  assertEquals(downReasons(a, c), ["silent"]);
  c.host.attach("eth0", "lan", ...ips);
  await world.until("it is back", () => a.isLinked(c) && b.isLinked(c), seconds(40));
  await world.end();
});

Deno.test("a good-bye ends the links at once and nobody is named as lost", async () => {
  using world = new World(13);
  const [a, b, c] = await three(world);
  await world.done("c stops", c.stop(), seconds(1));
  await world.until("both know", () => !a.isLinked(c) && !b.isLinked(c), seconds(1));
  assertEquals(downReasons(a, c), ["good-bye"]);
  await world.run(seconds(2));
  assertEquals(lostOf(a), []);
  assertEquals(a.stateOf(c), "unreachable");
  // It is dialled now and then from now on; that nothing answers is no firewall.
  for (let i = 0; i < 20; i++) {
    await world.run(seconds(20));
    for (const one of [a, b]) assertEquals(one.warningCodes(), []);
  }
  await world.end();
});

Deno.test("a node that was killed comes back under a new boot nonce and is linked at once", async () => {
  using world = new World(14);
  const [a, b, c] = await three(world);
  const before = a.node.peers.get(c.id)?.bootNonce;
  c.kill();
  await world.run(seconds(1));
  await c.start();
  await world.until(
    "new links",
    () => [a, b].every((one) => c.isLinked(one) && one.isLinked(c)),
    seconds(5),
  );
  assert(before !== undefined);
  const after = a.node.peers.get(c.id)?.bootNonce;
  assert(after !== undefined && after.toHex() !== before.toHex());
  // Whoever still held the old link goes on with the new keys: it is lost at no time from here on.
  const downs = a.events.length;
  await world.run(minutes(2));
  assertEquals(a.events.slice(downs).filter(({ event }) => event === "link-down"), []);
  assertEquals(new Set([a, b, c].map((one) => one.recordDigest())).size, 1);
  assertEquals(c.warningCodes(), []);
  await world.end();
});

Deno.test("a node that says it restarts keeps its links meanwhile", async () => {
  using world = new World(15);
  const [a, b, c] = await three(world);
  await world.done("c stops", c.stop("restarting"), seconds(1));
  await world.run(seconds(20));
  assert(a.isLinked(c) && b.isLinked(c));
  await c.start();
  await world.until("links at c", () => c.isLinked(a) && c.isLinked(b), seconds(5));
  await world.run(minutes(2));
  assertEquals(downReasons(a, c), []);
  assertEquals(downReasons(b, c), []);
  await world.end();
});

Deno.test("a node that says it restarts and does not is lost after a minute", async () => {
  using world = new World(16);
  const [a, , c] = await three(world);
  await world.done("c stops", c.stop("restarting"), seconds(1));
  await world.run(seconds(50));
  assert(a.isLinked(c));
  await world.until("lost", () => !a.isLinked(c), seconds(20));
  assertEquals(downReasons(a, c), ["restart overdue"]);
  await world.end();
});

Deno.test("a stop ends in time though nobody hears the good-bye", async () => {
  using world = new World(17);
  const [a, b, c] = await three(world);
  for (const one of [a, b]) world.network.cut(c.host, one.host);
  await world.done("c stops", c.stop(), seconds(4));
  for (const one of [a, b]) world.network.mend(c.host, one.host);
  await world.end();
});

Deno.test("a node that says good-bye says nothing new of itself, whatever happens meanwhile", async () => {
  using world = new World(19);
  const [a, b, c] = await three(world);
  // Its good-byes are not heard, so that its stop takes a while; others' are.
  for (const one of [a, b]) world.network.cut(c.host, one.host);
  const { archive } = c.node;
  const key = recordKey(linksKind, c.id, new Uint8Array(0));
  const before = archive.store.get(key)?.serial;
  const stopped = c.stop();
  await world.run(milliseconds(100));
  await world.done("a stops", a.stop(), seconds(4));
  assertEquals(downReasons(c, a), ["good-bye"]);
  await world.done("c stops", stopped, seconds(4));
  assertEquals(archive.store.get(key)?.serial, before);
  await world.end();
});

Deno.test("one direction of a path is cut: the link ends at both ends, and is back when it is mended", async () => {
  using world = new World(18);
  const [a, b] = await three(world);
  world.network.cut(a.host, b.host);
  await world.until("both gave it up", () => !a.isLinked(b) && !b.isLinked(a), minutes(1));
  assertEquals(a.stateOf(b), "reachable");
  world.network.mend(a.host, b.host);
  await world.until("it is back", () => a.isLinked(b) && b.isLinked(a), minutes(3));
  await world.end();
});
