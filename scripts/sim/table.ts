/**
 * The table of simulated numbers: which fleets it takes, what is asked of each, and what that costs.
 *
 * @module
 */
import { milliseconds, minutes } from "../../src/base/instant.ts";
import { machinesPerLanMax } from "../../tests/sim/fleet.ts";
import type { SimFigure, SimPlan } from "./simulate.ts";

/** A fleet of the table. */
export interface TableFleet {
  /** The word that asks for this one alone: `deno task sim loss`. */
  readonly name: string;
  /** What it shows, and the processor time that took on two shared cores, for the help. */
  readonly shows: string;
  readonly plan: SimPlan;
}

const base: SimPlan = {
  nodes: 10,
  lans: 1,
  isAssembled: false,
  isFormingAlone: false,
  isWatched: true,
  seed: 7,
  loss: 0,
  delay: milliseconds(5),
  rest: minutes(10),
  churnPerHour: 0,
  churnFor: minutes(60),
  changes: 5,
  ends: 0,
  endedReturn: true,
};

/** Nodes of the largest fleet: what 12 GiB hold. */
const largest = 10_000;

/** All of them, cheapest first. */
const tableFleets: readonly TableFleet[] = [
  {
    name: "ten",
    shows: "10 nodes: formation, rest, changes, ends, memory over a day of churn; 1 min",
    plan: { ...base, ends: 15, churnPerHour: 1, churnFor: minutes(24 * 60) },
  },
  {
    name: "loss",
    // A thousand node-hours, of as few nodes as have the links of many.
    shows: "1,000 node-hours at 20 % loss, of 20 nodes; 5 min",
    plan: { ...base, nodes: 20, lans: 2, loss: 0.2, rest: minutes(3_000), changes: 0 },
  },
  {
    name: "hundred",
    shows: "100 nodes: formation, rest, changes, ends, 1 % churn per hour; 6 min",
    plan: { ...base, nodes: 100, lans: 2, ends: 11, churnPerHour: 0.01, churnFor: minutes(120) },
  },
  {
    name: "lans",
    // 10,000 that form take months: docs/performance.md says what grows how.
    shows: "500 nodes on two LANs of 250: formation alone; 16 min, 5 GB of memory",
    plan: {
      ...base,
      nodes: 2 * machinesPerLanMax,
      lans: 2,
      isFormingAlone: true,
    },
  },
  {
    name: "thousand",
    shows: "1,000 nodes that stand: rest and its speed, changes, ends, churn; 8 min, 3 GB",
    plan: {
      ...base,
      nodes: 1_000,
      lans: 4,
      isAssembled: true,
      rest: minutes(5),
      changes: 3,
      ends: 3,
      // A return costs a thousand nodes as much as an end.
      endedReturn: false,
      churnPerHour: 0.01,
      churnFor: minutes(20),
    },
  },
  {
    name: "largest",
    shows: "10,000 nodes that stand: rest, changes; 12 min, 7 GB of memory",
    plan: {
      ...base,
      nodes: largest,
      lans: largest / machinesPerLanMax,
      isAssembled: true,
      isWatched: false,
      rest: minutes(1),
      changes: 2,
    },
  },
];

/** The words that ask for them. */
export const fleetNames: readonly string[] = tableFleets.map(({ name }) => name);

/** The fleets that the words name, all of them without words; or the first word that names none. */
export function fleetsOf(words: readonly string[]): readonly TableFleet[] | string {
  const strange = words.find((word) => !fleetNames.includes(word));
  if (strange !== undefined) return strange;
  return tableFleets.filter(({ name }) => words.length === 0 || words.includes(name));
}

/** The names, with what each fleet shows. */
export function fleetLines(): string[] {
  return tableFleets.map(({ name, shows }) => `  ${name.padEnd(9)} ${shows}`);
}

/** A row as it is kept, with the fleet that it is of. */
type KeptRow = SimFigure & { readonly fleet: string };

/**
 * The table in a file. Rows are there as soon as their fleet is done, so that nothing is lost by
 * ending a run, and stay until that fleet is run again.
 */
export class KeptTable {
  readonly file: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.file = `${directory}/sim.json`;
  }

  /** Puts the fleet's rows in the place of those of an earlier run. */
  async keep({ name }: TableFleet, figures: readonly SimFigure[]): Promise<void> {
    const earlier = await this.#rows();
    const rows = fleetNames.flatMap((each): readonly KeptRow[] =>
      each === name
        ? figures.map((figure) => ({ fleet: name, ...figure }))
        : earlier.filter(({ fleet }) => fleet === each)
    );
    await Deno.mkdir(this.#directory, { recursive: true });
    await Deno.writeTextFile(this.file, `${JSON.stringify(rows, undefined, 2)}\n`);
  }

  async #rows(): Promise<readonly KeptRow[]> {
    try {
      const rows: KeptRow[] = JSON.parse(await Deno.readTextFile(this.file));
      return rows;
    } catch (error) {
      // Never written, or half of it.
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
      throw error;
    }
  }
}
