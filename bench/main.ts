/**
 * The measurements: runs them, prints a table with the goal beside each, writes
 * `bench/results/latest.json` (an array of `{name, value, unit, runs, goal?}`, medians).
 *
 *     deno task bench [--quick] [--bin PATH] [WORD…]
 *
 * WORD: only benches whose name contains it; the long ones run only so: `deno task bench fleet`.
 * `--bin` measures this executable instead of one that is compiled for the occasion.
 *
 * @module
 */
import { build } from "../build/compile.ts";
import { root } from "../scripts/house.ts";
import { absolute } from "../scripts/paths.ts";
import { readWords } from "../scripts/script_words.ts";
import type { OptionSpec } from "../src/cli/options.ts";
import { productSeq, productVersion } from "../src/version.ts";
import { authenticationBench } from "./authentication_bench.ts";
import { bulkBench } from "./bulk_bench.ts";
import { commandTurnBench } from "./command_bench.ts";
import { datagramBench } from "./datagram_bench.ts";
import { type Bench, runBenches, SkippedError } from "./frame.ts";
import { fleetBenches } from "./fleet_bench.ts";
import { changeBench, firstLinkBench, idleBench, killBench } from "./lan_bench.ts";
import { readyCompiledBench, readySourceBench, selfTestBench, sizeBench } from "./process_bench.ts";
import { reconcileBench } from "./reconcile_bench.ts";
import { recordBench } from "./record_bench.ts";
import { memoryBench, storeBench, storeTurnBench } from "./store_bench.ts";

const benches: readonly Bench[] = [
  authenticationBench,
  datagramBench,
  recordBench,
  bulkBench,
  reconcileBench,
  storeBench,
  storeTurnBench,
  commandTurnBench,
  memoryBench,
  readySourceBench,
  readyCompiledBench,
  selfTestBench,
  sizeBench,
  firstLinkBench,
  changeBench,
  killBench,
  idleBench,
  ...fleetBenches,
];

const optionSpecs: readonly OptionSpec[] = [
  { name: "quick", help: "a short run: fewer repetitions, figures that vary more" },
  { name: "bin", value: "PATH", help: "measure this executable" },
  { name: "help", short: "h", help: "show this help" },
];

const usage = "Usage: deno task bench [--quick] [--bin PATH] [WORD…]";

/** The last reason that a tool's long message gives. */
function innermostReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // deno-lint-ignore no-control-regex
  const [message = ""] = text.replace(/\u001b\[[0-9;]*m/g, "").split("Stack backtrace:");
  const lines = message.split("\n");
  const reasons = lines.filter((line) => /^error:|^ +\d+: [^<]/.test(line));
  return (reasons.at(-1) ?? lines[0] ?? "").replace(/^ +\d+: /, "");
}

/** Compiles the executable when somebody first asks for it. */
class OnceCompiled implements AsyncDisposable {
  #directory: string | undefined;
  #path: Promise<string> | undefined;

  path(): Promise<string> {
    this.#path ??= this.#compile();
    return this.#path;
  }

  async #compile(): Promise<string> {
    this.#directory = await Deno.makeTempDir({ prefix: "mesh-bench-" });
    try {
      const output = `${this.#directory}/mesh`;
      return await build({ version: productVersion, seq: productSeq, output });
    } catch (error) {
      throw new SkippedError(`cannot compile: ${innermostReason(error)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#directory !== undefined) await Deno.remove(this.#directory, { recursive: true });
  }
}

/** What the figures were taken on. */
async function machineFacts(): Promise<string> {
  const cpus = `${navigator.hardwareConcurrency} processors`;
  const memory = `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`;
  let model = "";
  if (Deno.build.os === "linux") {
    const info = await Deno.readTextFile("/proc/cpuinfo");
    model = `${/^model name\s*: (.*)$/m.exec(info)?.[1] ?? "unknown model"}, `;
  }
  const load = Deno.loadavg()[0]?.toFixed(1) ?? "unknown";
  return `${model}${cpus}, ${memory}, ${Deno.build.target}, Deno ${Deno.version.deno}, load ${load}`;
}

async function main(): Promise<number> {
  const parsed = readWords(Deno.args, { name: "bench", options: optionSpecs, help: usage });
  if (typeof parsed === "number") return parsed;
  const { words } = parsed;
  const chosen = benches.filter(({ metrics, isLong = false }) =>
    (words.length === 0 && !isLong) ||
    metrics.some(({ name }) => words.some((word) => name.includes(word)))
  );
  if (chosen.length === 0) {
    const names = benches.flatMap(({ metrics }) => metrics.map(({ name }) => `  ${name}`));
    console.error(`bench: no name contains ${words.join(" or ")}. There are:\n${names.join("\n")}`);
    return 2;
  }
  await using compiled = new OnceCompiled();
  const told = parsed.value("bin");
  const executable = () => told === undefined ? compiled.path() : Promise.resolve(absolute(told));
  console.log(`${await machineFacts()}\n`);
  const { results, failed } = await runBenches(chosen, { quick: parsed.has("quick"), executable });
  const file = `${root}/bench/results/latest.json`;
  await Deno.mkdir(`${root}/bench/results`, { recursive: true });
  await Deno.writeTextFile(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`\nWritten to ${file}`);
  return failed ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
