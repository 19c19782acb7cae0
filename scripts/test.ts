/**
 * The project's tests, in rings: `unit` (quick, no privileges), `scenario` (whole nodes in one
 * process), `worlds` (many nodes and hostile ones, with stand-in cryptography), `e2e` (processes,
 * namespaces, compiled executables). Without arguments: all of them.
 * Ends with the plain line `N passed, N failed, N skipped` and exits non-zero on any failure.
 *
 *     deno task test [unit|scenario|worlds|e2e]… [-- arguments of deno test]
 *
 * @module
 */
import { root } from "./house.ts";

interface Ring {
  readonly name: string;
  readonly places: readonly string[];
  /**
   * Whether each test must leave nothing running. They are off in the runner unless asked for, and
   * without them a test of "leaks nothing" proves nothing. Tests of processes share these.
   */
  readonly sanitize: boolean;
  /** Arguments of the runner for this ring alone. */
  readonly args?: readonly string[];
}

const rings: readonly Ring[] = [
  {
    name: "unit",
    places: ["src", "scripts", "bench", "tests/fuzz", "tests/vectors", "tests/house"],
    sanitize: true,
  },
  { name: "scenario", places: ["tests/sim", "tests/scenario"], sanitize: true },
  {
    name: "worlds",
    places: ["tests/worlds"],
    sanitize: true,
    // The stand-in has no types of its own; types are checked against the real cryptography.
    args: ["--no-check", "--import-map", "tests/sim/stand_in_import_map.json"],
  },
  { name: "e2e", places: ["tests/e2e"], sanitize: false },
];

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

// Colour codes, so that the summary is found in whatever form the runner prints it.
// deno-lint-ignore no-control-regex
const colour = /\u001b\[[0-9;]*m/g;
const summary =
  /(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored(?: \([^)]*\))?)?/;

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(`${root}/${path}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs one ring, passing its output on; a runner that ends without a summary is one failure. */
async function runRing(ring: Ring, extra: readonly string[]): Promise<Tally> {
  const places: string[] = [];
  for (const place of ring.places) if (await exists(place)) places.push(place);
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  if (places.length === 0) return tally;
  console.log(`\n== ${ring.name} ==`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "-A",
      "--no-prompt",
      "--permit-no-files",
      ...ring.sanitize ? ["--sanitize-ops", "--sanitize-resources"] : [],
      ...ring.args ?? [],
      ...extra,
      ...places,
    ],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4_096);
  }
  const { code } = await child.status;
  const match = summary.exec(tail.replace(colour, ""));
  if (match !== null) {
    tally.passed = Number(match[1]);
    tally.failed = Number(match[2]);
    tally.skipped = Number(match[3] ?? 0);
  }
  // A leak, a type error or a crash fails the run without failing a test.
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

if (import.meta.main) {
  const dashes = Deno.args.indexOf("--");
  const wanted = dashes < 0 ? Deno.args : Deno.args.slice(0, dashes);
  const extra = dashes < 0 ? [] : Deno.args.slice(dashes + 1);
  const unknown = wanted.filter((name) => !rings.some((ring) => ring.name === name));
  if (unknown.length > 0) {
    console.error(
      `No such tests: ${unknown.join(", ")}. There are: ${
        rings.map(({ name }) => name).join(", ")
      }.`,
    );
    Deno.exit(2);
  }
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const ring of rings) {
    if (wanted.length > 0 && !wanted.includes(ring.name)) continue;
    const tally = await runRing(ring, extra);
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped;
  }
  console.log(
    `\n${total.passed} passed, ${total.failed} failed` +
      (total.skipped > 0 ? `, ${total.skipped} skipped` : ""),
  );
  Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
}
