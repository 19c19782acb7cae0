import { milliseconds, minutes, seconds } from "../../../src/base/instant.ts";
import { bytesOf } from "../../sim/fleet_measures.ts";
import { inStep } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { ExchangeCount, linkCounts, mean, standing } from "./standing.ts";

/** Machines come up one after the other: each at most this long after the one before. */
const betweenStarts = milliseconds(40);
const agreedWithin = seconds(30);

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  using fleet = await standing(size, findings);
  const { world, machines, prng } = fleet;
  await world.run(minutes(2));
  for (const machine of machines) machine.crash();
  findings.say("the power is cut");
  await world.run(seconds(20));
  const [begun, bytesBefore] = [world.time.now, bytesOf(fleet)];
  const exchanges = new ExchangeCount(world);
  for (const machine of prng.shuffled(machines)) {
    await fleet.startNode(machine);
    await world.run(milliseconds(prng.between(0, betweenStarts)));
  }
  findings.figure("the last starts after the first", (world.time.now - begun) / 1_000, "s");
  const took = await fleet.until(() => inStep(machines), agreedWithin);
  findings.within("all agree after the last start", took, agreedWithin);
  findings.figure("exchanges per node until then", 2 * exchanges.count / machines.length, "");
  const bytes = (bytesOf(fleet) - bytesBefore) / machines.length;
  findings.figure("bytes per node until then", bytes / 1_000, "kB");
  findings.figure("links per node", mean(linkCounts(machines)), "");
  findings.equals("failures inside nodes", world.failures.length, 0);
}

/** Everybody loses power at once and comes back within moments, with what the disks kept. */
export const powerCut: Scenario = {
  name: "power-cut",
  sentence: "all nodes restart after a power cut, and agree within half a minute",
  nodes: 1_000,
  nodesMin: 3,
  play,
};
