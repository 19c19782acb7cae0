/**
 * memberlist's agents on the hosts of the fleet bench (`scripts/peers`): its defaults for a LAN, with
 * an AES-256 key, joining through the first host. They tell what they know on their standard output.
 *
 * @module
 */
import { eventually } from "../../scripts/eventually.ts";
import { root } from "../../scripts/house.ts";
import { isFields, parseJson } from "../../src/base/json_guard.ts";
import { command } from "../../tests/e2e/lan.ts";
import { SkippedError } from "../frame.ts";
import type { FleetHosts } from "./fleet_hosts.ts";
import { type FleetSide, type Known, knownAfter } from "./fleet_side.ts";

const readyWithinMs = 60_000;
const changeWithinMs = 60_000;
const lookEveryMs = 20;
/** Agents that start at a time where not all start at once: as many as this project's nodes. */
const startingMax = 4;

interface Told {
  readonly at: number;
  readonly event: string;
  readonly name: string;
  readonly count: number;
}

/** One agent and all that it told. */
class Agent {
  readonly told: Told[] = [];
  readonly child: Deno.ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(words: readonly string[]) {
    const [program = "", ...args] = words;
    this.child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#ended = this.#read();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const value = parseJson(line);
        if (!isFields(value)) continue;
        this.told.push({
          at: Number(value["at"]),
          event: String(value["event"]),
          name: String(value["name"] ?? ""),
          count: Number(value["count"] ?? 0),
        });
      }
    }
  }

  /** The first time after `since` that it told this. */
  when(event: string, since: number, match: (told: Told) => boolean = () => true) {
    return this.told.find((told) => told.event === event && told.at >= since && match(told))?.at;
  }

  async end(): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch (error) {
      // It ended before.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.child.status;
    await this.#ended;
  }
}

/** Builds the agent; rejects with `SkippedError` where that cannot be done. */
export async function buildPeers(output: string): Promise<void> {
  try {
    const { code, stderr } = await command(
      "go",
      "-C",
      `${root}/scripts/peers`,
      "build",
      "-o",
      output,
    );
    if (code !== 0) throw new SkippedError(`memberlist cannot be built: ${stderr.slice(0, 200)}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new SkippedError("no Go for memberlist");
    throw error;
  }
}

/** Agents of memberlist. */
export class MemberlistSide implements FleetSide {
  readonly #hosts: FleetHosts;
  readonly #binary: string;
  readonly #agents = new Map<string, Agent>();

  constructor(hosts: FleetHosts, binary: string) {
    this.#hosts = hosts;
    this.#binary = binary;
  }

  async #spawn(host: string): Promise<number> {
    const [first = host] = this.#hosts.names;
    const { lan } = this.#hosts;
    const join = host === first ? [] : ["-join", lan.ipv4(first)];
    const words = [this.#binary, "-name", host, "-bind", lan.ipv4(host), ...join];
    const agent = new Agent([...this.#hosts.before(host), ...words]);
    this.#agents.set(host, agent);
    return await eventually(`${host} listens`, () => agent.when("ready", 0), {
      withinMs: readyWithinMs,
      everyMs: lookEveryMs,
    });
  }

  async start(hosts: readonly string[], together: boolean): Promise<number> {
    const waiting = [...hosts];
    const times: number[] = [];
    const worker = async () => {
      for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
        times.push(await this.#spawn(host));
      }
    };
    const workers = together ? hosts.length : startingMax;
    await Promise.all(Array.from({ length: workers }, worker));
    return Math.max(...times);
  }

  async allKnowAll(withinMs: number): Promise<number> {
    const agents = [...this.#agents.values()];
    const alive = (agent: Agent) => {
      const at = agent.told.findLastIndex(({ event }) => event === "members" || event === "dead");
      const last = agent.told[at];
      return last?.event === "members" && last.count === agents.length ? last.at : undefined;
    };
    await eventually("all know all", () => agents.every((agent) => alive(agent) !== undefined), {
      withinMs,
      everyMs: lookEveryMs,
    });
    return Math.max(...agents.map((agent) => alive(agent) ?? NaN));
  }

  async #othersTell(host: string, event: string, since: number, withinMs: number) {
    const others = [...this.#agents].filter(([name]) => name !== host).map(([, agent]) => agent);
    const when = (agent: Agent) => agent.when(event, since, ({ name }) => name === host);
    await eventually(
      `all others tell of ${host}`,
      () => others.every((agent) => when(agent) !== undefined),
      { withinMs, everyMs: lookEveryMs },
    );
    return others.map((agent) => when(agent) ?? NaN);
  }

  async change(host: string): Promise<Known> {
    const agent = this.#agents.get(host);
    const since = Date.now();
    agent?.child.kill("SIGHUP");
    const changedAt = await eventually("it has changed", () => agent?.when("changed", since));
    return knownAfter(
      changedAt,
      await this.#othersTell(host, "update", changedAt, changeWithinMs),
    );
  }

  async vanish(host: string, how: () => Promise<void>, withinMs: number): Promise<Known> {
    const happenedAt = Date.now();
    await how();
    return knownAfter(happenedAt, await this.#othersTell(host, "dead", happenedAt, withinMs));
  }

  async restart(host: string): Promise<void> {
    await this.#agents.get(host)?.end();
    await this.#spawn(host);
  }

  pid(host: string): number {
    return this.#agents.get(host)?.child.pid ?? NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.end()));
  }
}
