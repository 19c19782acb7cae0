import { seconds } from "../../../src/base/instant.ts";
import { measureChange, measureTraffic } from "../../sim/fleet_measures.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { linksPerNode, standing } from "./standing.ts";

const knownWithin = seconds(1);
/** More than an interval of every watched link's probes. */
const restMeasured = seconds(10);
const changes = 2;

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  using fleet = await standing(size, findings);
  findings.figure("links per node", linksPerNode(fleet.machines), "");
  const { rate } = await measureTraffic(fleet, restMeasured);
  findings.figure("traffic per node before", rate, "B/s");
  for (let i = 0; i < changes; i++) {
    const change = await measureChange(fleet, rate);
    findings.within(`changed record ${i + 1} known by all`, change?.knownAfter, knownWithin);
    findings.figure(`bytes per node for change ${i + 1}`, change?.bytesPerNode ?? NaN, "B");
  }
  findings.nothingFailed(fleet.world);
}

/** From the signature to the last node that holds it, over links of 5 ms. */
export const quickChange: Scenario = {
  name: "quick-change",
  sentence: "a changed record is known by all nodes of a big fleet within a second",
  nodes: 10_000,
  nodesMin: 3,
  play,
};
