import { minutes, seconds } from "../../../src/base/instant.ts";
import { inStep, islandsOf } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { ExchangeCount, linksPerNode, LostLinks, SentBytes, standing } from "./standing.ts";

const goneShare = 0.3;
/** As many as any fleet strives for. */
const healedLinks = 8;
const knownWithin = seconds(30);
const healedWithin = minutes(3);

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  using fleet = await standing(size, findings);
  const { world, machines, prng } = fleet;
  await world.run(minutes(3));
  const order = prng.shuffled(machines);
  const goneCount = Math.floor(goneShare * order.length);
  const [gone, rest] = [order.slice(0, goneCount), order.slice(goneCount)];
  const lost = new LostLinks(world, rest);
  const exchanges = new ExchangeCount(world);
  for (const machine of gone) {
    lost.spare(machine);
    machine.host.detach("eth0");
    machine.kill();
  }
  const sent = new SentBytes(fleet);
  findings.say(`${gone.length} of ${machines.length} vanish`);
  // Of the links that were there, enough are left: nobody has to be found again.
  const alive = new Set(rest.map(({ id }) => id));
  findings.equals("pieces of what is left, by links that live", islandsOf(rest), 1);
  const isKnown = () => rest.every(({ node }) => node.fleet.view.reachable === rest.length);
  const known = await fleet.until(isKnown, knownWithin, seconds(0.5));
  findings.within("all that are left know who is gone", known, knownWithin);
  const isHealed = () =>
    rest.every(({ node: { peers } }) =>
      peers.linkCount >= healedLinks && peers.links().every(({ id }) => alive.has(id))
    ) && islandsOf(rest) === 1 && inStep(rest, rest.length);
  const healed = await fleet.until(isHealed, healedWithin, seconds(0.5));
  findings.within(
    `after that all have ${healedLinks} links that live, and agree`,
    healed,
    healedWithin,
  );
  findings.figure("links per node", linksPerNode(rest), "");
  findings.figure("exchanges per node since", exchanges.perNode(rest.length), "");
  findings.figure("bytes per node since", sent.perNode(rest.length), "kB");
  findings.equals("links lost between those that are left", lost.all.length, 0);
  findings.nothingFailed(world);
}

/** Cables are cut, and nobody says good-bye. */
export const thirdVanishes: Scenario = {
  name: "third-vanishes",
  sentence: "thirty percent of the nodes vanish at once; the rest stays connected and heals",
  nodes: 1_000,
  nodesMin: 20,
  play,
};
