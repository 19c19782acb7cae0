import { assert, assertEquals } from "@std/assert";
import { days, hours, minutes, seconds, wallTime } from "../../src/base/instant.ts";
import { World, worldBeginsAt, worldBuiltAt } from "../sim/world.ts";

Deno.test("a node whose clock shows 1970 links, is believed, and says what is wrong", async () => {
  using world = new World(61);
  const [a, b] = await world.nodes("a", "b");
  const old = await world.machine("old", { wall: wallTime(86_400_000) });
  assert(a !== undefined && b !== undefined);
  await old.start();
  const all = [a, b, old];
  await world.until("links", () => all.every((one) => one.linkNames().length === 2), seconds(10));
  await world.run(minutes(2));
  assertEquals(new Set(all.map((one) => one.recordDigest())).size, 1);
  assertEquals(a.node.fleet.view.reachable, 3);
  assert(old.warningCodes().includes("clock"));
  assertEquals(a.warningCodes(), []);
  // What it signs bears a date that its neighbours can live with.
  for (const { signedAt } of a.node.archive.store.byAuthor(old.id)) {
    assert(signedAt >= worldBuiltAt);
  }
  await world.end();
});

Deno.test("a node whose clock shows 2100 keeps everybody's records and drops them never for that", async () => {
  using world = new World(62);
  const [a, b] = await world.nodes("a", "b");
  const ahead = await world.machine("ahead", { wall: wallTime(Date.UTC(2100, 0, 1)) });
  assert(a !== undefined && b !== undefined);
  await ahead.start();
  const all = [a, b, ahead];
  await world.until("links", () => all.every((one) => one.linkNames().length === 2), seconds(10));
  await world.run(hours(1));
  assertEquals(ahead.node.fleet.view.reachable, 3);
  assert(ahead.warningCodes().includes("clock"));
  assert(ahead.node.archive.store.expiryPaused);
  // A restart with the same wrong clock restores what the disk holds.
  await world.done("stop", ahead.stop());
  await ahead.start();
  assertEquals(ahead.node.fleet.view.known, 3);
  // Though nobody is there yet to disagree.
  assert(ahead.node.archive.store.expiryPaused);
  await world.until("links", () => ahead.linkNames().length === 2, seconds(10));
  // Somebody sets the clock right: the warning goes.
  ahead.clock.setWall(wallTime(worldBeginsAt + world.time.now));
  await world.until("no warning", () => ahead.warningCodes().length === 0, minutes(1));
  await world.run(minutes(1));
  assert(!ahead.node.archive.store.expiryPaused);
  assertEquals(new Set(all.map((one) => one.recordDigest())).size, 1);
  await world.end();
});

Deno.test("a node that starts with a calendar years ahead is in step as soon as somebody disagrees", async () => {
  using world = new World(65);
  const machines = await world.nodes("a", "b", "c");
  const [a, ...others] = machines;
  assert(a !== undefined);
  await world.until("links", () => machines.every((one) => one.linkNames().length === 2));
  await world.run(minutes(1));
  a.kill();
  a.setWallAhead(days(365 * 5));
  await a.start();
  // All it knows is too old by that calendar, and nobody is there yet to disagree.
  assertEquals(a.node.archive.store.expiryPaused, false);
  assertEquals(others.some((other) => a.recordDigest() === other.recordDigest()), false);
  const inStep = () => new Set(machines.map((one) => one.recordDigest())).size === 1;
  await world.until("in step", inStep, seconds(30));
  a.setWallAhead(0);
  await world.run(minutes(1));
  assert(inStep());
  await world.end();
});

Deno.test("a node that starts alone with a calendar years ahead is in step once it is set right", async () => {
  using world = new World(66);
  const machines = await world.nodes("a", "b");
  const [a, b] = machines;
  assert(a !== undefined && b !== undefined);
  await world.until("links", () => a.isLinked(b) && b.isLinked(a));
  await world.run(minutes(1));
  a.kill();
  world.network.cut(a.host, b.host);
  world.network.cut(b.host, a.host);
  a.setWallAhead(days(365 * 5));
  await a.start();
  await world.run(seconds(30));
  assertEquals(a.node.fleet.view.known, 1);
  a.setWallAhead(0);
  await world.until("it knows the other again", () => a.node.fleet.view.known === 2, seconds(10));
  world.network.mend(a.host, b.host);
  world.network.mend(b.host, a.host);
  await world.until("in step", () => a.recordDigest() === b.recordDigest(), minutes(1));
  await world.end();
});

Deno.test("one neighbour whose clock is days ahead stops the ageing of records, and no more", async () => {
  using world = new World(63);
  const a = await world.machine("a");
  const b = await world.machine("b", { wall: wallTime(worldBeginsAt + days(3)) });
  await Promise.all([a.start(), b.start()]);
  await world.until("a link", () => a.isLinked(b) && b.isLinked(a));
  await world.run(seconds(10));
  assert(a.node.archive.store.expiryPaused && b.node.archive.store.expiryPaused);
  assertEquals(a.warningCodes(), []);
  await world.done("b stops", b.stop());
  await world.run(seconds(10));
  assert(!a.node.archive.store.expiryPaused);
  await world.end();
});

Deno.test("when a calendar is set right the neighbours learn it at once, not at the next day's exchange", async () => {
  using world = new World(67);
  const [a, b] = await world.pair("a", "b");
  const pausedOn = () => [a, b].map(({ node }) => node.archive.store.expiryPaused);
  a.clock.setWall(wallTime(a.clock.wall() + days(3)));
  await world.until("both doubt", () => pausedOn().every((paused) => paused), seconds(10));
  a.clock.setWall(wallTime(a.clock.wall() - days(3)));
  await world.until("neither doubts", () => !pausedOn().some((paused) => paused), seconds(10));
  await world.end();
});

Deno.test("after two months' sleep the records of who is gone have aged, and those who woke sign anew", async () => {
  using world = new World(64);
  const [a, b, c] = await world.nodes("a", "b", "c");
  assert(a !== undefined && b !== undefined && c !== undefined);
  await world.until("links", () => [a, b, c].every((one) => one.linkNames().length === 2));
  await world.run(seconds(40));
  await world.done("c stops", c.stop());
  await world.run(seconds(10));
  // While a machine sleeps its monotonic clock stands still and its calendar does not.
  for (const one of [a, b]) one.clock.setWall(wallTime(one.clock.wall() + days(62)));
  await world.run(minutes(15));
  for (const one of [a, b]) {
    const records = [...one.node.archive.store.records()];
    assertEquals(new Set(records.map(({ author }) => author)), new Set([a.id, b.id]));
    for (const { signedAt } of records) assert(a.clock.wall() - signedAt < days(1));
    assertEquals(one.linkNames().length, 1);
  }
  assertEquals(a.recordDigest(), b.recordDigest());
  await world.end();
});
