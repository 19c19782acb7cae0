/**
 * The command line as its owner types it: one command at a time, what it printed, what it means.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { pause } from "../../scripts/eventually.ts";
import { loopbackInterface } from "../../scripts/local_fleet.ts";
import { type CommandOutput, meshCommand } from "../../scripts/mesh_process.ts";
import { isFields } from "../../src/base/json_guard.ts";
import { removeControlSocket } from "../../src/host/control_place.ts";
import { deadlineMs, eventually } from "./eventually.ts";
import { type NodeProcess, type NodeProcessOptions } from "./node_process.ts";

/** How to run a command. */
export interface MeshOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Words before the program, of one that becomes it. */
  readonly before?: readonly string[];
}

function spawn(args: readonly string[], { before = [], ...options }: MeshOptions) {
  const [program = "", ...rest] = [...before, ...meshCommand(Deno.env.get("MESH_BIN")), ...args];
  return new Deno.Command(program, {
    ...options,
    args: rest,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs `mesh` with these words to its end; one that does not come to it is stopped and fails. */
export async function mesh(
  args: readonly string[],
  options: MeshOptions = {},
): Promise<CommandOutput> {
  const child = spawn(args, options);
  const finished = new AbortController();
  let isLate = false;
  const limit = pause(3 * deadlineMs, finished.signal).then(() => {
    isLate = !finished.signal.aborted;
    if (isLate) child.kill("SIGKILL");
  });
  const output = await child.output();
  finished.abort();
  await limit;
  const decoder = new TextDecoder();
  const stdout = decoder.decode(output.stdout);
  const stderr = decoder.decode(output.stderr);
  if (isLate) throw new Error(`"mesh ${args.join(" ")}" did not end:\n${stdout}${stderr}`);
  return { code: output.code, stdout, stderr };
}

/** The objects on stdout, one a line. */
export function objectsOf({ stdout }: CommandOutput): Record<string, unknown>[] {
  return stdout.split("\n").filter((line) => line !== "").map((line) => {
    const value: unknown = JSON.parse(line);
    assert(isFields(value), line);
    return { ...value };
  });
}

/** The one object a command printed that did what it was asked, saying nothing else. */
export function resultOf(output: CommandOutput): Record<string, unknown> {
  assertEquals([output.code, output.stderr], [0, ""], output.stdout);
  const [only, ...more] = objectsOf(output);
  assert(only !== undefined && more.length === 0, output.stdout);
  return only;
}

/** The error a command printed with `--json`, whose exit code this is. */
export function errorOf(output: CommandOutput, code: number): {
  readonly code: string;
  readonly message: string;
  readonly candidates?: readonly unknown[];
} {
  assertEquals([output.code, output.stderr], [code, ""], output.stdout);
  const [only, ...more] = objectsOf(output);
  assert(only !== undefined && more.length === 0, output.stdout);
  assertEquals(Object.keys(only), ["error"]);
  const { error } = only;
  assert(isFields(error) && typeof error["code"] === "string", output.stdout);
  assert(typeof error["message"] === "string" && error["message"] !== "", output.stdout);
  const { candidates } = error;
  return {
    code: error["code"],
    message: error["message"],
    ...Array.isArray(candidates) ? { candidates } : {},
  };
}

/** A command that runs until it is stopped: its lines as they come. */
export class RunningCommand implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly errorLines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  readonly ended: Promise<number>;

  constructor(args: readonly string[], options: MeshOptions = {}) {
    this.#child = spawn(args, options);
    this.#reading = Promise.all([
      gather(this.#child.stdout, this.lines),
      gather(this.#child.stderr, this.errorLines),
    ]);
    this.ended = this.#child.status.then(async ({ code }) => {
      await this.#reading;
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The lines as objects. */
  objects(): Record<string, unknown>[] {
    return objectsOf({ code: 0, stdout: this.lines.join("\n"), stderr: "" });
  }

  /** Waits for a line's object that has these fields. */
  saw(fields: Readonly<Record<string, unknown>>, from = 0): Promise<Record<string, unknown>> {
    return eventually(
      `an event ${JSON.stringify(fields)}`,
      () =>
        this.objects().slice(from).find((event) =>
          Object.entries(fields).every(([name, value]) => event[name] === value)
        ),
    ).catch((error: unknown) => {
      throw new Error(`${error}; there were:\n${this.lines.join("\n")}`, { cause: error });
    });
  }

  /** Sends a signal; one that has ended takes none. */
  signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }
}

async function gather(stream: ReadableStream<Uint8Array<ArrayBuffer>>, lines: string[]) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  }
  if (rest !== "") lines.push(rest);
}

/** A directory for states, removed in the end with what nodes that were killed left elsewhere. */
export class Scratch implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "mesh-test-" });
  readonly #states: string[] = [];

  /** A path below it for a state directory, which is not made. */
  state(name: string): string {
    const state = `${this.path}/${name}`;
    this.#states.push(state);
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const state of this.#states) await removeControlSocket(state).catch(() => undefined);
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Options of a node that meets nobody but those it is told of: neither of this machine nor others. */
export const unseen: readonly string[] = ["--interface", loopbackInterface(), "--no-multicast"];

/** The same on a port of its own. */
export const alone: readonly string[] = [...unseen, "--listen", "0"];

/** Options that start such a node with a name, and peers that run. */
export async function aloneWith(
  name: string,
  peers: readonly NodeProcess[],
  ...more: readonly string[]
): Promise<Pick<NodeProcessOptions, "args">> {
  const ready = await Promise.all(peers.map((peer) => peer.ready()));
  const told = ready.flatMap(({ port }) => ["--peer", `127.0.0.1:${port}`]);
  return { args: [...alone, "--name", name, ...told, ...more] };
}

/** What a field holds: a word of `kinds`, or a test of its own; a `?` ends the name of one that may miss. */
export type Shape = Readonly<Record<string, FieldKind | ((value: unknown) => boolean)>>;

const kinds = {
  text: (value: unknown) => typeof value === "string",
  count: (value: unknown) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
  number: (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0,
  boolean: (value: unknown) => typeof value === "boolean",
  id: (value: unknown) => typeof value === "string" && /^[a-z2-7]{52}$/.test(value),
  instant: (value: unknown) =>
    typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value),
  words: (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === "string"),
} as const;
type FieldKind = keyof typeof kinds;

/** Whether the value has these fields, each of its kind. Others may stand beside them. */
export function hasShape(shape: Shape): (value: unknown) => boolean {
  return (value) => isFields(value) && shapeFault(value, shape) === undefined;
}

/** Whether it is a list of such values. */
export function isListOfShape(shape: Shape): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.every(hasShape(shape));
}

function shapeFault(value: Readonly<Record<string, unknown>>, shape: Shape): string | undefined {
  for (const [key, kind] of Object.entries(shape)) {
    const name = key.replace(/\?$/, "");
    if (value[name] === undefined && key.endsWith("?")) continue;
    const isRight = typeof kind === "string" ? kinds[kind] : kind;
    if (!isRight(value[name])) return name;
  }
  return undefined;
}

/** Fails, naming the field, unless the value has these fields, each of its kind. */
export function assertShape(value: unknown, shape: Shape): void {
  assert(isFields(value), JSON.stringify(value));
  const fault = shapeFault(value, shape);
  assert(fault === undefined, `"${fault}" is wrong in ${JSON.stringify(value)}`);
}

/** An object of texts. */
export function isTexts(value: unknown): boolean {
  return isFields(value) && Object.values(value).every((one) => typeof one === "string");
}
