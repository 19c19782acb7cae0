import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";

async function pair(world: World): Promise<[Machine, Machine]> {
  const [a, b] = await world.nodes("a", "b");
  assert(a !== undefined && b !== undefined);
  await world.until("a link", () => a.isLinked(b) && b.isLinked(a));
  await world.run(seconds(40));
  return [a, b];
}

Deno.test("a node whose address changes is linked at the new one within seconds", async () => {
  using world = new World(41);
  const [a, b] = await pair(world);
  b.host.attach("eth0", "lan", ip("10.0.0.77"));
  await world.until(
    "sought at the new address",
    () => a.isLinked(b) && b.isLinked(a) && a.node.peers.get(b.id)?.address?.ip === "10.0.0.77",
    seconds(15),
  );
  await world.until("its record says so", () => {
    const entry = a.node.fleet.view.entries().find(({ id }) => id === b.id);
    return entry?.addresses.join() === "10.0.0.77:7411";
  }, seconds(5));
  await world.run(minutes(2));
  assert(a.isLinked(b) && b.isLinked(a));
  await world.end();
});

Deno.test("a node that gets a second address and loses the first keeps its link", async () => {
  using world = new World(42);
  const [a, b] = await pair(world);
  b.host.attach("eth1", "lan", ip("10.0.0.78"));
  await world.run(seconds(10));
  assertEquals(a.node.peers.get(b.id)?.address?.ip, ip("10.0.0.3"));
  b.host.detach("eth0");
  await world.until(
    "sought at the new address",
    () => a.isLinked(b) && b.isLinked(a) && a.node.peers.get(b.id)?.address?.ip === "10.0.0.78",
    seconds(15),
  );
  await world.end();
});

Deno.test("a request from elsewhere without the cookie of there moves nobody", async () => {
  using world = new World(43);
  const [a, b] = await pair(world);
  // Somebody on the way sends on, from an address of his own, what the peer sends.
  const liar = { ip: ip("10.0.0.99"), port: 7411 };
  const to = { ip: ip("10.0.0.2"), port: 7411 };
  let taken = 0;
  world.network.filter = (bytes, from, to_) => {
    if (from !== b.host || to_ !== a.host || bytes[1] !== 1) return bytes;
    taken++;
    a.host.inject(bytes, liar, to, "eth0");
    return undefined; // The original never arrives.
  };
  await world.run(seconds(4));
  assert(taken === 0 || a.node.peers.get(b.id)?.address?.ip === ip("10.0.0.3"));
  await world.run(minutes(1));
  assert(taken > 0);
  assertEquals(a.node.peers.get(b.id)?.address?.ip, ip("10.0.0.3"));
  await world.end();
});

Deno.test("a link whose interface goes away ends at once at that end", async () => {
  using world = new World(44);
  const [a, b] = await pair(world);
  b.host.detach("eth0");
  await world.until("b knows", () => !b.isLinked(a), seconds(3));
  const reasons = b.events.filter(({ event }) => event === "link-down").map(({ reason }) => reason);
  assertEquals(reasons, ["no socket"]);
  await world.until("a knows", () => !a.isLinked(b), seconds(15));
  b.host.attach("eth0", "lan", ip("10.0.0.3"));
  await world.until("a link again", () => a.isLinked(b) && b.isLinked(a), seconds(5));
  await world.end();
});

Deno.test("two networks that are joined become one island", async () => {
  using world = new World(45);
  const machines: Machine[] = [];
  for (let i = 0; i < 6; i++) {
    machines.push(await world.machine(`n${i}`, { lan: i < 3 ? "left" : "right" }));
  }
  await Promise.all(machines.map((one) => one.start()));
  await world.run(minutes(5));
  for (const one of machines) assertEquals(one.node.fleet.view.known, 3);
  // Somebody connects the two switches.
  for (const one of machines) {
    one.host.attach("eth0", "both", ...one.host.attachments.flatMap(({ ips }) => ips));
  }
  await world.until(
    "all reach all",
    () => machines.every((one) => one.node.fleet.view.reachable === 6),
    minutes(5),
  );
  await world.end();
});
