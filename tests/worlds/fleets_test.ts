import { assert, assertEquals } from "@std/assert";
import { hours, minutes, seconds } from "../../src/base/instant.ts";
import { Prng } from "../../src/base/prng.ts";
import { stopProcess } from "../sim/faults/pace.ts";
import { World } from "../sim/world.ts";
import { inStep, lostLinks, nowAndThen, settled } from "./fleet.ts";
import {
  crowdedLan,
  Findings,
  oneSeed,
  powerCut,
  type Scenario,
  thirdLies,
  thirdVanishes,
  twoIslands,
} from "./scenarios/mod.ts";

/** Plays a scenario in the size that the test command can afford; everything must hold. */
async function plays(scenario: Scenario, nodes: number, seed: number): Promise<void> {
  const findings = new Findings();
  await scenario.play({ nodes, seed, isBig: false }, findings);
  assert(findings.all.length > 0);
  assertEquals(findings.failures, [], `seed ${seed}`);
}

Deno.test("two islands converge after the bridge returns", () => plays(twoIslands, 19, 501));

Deno.test(
  "two dozen nodes restart after a power cut, and know of one another within half a minute",
  () => plays(powerCut, 24, 502),
);

Deno.test(
  "a third of the fleet lies, and the rest stays in step",
  () => plays(thirdLies, 18, 503),
);

Deno.test(
  "thirty percent of the nodes vanish at once and the rest stays connected and heals",
  () => plays(thirdVanishes, 24, 504),
);

Deno.test(
  "a LAN of sixty costs each node a few exchanges, not one with everybody",
  () => plays(crowdedLan, 60, 505),
);

Deno.test(
  "a seed that forty name as their only peer serves all of them, and is then not needed",
  () => plays(oneSeed, 40, 509),
);

Deno.test("a node stopped for five seconds and continued does no lasting harm", async () => {
  using world = new World(506);
  const machines = await settled(world, 12);
  await world.run(minutes(2));
  const prng = new Prng([506]);
  for (let round = 0; round < 20; round++) {
    const machine = prng.pick(machines);
    if (machine !== undefined) stopProcess(machine, seconds(5));
    await world.run(seconds(prng.between(5, 60)));
    await world.until("in step", nowAndThen(world, () => inStep(machines)), seconds(10));
  }
  assertEquals(lostLinks(machines), []);
  await world.end();
});

Deno.test("no false alarm in ten node-hours at 20 % loss", async () => {
  using world = new World(507);
  world.network.loss = 0.2;
  const machines = await settled(world, 10);
  await world.run(hours(1));
  assertEquals(lostLinks(machines), []);
  const alarms = machines.flatMap(({ events }) =>
    events.filter(({ event }) => event === "node-unreachable")
  );
  assertEquals(alarms, []);
  assert(inStep(machines));
  await world.end();
});

Deno.test("what is held stays the same over hours in which nodes come and go", async () => {
  using world = new World(508);
  const machines = await settled(world, 10);
  const prng = new Prng([508]);
  const held = () => {
    let all = 0;
    for (const machine of machines) {
      const { granted: _, ...gauges } = machine.node.gauges();
      for (const count of Object.values(gauges)) all += count;
    }
    return all + world.time.pending;
  };
  const churn = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      const machine = prng.pick(machines);
      if (machine === undefined) continue;
      if (prng.unit() < 0.5) machine.kill();
      else await world.done("a stop", machine.stop());
      await world.run(seconds(prng.between(5, 120)));
      await machine.start();
      await world.run(seconds(prng.between(30, 120)));
    }
    await world.until("in step", nowAndThen(world, () => inStep(machines)), minutes(2));
    await world.run(minutes(5));
  };
  await churn(12);
  const early = held();
  const bytesEarly = machines.map(({ storage }) => storage.used);
  await churn(40);
  const late = held();
  assert(world.time.now > hours(1));
  assert(late <= 1.1 * early, `${early} things were held, later ${late}`);
  for (const [i, machine] of machines.entries()) {
    const bytes = bytesEarly[i] ?? 0;
    assert(machine.storage.used < 2 * bytes + 2_500_000, `${bytes}, later ${machine.storage.used}`);
  }
  await world.end();
});
