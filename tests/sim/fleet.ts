/**
 * A fleet in a large world: machines on local networks that routers join, as a company has them.
 * Beacons reach a node's own network; the first two machines of each network are told of a machine on
 * the next one and of one on the first (`--peer`), and so the fleet becomes one.
 *
 * @module
 */
import { type Duration, milliseconds, seconds } from "../../src/base/instant.ts";
import type { IpAddress } from "../../src/base/ip.ts";
import { Prng } from "../../src/base/prng.ts";
import { recordKey } from "../../src/wire/record_key.ts";
import { Trace } from "./faults/trace.ts";
import { ip, type MemoryHost } from "./memory_network.ts";
import { messageKindOf } from "./message_kinds.ts";
import { seedStandIn } from "./stand_in_crypto/mixing.ts";
import { type Machine, World } from "./world.ts";

/** What the fleet is like. */
export interface FleetOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Local networks, of at most 250 machines each. */
  readonly lans: number;
  /** The share of datagrams that get lost, 0 to 1. */
  readonly loss: number;
  /** From machine to machine, one way. */
  readonly delay: Duration;
  /** Whether routers join the networks, as they do unless this says no. */
  readonly isRouted?: boolean;
  /** Whether the world is one of hundreds of nodes, as it is unless this says no. */
  readonly isLarge?: boolean;
}

/** Machines on one local network, but where a crowd is what is looked at. */
export const machinesPerLanMax = 250;
/** Addresses of a local network are 10.LAN.0.1 to 10.LAN.0.250, 10.LAN.1.1 and so on. */
const addressesPerByte = 250;
/** Networks at most: the second byte of an address. */
export const lansMax = 200;
/** All start within this time. */
const startSpread = seconds(1);
/** Machines of each network that are told of machines on others. */
const seedsPerLan = 2;
/** How often a condition of a whole fleet is looked at. */
const lookEvery = milliseconds(100);

/** One that stands, and what it costs. */
export class Fleet implements Disposable {
  readonly options: FleetOptions;
  readonly world: World;
  /** For choices of the simulation, beside the world's own. */
  readonly prng: Prng;
  /** What was sent from whom to whom, when and how long: equal for equal runs. */
  readonly history = new Trace();
  readonly #numbers = new Map<MemoryHost, number>();
  /** Milliseconds of virtual time when the last machine was started. */
  lastStart = 0;

  private constructor(options: FleetOptions, world: World) {
    this.options = options;
    this.world = world;
    this.prng = new Prng([options.seed, 8]);
  }

  /** The machines, on which nothing runs yet. */
  static async make(options: FleetOptions): Promise<Fleet> {
    seedStandIn(options.seed);
    const { isLarge = true, isRouted = true } = options;
    const world = new World(options.seed, { isLarge });
    const fleet = new Fleet(options, world);
    world.network.isRouted = isRouted;
    world.network.loss = options.loss;
    world.network.delay = options.delay;
    world.network.noteSent = (from, to, length) => fleet.#note(from, to, length);
    for (let number = 0; number < options.nodes; number++) {
      const machine = await world.machine(`n${number}`, fleet.placeOf(number));
      machine.host.traffic.classify = messageKindOf;
      fleet.#numbers.set(machine.host, number);
    }
    return fleet;
  }

  /** Makes the machines and starts them all within a second of virtual time. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = await Fleet.make(options);
    await fleet.startAll();
    return fleet;
  }

  /** Starts all within a second of virtual time. */
  async startAll(): Promise<void> {
    const { world } = this;
    const starts: Promise<unknown>[] = [];
    for (const machine of world.machines) {
      const after = milliseconds(this.prng.unit() * startSpread);
      world.time.after(after, () => {
        this.lastStart = world.time.now;
        starts.push(this.startNode(machine));
      });
    }
    await world.run(startSpread);
    await world.done("all have started", Promise.all(starts));
  }

  #note(from: MemoryHost, to: MemoryHost, length: number): void {
    const sender = this.#numbers.get(from) ?? -1;
    this.history.note(this.world.time.now, sender, this.#numbers.get(to) ?? -1, length);
  }

  get machines(): readonly Machine[] {
    return this.world.machines;
  }

  /** Machines on which a node runs. */
  running(): Machine[] {
    return this.machines.filter(({ isRunning }) => isRunning);
  }

  /** Its network's number. */
  lanOf(machine: Machine): number {
    return (this.#numbers.get(machine.host) ?? 0) % this.options.lans;
  }

  /** Where the machine of that number is; from the number of nodes on nobody is yet. */
  placeOf(number: number): { readonly lan: string; readonly ips: readonly IpAddress[] } {
    return { lan: `lan${number % this.options.lans}`, ips: [this.#addressOf(number)] };
  }

  #addressOf(number: number): IpAddress {
    const lan = number % this.options.lans;
    const place = Math.floor(number / this.options.lans);
    return ip(`10.${lan}.${Math.floor(place / addressesPerByte)}.${place % addressesPerByte + 1}`);
  }

  /** Starts, or starts again, with the addresses that its owner gave it. */
  async startNode(machine: Machine): Promise<void> {
    const { lans } = this.options;
    const number = this.#numbers.get(machine.host) ?? 0;
    const lan = number % lans;
    const isSeed = lans > 1 && this.world.network.isRouted &&
      Math.floor(number / lans) < seedsPerLan;
    const peers = isSeed
      ? [...new Set([0, (lan + 1) % lans])].filter((other) => other !== lan)
        .map((other) => `${this.#addressOf(other)}:${machine.port}`)
      : [];
    await machine.start({ peers });
  }

  /** Lets time pass until it holds, looked at every 100 ms; how long that took, or `undefined`. */
  async until(
    holds: () => boolean,
    limit: Duration,
    every: Duration = lookEvery,
  ): Promise<Duration | undefined> {
    const { world } = this;
    const begun = world.time.now;
    while (!holds()) {
      if (world.time.now - begun >= limit) return undefined;
      await world.run(every);
    }
    return milliseconds(world.time.now - begun);
  }

  /** Until every node holds records of all: milliseconds since the last start; `undefined` = not within the limit. */
  async formed(limit: Duration): Promise<Duration | undefined> {
    const waiting = this.running();
    const wanted = waiting.length;
    const took = await this.until(() => {
      for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
        if (!last.isRunning || last.node.archive.store.authorCount < wanted) return false;
        waiting.pop();
      }
      return true;
    }, limit);
    return took === undefined ? undefined : milliseconds(this.world.time.now - this.lastStart);
  }

  /** The serial under which the machine's newest record of that kind is held there; 0 for none. */
  serialAt(holder: Machine, author: Machine, kind: number): number {
    return holder.node.archive.store.get(recordKey(kind, author.id, noSubject))?.serial ?? 0;
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
  }
}

const noSubject = new Uint8Array(0);
