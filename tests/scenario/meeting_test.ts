import { assert, assertEquals } from "@std/assert";
import { milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";

function allAgree(machines: readonly Machine[]): boolean {
  const digest = machines[0]?.recordDigest();
  return machines.every((machine) =>
    machine.recordDigest() === digest && machine.node.fleet.view.reachable === machines.length
  );
}

Deno.test("two nodes find each other by beacon, link and agree", async () => {
  using world = new World(1);
  const [one, two] = await world.nodes("one", "two");
  assert(one !== undefined && two !== undefined);
  await world.until("a link", () => one.isLinked(two) && two.isLinked(one), seconds(1));
  await world.until("agreement", () => allAgree([one, two]), seconds(2));
  const [entry] = (await one.control.links()).links;
  assertEquals(entry?.name, "two");
  assertEquals(entry?.interface, "eth0");
  assertEquals(entry?.via, "udp");
  await world.end();
});

Deno.test("nodes with nothing but IPv6 link-local addresses link in the zone of their interface", async () => {
  using world = new World(2);
  const one = await world.machine("one", { ips: [ip("fe80::1")] });
  const two = await world.machine("two", { ips: [ip("fe80::2")] });
  await Promise.all([one.start(), two.start()]);
  await world.until("agreement", () => allAgree([one, two]), seconds(3));
  const [entry] = (await one.control.links()).links;
  assertEquals(entry?.address, "[fe80::2%eth0]:7411");
  await world.end();
});

Deno.test("a node is known and reachable over two others whom it cannot hear", async () => {
  using world = new World(3);
  for (const [i, name] of ["a", "b", "c", "d"].entries()) {
    const machine = await world.machine(name, { lan: `lan${i}`, ips: [ip(`10.0.${i}.1`)] });
    // Each but the last also has a foot in the next one's network.
    if (i < 3) machine.host.attach("eth1", `lan${i + 1}`, ip(`10.0.${i + 1}.9`));
  }
  const all = world.machines;
  await Promise.all(all.map((machine) => machine.start()));
  await world.until("agreement", () => allAgree(all), seconds(10));
  const [a, b, , d] = all;
  assert(a !== undefined && b !== undefined && d !== undefined);
  assertEquals(a.node.fleet.view.get(d.id)?.path, { hops: 3, via: b.id });
  assertEquals(a.linkNames(), ["b"]);
  await world.end();
});

Deno.test("with every fifth datagram lost five nodes agree, and no link is lost in ten minutes", async () => {
  using world = new World(4);
  world.network.loss = 0.2;
  const machines = await world.nodes("a", "b", "c", "d", "e");
  await world.until("agreement", () => allAgree(machines), seconds(20));
  await world.run(minutes(10));
  for (const machine of machines) {
    assertEquals(machine.linkNames().length, 4);
    assertEquals(machine.events.filter(({ event }) => event === "link-down"), []);
  }
  assert(allAgree(machines));
  await world.end();
});

Deno.test("one seed has one history", async () => {
  const history = async () => {
    using world = new World(5);
    world.network.loss = 0.1;
    const machines = await world.nodes("a", "b", "c", "d");
    await world.run(seconds(45));
    const { sent, sentBytes } = world.network;
    const events = machines.map((machine) => machine.events);
    await world.end();
    return { sent, sentBytes, events, happened: world.time.happened };
  };
  assertEquals(await history(), await history());
});

Deno.test("a node answers its peer across 600 ms each way", async () => {
  using world = new World(6);
  world.network.delay = milliseconds(600);
  const [one, two] = await world.nodes("one", "two");
  assert(one !== undefined && two !== undefined);
  await world.until("a link", () => one.isLinked(two) && two.isLinked(one), seconds(30));
  await world.until("agreement", () => allAgree([one, two]), seconds(60));
  await world.run(minutes(10));
  assertEquals(one.events.filter(({ event }) => event === "link-down"), []);
  await world.end();
});

Deno.test("the address of a newcomer's record is a known one from then on, also to who had looked before", async () => {
  using world = new World(8);
  const [a, b] = await world.pair("a", "b");
  const late = await world.machine("late", { lan: "far" });
  const [address] = late.host.attachments.flatMap(({ ips }) => ips);
  assert(address !== undefined);
  b.host.attach("eth1", "far", ip("10.9.9.9"));
  assertEquals(a.node.isKnownAddress(address), false);
  await late.start();
  await world.until("a knows it", () => a.node.fleet.view.get(late.id) !== undefined);
  assertEquals(a.node.isKnownAddress(address), true);
  await world.end();
});
