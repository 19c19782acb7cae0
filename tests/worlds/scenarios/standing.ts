/**
 * How scenarios begin: with a fleet that stands, and with somebody who looks at it.
 *
 * @module
 */
import { seconds } from "../../../src/base/instant.ts";
import { assembledFleet } from "../../sim/assembly.ts";
import { Safety } from "../../sim/faults/safety.ts";
import { Trace } from "../../sim/faults/trace.ts";
import { Fleet, type FleetOptions } from "../../sim/fleet.ts";
import { bytesOf } from "../../sim/fleet_measures.ts";
import { type Machine, World } from "../../sim/world.ts";
import { countsOf, inStep } from "../fleet.ts";
import { type Findings, scenarioDelay, type ScenarioSize } from "./scenario.ts";

/** A small fleet is watched at every so many events. */
const safetyStride = 8;
const formedWithin = seconds(60);

/** What the fleet of a scenario is like. */
export function fleetOptions(
  { nodes, seed, isBig }: ScenarioSize,
  more: Partial<FleetOptions> = {},
): FleetOptions {
  const lans = Math.ceil(nodes / 250);
  return { nodes, seed, lans, loss: 0, delay: scenarioDelay, isLarge: isBig, ...more };
}

/** Watches what must hold in a world; a large one keeps no account of what was signed. */
export function watch(world: World, stride = safetyStride): void {
  if (!world.isLarge) new Safety(world, { trace: new Trace(), stride });
}

/** A fleet that stands and agrees: formed if it is small, assembled if it is big. */
export async function standing(
  size: ScenarioSize,
  findings: Findings,
  more: Partial<FleetOptions> = {},
): Promise<Fleet> {
  const options = fleetOptions(size, more);
  if (size.isBig) {
    const fleet = await assembledFleet(options);
    findings.say("the fleet stands");
    return fleet;
  }
  const fleet = await Fleet.make(options);
  watch(fleet.world);
  await fleet.startAll();
  findings.within(
    "formed",
    await fleet.until(() => inStep(fleet.machines), formedWithin),
    formedWithin,
  );
  return fleet;
}

/** Alarms of nodes about others: links given up, and who is called unreachable. */
export class LostLinks {
  readonly #world: World;
  readonly #spared = new Set<Machine>();
  readonly #lost: string[] = [];
  #unreachable = 0;

  constructor(world: World, machines: readonly Machine[]) {
    this.#world = world;
    for (const machine of machines) this.follow(machine);
  }

  /** Follows what the node that runs there now tells. */
  follow(machine: Machine): void {
    machine.watch(({ event, id, reason }) => {
      const other = id === undefined ? undefined : this.#world.machineOf(id);
      if (other === undefined || this.#spared.has(other)) return;
      if (event === "node-unreachable") this.#unreachable++;
      if (event === "link-down" && reason !== "let go") {
        this.#lost.push(`${machine.name} lost ${other.name}: ${reason}`);
      }
    });
  }

  /** What is said of this one does not count. */
  spare(machine: Machine): void {
    this.#spared.add(machine);
  }

  /** Links that were not let go. */
  get all(): readonly string[] {
    return this.#lost;
  }

  /** How often somebody was called unreachable. */
  get unreachable(): number {
    return this.#unreachable;
  }
}

/** Counts exchanges that were finished in a world, beside whoever else does. */
export class ExchangeCount {
  #count = 0;

  constructor({ streams }: World) {
    const told = streams.noteAnswered;
    streams.noteAnswered = (from, to, path, status) => {
      told(from, to, path, status);
      if (path === "/mesh/v1/confirm" && status === 200) this.#count++;
    };
  }

  /** Since the construction, the mean of so many nodes; an exchange has two ends. */
  perNode(nodes: number): number {
    return 2 * this.#count / nodes;
  }
}

/** Counts what the machines of a fleet sent. */
export class SentBytes {
  readonly #fleet: Fleet;
  readonly #before: number;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#before = bytesOf(fleet);
  }

  /** In kB since the construction, the mean of so many nodes. */
  perNode(nodes: number): number {
    return (bytesOf(this.#fleet) - this.#before) / nodes / 1_000;
  }
}

/** What discovery dials for, and how often it has since they started, the mean of all. */
export function dialsPerNode(machines: readonly Machine[]): (readonly [string, number])[] {
  return dialReasons.map((why) => [why, mean(countsOf(machines, `dial for ${why}`))] as const);
}

const dialReasons = ["beacon", "degree", "unreachable", "peer"] as const;

/** The links of each of them. */
export function linkCounts(machines: readonly Machine[]): number[] {
  return machines.map(({ node }) => node.peers.linkCount);
}

/** How many links they have, the mean of all. */
export function linksPerNode(machines: readonly Machine[]): number {
  return mean(linkCounts(machines));
}

/** The mean of numbers. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
