import { assert, assertEquals } from "@std/assert";
import { hours, milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { Prng } from "../../src/base/prng.ts";
import { linksMax } from "../../src/node/limits.ts";
import { Safety } from "../sim/faults/safety.ts";
import { stopProcess } from "../sim/faults/pace.ts";
import { Trace } from "../sim/faults/trace.ts";
import { type CompareLie, compareLies, liar, sink } from "../sim/lies.ts";
import { ip } from "../sim/memory_network.ts";
import { Rogue } from "../sim/rogue.ts";
import { type Machine, World } from "../sim/world.ts";
import { befriendAll, inStep, islandsOf, lostLinks, names, nowAndThen, settled } from "./fleet.ts";

Deno.test("two islands converge after the bridge returns", async () => {
  using world = new World(501);
  const safety = new Safety(world, { trace: new Trace(), stride: 8 });
  const machines: Machine[] = [];
  for (const name of names(20)) {
    machines.push(await world.machine(name, { lan: `lan${machines.length % 2}` }));
  }
  const [bridge, ...others] = machines;
  assert(bridge !== undefined);
  bridge.host.attach("eth1", "lan1", ip("10.1.0.1"));
  await Promise.all(machines.map((machine) => machine.start()));
  const agree = nowAndThen(world, () => inStep(machines));
  await world.until("all in step", agree, seconds(60));
  bridge.kill();
  await world.run(minutes(20));
  // Both sides change meanwhile, and neither sees the other.
  const [one, other] = others;
  assert(one !== undefined && other !== undefined);
  for (const machine of [one, other]) {
    await world.done("a restart", machine.stop("restarting"));
    await machine.start();
  }
  await world.run(minutes(2));
  assertEquals([one.stateOf(other), other.stateOf(one)], ["unreachable", "unreachable"]);
  await bridge.start();
  await world.until("all in step again", agree, seconds(15));
  assert(safety.checks > 0);
  await world.end();
});

Deno.test("two dozen nodes restart after a power cut, and agree within half a minute", async () => {
  using world = new World(502);
  const machines = await settled(world, 24);
  await world.run(minutes(2));
  for (const machine of machines) machine.crash();
  await world.run(seconds(20));
  const prng = new Prng([502]);
  for (const machine of prng.shuffled(machines)) {
    await machine.start();
    await world.run(milliseconds(prng.between(0, 40)));
  }
  await world.until("all in step", nowAndThen(world, () => inStep(machines)), seconds(30));
  await world.end();
});

Deno.test("a third of the fleet lies, and the rest stays in step", async () => {
  using world = new World(503);
  new Safety(world, { trace: new Trace(), stride: 4 });
  const honest = await settled(world, 12);
  const [victim] = honest;
  assert(victim !== undefined);
  const lies = Object.keys(compareLies);
  for (let i = 0; i < 6; i++) {
    const rogue = await Rogue.on(await world.machine(`rogue${i}`));
    const lie = isLie(lies[i]) ? lies[i] : undefined;
    const record = await rogue.info();
    rogue.conduct = lie === undefined || !isLie(lie)
      ? sink
      : liar(lie, { prng: new Prng([i]), victim, record });
    await befriendAll(rogue, honest);
  }
  await world.run(minutes(5));
  for (let round = 0; round < 4; round++) {
    const changed = honest[round * 3];
    assert(changed !== undefined);
    await world.done("a restart", changed.stop("restarting"));
    await changed.start();
    await world.until(
      "the honest ones are in step",
      nowAndThen(world, () => inStep(honest)),
      seconds(15),
    );
  }
  const others = honest.flatMap((one) =>
    one.events.filter(({ event, id, reason }) =>
      event === "link-down" && reason !== "let go" && reason !== "restart overdue" &&
      honest.some((other) => other.id === id)
    )
  );
  assertEquals(others, []);
  await world.end();
});

function isLie(name: string | undefined): name is CompareLie {
  return name !== undefined && name in compareLies;
}

Deno.test("thirty percent of the nodes vanish at once and the rest stays connected and heals", async () => {
  using world = new World(504);
  const machines = await settled(world, 24);
  await world.run(minutes(3));
  const order = new Prng([504]).shuffled(machines);
  const [gone, rest] = [order.slice(0, 7), order.slice(7)];
  for (const machine of gone) machine.host.detach("eth0");
  for (const machine of gone) machine.kill();
  // Of the links that were there, enough are left: nobody has to be found again.
  assertEquals(islandsOf(rest), 1);
  const isHealed = () =>
    islandsOf(rest) === 1 &&
    rest.every((one) =>
      gone.every((other) => one.stateOf(other) === "unreachable") &&
      one.node.peers.linkCount >= 8 &&
      one.node.peers.links().every(({ id }) => rest.some((other) => other.id === id))
    );
  await world.until("healed", nowAndThen(world, isHealed), minutes(2));
  await world.until("in step", nowAndThen(world, () => inStep(rest)), minutes(1));
  assertEquals(
    lostLinks(rest).filter((text) => !gone.some(({ name }) => text.includes(`${name}:`))),
    [],
  );
  await world.end();
});

Deno.test("a LAN of sixty costs each node a few exchanges, not one with everybody", async () => {
  using world = new World(505);
  const safety = new Safety(world, { trace: new Trace(), stride: 100_000 });
  const machines = await settled(world, 60);
  await world.run(minutes(5));
  const perNode = safety.exchanges / machines.length;
  assert(perNode < 2 * linksMax, `${perNode} exchanges per node`);
  await world.end();
});

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
