/**
 * A fleet of real nodes on this machine, one process each, on its loopback interface alone. They stay
 * up when this program has ended; it finds them again.
 *
 *     deno task fleet up 100 [--bin dist/mesh] [--together] [--wait-known] [--seed]
 *     deno task fleet status
 *     deno task fleet kill 3
 *     deno task fleet down
 *
 * Exit code: 0 = done; 1 = not, and why; 2 = wrong usage.
 *
 * @module
 */
import { type Column, Output } from "../src/cli/output.ts";
import { optionLines } from "../src/cli/option_lines.ts";
import type { OptionSpec, ParsedWords } from "../src/cli/options.ts";
import { standardError, standardOutput } from "../src/host/terminal.ts";
import { pause } from "./eventually.ts";
import { askNode, FleetEyes, whenAll } from "./fleet/fleet_eyes.ts";
import { signalOwn, useOf } from "./fleet/own_process.ts";
import { type Member, StandingFleet } from "./fleet/standing_fleet.ts";
import { loopbackInterface } from "./local_fleet.ts";
import { absolute, join } from "./paths.ts";
import { readWords } from "./script_words.ts";

/** More real nodes than this are the simulator's. */
const nodesMax = 1_000;
/** How long a start may take: seconds of processor time for each. */
const readyWithinMs = 300_000;
const knownWithinMs = 600_000;
const unreachableWithinMs = 60_000;
/** Over how long the processor time of a node is taken. */
const cpuSampleMs = 1_000;

const optionSpecs: readonly OptionSpec[] = [
  { name: "bin", value: "PATH", help: "run this executable instead of the source" },
  { name: "together", help: "up: start all at once, not a few at a time" },
  { name: "wait-known", help: "up: wait until every node reaches every other" },
  { name: "seed", help: "up: no multicast; all others are only told where the first one is" },
  { name: "directory", value: "DIR", help: "where the fleet's states lie" },
  { name: "json", help: "status: one JSON object" },
  { name: "help", short: "h", help: "show this help" },
];

const help = `Usage: deno task fleet up N | status | kill N | down [options]

Real nodes on this machine, one process each, on its loopback interface alone.

  up N    start N nodes; they stay up
  status  how they are, and what they use
  kill N  kill N of them at random, and say when the others knew
  down    end them all and remove their states

Options:
${optionLines(optionSpecs).join("\n")}

Example:
  deno task fleet up 30 --bin dist/mesh --wait-known`;

/** Something to tell the person; the exit code is 1. */
class FleetError extends Error {
  override readonly name = "FleetError";
}

/** The directory of this user's fleet. */
function usualDirectory(): string {
  const user = Deno.build.os === "windows" ? "" : `-${Deno.uid()}`;
  return join(
    Deno.env.get("XDG_RUNTIME_DIR") ?? Deno.env.get("TMPDIR") ?? "/tmp",
    `mesh-fleet${user}`,
  );
}

/** The absolute path of the program to run; a `FleetError` if there is none. */
async function executable(path: string): Promise<string> {
  const found = absolute(path);
  const { isFile } = await Deno.stat(found).catch(() => ({ isFile: false }));
  if (isFile) return found;
  throw new FleetError(`There is no executable at ${found}. "deno task build" makes dist/mesh`);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

/** Lowest, middle and highest, in words. */
function spread(values: readonly number[], digits = 0): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((value) =>
    value === undefined ? "-" : value.toFixed(digits)
  );
}

class FleetCommands {
  readonly #options: ParsedWords;
  readonly #directory: string;
  readonly #output: Output;

  constructor(options: ParsedWords) {
    this.#options = options;
    const told = options.value("directory");
    this.#directory = told === undefined ? usualDirectory() : absolute(told);
    const surroundings = {
      stdout: standardOutput(),
      stderr: standardError(),
      environment: (name: string) => Deno.env.get(name),
    };
    this.#output = new Output(surroundings, {
      json: options.has("json"),
      quiet: false,
      plain: false,
    });
  }

  #say(line: string): void {
    standardError().write(`${line}\n`);
  }

  async up(count: number): Promise<void> {
    const old = await StandingFleet.open(this.#directory);
    if (old !== undefined) {
      const running = await old.running();
      if (running.length > 0) {
        throw new FleetError(
          `A fleet of ${running.length} is up in ${old.directory}. ` +
            `See "deno task fleet status", end it with "deno task fleet down"`,
        );
      }
      await old.down();
      this.#say(`Removed what a fleet that is gone had left in ${this.#directory}`);
    }
    const binary = this.#options.value("bin");
    const program = binary === undefined ? {} : { binary: await executable(binary) };
    const fleet = await StandingFleet.create(this.#directory);
    const names = Array.from({ length: count }, (_, at) => `n${at}`);
    const args = ["--listen", "0", "--interface", loopbackInterface()];
    const begun = performance.now();
    let done = 0;
    const tenth = Math.max(1, Math.ceil(count / 10));
    if (this.#options.has("seed")) {
      args.push("--no-multicast");
      const [first = ""] = names.splice(0, 1);
      const { port } = await fleet.ready(
        await fleet.start(first, { args, ...program }),
        readyWithinMs,
      );
      args.push("--peer", `127.0.0.1:${port}`);
      done++;
    }
    await fleet.startAll(names, () => ({ args, ...program }), {
      together: this.#options.has("together"),
      withinMs: readyWithinMs,
      onReady: () => {
        if (++done % tenth === 0 || done === count) this.#say(`${done} of ${count} are ready`);
      },
    });
    const ready = performance.now();
    this.#say(`All are ready after ${seconds(ready - begun)}; their states: ${fleet.directory}`);
    if (!this.#options.has("wait-known")) return;
    const known = await whenAll(await fleet.running(), async (control) => {
      const status = await control.status();
      return "reachable" in status && status.reachable === count;
    }, { withinMs: knownWithinMs });
    if (known === undefined) throw new FleetError("Not all of them reach all others in time");
    this.#say(`Each reaches all others ${seconds(performance.now() - ready)} later`);
  }

  /** The fleet that is up. */
  async #fleet(): Promise<{ fleet: StandingFleet; running: readonly Member[] }> {
    const fleet = await StandingFleet.open(this.#directory);
    const running = await fleet?.running() ?? [];
    if (fleet === undefined || running.length === 0) {
      throw new FleetError(
        `No fleet is up in ${this.#directory}. Start one: deno task fleet up 10`,
      );
    }
    return { fleet, running };
  }

  async status(): Promise<void> {
    const { fleet, running } = await this.#fleet();
    const started = (await fleet.members()).length;
    const before = await Promise.all(running.map(({ pid }) => useOf(pid)));
    await pause(cpuSampleMs);
    const after = await Promise.all(running.map(({ pid }) => useOf(pid)));
    const answers = await Promise.all(running.map(async ({ state }) => {
      return await askNode(state, (control) => control.status()).catch(() => undefined);
    }));
    const statuses = answers.filter((answer) => answer !== undefined);
    const residentMegabytes = after.flatMap((use) =>
      use === undefined ? [] : [use.residentBytes / 1_000_000]
    );
    const cpuPercent = after.flatMap((use, at) => {
      const earlier = before[at];
      return use === undefined || earlier === undefined
        ? []
        : [(use.cpuMs - earlier.cpuMs) / cpuSampleMs * 100];
    });
    const facts = {
      started,
      running: running.length,
      ready: statuses.length,
      known: statuses.map(({ known }) => known),
      reachable: statuses.map(({ reachable }) => reachable),
      links: statuses.map(({ links }) => links),
      residentMegabytes,
      cpuPercent,
    };
    if (this.#output.json) return this.#output.object({ ...facts, directory: fleet.directory });
    const columns: Column[] = [
      { title: "WHAT" },
      ...["LEAST", "MEDIAN", "MOST"].map((title) => ({ title, right: true } as const)),
    ];
    const row = (name: string, values: readonly string[]) =>
      [name, ...values].map((text) => ({ text }));
    this.#output.line(
      `${running.length} of ${started} nodes run, ${statuses.length} answer (${fleet.directory})`,
    );
    this.#output.table(columns, [
      row("nodes known", spread(facts.known)),
      row("nodes reachable", spread(facts.reachable)),
      row("links", spread(facts.links)),
      row("resident MB", spread(facts.residentMegabytes, 1)),
      row("processor %", spread(facts.cpuPercent, 1)),
    ]);
  }

  async kill(count: number): Promise<void> {
    const { fleet, running } = await this.#fleet();
    if (count >= running.length) {
      throw new FleetError(`Only ${running.length} run: somebody must be left to notice`);
    }
    const shuffled = running.map((member) => ({ member, draw: Math.random() }))
      .sort((a, b) => a.draw - b.draw).map(({ member }) => member);
    const victims = shuffled.slice(0, count);
    const survivors = shuffled.slice(count);
    await using eyes = new FleetEyes();
    await Promise.all(survivors.map((survivor) => eyes.open(survivor)));
    const ids = new Map<string, string>();
    for (const { name } of victims) {
      const ready = await fleet.readyOf(name);
      if (ready !== undefined) ids.set(name, ready.id);
    }
    const seen = victims.map(({ name }) =>
      eyes.expect((event) => event.event === "node-unreachable" && event.id === ids.get(name))
    );
    const killedAt = Date.now();
    for (const victim of victims) await signalOwn(victim, "SIGKILL");
    for (const [at, { name, pid }] of victims.entries()) {
      const times = await seen[at]?.of(survivors.length, unreachableWithinMs) ?? [];
      const [first = NaN] = times;
      const last = times.at(-1) ?? NaN;
      const who = times.length === survivors.length
        ? `all ${survivors.length}`
        : `${times.length} of ${survivors.length}`;
      this.#output.line(
        `${name} (process ${pid}): known to the first after ${seconds(first - killedAt)}, ` +
          `to ${who} after ${seconds(last - killedAt)}`,
      );
      if (times.length < survivors.length) throw new FleetError("Not all survivors know in time");
    }
  }

  async down(): Promise<void> {
    const fleet = await StandingFleet.open(this.#directory);
    if (fleet === undefined) {
      this.#output.line(`No fleet is up in ${this.#directory}`);
      return;
    }
    const ended = await fleet.down();
    this.#output.line(`${ended} nodes ended, ${this.#directory} is gone`);
  }
}

function numberIn(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= nodesMax ? value : undefined;
}

async function main(): Promise<number> {
  const error = standardError();
  const parsed = readWords(Deno.args, { name: "fleet", options: optionSpecs, help });
  if (typeof parsed === "number") return parsed;
  if (Deno.build.os === "windows") {
    error.write("fleet: This needs a Unix: processes that outlive their starter, and signals\n");
    return 1;
  }
  const [command, argument, ...more] = parsed.words;
  const count = numberIn(argument);
  const commands = new FleetCommands(parsed);
  try {
    if (more.length > 0) error.write(`fleet: There is no argument "${more[0]}" here\n`);
    else if (command === "up" && count !== undefined) return await commands.up(count), 0;
    else if (command === "kill" && count !== undefined) return await commands.kill(count), 0;
    else if (command === "status" && argument === undefined) return await commands.status(), 0;
    else if (command === "down" && argument === undefined) return await commands.down(), 0;
    else if (command === "up" || command === "kill") {
      error.write(`fleet: "${command}" takes a number of nodes, 1 to ${nodesMax}\n`);
    } else error.write(`fleet: up N, status, kill N or down. See: deno task fleet --help\n`);
    return 2;
  } catch (reason) {
    error.write(`fleet: ${reason instanceof Error ? reason.message : String(reason)}\n`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
