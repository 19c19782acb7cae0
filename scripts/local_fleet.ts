/**
 * Several nodes on this machine, on its loopback interface alone: their processes and the one
 * private directory that holds their states. Dispose of it: whatever still runs is ended, by its
 * process id, and the directory removed.
 *
 * @module
 */
import { removeControlSocket } from "../src/host/control_place.ts";
import { pause } from "./eventually.ts";
import { MeshProcess } from "./mesh_process.ts";
import { join } from "./paths.ts";

/** A node that is asked to stop ends within 5 s (CLI contract); a loaded machine gets one more. */
const stopMs = 6_000;

/** The name of the loopback interface: `lo`, `lo0`, … */
export function loopbackInterface(): string {
  const found = Deno.networkInterfaces().find(({ address }) => address === "127.0.0.1");
  if (found === undefined) throw new Error("This machine has no interface with 127.0.0.1");
  return found.name;
}

/** How to make a fleet. */
export interface FleetOptions {
  /** The compiled executable; absent = the source. */
  readonly binary?: string;
  /** How the directory's name begins. */
  readonly prefix: string;
  /** Ends the wait for clean stops: what still runs is killed. */
  readonly hurry?: AbortSignal;
}

/** A node ended that nobody asked to. */
export class NodeLostError extends Error {
  override readonly name = "NodeLostError";
}

/** Nodes on this machine, by name. */
export class Fleet implements AsyncDisposable {
  /** Holds the states; mode 0700. */
  readonly directory: string;
  readonly #options: FleetOptions;
  readonly #nodes = new Map<string, MeshProcess>();
  readonly #asked = new WeakSet<MeshProcess>();
  readonly #lost = new AbortController();
  #isOver = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.directory = Deno.makeTempDirSync({ prefix: options.prefix }).replaceAll("\\", "/");
  }

  /** Aborts with a `NodeLostError` when a node ends that nobody asked to. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The state directory of a node. */
  stateOf(name: string): string {
    return join(this.directory, name);
  }

  /** The options of `mesh run` that every node of the fleet has. */
  argsOf(name: string): string[] {
    return ["--name", name, "--listen", "0", "--interface", loopbackInterface()];
  }

  /** Starts a node, or one that has ended again; does not wait. */
  start(name: string, ...args: readonly string[]): MeshProcess {
    if (this.#isOver) throw new Error("The fleet is being stopped");
    const { binary } = this.#options;
    const node = new MeshProcess({
      state: this.stateOf(name),
      args: [...this.argsOf(name), ...args],
      ...binary === undefined ? {} : { binary },
    });
    this.#nodes.set(name, node);
    node.ended.then((code) => {
      if (this.#asked.has(node)) return;
      this.#lost.abort(new NodeLostError(`${name} ended by itself (exit code ${code})`));
    });
    return node;
  }

  /** The node of that name, running or ended. */
  get(name: string): MeshProcess {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`No node ${name} was started`);
    return node;
  }

  /** All nodes, running or ended, by name. */
  nodes(): ReadonlyMap<string, MeshProcess> {
    return this.#nodes;
  }

  /** Ends a node and waits for it. */
  async end(name: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const node = this.get(name);
    this.#asked.add(node);
    await node.end(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const nodes = [...this.#nodes.values()];
    for (const node of nodes) {
      this.#asked.add(node);
      node.signal("SIGTERM");
    }
    const all = Promise.all(nodes.map((node) => node.ended));
    const finished = new AbortController();
    const { hurry } = this.#options;
    const limit = hurry === undefined ? finished.signal : AbortSignal.any([finished.signal, hurry]);
    await Promise.race([all, pause(stopMs, limit)]);
    finished.abort();
    for (const node of nodes) node.signal("SIGKILL");
    await all;
    // A killed node leaves its socket, which lies elsewhere where this path is too long for one.
    for (const name of this.#nodes.keys()) await removeControlSocket(this.stateOf(name));
    await Deno.remove(this.directory, { recursive: true });
  }
}
