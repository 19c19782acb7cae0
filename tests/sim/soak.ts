/**
 * Runs random worlds, one after the other, until the time is over, and prints each that fails with
 * the command that runs it again. Exits non-zero if any did.
 *
 *     deno task soak [--minutes N] [--seed S] [--worlds N]
 *
 * @module
 */
import { readWords } from "../../scripts/script_words.ts";
import { optionLines } from "../../src/cli/option_lines.ts";
import type { OptionSpec, ParsedWords } from "../../src/cli/options.ts";
import { RandomWorldFailure, runRandomWorld } from "./faults/random_world.ts";

/** A seed, and how many worlds or minutes from there on. */
export interface SoakOptions {
  readonly seed: number;
  readonly worlds: number;
  readonly minutes: number;
}

const optionSpecs: readonly OptionSpec[] = [
  { name: "minutes", value: "N", help: "how long (5, without --worlds)" },
  { name: "seed", value: "N", help: "the first world's seed (1); the next one's is one more" },
  { name: "worlds", value: "N", help: "how many" },
  { name: "help", short: "h", help: "show this help" },
];

const help = `Usage: deno task soak [options]

Random worlds with faults, in virtual time, one after the other. The same seed gives the same world.

Options:
${optionLines(optionSpecs).join("\n")}

Example, the world of one seed again:
  deno task soak --seed 7 --worlds 1`;

/** The options, or what is wrong with them. */
export function readSoakOptions(parsed: ParsedWords): SoakOptions | string {
  if (parsed.words.length > 0) return `There is no argument "${parsed.words[0]}" here`;
  const [minutes, seed, worlds] = ["minutes", "seed", "worlds"].map((name) => parsed.value(name));
  const numbers = [seed ?? "1", worlds ?? "0", minutes ?? (worlds === undefined ? "5" : "0")];
  const [first = 0, count = 0, length = 0] = numbers.map(Number);
  if (![first, count, length].every((number) => Number.isFinite(number) && number >= 0)) {
    return "Cannot read a number: --minutes, --seed and --worlds take one each";
  }
  return {
    seed: Math.floor(first),
    worlds: count === 0 ? Number.POSITIVE_INFINITY : Math.floor(count),
    minutes: length === 0 ? Number.POSITIVE_INFINITY : length,
  };
}

if (import.meta.main) {
  const parsed = readWords(Deno.args, { name: "soak", options: optionSpecs, help });
  if (typeof parsed === "number") Deno.exit(parsed);
  const options = readSoakOptions(parsed);
  if (typeof options === "string") {
    console.error(`soak: ${options}. See: deno task soak --help`);
    Deno.exit(2);
  }
  const began = performance.now();
  const isOver = () => (performance.now() - began) / 60_000 >= options.minutes;
  const failed: number[] = [];
  let worlds = 0;
  for (let { seed } = options; worlds < options.worlds && !isOver(); seed++, worlds++) {
    try {
      const { nodes, faults, virtualMs, agreedAfterMs, trace } = await runRandomWorld(seed);
      const [all, agreed] = [virtualMs, agreedAfterMs].map((ms) => (ms / 1_000).toFixed(1));
      console.log(
        `${seed}: ${nodes} nodes, ${faults} faults, ${all} s, agreed after ${agreed} s, ${trace}`,
      );
    } catch (error) {
      if (!(error instanceof RandomWorldFailure)) throw error;
      failed.push(seed);
      console.error(error.message);
    }
  }
  console.log(
    `${worlds} worlds, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(", ")}` : ""}`,
  );
  Deno.exit(failed.length > 0 ? 1 : 0);
}
