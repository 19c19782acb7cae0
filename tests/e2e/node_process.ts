/**
 * Real nodes as real processes, from source or as the compiled executable (`MESH_BIN`), driven
 * through the command line as its owner would.
 *
 * @module
 */
import {
  type CommandOutput,
  meshCommand as commandOf,
  MeshProcess,
  type ReadyLine,
} from "../../scripts/mesh_process.ts";
import type { ControlFailure, NodeControl } from "../../src/control/mod.ts";
import type { LinksReport, NodeEntry, StatusReport } from "../../src/control/mod.ts";
import { eventually } from "./eventually.ts";
import { must } from "./lan.ts";

export type { ReadyLine };

/** The words that start mesh: the compiled executable if `MESH_BIN` names one, else the source. */
export function meshCommand(binary: string | undefined = Deno.env.get("MESH_BIN")): string[] {
  return commandOf(binary);
}

/** How to start a node. */
export interface NodeProcessOptions {
  /** Network namespace to run in. */
  readonly namespace?: string;
  /** State directory; a fresh one, removed at the end, if left out. */
  readonly state?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Executable; `MESH_BIN` or the source if left out. */
  readonly binary?: string;
}

/** A running node. Dispose of it: it is killed if it still runs, and a state of its own removed. */
export class NodeProcess implements AsyncDisposable {
  readonly state: string;
  readonly #ownsState: boolean;
  readonly #process: MeshProcess;

  private constructor({ namespace, state, binary, ...options }: NodeProcessOptions) {
    this.#ownsState = state === undefined;
    this.state = state ?? Deno.makeTempDirSync({ prefix: "mesh-test-" });
    const executable = binary ?? Deno.env.get("MESH_BIN");
    this.#process = new MeshProcess({
      ...options,
      state: this.state,
      logLevel: "debug",
      ...executable === undefined ? {} : { binary: executable },
      ...namespace === undefined ? {} : { before: ["ip", "netns", "exec", namespace] },
    });
  }

  /** Starts a node and waits until it is ready. */
  static async start(options: NodeProcessOptions = {}): Promise<NodeProcess> {
    const node = NodeProcess.spawn(options);
    try {
      await node.ready();
      return node;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a node without waiting. */
  static spawn(options: NodeProcessOptions = {}): NodeProcess {
    return new NodeProcess(options);
  }

  /** Resolves to the ready line; rejects with the log if the node ends before it. */
  ready(): Promise<ReadyLine> {
    return this.#process.ready();
  }

  /** The last lines the node logged. */
  log(): string {
    return this.#process.log(200);
  }

  /** Runs a command against this node. */
  mesh(...args: readonly string[]): Promise<CommandOutput> {
    return this.#process.mesh(...args);
  }

  /** Asks it what a command would; rejects with its refusal. */
  ask<T extends object>(
    question: (control: NodeControl) => Promise<T | ControlFailure>,
  ): Promise<T> {
    return this.#process.ask(question);
  }

  /** `mesh status --json`. */
  status(): Promise<StatusReport> {
    return this.#process.status();
  }

  /** `mesh nodes --json`, the list. */
  nodes(): Promise<readonly NodeEntry[]> {
    return this.#process.nodes();
  }

  /** `mesh links --json`, the list. */
  links(): Promise<LinksReport["links"]> {
    return this.#process.links();
  }

  /** Waits until this node is linked with exactly these. */
  linkedWith(...others: readonly NodeProcess[]): Promise<boolean> {
    return eventually(`linked with ${others.length}`, async () => {
      const wanted = await Promise.all(others.map(async (other) => (await other.ready()).id));
      const links = await this.links();
      return links.length === wanted.length && wanted.every((id) => links.some((l) => l.id === id));
    }).catch((error: unknown) => {
      throw new Error(`${error}\n${this.log()}`, { cause: error });
    });
  }

  /** Asks for a clean stop and waits for the end. */
  stop(): Promise<number> {
    return this.#process.end("SIGTERM");
  }

  /** Kills it. */
  kill(): Promise<number> {
    return this.#process.end("SIGKILL");
  }

  /** Resolves to the exit code when the node ends, however it comes to that. */
  ended(): Promise<number> {
    return this.#process.ended;
  }

  /** Sends a signal without waiting. `ip netns exec` becomes the node, so the child is the node. */
  signal(name: Deno.Signal): void {
    this.#process.signal(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#ownsState) await must("rm", "-rf", this.state);
  }
}

/** Whether all of the nodes hold the same newest records of all of them, and are linked. */
export async function agree(nodes: readonly NodeProcess[]): Promise<boolean> {
  const views = await Promise.all(nodes.map(async (node) => {
    const entries = await node.nodes();
    return entries.map((entry) => `${entry.id} ${entry.serial}`).sort().join("\n");
  }));
  const first = views[0] ?? "";
  return first.split("\n").length >= nodes.length && views.every((view) => view === first);
}
