/**
 * Real nodes on this machine that outlive the program that started them. One private directory holds
 * for each node NAME its state `NAME/`, its log `NAME.log` and its process number `NAME.pid`; whoever
 * opens that directory later finds them again. Nothing but what stands there is ever ended.
 *
 * @module
 */
import { isFields, parseJson } from "../../src/base/json_guard.ts";
import { removeControlSocket } from "../../src/host/control_place.ts";
import { eventually, pause } from "../eventually.ts";
import { meshCommand, type ReadyLine } from "../mesh_process.ts";
import { join } from "../paths.ts";
import { isRunning, type OwnProcess, signalOwn } from "./own_process.ts";

/** A node that is asked to stop ends within 5 s (CLI contract); a busy machine gets longer. */
const stopMs = 10_000;
/** From one look at what starts or ends to the next. */
const lookEveryMs = 50;
/** Nodes that start at a time where not all start at once: what two processors can do. */
const startingMax = 4;
/** A process number as the file holds it. */
const pidPattern = /^\d{1,10}$/;

/** The node's number is on the disk before the node runs: no crash leaves one that nobody knows. */
const launcher = 'echo $$ > "$1.pid"; exec 2>> "$1.log"; shift; exec "$@"';

/** How to start a node. */
export interface MemberOptions {
  /** Options of `mesh run`, besides those for the state, the name and the log. */
  readonly args: readonly string[];
  /** The compiled executable; absent = the source. */
  readonly binary?: string;
  /** Words before the program, of one that becomes it: `ip netns exec NAME`. */
  readonly before?: readonly string[];
}

/** When a node was ready, and as what. */
export interface Ready extends ReadyLine {
  /** By its own clock: milliseconds since 1970. */
  readonly readyAt: number;
}

/** One of the nodes, running or ended. */
export interface Member extends OwnProcess {
  readonly name: string;
  readonly state: string;
}

/** What its log says of the last start; `undefined` while it is not ready. */
function readyIn(log: string): Ready | undefined {
  const line = log.split("\n").findLast((one) => one.includes('"event":"ready"'));
  const value = line === undefined ? undefined : parseJson(line);
  if (!isFields(value)) return undefined;
  const { id, name, port, at } = value;
  if (typeof id !== "string" || typeof name !== "string" || typeof port !== "number") {
    return undefined;
  }
  return { id, name, port, readyAt: Date.parse(String(at)) };
}

/** The nodes of one directory. */
export class StandingFleet {
  /** Mode 0700. */
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** A fleet without nodes in a directory that does not exist yet. */
  static async create(directory: string): Promise<StandingFleet> {
    await Deno.mkdir(directory, { mode: 0o700 });
    return new StandingFleet(directory);
  }

  /** The fleet of a directory; `undefined` if there is none. Rejects if it is somebody else's. */
  static async open(directory: string): Promise<StandingFleet | undefined> {
    try {
      const { isDirectory, uid, mode } = await Deno.lstat(directory);
      const isOurs = Deno.build.os === "windows" ||
        (uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0);
      if (isDirectory && isOurs) return new StandingFleet(directory);
      throw new Error(`${directory} is not a private directory of this user`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.directory, name);
  }

  /** All nodes, running or ended, by name. */
  async members(): Promise<Member[]> {
    const members: Member[] = [];
    for await (const { name: file } of Deno.readDir(this.directory)) {
      if (!file.endsWith(".pid")) continue;
      const name = file.slice(0, -".pid".length);
      const member = await this.member(name);
      if (member !== undefined) members.push(member);
    }
    return members.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  }

  /** The nodes that run. */
  async running(): Promise<Member[]> {
    const members = await this.members();
    const runs = await Promise.all(members.map(isRunning));
    return members.filter((_, at) => runs[at] === true);
  }

  /** The node of that name; `undefined` if it was never started. */
  async member(name: string): Promise<Member | undefined> {
    const path = `${this.#path(name)}.pid`;
    try {
      const pid = (await Deno.readTextFile(path)).trim();
      const { mtime } = await Deno.stat(path);
      if (!pidPattern.test(pid) || mtime === null) return undefined;
      const state = this.#path(name);
      return { name, state, pid: Number(pid), notedAt: mtime.getTime(), mark: state };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Starts a node, or one that has ended again; resolves when its process number is known. */
  async start(name: string, { args, binary, before = [] }: MemberOptions): Promise<Member> {
    const path = this.#path(name);
    await Deno.remove(`${path}.pid`).catch(() => undefined);
    await Deno.remove(`${path}.log`).catch(() => undefined);
    const log = ["--log-format", "json", "--log-level", "info"];
    const words = [...before, ...meshCommand(binary), "run", "--state", path, "--name", name];
    const child = new Deno.Command("sh", {
      args: ["-c", launcher, "sh", path, ...words, ...log, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      // A session of its own: Ctrl-C at the terminal is not for it.
      detached: true,
    }).spawn();
    child.unref();
    return await eventually(`${name} has a process`, () => this.member(name), {
      everyMs: lookEveryMs,
    });
  }

  /** What the node said when it was ready; `undefined` while it is not. */
  async readyOf(name: string): Promise<Ready | undefined> {
    return readyIn(await this.log(name));
  }

  /** What the node has logged since its last start. */
  async log(name: string): Promise<string> {
    try {
      return await Deno.readTextFile(`${this.#path(name)}.log`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  /** Waits until the node is ready; rejects with its log if it ends before. */
  async ready(member: Member, withinMs: number): Promise<Ready> {
    return await eventually(`${member.name} is ready`, async () => {
      const runs = await isRunning(member);
      const ready = await this.readyOf(member.name);
      if (ready !== undefined || runs) return ready;
      throw new Error(`${member.name} ended:\n${(await this.log(member.name)).slice(-4_000)}`);
    }, { withinMs, everyMs: lookEveryMs });
  }

  /**
   * Starts the named nodes and waits until all are ready.
   *
   * @param together All at once; else a few at a time, the next when one of them is ready.
   * @param onReady Told of each as it is ready.
   */
  async startAll(
    names: readonly string[],
    options: (name: string) => MemberOptions,
    { together, withinMs, onReady }: {
      readonly together: boolean;
      readonly withinMs: number;
      readonly onReady?: (ready: Ready) => void;
    },
  ): Promise<Ready[]> {
    const readies: Ready[] = [];
    const waiting = [...names];
    const worker = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const ready = await this.ready(await this.start(name, options(name)), withinMs);
        readies.push(ready);
        onReady?.(ready);
      }
    };
    const workers = together ? names.length : startingMax;
    await Promise.all(Array.from({ length: workers }, worker));
    return readies;
  }

  /** Ends every node, then removes the directory; resolves to how many were ended. */
  async down(): Promise<number> {
    const running = await this.running();
    for (const member of running) await signalOwn(member, "SIGTERM");
    const end = performance.now() + stopMs;
    let left = running;
    while (left.length > 0 && performance.now() < end) {
      await pause(lookEveryMs);
      left = await this.running();
    }
    for (const member of left) await signalOwn(member, "SIGKILL");
    await eventually("all have ended", async () => (await this.running()).length === 0, {
      everyMs: lookEveryMs,
    });
    // A killed node leaves its socket, which lies elsewhere where its path is too long for one.
    for (const { state } of await this.members()) await removeControlSocket(state);
    await Deno.remove(this.directory, { recursive: true });
    return running.length;
  }
}
