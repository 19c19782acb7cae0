/**
 * A real node in a process of its own, from source or as the compiled executable: started, read
 * over its control socket, signalled, ended. For the demo, the benches and the tests.
 *
 * @module
 */
import { connectControl, type ControlConnection } from "../src/host/control_client.ts";
import {
  type ControlFailure,
  isControlFailure,
  type LinksReport,
  type NodeControl,
  type NodeEntry,
  RemoteControl,
  type StatusReport,
} from "../src/control/mod.ts";
import { root } from "./house.ts";

/** Lines kept of what a node logs. */
const logLinesMax = 5_000;

/** The words that start mesh: the executable, or this runtime with the source. */
export function meshCommand(binary?: string): string[] {
  return binary === undefined
    ? [Deno.execPath(), "run", "-A", "--cached-only", `${root}/src/main.ts`]
    : [binary];
}

/** How to start a node. */
export interface MeshProcessOptions {
  readonly state: string;
  /** Options of `mesh run`, besides those for the state and the log. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The compiled executable; absent = the source. */
  readonly binary?: string;
  /** Words before the program, of one that becomes it: `ip netns exec NAME`. */
  readonly before?: readonly string[];
  readonly logLevel?: "debug" | "info" | "warn" | "error";
}

/** What the node said when it was ready. */
export interface ReadyLine {
  readonly id: string;
  readonly name: string;
  readonly port: number;
}

/** What a command said. */
export interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

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

/** A node in a process of its own. Who starts it ends it. */
export class MeshProcess {
  readonly state: string;
  readonly #options: MeshProcessOptions;
  readonly #child: Deno.ChildProcess;
  readonly #log: string[] = [];
  readonly #ready = Promise.withResolvers<ReadyLine>();
  #status: Deno.CommandStatus | undefined;
  #control: Promise<ControlConnection> | undefined;
  /** Resolves to its exit code when it has ended and its last line is read. */
  readonly ended: Promise<number>;

  /** Starts it; does not wait. */
  constructor(options: MeshProcessOptions) {
    this.#options = options;
    this.state = options.state;
    const { logLevel = "info" } = options;
    const log = ["--log-format", "json", "--log-level", logLevel];
    const [program = "", ...args] = this.#words(["run", "--state", this.state, ...log]);
    this.#child = new Deno.Command(program, {
      args: [...args, ...options.args ?? []],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      env: { ...options.env },
    }).spawn();
    this.ended = this.#read();
    // Looked at in ready(): a node that nobody awaits must not end the whole program.
    this.#ready.promise.catch(() => undefined);
  }

  #words(args: readonly string[]): string[] {
    return [...this.#options.before ?? [], ...meshCommand(this.#options.binary), ...args];
  }

  async #read(): Promise<number> {
    const lines = this.#child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TransformStream<string, string>(new LineSplitter()),
    );
    for await (const line of lines) {
      this.#log.push(line);
      if (this.#log.length > logLinesMax) this.#log.shift();
      if (line.includes('"event":"ready"')) this.#ready.resolve(JSON.parse(line));
    }
    this.#status = await this.#child.status;
    const { code, signal } = this.#status;
    this.#ready.reject(new Error(`The node ended (${signal ?? code}):\n${this.log(200)}`));
    // A connection that never came about has nothing to close; whoever asked was told why.
    await this.#control?.then((connection) => connection.close(), () => undefined);
    return code;
  }

  /** Of the node itself: what stands before the program has become it. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has not ended yet. */
  get isRunning(): boolean {
    return this.#status === undefined;
  }

  /** Resolves to the ready line; rejects with the log if the node ends before it. */
  ready(): Promise<ReadyLine> {
    return this.#ready.promise;
  }

  /** The last lines that it logged. */
  log(lines: number): string {
    return this.#log.slice(-lines).join("\n");
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

  async #connect(): Promise<ControlConnection> {
    const connection = await connectControl(this.state);
    if ("unreachable" in connection) throw new Error(`The node is silent: ${connection.detail}`);
    return connection;
  }

  /** Asks it what a command would; rejects with its refusal. */
  async ask<T extends object>(
    question: (control: NodeControl) => Promise<T | ControlFailure>,
  ): Promise<T> {
    if (!this.isRunning) throw new Error("The node has ended");
    this.#control ??= this.#connect();
    const connection = await this.#control.catch((error: unknown) => {
      this.#control = undefined;
      throw error;
    });
    const answer = await question(new RemoteControl(connection.request));
    if (isControlFailure(answer)) throw new Error(answer.error.message);
    return answer;
  }

  /** `mesh status --json`. */
  status(): Promise<StatusReport> {
    return this.ask((control) => control.status());
  }

  /** `mesh nodes --json`, the list. */
  async nodes(): Promise<readonly NodeEntry[]> {
    return (await this.ask((control) => control.nodes())).nodes;
  }

  /** `mesh links --json`, the list. */
  async links(): Promise<LinksReport["links"]> {
    return (await this.ask((control) => control.links())).links;
  }

  /** Sends a signal without waiting; one that has ended takes none. */
  signal(name: Deno.Signal): void {
    if (!this.isRunning) return;
    try {
      this.#child.kill(name);
    } catch (error) {
      // It ended in between: its status will say how.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Sends a signal that ends it and waits for the end. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    this.signal(signal);
    return await this.ended;
  }
}
