/**
 * Runs random worlds, one after the other, until the time is over, and prints each that fails with
 * the command that runs it again. Exits non-zero if any did.
 *
 *     deno task soak [--minutes N] [--seed S] [--worlds N]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { RandomWorldFailure, runRandomWorld } from "./faults/random_world.ts";

/** A seed, and how many worlds or minutes from there on. */
export interface SoakOptions {
  readonly seed: number;
  readonly worlds: number;
  readonly minutes: number;
}

/** The options, or what is wrong with them. */
export function readSoakOptions(args: readonly string[]): SoakOptions | string {
  const { minutes, seed, worlds, _: rest, ...others } = parseArgs([...args], {
    string: ["minutes", "seed", "worlds"],
  });
  const unknown = [...rest, ...Object.keys(others)];
  if (unknown.length > 0) return `No such option: ${unknown.join(", ")}`;
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
  const options = readSoakOptions(Deno.args);
  if (typeof options === "string") {
    console.error(options);
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
