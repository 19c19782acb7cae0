/**
 * One fleet from its start to its figures: it forms, rests, learns of changes, misses who is gone.
 *
 * @module
 */
import { type Duration, minutes, scaled } from "../../src/base/instant.ts";
import { assembledFleet } from "../../tests/sim/assembly.ts";
import { Fleet, type FleetOptions } from "../../tests/sim/fleet.ts";
import {
  AlarmWatch,
  bringBack,
  type ChangeReading,
  type EndReading,
  measureChange,
  measureChurn,
  measureEnd,
  measureTraffic,
  settle,
  type TrafficReading,
} from "../../tests/sim/fleet_measures.ts";

/** What is to be simulated. */
export interface SimPlan extends FleetOptions {
  /** Whether the fleet is there from the start, and not formed. */
  readonly isAssembled: boolean;
  /** Whether the fleet forms and no more: to bring a large one that formed to rest takes hours. */
  readonly isFormingAlone: boolean;
  /** How long the fleet is measured at rest. */
  readonly rest: Duration;
  /** The share of nodes that leave and return per hour, after everything else; 0 = none do. */
  readonly churnPerHour: number;
  /** How long they do. */
  readonly churnFor: Duration;
  /** Changed records, one after the other. */
  readonly changes: number;
  /** Nodes that are killed, and nodes that fall silent. */
  readonly ends: number;
  /** Whether nodes that ended come back, so that the fleet stays as large as it is. */
  readonly endedReturn: boolean;
  /**
   * Whether all nodes are watched for false alarms, which costs a look at the whole fleet at each
   * after every change.
   */
  readonly isWatched: boolean;
}

/** A line of the table. */
export interface SimFigure {
  readonly nodes: number;
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  readonly goal?: string;
  readonly isGood?: boolean;
  readonly note?: string;
  /** Whether it tells of the machine that simulates: it differs from run to run. */
  readonly isOfThisMachine?: true;
}

/** What became of a plan. */
export interface SimOutcome {
  readonly figures: readonly SimFigure[];
  /** Work of nodes that failed, and what never happened: there must be none. */
  readonly failures: readonly string[];
}

/** The outside of a simulation: it has no clock and no memory of its own. */
export interface SimOutside {
  say(line: string): void;
  /** Processor time of this program so far. */
  processorSeconds(): number;
  memoryBytes(): number;
  /** Bytes of the heap that are still held, garbage collected first. */
  heldBytes(): number;
}

/** A fleet that takes longer has not formed. */
const formedWithin = minutes(10);
/** A fleet rests when its traffic no longer falls, or after this long. */
const settledWithin = minutes(30);
/** An ended node is back after this, and after as long the next one ends: all have heard of it. */
const betweenEnds = minutes(2);
/** Where ended nodes stay away the next one ends after this. */
const betweenEndsForGood = minutes(1);
/** Churn that is shorter says nothing of what is held for good. */
const memoryShownFrom = minutes(6 * 60);
/** Ends have goals in fleets of this many, as changes have: those of the hundred. */
const goalsFrom = 100;

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

function text(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** A figure, with a limit that it must stay below if there is one. */
function below(
  nodes: number,
  name: string,
  value: number,
  unit: string,
  goal: number | undefined,
  note = "",
): SimFigure {
  const figure = { nodes, name, value: text(value), unit, note };
  return goal === undefined ? figure : { ...figure, goal: `< ${goal}`, isGood: value < goal };
}

function kindsOf({ byKind }: TrafficReading): string {
  return byKind.slice(0, 6).map(([kind, rate]) => `${kind} ${text(rate)}`).join(", ");
}

/** What is added to the names of figures that were taken under loss. */
function lossSuffix(loss: number): string {
  return loss > 0 ? ` (${text(loss * 100)} % loss)` : "";
}

/** Bytes per second and node where nothing changes and nothing gets lost. */
const restGoal = 250;

/** Formation allowed: 30 and 100 processes, and 10,000 nodes, have goals; between them the next. */
function formationGoal(nodes: number): number {
  return nodes <= 30 ? 3 : nodes <= 100 ? 15 : 60;
}

/** Runs the plan. The same plan gives the same figures, but for those of the outside. */
export async function simulate(plan: SimPlan, outside: SimOutside): Promise<SimOutcome> {
  const { nodes, loss } = plan;
  const figures: SimFigure[] = [];
  const failures: string[] = [];
  const begun = outside.processorSeconds();
  const say = (line: string) =>
    outside.say(`[${(outside.processorSeconds() - begun).toFixed(1)} s] ${line}`);
  say(
    `${nodes} nodes on ${plan.lans} local networks, seed ${plan.seed}, ${loss * 100} % loss, ` +
      `${plan.delay} ms from machine to machine`,
  );
  using fleet = plan.isAssembled ? await assembledFleet(plan) : await Fleet.start(plan);
  const { world } = fleet;
  const suffix = lossSuffix(loss);
  if (plan.isAssembled) {
    say("assembled, not formed");
  } else {
    const formed = await fleet.formed(formedWithin);
    if (formed === undefined) {
      failures.push(`${nodes} nodes did not know each other within ${formedWithin / 1_000} s`);
      return { figures, failures: [...failures, ...world.failures] };
    }
    say(`all know all after ${text(formed / 1_000)} s`);
    figures.push(
      below(
        nodes,
        `all know all${suffix}`,
        formed / 1_000,
        "s",
        loss > 0 ? undefined : formationGoal(nodes),
      ),
      {
        nodes,
        name: `processor time until all know all${suffix}`,
        value: text(outside.processorSeconds() - begun),
        unit: "s",
        isOfThisMachine: true,
      },
    );
  }
  if (!plan.isFormingAlone) await measureStanding(fleet, plan, figures, failures, outside, say);
  figures.push({
    nodes,
    name: "memory of the simulation",
    value: text(outside.memoryBytes() / 1e6),
    unit: "MB",
    isOfThisMachine: true,
  }, {
    nodes,
    name: "history",
    value: String(fleet.history),
    unit: "",
    note: `${fleet.history.notes} datagrams on ${fleet.world.time.happened} events`,
  }, {
    nodes,
    name: `processor time of these rows${suffix}`,
    value: text(outside.processorSeconds() - begun),
    unit: "s",
    isOfThisMachine: true,
  });
  say("done");
  return { figures, failures: [...failures, ...world.failures] };
}

/** All that is measured of a fleet that has formed, or was assembled. */
async function measureStanding(
  fleet: Fleet,
  plan: SimPlan,
  figures: SimFigure[],
  failures: string[],
  outside: SimOutside,
  say: Say,
): Promise<void> {
  const { nodes, loss } = plan;
  const suffix = lossSuffix(loss);
  const settledRate = await settle(fleet, settledWithin);
  const linked = fleet.running().reduce((sum, { node }) => sum + node.peers.linkCount, 0) / nodes;
  say(
    `at rest at ${text(fleet.world.time.now / 60_000)} min with ${text(settledRate)} B/s and ` +
      `${text(linked)} links per node`,
  );

  const alarms = plan.isWatched ? new AlarmWatch(fleet) : undefined;
  const restBegun = outside.processorSeconds();
  const rest = await measureTraffic(fleet, plan.rest);
  const perHour = (outside.processorSeconds() - restBegun) * 3_600_000 / plan.rest;
  say(`rest: ${text(rest.rate)} B/s per node: ${kindsOf(rest)}`);
  figures.push(
    below(
      nodes,
      `traffic at rest${suffix}`,
      rest.rate,
      "B/s",
      loss > 0 ? undefined : restGoal,
      `${text(linked)} links per node${plan.isAssembled ? ", assembled" : ""}; ${kindsOf(rest)}`,
    ),
    hourAtRest(nodes, perHour),
  );
  await measureChanges(fleet, plan, rest.rate, figures, failures, say);
  await measureEnds(fleet, plan, "killed", alarms, figures, failures, say);
  await measureEnds(fleet, plan, "silent", alarms, figures, failures, say);
  if (plan.churnPerHour > 0) {
    figures.push(...await measureChurnAndMemory(fleet, plan, suffix, alarms, outside, say));
  }
  if (alarms !== undefined) {
    const { falseAlarms, suspicions, nodeHours } = alarms.reading();
    say(`${falseAlarms} false alarms, ${suspicions} suspicions in ${text(nodeHours)} node-hours`);
    figures.push({
      ...below(nodes, `false alarms${suffix}`, falseAlarms, "", 1),
      note: `in ${text(nodeHours)} node-hours; ${suspicions} suspicions`,
    });
  }
}

/** What a fleet's nodes hold of everything bounded, per node. */
function heldPerNode(fleet: Fleet): number {
  const running = fleet.running();
  const sums = running.map(({ node }) =>
    Object.values(node.gauges()).reduce((sum, value) => sum + value, 0)
  );
  return sums.reduce((sum, value) => sum + value, 0) / running.length;
}

/** A quarter of the churn comes first: what is held after it must not have grown at the end. */
async function measureChurnAndMemory(
  fleet: Fleet,
  { nodes, churnPerHour, churnFor }: SimPlan,
  suffix: string,
  alarms: AlarmWatch | undefined,
  outside: SimOutside,
  say: Say,
): Promise<SimFigure[]> {
  const first = await measureChurn(fleet, churnPerHour, scaled(churnFor, 0.25), alarms);
  const [heldThen, bytesThen] = [heldPerNode(fleet), outside.heldBytes()];
  const rest = await measureChurn(fleet, churnPerHour, scaled(churnFor, 0.75), alarms);
  const [held, bytes] = [heldPerNode(fleet), outside.heldBytes()];
  const rate = 0.25 * first.rate + 0.75 * rest.rate;
  say(`churn: ${text(rate)} B/s per node: ${kindsOf(rest)}`);
  const hours = text(churnFor / 3_600_000);
  const traffic: SimFigure = {
    nodes,
    name: `traffic at ${text(churnPerHour * 100)} % churn per hour${suffix}`,
    value: text(rate),
    unit: "B/s",
    note: `${hours} h; ${kindsOf(rest)}`,
  };
  if (churnFor < memoryShownFrom) return [traffic];
  return [
    traffic,
    {
      nodes,
      name: `held per node after ${hours} h of churn`,
      value: text(held),
      unit: "",
      note: `${text(heldThen)} after a quarter of it: records, links, keys, requests, …`,
    },
    {
      nodes,
      name: `heap after ${hours} h of churn`,
      value: text(bytes / 1e6),
      unit: "MB",
      goal: `< ${text(1.1 * bytesThen / 1e6)}`,
      isGood: bytes < 1.1 * bytesThen,
      note: `${text(bytesThen / 1e6)} MB after a quarter of it`,
      isOfThisMachine: true,
    },
  ];
}

/** The goal is one for a thousand nodes. */
function hourAtRest(nodes: number, value: number): SimFigure {
  const name = "processor time of an hour at rest";
  const figure: SimFigure = nodes === 1_000
    ? below(nodes, name, value, "s", 180)
    : { nodes, name, value: text(value), unit: "s" };
  return { ...figure, isOfThisMachine: true };
}

type Say = (line: string) => void;

async function measureChanges(
  fleet: Fleet,
  { nodes, changes }: SimPlan,
  restRate: number,
  figures: SimFigure[],
  failures: string[],
  say: Say,
): Promise<void> {
  const readings: ChangeReading[] = [];
  for (let i = 0; i < changes; i++) {
    const reading = await measureChange(fleet, restRate);
    if (reading === undefined) failures.push(`${nodes} nodes: a change was not known by all`);
    else readings.push(reading);
  }
  if (readings.length === 0) return;
  const known = middle(readings.map(({ knownAfter }) => knownAfter)) / 1_000;
  const bytes = middle(readings.map(({ bytesPerNode }) => bytesPerNode));
  say(`change: known by all after ${text(known)} s, ${text(bytes)} bytes per node`);
  const goal = nodes <= 100 ? 0.5 : 1;
  figures.push(
    below(nodes, "changed record known by all", known, "s", goal),
    below(nodes, "bytes per changed record and node", bytes, "B", 3_500),
  );
}

async function measureEnds(
  fleet: Fleet,
  { nodes, ends, endedReturn }: SimPlan,
  how: "killed" | "silent",
  alarms: AlarmWatch | undefined,
  figures: SimFigure[],
  failures: string[],
  say: Say,
): Promise<void> {
  const readings: EndReading[] = [];
  for (let i = 0; i < ends; i++) {
    const reading = await measureEnd(fleet, how);
    if (reading === undefined) {
      failures.push(`${nodes} nodes: an end (${how}) was not known by all`);
    } else readings.push(reading);
    await fleet.world.run(endedReturn ? betweenEnds : betweenEndsForGood);
    if (!endedReturn || reading === undefined) continue;
    await bringBack(fleet, reading.victim, alarms);
    await fleet.world.run(betweenEnds);
  }
  if (readings.length === 0) return;
  const first = middle(readings.map((reading) => reading.first)) / 1_000;
  const last = Math.max(...readings.map((reading) => reading.last)) / 1_000;
  say(
    `${how}: first ${text(first)} s (median), last ${text(last)} s (worst of ${readings.length})`,
  );
  const goals = how === "killed" ? { first: 2.5, last: 5 } : { first: 6, last: 10 };
  const goal = nodes >= goalsFrom ? goals : undefined;
  const name = how === "killed" ? "killed process" : "silent host";
  const medianLast = middle(readings.map((reading) => reading.last)) / 1_000;
  const lastNote = `worst of ${readings.length}; median ${text(medianLast)}`;
  figures.push(
    below(nodes, `${name} known, first`, first, "s", goal?.first, `median of ${readings.length}`),
    below(nodes, `${name} known, last`, last, "s", goal?.last, lastNote),
  );
}
