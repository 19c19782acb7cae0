import { invariant } from "../../../src/base/invariant.ts";
import { minutes, scaled, seconds } from "../../../src/base/instant.ts";
import { linksCoalesce, linksMax } from "../../../src/node/limits.ts";
import { Fleet } from "../../sim/fleet.ts";
import type { Machine } from "../../sim/world.ts";
import { islandsOf } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { fleetOptions, linkCounts, LostLinks, watch } from "./standing.ts";

const formedWithin = minutes(3);
const knownWithin = seconds(20);
/** Each has so many links besides the one with the seed. */
const linksAmongThem = 3;

function allReach(machines: readonly Machine[]): boolean {
  return machines.every(({ node }) => node.fleet.view.reachable === machines.length);
}

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  // No beacon is sent: what network they are on does not matter.
  using fleet = await Fleet.make(fleetOptions({ ...size, nodes: size.nodes + 1 }, { lans: 1 }));
  const { world, machines } = fleet;
  watch(world);
  const [seed, ...others] = machines;
  const seedIp = seed?.host.attachments[0]?.ips[0];
  invariant(seed !== undefined && seedIp !== undefined, "there is a seed, with an address");
  await seed.start({ multicast: false });
  const peers = [`${seedIp}:${seed.port}`];
  await Promise.all(others.map((one) => one.start({ multicast: false, peers })));

  const formed = await fleet.until(() => allReach(machines), formedWithin);
  findings.within("each reaches all, the seed too", formed, formedWithin);
  findings.below("links of the seed", seed.node.peers.linkCount, "", linksMax + 1);
  const among = others.map((one) =>
    one.node.peers.linkCount - Number(one.node.peers.get(seed.id)?.linked === true)
  );
  findings.below(
    "nodes that hang on the seed",
    among.filter((n) => n < linksAmongThem).length,
    "",
    1,
  );
  findings.equals("pieces without the seed", islandsOf(others), 1);

  // Later links are told together: until then the picture may hang a newcomer on the seed alone.
  await world.run(scaled(linksCoalesce, 1.5));
  await world.run(seconds(5));
  const alarms = new LostLinks(world, others);
  alarms.spare(seed);
  seed.kill();
  const known = await fleet.until(
    () => others.every((one) => one.stateOf(seed) === "unreachable"),
    knownWithin,
  );
  findings.within("all others know that the seed is gone", known, knownWithin);
  const whole = await fleet.until(() => allReach(others), seconds(5));
  findings.within("and all others reach one another", whole, seconds(5));
  await world.run(minutes(1));
  findings.equals(
    "who reach one another a minute later",
    allReach(others) ? others.length : 0,
    others.length,
  );
  findings.equals("links lost between those that are left", alarms.all.length, 0);
  findings.equals('calls of "unreachable" for those that are left', alarms.unreachable, 0);
  const links = linkCounts(others);
  findings.figure("fewest links of one of them", Math.min(...links), "");
  findings.figure("most links of one of them", Math.max(...links), "");
  findings.nothingFailed(world);
}

/** No beacon is sent: the seed is all that anybody was told. */
export const oneSeed: Scenario = {
  name: "one-seed",
  sentence: "one seed that all others name as their only --peer serves all, and is then not needed",
  nodes: 100,
  nodesMin: 10,
  play,
};
