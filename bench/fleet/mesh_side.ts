/**
 * This project's nodes on the hosts of the fleet bench. What they know is told by themselves over
 * their control sockets, with the time by their own clocks: all are this machine's.
 *
 * @module
 */
import { askNode, FleetEyes, type Sightings, whenAll } from "../../scripts/fleet/fleet_eyes.ts";
import { isRunning, type OwnProcess } from "../../scripts/fleet/own_process.ts";
import { type Member, type Ready, StandingFleet } from "../../scripts/fleet/standing_fleet.ts";
import { eventually } from "../../scripts/eventually.ts";
import type { FleetHosts } from "./fleet_hosts.ts";
import { type FleetSide, type Known, knownAfter } from "./fleet_side.ts";

const readyWithinMs = 300_000;
const changeWithinMs = 60_000;

/** Nodes of this project. */
export class MeshSide implements FleetSide {
  readonly #hosts: FleetHosts;
  readonly #binary: string;
  readonly #directory: string;
  readonly #members = new Map<string, Member>();
  readonly #ids = new Map<string, string>();
  readonly #fleet: Promise<StandingFleet>;
  #eyes: FleetEyes | undefined;
  #changes = 0;

  constructor(hosts: FleetHosts, binary: string) {
    this.#hosts = hosts;
    this.#binary = binary;
    this.#directory = Deno.makeTempDirSync({ dir: hosts.directory });
    this.#fleet = StandingFleet.create(`${this.#directory}/fleet`);
  }

  #options(host: string) {
    return { args: [], binary: this.#binary, before: this.#hosts.before(host) };
  }

  async start(hosts: readonly string[], together: boolean): Promise<number> {
    const fleet = await this.#fleet;
    const readies = await fleet.startAll(hosts, (host) => this.#options(host), {
      together,
      withinMs: readyWithinMs,
    });
    for (const ready of readies) await this.#note(ready);
    return Math.max(...readies.map(({ readyAt }) => readyAt));
  }

  async #note({ name, id }: Ready): Promise<void> {
    const member = await (await this.#fleet).member(name);
    if (member === undefined) throw new Error(`${name} was not started`);
    this.#members.set(name, member);
    this.#ids.set(name, id);
  }

  async allKnowAll(withinMs: number): Promise<number> {
    const all = [...this.#members.values()];
    const at = await whenAll(all, async (control) => {
      const status = await control.status();
      return "reachable" in status && status.reachable === all.length;
    }, { withinMs });
    if (at === undefined) throw new Error(`Not all know all within ${withinMs} ms`);
    return at;
  }

  /** Eyes on every node: opened when somebody first wants to see, so that forming is undisturbed. */
  async #look(): Promise<FleetEyes> {
    if (this.#eyes === undefined) {
      this.#eyes = new FleetEyes();
      for (const member of this.#members.values()) await this.#eyes.open(member);
    }
    return this.#eyes;
  }

  /** When each of the others told it. */
  async #told(seen: Sightings, withinMs: number): Promise<number[]> {
    const others = this.#members.size - 1;
    const times = await seen.of(others, withinMs);
    if (times.length === others) return times;
    throw new Error(`Only ${times.length} of ${others} told it within ${withinMs} ms`);
  }

  async change(host: string): Promise<Known> {
    const eyes = await this.#look();
    const id = this.#ids.get(host);
    using seen = eyes.expect((event, watcher) =>
      event.event === "node-changed" && event.id === id && watcher !== host
    );
    // The host gets another address, so its node tells of it in a new record.
    const address = `10.78.${this.#changes >> 8}.${this.#changes++ & 255}/32`;
    await this.#hosts.lan.on(host, "ip", "addr", "add", address, "dev", "eth0");
    const times = await this.#told(seen, changeWithinMs);
    const state = this.#members.get(host)?.state ?? "";
    const { nodes } = await askNode(state, (control) => control.nodes());
    return knownAfter(Date.parse(nodes.find((node) => node.id === id)?.infoAt ?? ""), times);
  }

  async vanish(host: string, how: () => Promise<void>, withinMs: number): Promise<Known> {
    const eyes = await this.#look();
    const id = this.#ids.get(host);
    using seen = eyes.expect((event, watcher) =>
      event.event === "node-unreachable" && event.id === id && watcher !== host
    );
    const happenedAt = Date.now();
    await how();
    return knownAfter(happenedAt, await this.#told(seen, withinMs));
  }

  async restart(host: string): Promise<void> {
    const fleet = await this.#fleet;
    const old: OwnProcess | undefined = this.#members.get(host);
    await eventually(`${host} has ended`, async () => old === undefined || !await isRunning(old));
    await this.#eyes?.close(host);
    const member = await fleet.start(host, this.#options(host));
    await this.#note(await fleet.ready(member, readyWithinMs));
    await this.#eyes?.open(member);
  }

  pid(host: string): number {
    return this.#members.get(host)?.pid ?? NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#eyes?.[Symbol.asyncDispose]();
    await (await this.#fleet).down();
    await Deno.remove(this.#directory, { recursive: true });
  }
}
