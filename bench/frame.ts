/**
 * What a bench is, and how its measurements become a table and a file.
 *
 * @module
 */
import { Output } from "../src/cli/output.ts";
import { standardError, standardOutput } from "../src/host/terminal.ts";

/** Something that is measured. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** What it should reach; absent = watched, not aimed at. */
  readonly goal?: { readonly atLeast: number } | { readonly below: number };
}

/** What a bench is given. */
export interface BenchContext {
  /** A short run: fewer repetitions, figures that vary more. */
  readonly quick: boolean;
  /** The compiled executable of this source; rejects with `SkippedError` if none can be made. */
  executable(): Promise<string>;
  /** Notes one measurement; the median of all of a metric is its value. */
  record(metric: Metric, value: number): void;
}

/** Measures its metrics. Rejects with `SkippedError` if it cannot run here. */
export interface Bench {
  readonly metrics: readonly Metric[];
  run(context: BenchContext): Promise<void>;
}

/** A bench that cannot run on this machine. */
export class SkippedError extends Error {
  override readonly name = "SkippedError";
}

/** A line of `bench/results/latest.json`. */
export interface BenchResult {
  readonly name: string;
  /** The median. */
  readonly value: number;
  readonly unit: string;
  /** How many measurements it is the median of. */
  readonly runs: number;
  /** `≥ 120`, `< 250`. */
  readonly goal?: string;
}

function goalText({ goal }: Metric): string | undefined {
  if (goal === undefined) return undefined;
  return "atLeast" in goal ? `≥ ${goal.atLeast}` : `< ${goal.below}`;
}

function isReached({ goal }: Metric, value: number): boolean {
  if (goal === undefined) return true;
  return "atLeast" in goal ? value >= goal.atLeast : value < goal.below;
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = sorted.length % 2 === 1
    ? [sorted[middle], sorted[middle]]
    : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/** Four figures are more than any of these measurements is worth. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** How many times a second the work is done, by so many workers at once, over that length. */
export async function rate(
  work: () => Promise<unknown>,
  inFlight: number,
  lengthMs: number,
): Promise<number> {
  const begun = performance.now();
  let done = 0;
  const worker = async () => {
    while (performance.now() - begun < lengthMs) {
      await work();
      done++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return done / ((performance.now() - begun) / 1_000);
}

/** Runs one bench after the other and prints the table. */
export async function runBenches(
  benches: readonly Bench[],
  options: { readonly quick: boolean; readonly executable: () => Promise<string> },
): Promise<{ readonly results: readonly BenchResult[]; readonly failed: boolean }> {
  const stderr = standardError();
  const measured = new Map<Metric, number[]>();
  const skipped = new Map<Bench, string>();
  let failed = false;
  for (const bench of benches) {
    stderr.write(`${bench.metrics.map(({ name }) => name).join(", ")} …\n`);
    const record = (metric: Metric, value: number) => {
      measured.set(metric, [...measured.get(metric) ?? [], value]);
    };
    try {
      await bench.run({ ...options, record });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      skipped.set(bench, error instanceof SkippedError ? `skipped: ${message}` : message);
      failed ||= !(error instanceof SkippedError);
    }
  }
  const results = benches.flatMap(({ metrics }) => metrics).flatMap((metric): BenchResult[] => {
    const values = measured.get(metric) ?? [];
    if (values.length === 0) return [];
    const goal = goalText(metric);
    const { name, unit } = metric;
    const value = rounded(median(values));
    return [{ name, value, unit, runs: values.length, ...goal === undefined ? {} : { goal } }];
  });
  print(benches, measured, skipped);
  return { results, failed };
}

function print(
  benches: readonly Bench[],
  measured: ReadonlyMap<Metric, readonly number[]>,
  skipped: ReadonlyMap<Bench, string>,
): void {
  const output = new Output({
    stdout: standardOutput(),
    stderr: standardError(),
    environment: (name) => Deno.env.get(name),
  }, { json: false, quiet: false, plain: false });
  const rows = benches.flatMap((bench) =>
    bench.metrics.map((metric) => {
      const values = measured.get(metric) ?? [];
      const name = { text: metric.name };
      if (values.length === 0) {
        const why = { text: skipped.get(bench) ?? "not measured", paint: "fair" } as const;
        return [name, { text: "-" }, { text: "" }, { text: "" }, { text: "" }, why];
      }
      const value = rounded(median(values));
      const isGood = isReached(metric, value);
      return [
        name,
        { text: String(value), paint: isGood ? "strong" : "bad" } as const,
        { text: metric.unit },
        { text: goalText(metric) ?? "" },
        { text: String(values.length) },
        { text: isGood ? "" : "goal not reached", paint: "bad" } as const,
      ];
    })
  );
  output.table([
    { title: "WHAT" },
    { title: "VALUE", right: true },
    { title: "UNIT" },
    { title: "GOAL" },
    { title: "RUNS", right: true },
    { title: "NOTE" },
  ], rows);
}
