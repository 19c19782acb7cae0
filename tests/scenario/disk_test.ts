import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { World } from "../sim/world.ts";

Deno.test("a disk that is full for a while loses nothing", async () => {
  using world = new World(301);
  const [one, other, third] = await world.nodes("one", "other", "third");
  assert(one !== undefined && other !== undefined && third !== undefined);
  await world.until("links", () => one.linkNames().length === 2);
  await world.run(minutes(1));
  one.storage.fill();
  // What others publish meanwhile is kept in memory; what it would publish itself waits.
  await world.done("the third stops", third.stop());
  await world.done("the other starts anew", other.stop("restarting"));
  await other.start();
  await world.run(minutes(2));
  assert(one.warningCodes().includes("store-damaged"));
  assert(one.warningCodes().includes("publishing"));
  const before = one.node.archive.store.byAuthor(one.id).map(({ serial }) => serial);
  one.storage.setBytesMax(Number.POSITIVE_INFINITY);
  await third.start();
  await world.until(
    "agreement without a warning",
    () =>
      new Set([one, other, third].map((machine) => machine.recordDigest())).size === 1 &&
      one.warningCodes().length === 0,
    minutes(1),
  );
  // Nothing was published under a serial that the disk may have missed.
  const after = one.node.archive.store.byAuthor(one.id).map(({ serial }) => serial);
  assert(Math.max(...after) > Math.max(...before));
  const digest = one.recordDigest();
  await world.run(seconds(10));
  one.crash();
  await one.start();
  await world.until("agreement", () => {
    const digests = [one, other, third].map((machine) => machine.recordDigest());
    return new Set(digests).size === 1 && digests[0] !== digest;
  }, minutes(1));
  await world.end();
});

Deno.test("what a full disk refused is written when there is room, though nothing new happens", async () => {
  using world = new World(303);
  const [one, other] = await world.pair("one", "other");
  await world.run(minutes(1));
  one.storage.fill();
  const third = await world.machine("third");
  await third.start();
  await world.run(minutes(1));
  await world.done("the third stops", third.stop());
  await world.run(minutes(2));
  assert(one.warningCodes().includes("store-damaged"));
  one.storage.setBytesMax(Number.POSITIVE_INFINITY);
  const isWhole = () => !one.warningCodes().includes("store-damaged");
  await world.until("all is written", isWhole, minutes(1));
  // It knows without asking anybody.
  world.network.cut(one.host, other.host);
  world.network.cut(other.host, one.host);
  one.crash();
  await one.start();
  assertEquals(one.node.archive.store.byAuthor(third.id).length, 2);
  await world.end();
});

Deno.test("a node whose disk is full stops like any other", async () => {
  using world = new World(302);
  const [one, other] = await world.pair("one", "other");
  await world.run(seconds(5));
  one.storage.fill();
  await world.done("the stop", one.stop());
  assert(!other.isLinked(one));
  assertEquals(other.stateOf(one), "unreachable");
  await world.end();
});
