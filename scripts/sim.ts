/**
 * The simulator for people: a fleet of production nodes in virtual time, from a seed. Prints what
 * happens and a table; the same seed gives the same figures, but for those of this machine (time
 * taken, memory).
 *
 *     deno task sim --nodes 1000 --seed 7 --minutes 60 --loss 0.2
 *     deno task sim                    the table of simulated numbers, into bench/results/sim.json
 *     deno task sim ten loss           these fleets of the table
 *     deno task sim loss thousand
 *     deno task sim --scenario power-cut        something that happens to a fleet
 *
 * Cryptography is the stand-in of tests/sim, which the task chooses. Exit code: 0 = done; 1 = a fleet
 * did not form, a node failed or a scenario found what must not be; 2 = wrong usage.
 *
 * @module
 */
import process from "node:process";
import { milliseconds, minutes } from "../src/base/instant.ts";
import { Output } from "../src/cli/output.ts";
import { optionLines } from "../src/cli/option_lines.ts";
import type { OptionSpec, ParsedWords } from "../src/cli/options.ts";
import { standardError, standardOutput } from "../src/host/terminal.ts";
import { lansMax, machinesPerLanMax } from "../tests/sim/fleet.ts";
import { root } from "./house.ts";
import { readWords } from "./script_words.ts";
import { play, scenarioLines, scenariosOf } from "./sim/play.ts";
import {
  type SimFigure,
  type SimOutcome,
  type SimOutside,
  type SimPlan,
  simulate,
} from "./sim/simulate.ts";
import { fleetLines, fleetNames, fleetsOf, KeptTable } from "./sim/table.ts";

const optionSpecs: readonly OptionSpec[] = [
  { name: "nodes", value: "N", help: "nodes in the fleet, 2 to 50,000" },
  {
    name: "lans",
    value: "N",
    help: "local networks, routers between them; 250 nodes each at most",
  },
  { name: "seed", value: "N", help: "what everything follows from (7)" },
  { name: "minutes", value: "N", help: "virtual minutes at rest that are measured (10)" },
  { name: "loss", value: "SHARE", help: "datagrams that get lost, 0 to 0.9 (0)" },
  { name: "delay", value: "MS", help: "from machine to machine, one way, milliseconds (5)" },
  {
    name: "churn",
    value: "PERCENT",
    help: "nodes that leave and return per hour (0)",
  },
  { name: "churn-minutes", value: "N", help: "virtual minutes of that (60)" },
  { name: "changes", value: "N", help: "records that change, one after the other (5)" },
  { name: "ends", value: "N", help: "nodes that are killed, and as many that fall silent (3)" },
  { name: "for-good", help: "nodes that ended do not return" },
  { name: "assembled", help: "the fleet stands from the start: it is not formed" },
  { name: "forming", help: "the fleet forms and no more: it is not measured at rest" },
  {
    name: "scenario",
    value: "NAME,…",
    help: "play these of the list below, or all; with --nodes, --seed and --json alone",
  },
  { name: "json", help: "print the figures as one JSON array" },
  { name: "help", short: "h", help: "show this help" },
];

/** Larger fleets are not watched for false alarms: each node would look at all after each change. */
const watchedMax = 1_000;
const help = `Usage: deno task sim [FLEET…] [--json]
       deno task sim OPTIONS

A fleet of production nodes in virtual time: forms, rests, learns of changes, misses who is gone.
Without options: the table of simulated numbers, some 50 minutes of one processor, or the rows of the
fleets that are named. What forming a fleet takes grows with the square of its nodes; --assembled
begins with one that stands.

Fleets of the table, and the processor time that each took:
${fleetLines().join("\n")}

Options:
${optionLines(optionSpecs).join("\n")}

Scenarios, with their nodes unless --nodes says otherwise; each says what it found, and whether that
is what must be:
${scenarioLines().join("\n")}

Examples:
  deno task sim --nodes 1000 --assembled --seed 7 --minutes 60 --loss 0.2
  deno task sim --scenario power-cut,third-lies`;

/** A number of an option; throws a sentence for people. */
function numberOf(
  parsed: ParsedWords,
  name: string,
  preset: number,
  range: { readonly from: number; readonly to: number; readonly isWhole?: boolean },
): number {
  const text = parsed.value(name);
  if (text === undefined) return preset;
  const value = text.trim() === "" ? NaN : Number(text);
  const isFit = value >= range.from && value <= range.to &&
    (range.isWhole !== true || Number.isInteger(value));
  if (isFit) return value;
  const kind = range.isWhole === true ? "a whole number" : "a number";
  throw new UsageError(`--${name} takes ${kind} from ${range.from} to ${range.to}, not "${text}"`);
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

function seedOf(parsed: ParsedWords): number {
  return numberOf(parsed, "seed", 7, { from: 0, to: 0xffff_ffff, isWhole: true });
}

/** What the options ask for. */
function planOf(parsed: ParsedWords): SimPlan {
  const nodes = numberOf(parsed, "nodes", 100, { from: 2, to: 50_000, isWhole: true });
  const needed = Math.ceil(nodes / machinesPerLanMax);
  const lans = numberOf(parsed, "lans", needed, { from: 1, to: lansMax, isWhole: true });
  if (lans < needed) {
    throw new UsageError(
      `--lans ${lans} is too few for ${nodes} nodes: a network holds ${machinesPerLanMax}, so at ` +
        `least ${needed}`,
    );
  }
  const isFormingAlone = parsed.has("forming");
  if (isFormingAlone && parsed.has("assembled")) {
    throw new UsageError("--forming does not go with --assembled: such a fleet stands already");
  }
  if (lans > nodes) throw new UsageError(`--lans ${lans} is more than there are nodes (${nodes})`);
  return {
    nodes,
    lans,
    isAssembled: parsed.has("assembled"),
    isFormingAlone,
    isWatched: nodes <= watchedMax,
    seed: seedOf(parsed),
    loss: numberOf(parsed, "loss", 0, { from: 0, to: 0.9 }),
    delay: milliseconds(numberOf(parsed, "delay", 5, { from: 0, to: 60_000 })),
    rest: minutes(numberOf(parsed, "minutes", 10, { from: 1, to: 100_000 })),
    churnPerHour: numberOf(parsed, "churn", 0, { from: 0, to: 100 }) / 100,
    churnFor: minutes(numberOf(parsed, "churn-minutes", 60, { from: 1, to: 100_000 })),
    changes: numberOf(parsed, "changes", 5, { from: 0, to: 1_000, isWhole: true }),
    ends: numberOf(parsed, "ends", 3, { from: 0, to: 100, isWhole: true }),
    endedReturn: !parsed.has("for-good"),
  };
}

/** What the options ask to be played; absent without `--scenario`. */
function scenesOf(parsed: ParsedWords): (() => Promise<SimOutcome>)[] | undefined {
  const list = parsed.value("scenario");
  if (list === undefined) return undefined;
  const others = optionSpecs.map(({ name }) => name).filter((name) =>
    !["scenario", "nodes", "seed", "json"].includes(name) &&
    (parsed.value(name) !== undefined || parsed.has(name))
  );
  if (others.length > 0) throw new UsageError(`--${others[0]} does not go with --scenario`);
  const scenarios = scenariosOf(list);
  if (typeof scenarios === "string") throw new UsageError(`There is no scenario "${scenarios}"`);
  const seed = seedOf(parsed);
  return scenarios.map((scenario) => {
    const range = { from: scenario.nodesMin, to: 50_000, isWhole: true };
    const nodes = numberOf(parsed, "nodes", scenario.nodes, range);
    return () => play(scenario, { nodes, seed }, outside);
  });
}

/** Does nothing where the engine was not told to offer it (`--expose-gc`, as the task does). */
function collectGarbage(): void {
  const collect: unknown = Reflect.get(globalThis, "gc");
  if (typeof collect === "function") Reflect.apply(collect, globalThis, []);
}

const outside: SimOutside = {
  say: (line) => standardError().write(`${line}\n`),
  processorSeconds: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  memoryBytes: () => Deno.memoryUsage().rss,
  heldBytes: () => {
    collectGarbage();
    return Deno.memoryUsage().heapUsed;
  },
};

function isStandInChosen(): boolean {
  return !import.meta.resolve("../src/crypto/mod.ts").endsWith("/src/crypto/mod.ts");
}

async function main(args: readonly string[]): Promise<number> {
  const stderr = standardError();
  const parsed = readWords(args, { name: "sim", options: optionSpecs, help });
  if (typeof parsed === "number") return parsed;
  if (!isStandInChosen()) {
    stderr.write("The simulator needs the stand-in for cryptography: run it by deno task sim\n");
    return 2;
  }
  let runs: readonly Run[];
  try {
    runs = runsOf(parsed, args.every((word) => word === "--json" || !word.startsWith("--")));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`${error.message}\nSee: deno task sim --help\n`);
    return 2;
  }
  const figures: SimFigure[] = [];
  let failures = 0;
  for (const run of runs) {
    const outcome = await run();
    figures.push(...outcome.figures);
    for (const failure of outcome.failures) stderr.write(`failed: ${failure}\n`);
    failures += outcome.failures.length;
  }
  print(figures, parsed.has("json"));
  return failures > 0 ? 1 : 0;
}

type Run = () => Promise<SimOutcome>;

/** What is to be run, one after the other. */
function runsOf(parsed: ParsedWords, isTable: boolean): readonly Run[] {
  const { words } = parsed;
  const fleets = fleetsOf(words);
  if (typeof fleets === "string") {
    throw new UsageError(
      `"${fleets}" is no fleet of the table; there are: ${fleetNames.join(", ")}`,
    );
  }
  if (isTable) {
    const table = new KeptTable(`${root}/bench/results`);
    return fleets.map((fleet) => async () => {
      const outcome = await simulate(fleet.plan, outside);
      await table.keep(fleet, outcome.figures);
      standardError().write(`Written to ${table.file}\n`);
      return outcome;
    });
  }
  if (words.length > 0) throw new UsageError(`"${words[0]}" is of the table, which has no options`);
  const scenes = scenesOf(parsed);
  if (scenes !== undefined) return scenes;
  const plan = planOf(parsed);
  return [() => simulate(plan, outside)];
}

function print(figures: readonly SimFigure[], json: boolean): void {
  if (json) {
    standardOutput().write(`${JSON.stringify(figures)}\n`);
    return;
  }
  const output = new Output({
    stdout: standardOutput(),
    stderr: standardError(),
    environment: (name) => Deno.env.get(name),
  }, { json: false, quiet: false, plain: false });
  const rows = figures.map(({ nodes, name, value, unit, goal = "", isGood = true, note = "" }) => [
    { text: String(nodes) },
    { text: name },
    { text: value, paint: isGood ? "strong" : "bad" } as const,
    { text: unit },
    { text: goal },
    { text: [isGood ? "" : "goal not reached", note].filter((part) => part !== "").join("; ") },
  ]);
  output.table([
    { title: "NODES", right: true },
    { title: "WHAT" },
    { title: "VALUE", right: true },
    { title: "UNIT" },
    { title: "GOAL" },
    { title: "NOTE" },
  ], rows);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
