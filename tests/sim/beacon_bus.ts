/**
 * A little world for discovery alone: networks on which every beacon reaches every node, addresses
 * that can be dialled or not, links that form at once, all in virtual time. What the exchange, the
 * records and the monitor do is played: a link makes two islands one, and with `gossip` everybody on
 * it learns everybody's addresses.
 *
 * @module
 */
import { KnownBook } from "../fixtures/known_book.ts";
import { type Instant, instant } from "../../src/base/instant.ts";
import { type IpAddress, ipFromBytes, ipToBytes, isIpv6 } from "../../src/base/ip.ts";
import { Prng } from "../../src/base/prng.ts";
import {
  Discovery,
  type DiscoveryEffect,
  type HeardBeacon,
  type UnlinkReason,
} from "../../src/discovery/mod.ts";
import type { NetworkInterface } from "../../src/platform/network.ts";
import { type NodeId, nodeIdFromBytes } from "../../src/wire/node_id.ts";
import {
  formatSocketAddress,
  type SocketAddress,
  socketAddress,
} from "../../src/wire/socket_address.ts";

export { ip } from "../fixtures/addresses.ts";

/** What a dialler meets at a port. */
export type PortState = "open" | "refused" | "timeout";

/** Settings of a world. */
export interface BeaconBusOptions {
  readonly seed: number;
  /** Whether nodes have an IPv6 link-local address beside the IPv4 one. Default `false`. */
  readonly ipv6?: boolean;
  /** Whether a link teaches both islands each other's nodes. Default `true`. */
  readonly gossip?: boolean;
  /** Links beyond which a node lets the dialler go again. Default 32. */
  readonly accepts?: number;
}

const port = 7411;
const beaconLatency = 1;
const exchangeLatency = 8;
const refusalLatency = 1;
const connectTimeoutMs = 3_000;

/** A node of the world. */
export interface BusNode {
  readonly index: number;
  readonly id: NodeId;
  readonly ip: IpAddress;
  machine: Discovery;
  /** Whom its records name. */
  known: KnownBook;
  /** Name of the network it is on. */
  network: string;
  alive: boolean;
  portState: PortState;
  readonly links: Map<NodeId, BusNode>;
  firstLinkAt: Instant | undefined;
  beaconsSent: number;
  beaconsHeard: number;
  readonly dialsTo: Map<string, number>;
  readonly warnings: Map<NodeId, { raisedAt: Instant; address: string }>;
  /** Moments at which an address was dialled, for nodes that ask for it. */
  dialLog: { at: Instant; to: string; why: string }[] | undefined;
}

/** An id for the world: any number gives another. */
export function idOf(number: number): NodeId {
  const bytes = new Uint8Array(32);
  const prng = new Prng([number, 0x1d, 1, 1]);
  for (let i = 0; i < 32; i++) bytes[i] = prng.below(256);
  const id = nodeIdFromBytes(bytes);
  if (id === undefined) throw new Error("Cannot make an id");
  return id;
}

interface Happening {
  readonly at: Instant;
  readonly order: number;
  readonly run: () => void;
}

/** The world. */
export class BeaconBus {
  now: Instant = instant(1_000);
  readonly nodes: BusNode[] = [];
  readonly prng: Prng;
  readonly #options: BeaconBusOptions;
  readonly #heap: Happening[] = [];
  #order = 0;
  readonly #wakeAt = new Map<BusNode, number>();
  readonly #byAddress = new Map<string, BusNode>();
  readonly #islands = new Map<BusNode, Set<BusNode>>();
  readonly #smallest = new Map<Set<BusNode>, NodeId>();

  constructor(options: BeaconBusOptions) {
    this.#options = options;
    this.prng = new Prng([options.seed, 7, 7, 7]);
  }

  /** Starts a node now. */
  start(network: string, portState: PortState = "open", peers: readonly string[] = []): BusNode {
    const index = this.nodes.length;
    const address = ipFromBytes(Uint8Array.of(10, 0, index >> 8, 1 + (index & 0xff) % 255));
    if (address === undefined) throw new Error("Cannot make an address");
    const known = this.#book(index);
    const node: BusNode = {
      index,
      id: idOf(index),
      ip: address,
      machine: this.#machine(index, known, peers),
      known,
      network,
      alive: true,
      portState,
      links: new Map(),
      firstLinkAt: undefined,
      beaconsSent: 0,
      beaconsHeard: 0,
      dialsTo: new Map(),
      warnings: new Map(),
      dialLog: undefined,
    };
    this.nodes.push(node);
    for (const one of this.#interface(node).addresses) {
      this.#byAddress.set(this.#textOf(node, one.ip), node);
    }
    const island = new Set([node]);
    this.#islands.set(node, island);
    this.#smallest.set(island, node.id);
    this.#perform(node, node.machine.handleInterfaces([this.#interface(node)], this.now));
    return node;
  }

  /** Kills a node's process and starts it again, with what its disk knew. */
  restart(node: BusNode): void {
    const known = [...this.#islandOf(node)].filter((other) => other !== node);
    node.known = this.#book(node.index);
    node.machine = this.#machine(node.index, node.known, []);
    node.links.clear();
    node.firstLinkAt = undefined;
    for (const other of known) {
      node.known.add(other.id, [socketAddress(other.ip, port)]);
      node.machine.handleKnown(other.id);
    }
    this.#perform(node, node.machine.handleInterfaces([this.#interface(node)], this.now));
  }

  /** Ends a link on both sides. */
  cut(a: BusNode, b: BusNode, why: UnlinkReason): void {
    a.links.delete(b.id);
    b.links.delete(a.id);
    this.#rebuildIslands();
    this.#perform(a, a.machine.handleUnlinked(b.id, why, this.now));
    this.#perform(b, b.machine.handleUnlinked(a.id, why, this.now));
  }

  /** A beacon of somebody outside, to every node of the network. */
  forge(network: string, beacon: HeardBeacon, from: SocketAddress, islandAgrees: boolean): void {
    for (const node of this.nodes) {
      if (node.network === network && node.alive) this.#hear(node, beacon, from, islandAgrees);
    }
  }

  /** Lets time pass. */
  run(untilMs: number): void {
    const until = instant(untilMs);
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) break;
      this.#pop();
      if (next.at > this.now) this.now = next.at;
      next.run();
    }
    this.now = until;
  }

  /** Does something at a later moment. */
  at(whenMs: number, run: () => void): void {
    this.#push(instant(whenMs), run);
  }

  /** How many islands there are among living nodes. */
  get islands(): number {
    return new Set(this.nodes.filter((node) => node.alive).map((node) => this.#islandOf(node)))
      .size;
  }

  /** Whether two nodes stand on one island. */
  together(a: BusNode, b: BusNode): boolean {
    return this.#islandOf(a) === this.#islandOf(b);
  }

  #book(index: number): KnownBook {
    return new KnownBook(new Prng([this.#options.seed, index, this.now, 4]));
  }

  #machine(index: number, known: KnownBook, peers: readonly string[]): Discovery {
    const prng = new Prng([this.#options.seed, index, this.now, 3]);
    return new Discovery({ self: idOf(index), port, prng, peers, known }, this.now);
  }

  #interface(node: BusNode): NetworkInterface {
    const addresses = [{ ip: node.ip, prefixLength: 8 }];
    if (this.#options.ipv6 === true) {
      const bytes = new Uint8Array(16);
      bytes.set([0xfe, 0x80]);
      bytes.set(ipToBytes(node.ip), 12);
      const linkLocal = ipFromBytes(bytes);
      if (linkLocal !== undefined) addresses.push({ ip: linkLocal, prefixLength: 64 });
    }
    return { name: "eth0", index: 2, addresses };
  }

  #textOf(_node: BusNode, address: IpAddress): string {
    return formatSocketAddress(socketAddress(address, port, "eth0"));
  }

  #islandOf(node: BusNode): Set<BusNode> {
    const island = this.#islands.get(node);
    if (island === undefined) throw new Error("Cannot find the island of a node");
    return island;
  }

  #hear(node: BusNode, beacon: HeardBeacon, from: SocketAddress, agrees: boolean): void {
    node.beaconsHeard++;
    if (!node.machine.admitBeacon(from, this.now)) return;
    this.#perform(node, node.machine.handleBeacon(beacon, from, "eth0", agrees, this.now));
  }

  #perform(node: BusNode, effects: readonly DiscoveryEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "beacon":
          this.#beacon(node, effect.solicit);
          break;
        case "dial":
          this.#dial(node, effect.to, effect.why);
          break;
        case "resolve": {
          const match = /^n(\d+)$/.exec(effect.peer);
          const other = match === null ? undefined : this.nodes[Number(match[1])];
          const found = other === undefined ? [] : [socketAddress(other.ip, port)];
          this.#push(instant(this.now + 5), () => {
            this.#perform(node, node.machine.handlePeerResolved(effect.peer, found, this.now));
          });
          break;
        }
        case "warn":
          node.warnings.set(effect.id, {
            raisedAt: this.now,
            address: formatSocketAddress(effect.address),
          });
          break;
        case "unwarn":
          if (!node.warnings.delete(effect.id)) throw new Error("unwarn without a warn");
          break;
      }
    }
    this.#wake(node);
  }

  #wake(node: BusNode): void {
    const next = node.machine.nextTimeout();
    if (next === undefined || !node.alive) return;
    const planned = this.#wakeAt.get(node);
    if (planned !== undefined && planned <= next && planned > this.now) return;
    this.#wakeAt.set(node, next);
    this.#push(next > this.now ? next : this.now, () => {
      if (this.#wakeAt.get(node) === next) this.#wakeAt.delete(node);
      if (!node.alive) return;
      const due = node.machine.nextTimeout();
      if (due !== undefined && due <= this.now) {
        this.#perform(node, node.machine.handleTimeout(this.now));
        const again = node.machine.nextTimeout();
        if (again !== undefined && again <= this.now) throw new Error("a machine that spins");
      } else {
        this.#wake(node);
      }
    });
  }

  #beacon(node: BusNode, solicitation: boolean): void {
    node.beaconsSent++;
    const beacon = { id: node.id, port, solicitation };
    const smallest = this.#smallest.get(this.#islandOf(node));
    const { network } = node;
    this.#push(instant(this.now + beaconLatency), () => {
      for (const other of this.nodes) {
        if (other.network !== network || !other.alive) continue;
        const agrees = this.#smallest.get(this.#islandOf(other)) === smallest;
        // Loop-back is on: the sender hears itself, over both IP versions.
        for (const { ip } of this.#interface(node).addresses) {
          const from = socketAddress(ip, 7410, isIpv6(ip) ? "eth0" : undefined);
          this.#hear(other, beacon, from, agrees);
        }
      }
    });
  }

  #dial(node: BusNode, to: SocketAddress, why: string): void {
    const text = formatSocketAddress(to);
    node.dialsTo.set(text, (node.dialsTo.get(text) ?? 0) + 1);
    node.dialLog?.push({ at: this.now, to: text, why });
    const other = this.#byAddress.get(text);
    const { machine } = node;
    const report = (afterMs: number, run: () => readonly DiscoveryEffect[]) =>
      this.#push(instant(this.now + afterMs), () => {
        if (node.alive && node.machine === machine) this.#perform(node, run());
      });
    if (other === node) {
      report(exchangeLatency, () => machine.handleDialled(to, { kind: "self" }, this.now));
    } else if (
      other === undefined || !other.alive || other.network !== node.network ||
      other.portState === "timeout"
    ) {
      report(
        connectTimeoutMs,
        () => machine.handleDialled(to, { kind: "failed", reason: "timeout" }, this.now),
      );
    } else if (other.portState === "refused") {
      report(
        refusalLatency,
        () => machine.handleDialled(to, { kind: "failed", reason: "refused" }, this.now),
      );
    } else {
      report(exchangeLatency, () => {
        const proved = machine.handleDialled(to, { kind: "proved", id: other.id }, this.now);
        return [...proved, ...this.#link(node, other, to)];
      });
    }
  }

  #link(dialler: BusNode, other: BusNode, to: SocketAddress): readonly DiscoveryEffect[] {
    const full = other.links.size >= (this.#options.accepts ?? 32) && !other.links.has(dialler.id);
    if (full || !other.alive) return [];
    dialler.links.set(other.id, other);
    other.links.set(dialler.id, dialler);
    dialler.firstLinkAt ??= this.now;
    other.firstLinkAt ??= this.now;
    this.#join(dialler, other);
    const address = socketAddress(dialler.ip, port);
    this.#perform(other, other.machine.handleLinked(dialler.id, address, this.now));
    return dialler.machine.handleLinked(other.id, to, this.now);
  }

  #join(a: BusNode, b: BusNode): void {
    const left = this.#islandOf(a);
    const right = this.#islandOf(b);
    if (left === right) return;
    if (this.#options.gossip !== false) {
      for (const one of left) {
        for (const other of right) {
          this.#teach(one, other);
          this.#teach(other, one);
        }
      }
    }
    const [large, small] = left.size >= right.size ? [left, right] : [right, left];
    for (const node of small) {
      large.add(node);
      this.#islands.set(node, large);
    }
    this.#smallest.set(large, smallestOf(large));
  }

  #teach(learner: BusNode, about: BusNode): void {
    learner.known.add(about.id, [socketAddress(about.ip, port)], true);
    learner.machine.handleKnown(about.id);
    learner.machine.handlePaths(this.now);
    this.#wake(learner);
  }

  #rebuildIslands(): void {
    const seen = new Set<BusNode>();
    for (const node of this.nodes) {
      if (seen.has(node)) continue;
      const island = new Set<BusNode>([node]);
      for (const member of island) {
        seen.add(member);
        for (const neighbour of member.links.values()) island.add(neighbour);
      }
      for (const member of island) this.#islands.set(member, island);
      this.#smallest.set(island, smallestOf(island));
    }
  }

  #push(at: Instant, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, run });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    let parent = 0;
    for (;;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#before(child, least)) least = child;
      }
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #before(i: number, j: number): boolean {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}

function smallestOf(island: ReadonlySet<BusNode>): NodeId {
  let smallest: NodeId | undefined;
  for (const { id } of island) if (smallest === undefined || id < smallest) smallest = id;
  if (smallest === undefined) throw new Error("Cannot find the smallest id of nobody");
  return smallest;
}
