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
  /** The same of memberlist, in the same run on the same hosts. */
  recordPeer(metric: Metric, value: number): void;
  /** Says something beside the figures: why there is nothing to compare with. */
  remark(text: string): void;
}

/** Measures its metrics. Rejects with `SkippedError` if it cannot run here. */
export interface Bench {
  readonly metrics: readonly Metric[];
  /** Runs only when it is asked for by name. */
  readonly isLong?: boolean;
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
  /** The median that memberlist reached in the same run. */
  readonly memberlist?: number;
}

function goalText({ goal }: Metric): string | undefined {
  if (goal === undefined) return undefined;
  return "atLeast" in goal ? `≥ ${goal.atLeast}` : `< ${goal.below}`;
}

function isReached({ goal }: Metric, value: number): boolean {
  if (goal === undefined) return true;
  return "atLeast" in goal ? value >= goal.atLeast : value < goal.below;
}

/** What was measured so far. */
type Measurements = Map<Metric, number[]>;

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
  const measured: Measurements = new Map();
  const ofPeer: Measurements = new Map();
  const skipped = new Map<Bench, string>();
  let failed = false;
  for (const bench of benches) {
    stderr.write(`${bench.metrics.map(({ name }) => name).join(", ")} …\n`);
    const noteIn = (measurements: Measurements) => (metric: Metric, value: number) => {
      measurements.set(metric, [...measurements.get(metric) ?? [], value]);
    };
    const remark = (text: string) => stderr.write(`${text}\n`);
    const record = noteIn(measured);
    const recordPeer = noteIn(ofPeer);
    try {
      await bench.run({ ...options, record, recordPeer, remark });
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
    const peer = ofPeer.get(metric);
    return [{
      name,
      value,
      unit,
      runs: values.length,
      ...goal === undefined ? {} : { goal },
      ...peer === undefined ? {} : { memberlist: rounded(median(peer)) },
    }];
  });
  print(benches, measured, ofPeer, skipped);
  return { results, failed };
}

function print(
  benches: readonly Bench[],
  measured: ReadonlyMap<Metric, readonly number[]>,
  ofPeer: ReadonlyMap<Metric, readonly number[]>,
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
      const peer = ofPeer.get(metric);
      const compared = { text: peer === undefined ? "" : String(rounded(median(peer))) };
      if (values.length === 0) {
        const why = { text: skipped.get(bench) ?? "not measured", paint: "fair" } as const;
        return [name, { text: "-" }, { text: "" }, { text: "" }, compared, { text: "" }, why];
      }
      const value = rounded(median(values));
      const isGood = isReached(metric, value);
      return [
        name,
        { text: String(value), paint: isGood ? "strong" : "bad" } as const,
        { text: metric.unit },
        { text: goalText(metric) ?? "" },
        compared,
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
    { title: "MEMBERLIST", right: true },
    { title: "RUNS", right: true },
    { title: "NOTE" },
  ], rows);
}
