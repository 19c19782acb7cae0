import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { linksCoalesce, linksMax } from "../../src/node/limits.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";

/** More than a node may have links with. */
const count = 40;

Deno.test("a seed that all others name as their only peer serves all of them, and is then not needed", async () => {
  using world = new World(90);
  const seed = await world.machine("seed", { ips: [ip("10.0.0.250")] });
  await seed.start({ multicast: false });
  const others: Machine[] = [];
  for (let at = 1; at < count; at++) others.push(await world.machine(`n${at}`));
  await Promise.all(
    others.map((one) => one.start({ multicast: false, peers: ["10.0.0.250:7411"] })),
  );

  const reach = (wanted: number) => () =>
    others.every((one) => one.node.fleet.view.reachable === wanted);
  await world.until("each reaches all, the seed too", reach(count), minutes(3));
  await world.until("so does the seed", () => seed.node.fleet.view.reachable === count);
  assert(seed.node.peers.linkCount <= linksMax, `the seed has ${seed.node.peers.linkCount} links`);
  for (const one of others) {
    const among = one.linkNames().filter((name) => name !== "seed").length;
    assert(among >= 3, `${one.name} has ${among} links besides the seed`);
  }

  // Later links are told together: until then the picture may hang a newcomer on the seed alone.
  await world.run(linksCoalesce);
  await world.run(seconds(5));
  const before = new Map(others.map((one) => [one, one.events.length]));
  seed.kill();
  await world.until(
    "all others know that the seed is gone",
    () => others.every((one) => one.stateOf(seed) === "unreachable"),
    seconds(20),
  );
  await world.until("all others reach one another", reach(count - 1), seconds(5));
  await world.run(minutes(1));
  assert(reach(count - 1)());
  const losses = others.flatMap((one) =>
    one.events.slice(before.get(one)).filter(({ event, id }) =>
      event === "node-unreachable" && id !== seed.id
    )
  );
  assertEquals(losses, []);
  await world.end();
});
