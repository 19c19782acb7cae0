import { minutes, seconds } from "../../../src/base/instant.ts";
import { invariant } from "../../../src/base/invariant.ts";
import { Prng } from "../../../src/base/prng.ts";
import type { Fleet } from "../../sim/fleet.ts";
import { type CompareLie, compareLies, liar, sink } from "../../sim/lies.ts";
import { Rogue } from "../../sim/rogue.ts";
import type { Machine } from "../../sim/world.ts";
import { befriendAll, inStep } from "../fleet.ts";
import type { Findings, Scenario, ScenarioSize } from "./scenario.ts";
import { LostLinks, mean, standing } from "./standing.ts";

/** Each liar becomes the neighbour of so many: of all, where there are no more. */
const victimsPerLiar = 12;
const lyingFor = minutes(5);
const inStepWithin = seconds(15);
const rounds = 4;

function isLie(name: string | undefined): name is CompareLie {
  return name !== undefined && name in compareLies;
}

/** A liar of each sort in turn, the last of which takes everything and passes nothing on. */
async function addLiars(fleet: Fleet, honest: readonly Machine[], count: number): Promise<Rogue[]> {
  const { world, prng } = fleet;
  const [victim] = honest;
  invariant(victim !== undefined, "somebody is honest");
  const lies = [...Object.keys(compareLies), undefined];
  const rogues: Rogue[] = [];
  for (let i = 0; i < count; i++) {
    const rogue = await Rogue.on(
      await world.machine(`rogue${i}`, fleet.placeOf(honest.length + i)),
    );
    const lie = lies[i % lies.length];
    const record = await rogue.info();
    rogue.conduct = isLie(lie) ? liar(lie, { prng: new Prng([i]), victim, record }) : sink;
    await befriendAll(rogue, prng.shuffled(honest).slice(0, victimsPerLiar));
    rogues.push(rogue);
  }
  return rogues;
}

async function play(size: ScenarioSize, findings: Findings): Promise<void> {
  const liars = Math.floor(size.nodes / 3);
  using fleet = await standing({ ...size, nodes: size.nodes - liars }, findings);
  const { world } = fleet;
  const honest = [...fleet.machines];
  const rogues = await addLiars(fleet, honest, liars);
  findings.figure("liars", rogues.length, "");
  findings.figure(
    "liars among each one's links",
    mean(
      honest.map(({ node }) =>
        rogues.filter(({ machine }) => node.peers.get(machine.id)?.linked === true).length
      ),
    ),
    "",
  );
  const lost = new LostLinks(world, honest);
  for (const { machine } of rogues) lost.spare(machine);
  await world.run(lyingFor);
  const heard = rogues.reduce((sum, rogue) => sum + rogue.heard, 0);
  for (let round = 0; round < rounds; round++) {
    const changed = honest[Math.floor(round * honest.length / rounds)];
    invariant(changed !== undefined, "somebody changes");
    await world.done("a restart", changed.stop("restarting"));
    await fleet.startNode(changed);
    lost.follow(changed);
    const took = await fleet.until(() => inStep(honest), inStepWithin);
    findings.within(`the honest agree on change ${round + 1}`, took, inStepWithin);
  }
  findings.figure(
    "requests that a liar heard per minute",
    heard / rogues.length / (lyingFor / 60_000),
    "",
  );
  const others = lost.all.filter((text) => !text.endsWith("restart overdue"));
  findings.equals("links lost between the honest", others.length, 0);
  findings.nothingFailed(world);
}

/** Each liar authenticates as anybody else, and then lies in its own way. */
export const thirdLies: Scenario = {
  name: "third-lies",
  sentence: "a third of the fleet lies, and the rest stays in step",
  nodes: 300,
  nodesMin: 9,
  play,
};
