import { minutes, seconds } from "../../../src/base/instant.ts";
import { degreeFor } from "../../../src/discovery/degree.ts";
import { linksMax } from "../../../src/node/limits.ts";
import { Fleet } from "../../sim/fleet.ts";
import { inStep } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import {
  ExchangeCount,
  fleetOptions,
  linkCounts,
  linksPerNode,
  SentBytes,
  watch,
} from "./standing.ts";

const formedWithin = seconds(60);
/** Links that are too many are let go and others sought meanwhile: these exchanges count as well. */
const lookedAtFor = minutes(5);
/** Links that a node has above those it strives for: who volunteers for it is drawn by lot. */
const linksAbove = 2;
/** Exchanges that a forming LAN may need for each link that a node strives for. */
const exchangesPerLink = 1.5;

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  const { nodes } = size;
  using fleet = await Fleet.make(fleetOptions(size, { lans: 1 }));
  const { world, machines } = fleet;
  // So many look at all that each does is for smaller worlds.
  watch(world, 100_000);
  const [exchanges, sent] = [new ExchangeCount(world), new SentBytes(fleet)];
  await fleet.startAll();
  const took = await fleet.until(() => inStep(machines), formedWithin);
  findings.within("all agree after the last start", took, formedWithin);
  const degree = degreeFor(nodes);
  findings.below(
    "exchanges per node until then",
    exchanges.perNode(nodes),
    "",
    exchangesPerLink * degree,
  );
  findings.below("links per node then", linksPerNode(machines), "", degree + linksAbove);
  findings.figure("bytes per node until then", sent.perNode(nodes), "kB");
  await world.run(lookedAtFor);
  findings.below(
    `exchanges per node in ${lookedAtFor / 60_000} minutes`,
    exchanges.perNode(nodes),
    "",
    4 * linksMax,
  );
  findings.figure("with everybody they were", nodes - 1, "");
  findings.figure("links in all", linkCounts(machines).reduce((a, b) => a + b, 0) / 2, "");
  findings.figure("every pair were", nodes * (nodes - 1) / 2, "");
  findings.below("links per node", linksPerNode(machines), "", degree + linksAbove);
  findings.below("links of the one with most", Math.max(...linkCounts(machines)), "", linksMax + 1);
  findings.nothingFailed(world);
}

/** All on one network hear the beacons of all. */
export const crowdedLan: Scenario = {
  name: "crowded-lan",
  sentence: "a crowded LAN costs each node a few exchanges, not one with everybody",
  nodes: 500,
  nodesMin: 30,
  play,
};
