/**
 * A scenario: one description of what happens to a fleet and of what must come of it, whose size is a
 * parameter. The test command plays it small, with disks that lose what was not synced and with all
 * that must hold watched; `deno task sim --scenario NAME` plays it big.
 *
 * @module
 */
import { type Duration, milliseconds } from "../../../src/base/instant.ts";

/** How large it is played. */
export interface ScenarioSize {
  readonly nodes: number;
  readonly seed: number;
  /**
   * Whether it is one of hundreds: machines keep no lists, disks lose nothing, and a fleet that is to
   * stand at the beginning is assembled and does not form.
   */
  readonly isBig: boolean;
}

/** Something that a scenario looked at. */
export interface Finding {
  readonly what: string;
  readonly value: string;
  readonly unit: string;
  /** What it must be; absent: it is told and not judged. */
  readonly goal?: string;
  readonly holds: boolean;
}

/** What a scenario has found so far. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #say: (line: string) => void;

  /** @param say Told of what happens, for who watches. */
  constructor(say: (line: string) => void = () => {}) {
    this.#say = say;
  }

  get all(): readonly Finding[] {
    return this.#all;
  }

  /** What must hold and does not, in words. */
  get failures(): string[] {
    return this.#all.filter(({ holds }) => !holds)
      .map(({ what, value, unit, goal }) => `${what}: ${value} ${unit}, not ${goal}`);
  }

  /** Something happens. */
  say(line: string): void {
    this.#say(line);
  }

  /** A figure that is not judged. */
  figure(what: string, value: number, unit: string): void {
    this.#note({ what, value: text(value), unit, holds: true });
  }

  /** A figure that must be below a limit. */
  below(what: string, value: number, unit: string, limit: number): void {
    const goal = `< ${text(limit)}`;
    this.#note({ what, value: text(value), unit, goal, holds: value < limit });
  }

  /** A figure that must be exactly this. */
  equals(what: string, value: number, wanted: number): void {
    this.#note({ what, value: text(value), unit: "", goal: text(wanted), holds: value === wanted });
  }

  /** How long it took; `undefined` = it did not happen within the limit. */
  within(what: string, took: Duration | undefined, limit: Duration): void {
    const goal = `< ${text(limit / 1_000)}`;
    const value = took === undefined ? "never" : text(took / 1_000);
    this.#note({ what, value, unit: "s", goal, holds: took !== undefined && took < limit });
  }

  /** Nothing that a node did may have failed unseen. */
  nothingFailed(world: { readonly failures: readonly string[] }): void {
    this.equals("failures inside nodes", world.failures.length, 0);
  }

  #note(finding: Finding): void {
    this.#all.push(finding);
    const { what, value, unit, goal, holds } = finding;
    const judged = goal === undefined ? "" : holds ? ` (${goal})` : ` (FAILED: ${goal})`;
    this.#say(`${what}: ${value} ${unit}${judged}`);
  }
}

/** One that can be played. */
export interface Scenario {
  /** As it is named on the command line. */
  readonly name: string;
  /** What happens and what must come of it. */
  readonly sentence: string;
  /** Nodes where a person asks for it without a number. */
  readonly nodes: number;
  /** Fewer make no sense. */
  readonly nodesMin: number;
  play(size: ScenarioSize, findings: Findings): Promise<void>;
}

/** From machine to machine, one way, in all scenarios. */
export const scenarioDelay: Duration = milliseconds(5);

function text(value: number): string {
  return String(Number(value.toPrecision(4)));
}
