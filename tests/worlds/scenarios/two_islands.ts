import { minutes, seconds } from "../../../src/base/instant.ts";
import { invariant } from "../../../src/base/invariant.ts";
import { Fleet } from "../../sim/fleet.ts";
import { ip } from "../../sim/memory_network.ts";
import type { Machine } from "../../sim/world.ts";
import { inStep } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { fleetOptions, LostLinks, SentBytes, standing, watch } from "./standing.ts";

const apartFor = minutes(20);
const formedWithin = minutes(1);
const convergedWithin = seconds(15);

/** Two networks that no router joins, and the machine between them, on which nothing runs yet. */
async function apart(
  size: ScenarioSize,
  findings: Findings,
): Promise<{ readonly fleet: Fleet; readonly bridge: Machine }> {
  const more = { lans: 2, isRouted: false };
  if (size.isBig) {
    const fleet = await standing(size, findings, more);
    return { fleet, bridge: await bridgeOf(fleet) };
  }
  const fleet = await Fleet.make(fleetOptions(size, more));
  watch(fleet.world);
  const bridge = await bridgeOf(fleet);
  await fleet.startAll();
  const formed = await fleet.until(() => inStep(fleet.machines), formedWithin);
  findings.within("formed over the bridge", formed, formedWithin);
  bridge.kill();
  await fleet.world.run(apartFor);
  return { fleet, bridge };
}

async function bridgeOf({ world }: Fleet): Promise<Machine> {
  const bridge = await world.machine("bridge", { lan: "lan0", ips: [ip("10.0.255.1")] });
  bridge.host.attach("eth1", "lan1", ip("10.1.255.1"));
  return bridge;
}

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  const { fleet, bridge } = await apart(size, findings);
  using _ = fleet;
  const { world } = fleet;
  const islanders = fleet.machines.filter((machine) => machine !== bridge);
  const [one, other] = islanders;
  invariant(one !== undefined && other !== undefined, "there is somebody on each island");
  // Both sides change meanwhile, and neither sees the other.
  for (const machine of [one, other]) {
    await world.done("a restart", machine.stop("restarting"));
    await fleet.startNode(machine);
  }
  await world.run(minutes(2));
  const seen = [[one, other], [other, one]] as const;
  const unseen = seen.filter(([from, to]) => from.stateOf(to) === "unreachable").length;
  findings.equals("islands that see the other as gone", unseen, 2);
  const lost = new LostLinks(world, islanders);
  const sent = new SentBytes(fleet);
  await bridge.start();
  const took = await fleet.until(() => inStep(fleet.machines), convergedWithin);
  findings.within("all agree after the bridge returns", took, convergedWithin);
  findings.figure("bytes per node until then", sent.perNode(fleet.machines.length), "kB");
  findings.equals("links lost meanwhile", lost.all.length, 0);
  findings.nothingFailed(world);
}

/** The only way between two networks is a node on a machine that is on both. */
export const twoIslands: Scenario = {
  name: "two-islands",
  sentence: "two islands that changed apart converge after the bridge between them returns",
  nodes: 500,
  nodesMin: 6,
  play,
};
