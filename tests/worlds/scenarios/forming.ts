import { minutes } from "../../../src/base/instant.ts";
import { Fleet } from "../../sim/fleet.ts";
import { inStep } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { ExchangeCount, fleetOptions, linksPerNode, SentBytes, watch } from "./standing.ts";

const formedWithin = minutes(1);

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  using fleet = await Fleet.make(fleetOptions(size));
  const { world, machines } = fleet;
  watch(world);
  const [exchanges, sent] = [new ExchangeCount(world), new SentBytes(fleet)];
  await fleet.startAll();
  findings.say("all have started");
  findings.within(
    `all on ${fleet.options.lans} local networks know all after the last is ready`,
    await fleet.formed(formedWithin),
    formedWithin,
  );
  findings.figure("exchanges per node until all know all", exchanges.perNode(machines.length), "");
  findings.figure("bytes per node until all know all", sent.perNode(machines.length), "kB");
  findings.within(
    "and after that agree on every record",
    await fleet.until(() => inStep(machines), formedWithin),
    formedWithin,
  );
  findings.figure("bytes per node until they agree", sent.perNode(machines.length), "kB");
  findings.figure("links per node", linksPerNode(machines), "");
  findings.nothingFailed(world);
}

/** All start within a second, and know nobody but what beacons and two `--peer`s a network tell. */
export const forming: Scenario = {
  name: "forming",
  sentence: "a fleet on LANs of 250 becomes one within a minute",
  nodes: 500,
  nodesMin: 3,
  play,
};
