/**
 * Real nodes as real processes, from source or as the compiled executable (`MESH_BIN`), driven
 * through the command line as its owner would.
 *
 * @module
 */
import { root } from "../../scripts/house.ts";
import { eventually } from "./eventually.ts";
import { type CommandOutput, must } from "./lan.ts";
import type { LinksReport, NodeEntry, NodesReport, StatusReport } from "../../src/node/report.ts";

/** The words that start mesh: the compiled executable if `MESH_BIN` names one, else the source. */
export function meshCommand(binary: string | undefined = Deno.env.get("MESH_BIN")): string[] {
  return binary === undefined
    ? [Deno.execPath(), "run", "-A", "--cached-only", `${root}/src/main.ts`]
    : [binary];
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

/** What the node said when it was ready. */
export interface ReadyLine {
  readonly id: string;
  readonly name: string;
  readonly port: number;
}

const lines = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
  stream.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TransformStream<string, string>(new LineSplitter()),
  );

class LineSplitter {
  #rest = "";
  transform(chunk: string, controller: TransformStreamDefaultController<string>): void {
    const parts = (this.#rest + chunk).split("\n");
    this.#rest = parts.pop() ?? "";
    for (const part of parts) controller.enqueue(part);
  }
  flush(controller: TransformStreamDefaultController<string>): void {
    if (this.#rest !== "") controller.enqueue(this.#rest);
  }
}

/** A running node. Dispose of it: it is killed if it still runs, and a state of its own removed. */
export class NodeProcess implements AsyncDisposable {
  readonly state: string;
  readonly #options: NodeProcessOptions;
  readonly #child: Deno.ChildProcess;
  readonly #log: string[] = [];
  readonly #reading: Promise<void>;
  readonly #ready = Promise.withResolvers<ReadyLine>();
  #status: Deno.CommandStatus | undefined;

  private constructor(options: NodeProcessOptions, state: string) {
    this.#options = options;
    this.state = state;
    const words = this.#words([
      "run",
      "--state",
      state,
      "--log-format",
      "json",
      "--log-level",
      "debug",
      ...options.args ?? [],
    ]);
    const [program = "", ...args] = words;
    this.#child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      env: { ...options.env },
    }).spawn();
    this.#reading = this.#read();
  }

  #words(args: readonly string[]): string[] {
    const inside = this.#options.namespace === undefined
      ? []
      : ["ip", "netns", "exec", this.#options.namespace];
    return [...inside, ...meshCommand(this.#options.binary), ...args];
  }

  async #read(): Promise<void> {
    for await (const line of lines(this.#child.stderr)) {
      this.#log.push(line);
      if (this.#log.length > 5_000) this.#log.shift();
      if (!line.includes('"event":"ready"')) continue;
      this.#ready.resolve(JSON.parse(line));
    }
    this.#status = await this.#child.status;
    this.#ready.reject(new Error(`The node ended (${this.#status.code}):\n${this.log()}`));
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
    const state = options.state ?? Deno.makeTempDirSync({ prefix: "mesh-test-" });
    const node = new NodeProcess(options, state);
    // Looked at in ready(); a node that nobody awaits must not end the tests.
    node.#ready.promise.catch(() => undefined);
    return node;
  }

  /** Resolves to the ready line; rejects with the log if the node ends before it. */
  ready(): Promise<ReadyLine> {
    return this.#ready.promise;
  }

  /** The last lines the node logged. */
  log(): string {
    return this.#log.slice(-200).join("\n");
  }

  /** Runs a command against this node. */
  async mesh(...args: readonly string[]): Promise<CommandOutput> {
    const [program = "", ...rest] = this.#words([...args, "--state", this.state]);
    const output = await new Deno.Command(program, { args: rest, stdin: "null" }).output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  }

  /** What a reading command prints with `--json`, asked over the control socket directly. */
  async #get<T>(path: string): Promise<T> {
    const client = Deno.createHttpClient({
      proxy: { transport: "unix", path: `${this.state}/control.sock` },
    });
    try {
      const response = await fetch(`http://mesh/v1/${path}`, { client });
      return await response.json();
    } finally {
      client.close();
    }
  }

  /** `mesh status --json`. */
  status(): Promise<StatusReport> {
    return this.#get("status");
  }

  /** `mesh nodes --json`, the list. */
  async nodes(): Promise<readonly NodeEntry[]> {
    return (await this.#get<NodesReport>("nodes")).nodes;
  }

  /** `mesh links --json`, the list. */
  async links(): Promise<LinksReport["links"]> {
    return (await this.#get<LinksReport>("links")).links;
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
    return this.#end("SIGTERM");
  }

  /** Kills it. */
  kill(): Promise<number> {
    return this.#end("SIGKILL");
  }

  /** Sends a signal without waiting. `ip netns exec` becomes the node, so the child is the node. */
  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  async #end(signal: Deno.Signal): Promise<number> {
    if (this.#status === undefined) {
      try {
        this.#child.kill(signal);
      } catch (error) {
        // It ended in between: its status says how.
        if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await this.#reading;
    return this.#status?.code ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#options.state === undefined) await must("rm", "-rf", this.state);
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
