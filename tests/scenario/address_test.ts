import { assert, assertEquals } from "@std/assert";
import { milliseconds, minutes, seconds, wallTime } from "../../src/base/instant.ts";
import { socketAddress } from "../../src/wire/socket_address.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";

async function restingPair(world: World): Promise<[Machine, Machine]> {
  const [a, b] = await world.pair("a", "b");
  await world.run(seconds(40));
  return [a, b];
}

Deno.test("a node whose address changes is linked at the new one within seconds", async () => {
  using world = new World(41);
  const [a, b] = await restingPair(world);
  b.host.attach("eth0", "lan", ip("10.0.0.77"));
  await world.until(
    "sought at the new address",
    () => a.isLinked(b) && b.isLinked(a) && a.node.peers.get(b.id)?.address?.ip === "10.0.0.77",
    seconds(15),
  );
  await world.until("its record says so", () => {
    const { view } = a.node.fleet;
    const known = view.get(b.id);
    return known !== undefined && view.entry(known).addresses.join() === "10.0.0.77:7411";
  }, seconds(5));
  await world.run(minutes(2));
  assert(a.isLinked(b) && b.isLinked(a));
  await world.end();
});

Deno.test("a node that gets a second address and loses the first keeps its link", async () => {
  using world = new World(42);
  const [a, b] = await restingPair(world);
  b.host.attach("eth1", "lan", ip("10.0.0.78"));
  await world.run(seconds(10));
  assertEquals(a.node.peers.get(b.id)?.address?.ip, ip("10.0.0.3"));
  // Not even an exchange that b dials from there moves it while the first answers.
  b.host.detach("eth0");
  b.host.attach("eth0", "lan", ip("10.0.0.3"));
  const provenAt = a.node.peers.get(b.id)?.provenAt;
  b.clock.setWall(wallTime(b.clock.wall() + minutes(5)));
  await world.run(seconds(20));
  assert(a.node.peers.get(b.id)?.provenAt !== provenAt, "b has proven itself anew");
  assertEquals(a.node.peers.get(b.id)?.address?.ip, ip("10.0.0.3"));
  b.host.detach("eth0");
  await world.until(
    "sought at the new address",
    () => a.isLinked(b) && b.isLinked(a) && a.node.peers.get(b.id)?.address?.ip === "10.0.0.78",
    seconds(15),
  );
  await world.end();
});

const home = socketAddress(ip("10.0.0.2"), 7411);
const elsewhere = socketAddress(ip("10.0.0.99"), 7411);

Deno.test("a peer that comes from elsewhere and receives there is sought there", async () => {
  using world = new World(43);
  const a = await world.machine("a", { ips: [home.ip] });
  const b = await world.machine("b");
  await Promise.all([a.start(), b.start({ interfaceNames: ["eth0"] })]);
  await world.until("a link", () => a.isLinked(b) && b.isLinked(a));
  await world.run(seconds(40));
  // A translator of addresses forgets where it had put b, and puts it elsewhere.
  const [inside] = b.host.attachments.flatMap(({ ips }) => ips);
  assert(inside !== undefined);
  b.host.attach("eth1", "lan", elsewhere.ip);
  world.network.filter = (bytes, from, _to, address) => {
    if (from === b.host) a.host.inject(bytes, elsewhere, home, "eth0");
    else if (address.ip === elsewhere.ip) {
      b.host.inject(bytes, home, socketAddress(inside, 7411), "eth0");
    }
    return undefined;
  };
  await world.until(
    "sought there",
    () => a.node.peers.get(b.id)?.address?.ip === elsewhere.ip,
    seconds(20),
  );
  await world.run(minutes(1));
  assertEquals(a.node.links.healthOf(b.id)?.state, "steady");
  assertEquals([...a.events, ...b.events].filter(({ event }) => event === "link-down"), []);
  await world.end();
});

Deno.test("who sends a peer's requests on from elsewhere, and cannot read the answers, moves nobody", async () => {
  using world = new World(44);
  const [a, b] = await restingPair(world);
  const before = a.node.peers.get(b.id)?.address;
  let taken = 0;
  world.network.filter = (bytes, from) => {
    if (from !== b.host) return bytes;
    // No answer gets through, so that the old address looks dead.
    if (bytes[1] === 1) {
      taken++;
      a.host.inject(bytes, elsewhere, home, "eth0");
    }
    return undefined;
  };
  await world.until(
    "a doubts the address",
    () => a.node.links.healthOf(b.id)?.state !== "steady",
    seconds(10),
  );
  for (let i = 0; i < 30; i++) {
    await world.run(milliseconds(100));
    assertEquals(a.node.peers.get(b.id)?.address, before);
  }
  assert(taken > 0);
  await world.end();
});

Deno.test("a link whose interface goes away ends at once at that end", async () => {
  using world = new World(44);
  const [a, b] = await restingPair(world);
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

Deno.test("datagrams leave from the address that the exchange went from, whatever else a machine has", async () => {
  using world = new World(47);
  const here = await world.machine("here", { ips: [ip("10.0.0.1")] });
  // Reached through a router: in none of our networks, and as private as the bridge's address.
  const far = await world.machine("far", { ips: [ip("10.0.1.5")] });
  for (const one of [here, far]) {
    one.host.attach("bridge0", `inside ${one.name}`, ip("172.17.0.1"));
  }
  await Promise.all([here.start(), far.start()]);
  await world.until("a link", () => here.isLinked(far) && far.isLinked(here), seconds(20));
  await world.run(minutes(1));
  assertEquals(here.node.links.healthOf(far.id)?.state, "steady");
  assertEquals((await here.control.links()).links[0]?.interface, "eth0");
  assertEquals((await far.control.links()).links[0]?.interface, "eth0");
  await world.end();
});
