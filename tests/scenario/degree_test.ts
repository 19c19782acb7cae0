import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { surplusSlack } from "../../src/discovery/limits.ts";
import { degreeFor } from "../../src/discovery/mod.ts";
import { World } from "../sim/world.ts";

Deno.test("a link that one end lets go is over at both, and nothing under way brings it back", async () => {
  using world = new World(81);
  const [ann, bob] = await world.nodes("ann", "bob", "cy");
  assert(ann !== undefined && bob !== undefined);
  await world.until(
    "all are linked",
    () => world.machines.every((m) => m.linkNames().length === 2),
  );
  // Until each knows that the third leads to the other: whoever seems unreachable is dialled.
  await world.run(seconds(2));
  // Probes of both ends are on their way all the time.
  const peer = ann.node.peers.get(bob.id);
  assert(peer !== undefined);
  ann.node.links.release(peer);
  await world.run(seconds(5));
  assert(!ann.isLinked(bob) && !bob.isLinked(ann));
  assertEquals(ann.stateOf(bob), "reachable", "through cy");
  await world.until(
    "far below their degree they link again",
    () => ann.isLinked(bob) && bob.isLinked(ann),
    minutes(2),
  );
  await world.end();
});

Deno.test("eighteen nodes that start together come to their degree, and to no more than they keep", async () => {
  using world = new World(82);
  const names = Array.from({ length: 18 }, (_, i) => `n${i}`);
  const machines = await world.nodes(...names);
  const counts = () => machines.map((machine) => machine.linkNames().length);
  const spare = degreeFor(names.length) + surplusSlack;
  await world.until(
    "all know all",
    () => machines.every(({ node }) => node.fleet.view.reachable === names.length),
  );
  await world.until(
    "all have their degree",
    () => Math.min(...counts()) >= degreeFor(names.length) - 1,
    minutes(15),
  );
  await world.run(minutes(15));
  assert(Math.max(...counts()) <= spare, counts().join(" "));
  assert(Math.min(...counts()) >= degreeFor(names.length) - 1, counts().join(" "));
  await world.end();
});
