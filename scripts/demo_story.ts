/**
 * What the demo does and how it is seen: steps with deadlines over a fleet of three, each looked at
 * through the nodes' own eyes.
 *
 * @module
 */
import { type Cell, cell, type Column } from "../src/cli/output.ts";
import { labelText, stateCell } from "../src/cli/words.ts";
import type { NodeEntry } from "../src/control/mod.ts";
import { eventually } from "./eventually.ts";
import type { Fleet } from "./local_fleet.ts";
import type { LiveScreen } from "./live_screen.ts";
import type { ReadyLine } from "./mesh_process.ts";

/** The names of the nodes. */
export const demoNames = ["demo-a", "demo-b", "demo-c"] as const;
type DemoName = typeof demoNames[number];

/** From one look at all nodes to the next. */
const lookEveryMs = 100;
/** No step of the story takes so long on a machine that is not overwhelmed. */
const stepMs = 20_000;
/** Lines of each node's log that a failed step shows. */
const logLinesShown = 12;

/** A node as it stands now, and what it says of the others. */
interface Sighting {
  readonly name: string;
  readonly pid: number;
  readonly phase: "starting" | "ready" | "ended";
  readonly ready?: ReadyLine;
  /** What it answers; empty while it answers nothing. */
  readonly entries: readonly NodeEntry[];
}

/** A step that was not reached. */
export class StepError extends Error {
  override readonly name = "StepError";
}

/** `40 ms`, `1.2 s`. */
function timeSince(begun: number): string {
  const ms = performance.now() - begun;
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A log line for people: JSON without its braces. */
function readable(line: string): string {
  try {
    const { at, level, message, event } = JSON.parse(line);
    return [at, level, message ?? event].filter((word) => word !== undefined).join(" ");
  } catch {
    // Not JSON: the runtime itself wrote it.
    return line;
  }
}

/** Three nodes and what becomes of them. */
export class DemoStory {
  readonly #fleet: Fleet;
  readonly #screen: LiveScreen;
  readonly #person: AbortSignal;
  readonly #stop: AbortSignal;
  readonly #ready = new Map<string, ReadyLine>();
  readonly #ids = new Map<string, string>();
  readonly #killed = new Set<string>();
  #sightings: readonly Sighting[] = [];

  /** @param stop Aborts when a person has seen enough. */
  constructor(fleet: Fleet, screen: LiveScreen, stop: AbortSignal) {
    this.#fleet = fleet;
    this.#screen = screen;
    this.#person = stop;
    this.#stop = AbortSignal.any([stop, fleet.lost]);
  }

  /** Everything, in order. Rejects with `StepError`, or with the reason of `stop`. */
  async play(): Promise<void> {
    await this.#step("three nodes are ready, each with a key of its own", () => {
      for (const name of demoNames) this.#start(name);
    }, () => demoNames.every((name) => this.#phaseOf(name) === "ready"));

    await this.#step(
      "they found each other: each has proven links with the other two",
      () => {},
      () => demoNames.every((name) => this.#isLinkedWithAll(name)),
    );

    await this.#step("all three hold the same signed records", () => {}, () => this.#agree());

    const before = this.#entry("demo-a", "demo-b")?.serial ?? 0;
    await this.#step(
      "demo-b was stopped: it said good-bye, and the others know",
      () => this.#fleet.end("demo-b", "SIGTERM"),
      () => this.#allSay("demo-b", ({ state }) => state === "unreachable"),
    );

    await this.#step(
      "demo-b is back with --label rack=b2, and the others know it",
      () => this.#start("demo-b", "--label", "rack=b2"),
      () =>
        this.#allSay(
          "demo-b",
          ({ state, serial, labels }) =>
            state === "linked" && serial > before && labels["rack"] === "b2",
        ) && this.#agree(),
    );

    await this.#step(
      "demo-c was killed (SIGKILL): the others know it is unreachable",
      () => {
        this.#killed.add("demo-c");
        return this.#fleet.end("demo-c", "SIGKILL");
      },
      () => this.#allSay("demo-c", ({ state }) => state === "unreachable"),
    );
  }

  /** Brings the killed one back, so that the fleet is whole. */
  async mend(): Promise<void> {
    await this.#step(
      "demo-c is back: linked with the others as before",
      () => this.#start("demo-c"),
      () => demoNames.every((name) => this.#isLinkedWithAll(name)) && this.#agree(),
    );
  }

  /** Looks at the nodes anew and shows them. */
  async look(fleeting: readonly string[] = []): Promise<void> {
    const sightings = await Promise.all(demoNames.map((name) => this.#sight(name)));
    // A terminal's Ctrl-C reaches the nodes too: what they no longer say is of no interest.
    if (this.#person.aborted) return;
    this.#sightings = sightings;
    this.#screen.show(this.#picture(), fleeting);
  }

  /** What the nodes logged last. */
  logLines(): string[] {
    return [...this.#fleet.nodes()].flatMap(([name, node]) => [
      `The last lines of ${name}:`,
      ...(node.log(logLinesShown) || "nothing").split("\n").map((line) => `  ${readable(line)}`),
    ]);
  }

  #start(name: DemoName, ...args: readonly string[]): void {
    this.#ready.delete(name);
    this.#killed.delete(name);
    const node = this.#fleet.start(name, ...args);
    // A node that ends before it is ready is seen through the fleet's `lost`.
    node.ready().then((ready) => {
      this.#ready.set(name, ready);
      this.#ids.set(name, ready.id);
    }, () => undefined);
  }

  /** Acts, looks until it is so, and says so. */
  async #step(
    what: string,
    act: () => Promise<void> | void,
    isReached: () => boolean,
  ): Promise<void> {
    const begun = performance.now();
    await act();
    try {
      await eventually(what, async () => {
        await this.look(["", `… ${what} (${timeSince(begun)})`]);
        return isReached();
      }, { withinMs: stepMs, everyMs: lookEveryMs, signal: this.#stop });
    } catch (error) {
      if (this.#stop.aborted) throw this.#stop.reason;
      this.#screen.show(this.#picture());
      throw new StepError(`Not reached within ${stepMs / 1_000} s: ${what}`, { cause: error });
    }
    this.#screen.show(this.#picture());
    const [line = ""] = this.#screen.lines((output) => {
      const tick = output.paint("✓", "good");
      output.line(`${tick} ${what} ${output.paint(`(${timeSince(begun)})`, "faint")}`);
    });
    this.#screen.say(line);
  }

  async #sight(name: string): Promise<Sighting> {
    const node = this.#fleet.nodes().get(name);
    if (node === undefined || !node.isRunning) {
      return { name, pid: node?.pid ?? 0, phase: "ended", entries: [] };
    }
    const ready = this.#ready.get(name);
    if (ready === undefined) return { name, pid: node.pid, phase: "starting", entries: [] };
    // One that is just ending does not answer; the next look will see that it has ended.
    const entries = await node.nodes().catch(() => []);
    return { name, pid: node.pid, phase: "ready", ready, entries };
  }

  #phaseOf(name: DemoName): Sighting["phase"] | undefined {
    return this.#sightings.find((sighting) => sighting.name === name)?.phase;
  }

  /** What one node says of another. */
  #entry(sayer: string, of: string): NodeEntry | undefined {
    const sighting = this.#sightings.find(({ name }) => name === sayer);
    return sighting?.entries.find(({ id }) => id === this.#ids.get(of));
  }

  #isLinkedWithAll(name: DemoName): boolean {
    return demoNames.every((other) =>
      other === name || this.#entry(name, other)?.state === "linked"
    );
  }

  /** Whether all others that run say so of this one. */
  #allSay(of: DemoName, what: (entry: NodeEntry) => boolean): boolean {
    return demoNames.every((name) => {
      if (name === of) return true;
      const entry = this.#entry(name, of);
      return entry !== undefined && what(entry);
    });
  }

  /** Whether all hold the same newest record of each. */
  #agree(): boolean {
    return demoNames.every((of) => {
      const serials = demoNames.map((name) => this.#entry(name, of)?.serial);
      return serials[0] !== undefined && serials.every((serial) => serial === serials[0]);
    });
  }

  /** A table where it can be written anew; else a line for each node, which is printed if it changed. */
  #picture(): string[] {
    if (!this.#screen.inPlace) return this.#sightings.map((sighting) => this.#sentence(sighting));
    const columns: readonly Column[] = [
      { title: "NODE" },
      { title: "PID" },
      { title: "PORT" },
      ...demoNames.map((name) => ({ title: `SAYS ${name} IS` })),
    ];
    const rows = this.#sightings.map((sighting) => this.#row(sighting));
    return ["", ...this.#screen.lines((output) => output.table(columns, rows))];
  }

  #ending(name: string): Cell {
    return this.#killed.has(name) ? cell("killed", "bad") : cell("stopped", "fair");
  }

  #verdict(sayer: string, of: string): Cell {
    const entry = this.#entry(sayer, of);
    if (entry === undefined) return cell("-", "faint");
    const { text, paint } = stateCell(entry.state);
    return cell([text, labelText(entry.labels)].join(" ").trim(), paint);
  }

  #row({ name, pid, phase, ready }: Sighting): readonly Cell[] {
    if (phase === "ended") return [cell(name, "strong"), this.#ending(name)];
    return [
      cell(name, "strong"),
      cell(String(pid), "faint"),
      cell(ready === undefined ? "…" : String(ready.port), "faint"),
      ...demoNames.map((other) => this.#verdict(name, other)),
    ];
  }

  #sentence({ name, pid, phase, ready }: Sighting): string {
    if (phase === "ended") return `  ${name} ${this.#ending(name).text}`;
    if (ready === undefined) return `  ${name} starting (pid ${pid})`;
    const others = demoNames
      .filter((other) => other !== name && this.#entry(name, other) !== undefined)
      .map((other) => `${other} ${this.#verdict(name, other).text}`);
    const said = others.length === 0 ? "I am alone" : others.join(", ");
    return `  ${name} (pid ${pid}, port ${ready.port}) says: ${said}`;
  }
}
