import { assert, assertEquals } from "@std/assert";
import { milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { answerOverhead, requestOverhead, tellOverhead } from "../../src/wire/datagram.ts";
import { confirmationLifetime, epochLength } from "../../src/session/limits.ts";
import { restingProbeInterval } from "../../src/sync/limits.ts";
import { infoKind, recordKey } from "../../src/wire/record_key.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";

/** Thirty nodes on one network that have come to rest. */
async function thirty(seed: number) {
  const world = new World(seed);
  const machines = await world.nodes(...Array.from({ length: 30 }, (_, i) => `n${i}`));
  // Links come, some go again, and those that were dialled have dialled back.
  await world.run(minutes(2));
  const isSettled = () => new Set(machines.map((one) => one.recordDigest())).size === 1;
  await world.until("all agree", isSettled, minutes(1));
  return { world, machines };
}

function serialAt(one: Machine, author: Machine): number | undefined {
  return one.node.archive.store.get(recordKey(infoKind, author.id, new Uint8Array(0)))?.serial;
}

let changes = 0;

/** Has the node change its `info`, and waits until it has told of it. */
async function change(world: World, author: Machine): Promise<number> {
  const before = serialAt(author, author);
  author.host.attach(`extra${++changes}`, `other ${changes}`, ip(`10.77.0.${changes}`));
  await world.until("the change is published", () => serialAt(author, author) !== before);
  const serial = serialAt(author, author);
  assert(serial !== undefined);
  return serial;
}

/** Lengths of a probe with one kind range and of a ping, asked and answered: what goes on at rest. */
const restful = new Set([
  `1 ${requestOverhead + 24}`,
  `2 ${answerOverhead + 24}`,
  `1 ${requestOverhead + 2}`,
  `2 ${answerOverhead + 10}`,
]);

Deno.test("every link is probed more often than its path has to be confirmed", () => {
  assert(confirmationLifetime >= 2 * restingProbeInterval && confirmationLifetime < epochLength);
});

Deno.test("one change reaches thirty nodes in half a second, for at most 3.5 KB of each", async () => {
  const { world, machines } = await thirty(50);
  using _ = world;
  for (const { host } of machines) {
    host.traffic.classify = (bytes) => `${bytes[1] ?? 0} ${bytes.length}`;
  }
  const spent = () =>
    machines.flatMap(({ host }) => [...host.traffic.byKind])
      .filter(([kind]) => kind !== "beacon" && !restful.has(kind))
      .reduce((sum, [, bytes]) => sum + bytes, 0);
  const costs: number[] = [];
  const held = () => new Set(machines[0]?.recordDigest().split("\n"));
  for (const author of machines.slice(0, 5)) {
    await world.run(seconds(20));
    const [before, heldBefore] = [spent(), held()];
    const serial = await change(world, author);
    const knows = () => machines.every((one) => serialAt(one, author) === serial);
    await world.until("all know", knows, milliseconds(500));
    await world.run(seconds(3));
    // Links that nobody needs are still being let go here and there.
    const changed = [...held()].filter((hash) => !heldBefore.has(hash)).length;
    costs.push(Math.round((spent() - before) / machines.length / changed));
  }
  for (const cost of costs) assert(cost > 1_000 && cost <= 3_500, costs.join(" "));
  // Everything that told of it was a tell, and nothing was asked but for missing bodies.
  const tells = machines.flatMap(({ host }) => [...host.traffic.byKind.keys()])
    .filter((kind) => kind.startsWith("4 "));
  assert(tells.length > 0 && tells.every((kind) => Number(kind.slice(2)) > tellOverhead));
  await world.end();
});

Deno.test("one change reaches thirty nodes within seconds where a fifth of everything is lost", async () => {
  const { world, machines } = await thirty(51);
  using _ = world;
  world.network.loss = 0.2;
  for (const author of machines.slice(0, 4)) {
    const serial = await change(world, author);
    const knows = () => machines.every((one) => serialAt(one, author) === serial);
    await world.until("all know", knows, seconds(5));
  }
  world.network.loss = 0;
  await world.run(seconds(15));
  assertEquals(new Set(machines.map((one) => one.recordDigest())).size, 1);
  await world.end();
});
