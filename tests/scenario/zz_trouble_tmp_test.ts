import { assertEquals } from "@std/assert";
import { milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";

/** Something that happens to one machine, or between two. */
type Trouble = (world: World, machine: Machine, other: Machine) => Promise<void> | void;

let nextAddress = 0;

const troubles: readonly Trouble[] = [
  (_, machine) => {
    if (machine.isRunning) machine.kill();
  },
  async (world, machine) => {
    await world.done("a stop", machine.stop());
  },
  async (_, machine) => {
    if (!machine.isRunning) await machine.start();
  },
  async (_, machine) => {
    if (!machine.isRunning) await machine.start();
  },
  (_, machine) => machine.host.attach("eth0", "lan", ip(`10.0.9.${nextAddress++ % 250 + 1}`)),
  (world, machine, other) => world.network.cut(machine.host, other.host),
  (world, machine, other) => world.network.mend(machine.host, other.host),
  (world, machine, other) => world.network.setDelay(machine.host, other.host, milliseconds(200)),
  (world) => {
    world.network.loss = world.prng.between(0, 0.45);
  },
];

/** Trouble of all kinds for a while, then none: everybody must find everybody, and agree. */
async function survives(seed: number): Promise<void> {
  using world = new World(seed);
  nextAddress = 0;
  const machines = await world.nodes("a", "b", "c", "d", "e", "f");
  const prng = world.prng;
  for (let i = 0; i < 60; i++) {
    await world.run(seconds(prng.between(0.1, 8)));
    const [machine, other] = prng.shuffled(machines);
    const trouble = prng.pick(troubles);
    if (machine !== undefined && other !== undefined) await trouble?.(world, machine, other);
  }
  world.network.loss = 0;
  for (const one of machines) {
    for (const other of machines) world.network.mend(one.host, other.host);
    if (!one.isRunning) await one.start();
  }
  await world.until(
    "all reach all and hold the same",
    () =>
      machines.every((one) => one.node.fleet.view.reachable === machines.length) &&
      new Set(machines.map((one) => one.recordDigest())).size === 1,
    minutes(10),
  );
  const half = () =>
    machines.flatMap((one) =>
      machines.filter((other) => one.isLinked(other) && !other.isLinked(one)).map((other) =>
        `${one.name} holds a link that ${other.name} does not`
      )
    );
  const warnings = () => machines.flatMap((one) => one.warningCodes());
  await world.time.advanceUntil(() => half().length + warnings().length === 0, minutes(10));
  assertEquals([half(), warnings()], [[], []]);
  await world.end();
}

for (const seed of Array.from({length: 90}, (_, i) => i + 1000)) {
  Deno.test(`six nodes survive kills, moves, cuts and loss, and agree in the end (seed ${seed})`, async () => {
    await survives(seed);
  });
}
