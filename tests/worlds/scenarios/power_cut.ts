import { milliseconds, minutes, seconds } from "../../../src/base/instant.ts";
import { inStep } from "../fleet.ts";
import { startsKnown } from "../starts_known.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { dialsPerNode, ExchangeCount, linksPerNode, SentBytes, standing } from "./standing.ts";

/** Machines come up one after the other: each at most this long after the one before. */
const betweenStarts = milliseconds(40);
const knownWithin = seconds(30);
/** Missing links are sought at leisure, told of half a minute later, and too many let go by and by. */
const equalWithin = minutes(10);
/** A restart costs a node what a start does, whatever the number of those that start with it. */
const exchangesMax = 32;

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  using fleet = await standing(size, findings);
  const { world, machines, prng } = fleet;
  await world.run(minutes(2));
  for (const machine of machines) machine.crash();
  findings.say("the power is cut");
  await world.run(seconds(20));
  const begun = world.time.now;
  const [exchanges, sent] = [new ExchangeCount(world), new SentBytes(fleet)];
  for (const machine of prng.shuffled(machines)) {
    await fleet.startNode(machine);
    await world.run(milliseconds(prng.between(0, betweenStarts)));
  }
  findings.figure("the last starts after the first", (world.time.now - begun) / 1_000, "s");
  const known = await fleet.until(startsKnown(machines), knownWithin);
  findings.within("all know of all, and reach all, after the last start", known, knownWithin);
  const perNode = exchanges.perNode(machines.length);
  findings.below("exchanges per node until then", perNode, "", exchangesMax);
  for (const [why, count] of dialsPerNode(machines)) {
    findings.figure(`dials per node for ${why}`, count, "");
  }
  findings.figure("bytes per node when all know", sent.perNode(machines.length), "kB");
  const equal = await fleet.until(() => inStep(machines), equalWithin);
  findings.within("all stores are equal at one moment after that", equal, equalWithin);
  findings.figure("bytes per node when all are", sent.perNode(machines.length), "kB");
  findings.figure("links per node", linksPerNode(machines), "");
  findings.nothingFailed(world);
}

/** Everybody loses power at once and comes back within moments, with what the disks kept. */
export const powerCut: Scenario = {
  name: "power-cut",
  sentence: "all nodes restart after a power cut, and know of one another within half a minute",
  nodes: 1_000,
  nodesMin: 3,
  play,
};
