/**
 * Scenarios of `tests/worlds/scenarios` played big, for people: each says what happens, what it found
 * and what it took.
 *
 * @module
 */
import { Findings, type Scenario, scenarios } from "../../tests/worlds/scenarios/mod.ts";
import type { SimFigure, SimOutcome, SimOutside } from "./simulate.ts";

/** All of them stand for this word. */
const allWord = "all";

/** How they are played. */
export interface PlayOptions {
  readonly seed: number;
  /** Nodes; each scenario's own number unless given. */
  readonly nodes: number | undefined;
}

/** The scenarios that a list of names means, or the first name that means none. */
export function scenariosOf(list: string): readonly Scenario[] | string {
  if (list === allWord) return scenarios;
  const wanted: Scenario[] = [];
  for (const name of list.split(",")) {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) return name;
    wanted.push(scenario);
  }
  return wanted;
}

/** The names, with what happens and how many nodes it happens to. */
export function scenarioLines(): string[] {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, nodes, sentence }) =>
    `  ${name.padEnd(width)}  ${String(nodes).padStart(6)}  ${sentence}`
  );
}

/** Plays one from its beginning to its end; whatever fails is told with the command that repeats it. */
export async function play(
  scenario: Scenario,
  options: PlayOptions,
  outside: SimOutside,
): Promise<SimOutcome> {
  const { name, sentence } = scenario;
  const { seed, nodes = scenario.nodes } = options;
  const begun = outside.processorSeconds();
  const took = () => outside.processorSeconds() - begun;
  const say = (line: string) => outside.say(`[${took().toFixed(1)} s] ${line}`);
  say(`${name}, ${nodes} nodes, seed ${seed}: ${sentence}`);
  const findings = new Findings(say);
  const failures: string[] = [];
  try {
    await scenario.play({ nodes, seed, isBig: true }, findings);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failures.push(`${name}: ${error.message}`);
  }
  failures.push(...findings.failures.map((failure) => `${name}: ${failure}`));
  if (failures.length > 0) {
    failures.push(
      `again by: deno task sim --scenario ${name} --nodes ${nodes} --seed ${seed}`,
    );
  }
  const found = findings.all.map(({ what, value, unit, goal, holds }): SimFigure => ({
    nodes,
    name: `${name}: ${what}`,
    value,
    unit,
    isGood: holds,
    ...goal === undefined ? {} : { goal },
  }));
  const ofMachine = (what: string, value: number, unit: string): SimFigure => ({
    nodes,
    name: `${name}: ${what}`,
    value: String(Math.round(value)),
    unit,
    isOfThisMachine: true,
  });
  const figures = [
    ...found,
    ofMachine("processor time", took(), "s"),
    ofMachine("memory", outside.memoryBytes() / 1e6, "MB"),
  ];
  return { figures, failures };
}
