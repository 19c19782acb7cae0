import { assert, assertEquals } from "@std/assert";
import { compareBytes } from "../../src/base/bytes.ts";
import { days, milliseconds, minutes, seconds, wallTime } from "../../src/base/instant.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World, worldBeginsAt } from "../sim/world.ts";

/** The clone starts a little after the one that it is a copy of, and both find out. */
async function bothWarn(world: World, one: Machine, clone: Machine): Promise<void> {
  await world.run(milliseconds(1_500));
  await clone.start();
  await world.until(
    "both warn",
    () => [one, clone].every((each) => each.warningCodes().includes("duplicate-identity")),
    minutes(3),
  );
}

Deno.test("two nodes under one key both say so, and one of them stops announcing", async () => {
  using world = new World(21);
  const one = await world.machine("one");
  const clone = await world.machine("clone", { cloneOf: one });
  const [other] = await world.nodes("other");
  assert(other !== undefined);
  await one.start();
  await bothWarn(world, one, clone);
  assert(!other.warningCodes().includes("duplicate-identity"));
  await world.run(minutes(2));
  const higher = compareBytes(one.bootNonce(), clone.bootNonce()) > 0 ? one : clone;
  const lower = higher === one ? clone : one;
  // Whoever goes on changes his record; the other one's stays as it is.
  const serials = () => other.node.archive.store.byAuthor(one.id).map(({ serial }) => serial);
  const before = serials();
  const ear = await world.machine("ear", { lan: "elsewhere", ips: [ip("10.9.9.9")] });
  const beaconBytes = () => ear.host.traffic.byKind.get("beacon") ?? 0;
  higher.host.attach("eth1", "elsewhere", ip("10.9.9.1"));
  await world.run(seconds(10));
  assertEquals([serials(), beaconBytes()], [before, 0]);
  lower.host.attach("eth1", "elsewhere", ip("10.9.9.2"));
  await world.run(seconds(10));
  assert(serials().join() !== before.join());
  assert(beaconBytes() > 0);
  // What the fleet shows is whoever goes on.
  const shown = other.node.fleet.view.get(one.id)?.info.bootNonce;
  assertEquals(shown, lower.bootNonce());
  await world.end();
});

Deno.test("a clone that meets its own records on a network apart is told by them", async () => {
  using world = new World(22);
  // The two never meet: each has a neighbour, and the neighbours know each other.
  const one = await world.machine("one", { lan: "left", ips: [ip("10.1.0.1")] });
  const left = await world.machine("left", { lan: "left", ips: [ip("10.1.0.2")] });
  const right = await world.machine("right", { lan: "right", ips: [ip("10.2.0.2")] });
  const clone = await world.machine("clone", { lan: "right", ips: [ip("10.2.0.1")], cloneOf: one });
  left.host.attach("eth1", "middle", ip("10.3.0.1"));
  right.host.attach("eth1", "middle", ip("10.3.0.2"));
  await Promise.all([one, left, right].map((each) => each.start()));
  await bothWarn(world, one, clone);
  await world.end();
});

Deno.test("a restored backup is no clone: its record jumps above the one that others hold", async () => {
  using world = new World(23);
  const [one, other] = await world.pair("one", "other");
  await world.run(minutes(1));
  await world.done("stop", one.stop());
  // The disk is the one of long ago: empty; and the calendar was set back by a day.
  const restored = await world.machine("restored", {
    cloneOf: one,
    wall: wallTime(worldBeginsAt - days(1)),
    ips: [ip("10.0.0.2")],
  });
  one.host.detach("eth0");
  await restored.start();
  const held = () => other.node.archive.store.byAuthor(one.id).find(({ kind }) => kind === 0);
  await world.until("the other knows the new record", () => other.stateOf(restored) === "linked");
  await world.until(
    "agreement",
    () => restored.recordDigest() === other.recordDigest(),
    seconds(20),
  );
  assertEquals(held()?.serial, restored.node.archive.store.byAuthor(one.id)[0]?.serial);
  await world.run(minutes(2));
  assertEquals(restored.warningCodes().filter((code) => code !== "clock"), []);
  await world.end();
});

Deno.test("a node that dials itself remembers where, and says nothing", async () => {
  using world = new World(24);
  const one = await world.machine("one");
  // An address that leads here though it is on no interface that is served, as behind a translator.
  one.host.attach("eth1", "lan", ip("10.0.0.50"));
  await one.start({ interfaceNames: ["eth0"], peers: ["10.0.0.50:7411"] });
  await world.run(minutes(5));
  assertEquals(world.streams.dials, 1);
  assertEquals(one.warningCodes(), []);
  assertEquals(one.linkNames(), []);
  await world.end();
});
