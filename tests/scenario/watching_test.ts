import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { type Machine, World } from "../sim/world.ts";

const twelve = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
/** IPv4 and UDP around each datagram. */
const headerBytes = 28;

/** Names of the machines whose node probes the other's as one of its two watchers. */
function watchersOf(machine: Machine, all: readonly Machine[]): string[] {
  return all.filter((other) =>
    other.isRunning && other.node.links.healthOf(machine.id)?.role?.watches === true
  ).map(({ name }) => name);
}

/** Bytes a second, in and out together, that each node of the world has to do with on the average. */
async function idleRate(world: World): Promise<number> {
  const { network } = world;
  const before = { sent: network.sent, bytes: network.sentBytes };
  let unicast = 0;
  network.filter = (bytes) => {
    unicast += bytes.length + headerBytes;
    return bytes;
  };
  const length = minutes(20);
  await world.run(length);
  network.filter = (bytes) => bytes;
  const all = network.sentBytes - before.bytes + (network.sent - before.sent) * headerBytes;
  const nodes = world.machines.length;
  // A beacon goes out once and comes in at everybody.
  return (2 * unicast / nodes + (all - unicast)) / (length / 1_000);
}

Deno.test("twelve nodes: each has exactly two watchers, and all agree on which", async () => {
  using world = new World(91);
  const machines = await world.nodes(...twelve);
  await world.run(minutes(3));
  for (const machine of machines) {
    const watchers = watchersOf(machine, machines);
    assertEquals(watchers.length, 2, `${machine.name} is watched by ${watchers.join(", ")}`);
    const expected = machines.filter((other) =>
      machine.node.links.healthOf(other.id)?.role?.isWatched === true
    ).map(({ name }) => name);
    assertEquals(expected, watchers);
  }
  await world.end();
});

Deno.test("at rest a node of twelve costs less than 250 bytes a second, in and out, with headers", async () => {
  using world = new World(92);
  await world.nodes(...twelve);
  await world.run(minutes(3));
  const rate = await idleRate(world);
  assert(rate < 250, `${rate.toFixed(1)} B/s`);
  await world.end();
});

Deno.test("when the watchers of a node are gone others watch it, and it knows that first", async () => {
  using world = new World(93);
  const machines = await world.nodes(...twelve);
  await world.run(minutes(3));
  const [x] = machines;
  assert(x !== undefined);
  const first = watchersOf(x, machines);
  for (const machine of machines) if (first.includes(machine.name)) machine.kill();
  const living = machines.filter(({ isRunning }) => isRunning);
  await world.until(
    "two others watch",
    () => watchersOf(x, living).length === 2,
    seconds(30),
  );
  assertEquals(watchersOf(x, living).filter((name) => first.includes(name)), []);
  await world.end();
});

Deno.test("a node that dies together with both its watchers is found out as well", async () => {
  using world = new World(94);
  const machines = await world.nodes(...twelve);
  await world.run(minutes(3));
  const [x] = machines;
  assert(x !== undefined);
  const first = watchersOf(x, machines);
  for (const machine of machines) {
    if (machine !== x && !first.includes(machine.name)) continue;
    machine.host.detach("eth0");
    machine.kill();
  }
  const living = machines.filter(({ isRunning }) => isRunning);
  await world.until(
    "nobody takes one of the three for alive",
    () => living.every(({ node }) => node.fleet.view.reachable === living.length),
    seconds(30),
  );
  await world.end();
});

Deno.test("a node cut from its watchers only is seen alive through others, and nobody calls it lost", async () => {
  using world = new World(95);
  const machines = await world.nodes(...twelve);
  await world.run(minutes(3));
  const [x] = machines;
  assert(x !== undefined);
  const first = watchersOf(x, machines);
  const cutOff = machines.filter(({ name }) => first.includes(name));
  const reachedBefore = machines.map((one) => one.events.length);
  for (const { host } of cutOff) {
    world.network.cut(host, x.host);
    world.network.cut(x.host, host);
  }
  await world.until(
    "both watchers have given up the way to it",
    () => cutOff.every((watcher) => !watcher.isLinked(x)),
    minutes(1),
  );
  for (const watcher of cutOff) {
    const story = watcher.events.filter(({ id }) => id === x.id).map(({ event }) => event);
    assert(story.includes("node-suspect") && story.includes("node-reachable"), story.join(" "));
    const down = watcher.events.findLast(({ event }) => event === "link-down");
    assertEquals(down?.reason, "no direct path");
    assert(watcher.stateOf(x) === "reachable");
  }
  await world.run(minutes(2));
  for (const [i, machine] of machines.entries()) {
    const since = machine.events.slice(reachedBefore[i]);
    assertEquals(since.filter(({ event }) => event === "node-unreachable"), [], machine.name);
  }
  assert(machines.some((machine) => machine.count("relayed") > 0));
  assertEquals(watchersOf(x, machines).length, 2, "others watch it now");
  await world.end();
});

Deno.test("at 20 % loss nobody of twelve is dropped in ten minutes", async () => {
  using world = new World(96);
  const machines = await world.nodes(...twelve);
  await world.run(minutes(3));
  const before = machines.map(({ events }) => events.length);
  world.network.loss = 0.2;
  await world.run(minutes(10));
  for (const [i, machine] of machines.entries()) {
    const since = machine.events.slice(before[i]);
    const ended = since.filter(({ event, reason }) =>
      event === "node-unreachable" || event === "link-down" && reason !== "let go"
    );
    assertEquals(ended, [], machine.name);
  }
  await world.end();
});
