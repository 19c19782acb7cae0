/**
 * What must hold at every moment of every world, whatever its faults. Checked after each event; a
 * store is looked through only after it changed.
 *
 * - Nobody holds a record that its author did not sign.
 * - Serials never go back: not in what a running node holds, and not in what an author publishes,
 *   over power cuts too. No serial bears two records.
 * - A link stands on an exchange that both ends finished, and on datagrams in both directions.
 * - Nothing holds more than its limit.
 *
 * @module
 */
import { type Bytes, toHex } from "../../../src/base/bytes.ts";
import type { Node } from "../../../src/node/node.ts";
import type { NodeId } from "../../../src/wire/node_id.ts";
import type { RecordKey } from "../../../src/wire/record_key.ts";
import type { MemoryHost } from "../memory_network.ts";
import type { Machine, World } from "../world.ts";
import { overfull } from "./bounds.ts";
import type { Trace } from "./trace.ts";

/** Something that must never be was. */
export class SafetyViolation extends Error {
  override readonly name = "SafetyViolation";
}

interface Version {
  readonly serial: number;
  readonly bytes: Bytes;
}

/** What was seen of one process. */
interface Seen {
  readonly node: Node;
  version: number;
  /** Newest version seen per key, those that have gone since included. */
  readonly newest: Map<RecordKey, Version>;
  events: number;
}

/** How a world is watched. */
export interface SafetyOptions {
  readonly trace: Trace;
  /** Only every so many events is everything looked at: in big worlds. Default 1. */
  readonly stride?: number;
}

const signatureLength = 64;
/** Counting takes longer than an event: what is too much stays too much for a while. */
const boundsStride = 16;

/** Watches one world from its beginning to its end. */
export class Safety {
  readonly #world: World;
  readonly #trace: Trace;
  readonly #stride: number;
  readonly #seen = new Map<Machine, Seen>();
  /** What each machine has published: the highest serial per key. */
  readonly #published = new Map<Machine, Map<RecordKey, number>>();
  /** Which bytes each author's serial bears. */
  readonly #borne = new Map<string, string>();
  /** When the last exchange between two machines was finished, the last datagram arrived. */
  readonly #exchanged = new Map<string, number>();
  readonly #arrived = new Map<string, number>();
  #event = 0;
  #checks = 0;
  #exchanges = 0;

  constructor(world: World, options: SafetyOptions) {
    this.#world = world;
    this.#trace = options.trace;
    this.#stride = options.stride ?? 1;
    const numbers = new Map<MemoryHost, number>();
    const numberOf = (host: MemoryHost) => {
      const known = numbers.get(host) ?? numbers.size;
      numbers.set(host, known);
      return known;
    };
    world.network.noteSent = (from, to, length) => {
      this.#trace.note(world.time.now, numberOf(from), numberOf(to), length);
    };
    world.network.noteArrived = (from, to) => {
      this.#arrived.set(pairOf(from, to), world.time.now);
    };
    world.streams.noteAnswered = (from, to, path, status) => {
      if (path !== "/mesh/v1/confirm" || status !== 200) return;
      this.#exchanges++;
      this.#exchanged.set(pairOf(from, to), world.time.now);
      this.#exchanged.set(pairOf(to, from), world.time.now);
    };
    world.time.afterEach = () => {
      if (this.#event++ % this.#stride === 0) this.check();
    };
  }

  /** Looks through stores that were done so far: that a world was watched at all. */
  get checks(): number {
    return this.#checks;
  }

  /** Exchanges that were finished so far. */
  get exchanges(): number {
    return this.#exchanges;
  }

  /** Looks at everything that has changed since the last time. */
  check(): void {
    const { machines } = this.#world;
    for (const machine of machines) {
      if (machine.isRunning) this.#checkMachine(machine);
      else this.#seen.delete(machine);
    }
    if (this.#event % boundsStride !== 0) return;
    const one = machines[this.#event / boundsStride % machines.length];
    if (one?.isRunning === true) this.#checkBounds(one);
  }

  #checkMachine(machine: Machine): void {
    const { node } = machine;
    let seen = this.#seen.get(machine);
    if (seen === undefined || seen.node !== node) {
      seen = { node, version: -1, newest: new Map(), events: machine.eventsAtStart };
      this.#seen.set(machine, seen);
    }
    const { version } = node.archive.store;
    if (version !== seen.version) {
      seen.version = version;
      this.#checkStore(machine, seen);
    }
    for (; seen.events < machine.events.length; seen.events++) {
      const event = machine.events[seen.events];
      if (event?.event === "link-up" && event.id !== undefined) this.#checkLink(machine, event.id);
    }
  }

  #checkStore(machine: Machine, seen: Seen): void {
    this.#checks++;
    for (const record of machine.node.archive.store.records()) {
      const { key, serial, author, bytes } = record;
      const before = seen.newest.get(key);
      if (before?.bytes === bytes) continue;
      const hash = toHex(record.hash);
      const what = `record ${key.slice(0, 10)} serial ${serial} of ${this.#world.nameOf(author)}`;
      if (before !== undefined && serial < before.serial) {
        this.#fail(machine, `${what} took the place of serial ${before.serial}`);
      }
      seen.newest.set(key, { serial, bytes });
      this.#trace.note(this.#world.time.now, serial);
      if (!this.#world.signatures.has(toHex(bytes.subarray(-signatureLength)))) {
        this.#fail(machine, `nobody signed ${what}`);
      }
      if (this.#world.isCloned(author)) continue;
      const name = `${key} ${serial}`;
      const borne = this.#borne.get(name) ?? hash;
      if (borne !== hash) this.#fail(machine, `two records bear one serial: ${what}`);
      this.#borne.set(name, borne);
      if (author === machine.id) this.#checkPublished(machine, key, serial, what);
    }
  }

  #checkPublished(machine: Machine, key: RecordKey, serial: number, what: string): void {
    let published = this.#published.get(machine);
    if (published === undefined) this.#published.set(machine, published = new Map());
    const highest = published.get(key) ?? 0;
    if (serial < highest) this.#fail(machine, `${what} is published after serial ${highest}`);
    published.set(key, serial);
  }

  #checkLink(machine: Machine, id: NodeId): void {
    const others = this.#world.machines.filter((other) => other.id === id && other !== machine);
    const holds = others.some((other) =>
      this.#isSince(this.#exchanged, machine, other.host, machine.host) &&
      this.#isSince(this.#arrived, machine, other.host, machine.host) &&
      this.#isSince(this.#arrived, machine, machine.host, other.host)
    );
    if (holds) return;
    this.#fail(machine, `a link with ${this.#world.nameOf(id)} without proof in both directions`);
  }

  #isSince(
    times: ReadonlyMap<string, number>,
    machine: Machine,
    from: MemoryHost,
    to: MemoryHost,
  ): boolean {
    return (times.get(pairOf(from, to)) ?? -1) >= machine.startedAt;
  }

  #checkBounds(machine: Machine): void {
    const [first] = overfull(machine.node.gauges());
    if (first !== undefined) this.#fail(machine, first);
  }

  #fail(machine: Machine, what: string): never {
    throw new SafetyViolation(
      `${machine.name}, ${(this.#world.time.now / 1_000).toFixed(3)} s into the world: ${what}`,
    );
  }
}

function pairOf(from: MemoryHost, to: MemoryHost): string {
  return `${from.name} ${to.name}`;
}
