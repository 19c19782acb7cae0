import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { eagerLinks } from "../../src/discovery/limits.ts";
import { linksMax } from "../../src/node/limits.ts";
import { type Machine, World } from "../sim/world.ts";

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

function halfLinks(machines: readonly Machine[]): string[] {
  return machines.flatMap((one) =>
    machines.filter((other) => one.isLinked(other) && !other.isLinked(one))
      .map((other) => `${one.name} holds a link that ${other.name} does not`)
  );
}

Deno.test("forty nodes that start together end within the link limits, all agreeing", async () => {
  using world = new World(40);
  const machines = await world.nodes(...names(40));
  await world.until(
    "all reach all",
    () => machines.every((one) => one.node.fleet.view.reachable === 40),
    seconds(10),
  );
  await world.until(
    "agreement",
    () => new Set(machines.map((one) => one.recordDigest())).size === 1,
    seconds(10),
  );
  for (const one of machines) {
    const { linkCount } = one.node.peers;
    assert(
      linkCount >= eagerLinks && linkCount <= linksMax,
      `${one.name} has ${linkCount} links`,
    );
    const ends = one.events.filter(({ event }) => event === "link-down");
    assertEquals(ends.filter(({ reason }) => reason !== "let go"), []);
    assertEquals(one.warningCodes(), []);
  }
  assertEquals(halfLinks(machines), []);
  await world.end();
});

Deno.test("a node that all others hear alone fills up, and those let go still know everybody", async () => {
  using world = new World(41);
  const machines = await world.nodes(...names(40));
  const [hub, ...leaves] = machines;
  assert(hub !== undefined);
  for (const one of leaves) {
    for (const other of leaves) if (one !== other) world.network.cut(one.host, other.host);
  }
  await world.run(seconds(60));
  assertEquals(hub.node.peers.linkCount, linksMax);
  assertEquals(halfLinks(machines), []);
  // Who was let go before the last one came hears of him when it asks again, and is let go again.
  const isSettled = () =>
    leaves.every((one) => one.node.fleet.view.known === 40) &&
    leaves.filter((one) => !one.isLinked(hub)).length === 39 - linksMax;
  await world.until("all know all, and as many as fit are linked", isSettled, minutes(10));
  // Where there is room again somebody gets it.
  const gone = leaves.filter((one) => one.isLinked(hub)).slice(0, 3);
  await world.done("three stop", Promise.all(gone.map((one) => one.stop())));
  await world.until("full again", () => hub.node.peers.linkCount === linksMax, seconds(90));
  await world.end();
});
