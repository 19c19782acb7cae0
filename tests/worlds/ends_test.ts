import { assert, assertEquals } from "@std/assert";
import { type Duration, milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import type { Machine } from "../sim/world.ts";
import { World } from "../sim/world.ts";
import { settled } from "./fleet.ts";

/** How an end looks from outside: a port that refuses, or a machine that says nothing any more. */
type End = "killed" | "silent";

/** Ends the victim; when the first and when the last of the others called it unreachable. */
async function known(machines: readonly Machine[], victim: Machine, how: End) {
  const { world } = victim;
  if (how === "silent") victim.host.detach("eth0");
  victim.kill();
  const begun = world.time.now;
  const others = machines.filter((machine) => machine !== victim);
  const knownAfter = new Map<Machine, Duration>();
  for (const machine of others) {
    machine.watch(({ event, id }) => {
      if (event !== "node-unreachable" || id !== victim.id || knownAfter.has(machine)) return;
      knownAfter.set(machine, milliseconds(world.time.now - begun));
    });
  }
  const isKnown = () => knownAfter.size === others.length;
  await world.until(`all know that ${victim.name} is ${how}`, isKnown, seconds(60));
  const times = [...knownAfter.values()];
  return { first: Math.min(...times), last: Math.max(...times) };
}

async function backAgain(machines: readonly Machine[], victim: Machine): Promise<void> {
  victim.plugIn();
  await victim.start();
  await victim.world.run(minutes(2));
  for (const one of machines) assertEquals(one.stateOf(victim) === "unreachable", false);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

for (
  const { how, first, last } of [
    { how: "killed", first: 2_500, last: 5_000 },
    { how: "silent", first: 6_000, last: 10_000 },
  ] as const
) {
  Deno.test(`of ten nodes one that is ${how} is known in time, also if it or its watcher ended minutes before`, async () => {
    using world = new World(511);
    const machines = await settled(world, 10);
    await world.run(minutes(3));
    const firsts: number[] = [];
    for (const number of [3, 6, 3, 1, 6, 3, 9]) {
      const victim = machines[number];
      assert(victim !== undefined);
      const after = await known(machines, victim, how);
      firsts.push(after.first);
      assert(after.last < last, `${victim.name} after ${after.last} ms (seed ${world.seed})`);
      await backAgain(machines, victim);
    }
    assert(median(firsts) < first, `${firsts.join(" ")} ms (seed ${world.seed})`);
    await world.end();
  });
}

Deno.test("a minute after a fleet has formed a refused connection proves an end to all neighbours", async () => {
  using world = new World(512);
  const machines = await settled(world, 10);
  await world.run(minutes(1));
  const [victim, ...others] = machines;
  assert(victim !== undefined);
  await known(machines, victim, "killed");
  const reasons = others.flatMap(({ events }) =>
    events.flatMap(({ event, id, reason }) =>
      event === "link-down" && id === victim.id ? [reason] : []
    )
  );
  assertEquals(new Set(reasons), new Set(["refused"]));
  assert(reasons.length >= others.length);
  await world.end();
});
