/**
 * Local networks in memory: machines with interfaces on them, datagrams and beacons that take time,
 * get lost, and stop at one-way cuts. Nothing happens here but in virtual time.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { type Duration, milliseconds } from "../../src/base/instant.ts";
import { type IpAddress, ipScope, isIpv6, parseIp } from "../../src/base/ip.ts";
import { invariant } from "../../src/base/invariant.ts";
import type { Prng } from "../../src/base/prng.ts";
import type {
  BeaconChannel,
  DatagramSocket,
  Network,
  NetworkInterface,
  ReceivedBeacon,
  ReceivedDatagram,
} from "../../src/platform/network.ts";
import {
  formatSocketAddress,
  type SocketAddress,
  socketAddress,
} from "../../src/wire/socket_address.ts";
import { Traffic, type TrafficKind } from "./traffic.ts";
import type { VirtualTime } from "./virtual_clock.ts";

const beaconPort = 7410;

/** An IP address that a test wrote down. */
export function ip(text: string): IpAddress {
  const parsed = parseIp(text);
  invariant(parsed !== undefined, `"${text}" is an address`);
  return parsed;
}

/** What has arrived and waits for its one reader; no generator, for worlds read from it all day. */
class Inbox<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = [];
  #waiting: ((result: IteratorResult<T, undefined>) => void) | undefined;
  #isClosed = false;

  put(item: T): void {
    if (this.#isClosed) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#items.push(item);
    else waiting({ value: item, done: false });
  }

  close(): void {
    this.#isClosed = true;
    this.#items.length = 0;
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#isClosed) return Promise.resolve({ value: undefined, done: true });
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

interface Attachment {
  readonly name: string;
  readonly index: number;
  readonly lan: string;
  readonly ips: readonly IpAddress[];
}

/** How a machine reaches another. */
export interface MemoryPath {
  readonly to: MemoryHost;
  /** The sender's address and interface. */
  readonly local: IpAddress;
  readonly interfaceName: string;
  /** The receiver's interface. */
  readonly remoteInterface: string;
}

interface BoundSocket {
  readonly inbox: Inbox<ReceivedDatagram>;
  readonly interfaceName: string;
  /** Ways to where it sent lately, valid while the network's wiring is that of `wiring`. */
  readonly ways: Map<IpAddress, Way[]>;
  wiring: number;
}

/** A way from one socket to one address, looked up once. */
interface Way {
  readonly to: SocketAddress;
  readonly path: MemoryPath;
  /** Name of the socket there. */
  readonly key: string;
  /** The sender as the receiver sees it. */
  readonly from: SocketAddress;
}

/** Someone on a local network. */
interface Member {
  readonly host: MemoryHost;
  readonly at: Attachment;
}

/** A local network by address. */
interface Lan {
  readonly members: readonly Member[];
  /** Of two with one address, whoever was made first. */
  readonly holders: ReadonlyMap<IpAddress, Member>;
}

const emptyLan: Lan = { members: [], holders: new Map() };

/** Who watches what is sent to an address, or changes it: `undefined` loses the datagram. */
export type DatagramFilter = (
  bytes: Bytes,
  from: MemoryHost,
  to: MemoryHost,
  address: SocketAddress,
) => Bytes | undefined;

/** The weather between two machines: how much later than usual each copy arrives; no copy = lost. */
export type Weather = (from: MemoryHost, to: MemoryHost) => readonly Duration[];

const onTime: readonly Duration[] = [milliseconds(0)];
const fair: Weather = () => onTime;

/** All local networks of a world. Those of other names are worlds apart, except for routed addresses. */
export class MemoryNetwork {
  readonly time: VirtualTime;
  readonly #prng: Prng;
  readonly #hosts: MemoryHost[] = [];
  readonly #cuts = new Set<string>();
  readonly #delays = new Map<string, Duration>();
  #lans: ReadonlyMap<string, Lan> | undefined;
  #anywhere: ReadonlyMap<IpAddress, Member> = new Map();
  #wiring = 0;
  /**
   * Whether routers join the local networks: then every address but the link-local ones is reached
   * from everywhere. Beacons stay where they are.
   */
  isRouted = false;
  /** The share of datagrams and beacons that get lost. */
  loss = 0;
  /** How long anything takes from machine to machine, unless `setDelay` says otherwise. */
  delay = milliseconds(1);
  /** Whether datagrams get through at all; beacons and streams do. */
  filter: DatagramFilter = (bytes) => bytes;
  /** Whether beacons are heard by anybody. */
  carriesBeacons = true;
  /** Duplicates, delays and loses beyond `loss` and `delay`. */
  weather: Weather = fair;
  /** Told of everything that sets out, and of everything that arrives. */
  noteSent: (from: MemoryHost, to: MemoryHost, length: number) => void = () => {};
  noteArrived: (from: MemoryHost, to: MemoryHost) => void = () => {};
  /** Datagrams and bytes sent so far, beacons included. */
  sent = 0;
  sentBytes = 0;

  constructor(time: VirtualTime, prng: Prng) {
    this.time = time;
    this.#prng = prng;
  }

  /** A new machine without interfaces. */
  host(name: string): MemoryHost {
    const host = new MemoryHost(this, name);
    this.#hosts.push(host);
    return host;
  }

  /** Nothing gets from one to the other any more; the other direction stays. */
  cut(from: MemoryHost, to: MemoryHost): void {
    this.#cuts.add(`${from.name} ${to.name}`);
  }

  /** What was cut works again. */
  mend(from: MemoryHost, to: MemoryHost): void {
    this.#cuts.delete(`${from.name} ${to.name}`);
  }

  /** From now on it takes this long from one to the other. */
  setDelay(from: MemoryHost, to: MemoryHost, delay: Duration): void {
    this.#delays.set(`${from.name} ${to.name}`, delay);
  }

  /** How long it takes. */
  delayOf(from: MemoryHost, to: MemoryHost): Duration {
    if (this.#delays.size === 0) return this.delay;
    return this.#delays.get(`${from.name} ${to.name}`) ?? this.delay;
  }

  /** Whether what one sends reaches the other, but for loss. */
  passes(from: MemoryHost, to: MemoryHost): boolean {
    return this.#cuts.size === 0 || !this.#cuts.has(`${from.name} ${to.name}`);
  }

  /** Changes whenever an interface does. */
  get wiring(): number {
    return this.#wiring;
  }

  /** An interface was plugged in or out, or its addresses changed. */
  rewire(): void {
    this.#wiring++;
    this.#lans = undefined;
  }

  #lan(name: string): Lan {
    this.#lans ??= this.#wire();
    return this.#lans.get(name) ?? emptyLan;
  }

  #wire(): ReadonlyMap<string, Lan> {
    const anywhere = new Map<IpAddress, Member>();
    this.#anywhere = anywhere;
    const lans = new Map<string, { members: Member[]; holders: Map<IpAddress, Member> }>();
    for (const host of this.#hosts) {
      for (const at of host.attachments) {
        const lan = lans.get(at.lan) ??
          { members: new Array<Member>(), holders: new Map<IpAddress, Member>() };
        lans.set(at.lan, lan);
        const member: Member = { host, at };
        lan.members.push(member);
        for (const one of at.ips) {
          if (!lan.holders.has(one)) lan.holders.set(one, member);
          if (!anywhere.has(one)) anywhere.set(one, member);
        }
      }
    }
    return lans;
  }

  /** Who has the address on a network of this name. */
  holder(lan: string, wanted: IpAddress): Member | undefined {
    return this.#lan(lan).holders.get(wanted);
  }

  /** Who is reached under the address over routers. */
  holderBeyond(wanted: IpAddress): Member | undefined {
    if (!this.isRouted || ipScope(wanted) === "link-local") return undefined;
    this.#lans ??= this.#wire();
    return this.#anywhere.get(wanted);
  }

  /** Everybody on the network. */
  on(lan: string): readonly Member[] {
    return this.#lan(lan).members;
  }

  /**
   * Carries something from one to the other, if it is not lost on the way. The bytes are not copied:
   * nobody changes what was sent.
   */
  carry(bytes: Bytes, from: MemoryHost, to: MemoryHost, arrive: (bytes: Bytes) => void): void {
    if (!this.passes(from, to) || this.#prng.unit() < this.loss) return;
    this.noteSent(from, to, bytes.length);
    const usual = this.delayOf(from, to);
    for (const more of this.weather(from, to)) {
      this.time.after(milliseconds(usual + more), () => {
        this.noteArrived(from, to);
        // The kernel has it; the process may be stopped or slow.
        const late = to.lateness();
        if (late > 0) this.time.after(late, () => arrive(bytes));
        else arrive(bytes);
      });
    }
  }

  /**
   * The same for what all of them hear. In fair weather those at one distance hear it at one moment,
   * which is one event and not hundreds.
   */
  carryToAll(
    bytes: Bytes,
    from: MemoryHost,
    hearers: readonly Member[],
    arrive: (bytes: Bytes, hearer: Member) => void,
  ): void {
    if (!this.carriesBeacons) return;
    if (this.weather !== fair) {
      for (const hearer of hearers) {
        this.carry(bytes, from, hearer.host, (arrived) => arrive(arrived, hearer));
      }
      return;
    }
    const groups = new Map<Duration, Member[]>();
    for (const hearer of hearers) {
      if (!this.passes(from, hearer.host) || this.#prng.unit() < this.loss) continue;
      this.noteSent(from, hearer.host, bytes.length);
      const delay = this.delayOf(from, hearer.host);
      const group = groups.get(delay);
      if (group === undefined) groups.set(delay, [hearer]);
      else group.push(hearer);
    }
    for (const [delay, group] of groups) {
      this.time.after(delay, () => {
        for (const hearer of group) {
          this.noteArrived(from, hearer.host);
          const late = hearer.host.lateness();
          if (late > 0) this.time.after(late, () => arrive(bytes, hearer));
          else arrive(bytes, hearer);
        }
      });
    }
  }
}

/** One machine: its interfaces, as the node that runs there sees them. */
export class MemoryHost implements Network {
  readonly name: string;
  readonly network: MemoryNetwork;
  /** What went in and out here. */
  readonly traffic = new Traffic();
  /** How much later than it should the process here does what it has to do now. */
  lateness: () => Duration = () => milliseconds(0);
  readonly #attachments = new Map<string, Attachment>();
  readonly #sockets = new Map<string, BoundSocket>();
  readonly #channels = new Set<MemoryBeacons>();
  #interfacesMade = 0;
  #listed: readonly Attachment[] | undefined;

  constructor(network: MemoryNetwork, name: string) {
    this.network = network;
    this.name = name;
  }

  /** Its interfaces and what they are attached to. */
  get attachments(): readonly Attachment[] {
    this.#listed ??= [...this.#attachments.values()];
    return this.#listed;
  }

  #rewire(): void {
    this.#listed = undefined;
    this.network.rewire();
  }

  /** Plugs an interface in; again under the same name = it moved or its addresses changed. */
  attach(name: string, lan: string, ...ips: readonly IpAddress[]): void {
    const index = this.#attachments.get(name)?.index ?? ++this.#interfacesMade;
    this.#attachments.set(name, { name, index, lan, ips });
    this.#rewire();
  }

  /** Unplugs it. */
  detach(name: string): void {
    this.#attachments.delete(name);
    this.#rewire();
  }

  /** The process that had them is gone: what was bound is free, nobody is told. */
  releaseAll(): void {
    this.#sockets.clear();
    this.#channels.clear();
  }

  interfaces(): readonly NetworkInterface[] {
    return this.attachments.map(({ name, index, ips }) => ({
      name,
      index,
      addresses: ips.map((each) => ({ ip: each, prefixLength: isIpv6(each) ? 64 : 24 })),
    }));
  }

  /** The way to an address, from `local` if that is given. */
  pathTo(to: SocketAddress, local?: IpAddress): MemoryPath | undefined {
    for (const at of this.attachments) {
      if (to.zone !== undefined && to.zone !== at.name) continue;
      const own = local ??
        at.ips.find((one) =>
          isIpv6(one) === isIpv6(to.ip) &&
          (ipScope(one) === ipScope(to.ip) || to.zone === undefined)
        );
      if (own === undefined || !at.ips.includes(own)) continue;
      const found = this.network.holder(at.lan, to.ip) ?? this.network.holderBeyond(to.ip);
      if (found === undefined) continue;
      return {
        to: found.host,
        local: own,
        interfaceName: at.name,
        remoteInterface: found.at.name,
      };
    }
    return undefined;
  }

  async bindDatagram(address: SocketAddress, interfaceName: string): Promise<DatagramSocket> {
    await Promise.resolve();
    const key = formatSocketAddress(address);
    if (this.#attachments.get(interfaceName)?.ips.includes(address.ip) !== true) {
      throw new Error("Cannot assign requested address (os error 99)");
    }
    if (this.#sockets.has(key)) throw new Error("Address already in use (os error 98)");
    const inbox = new Inbox<ReceivedDatagram>();
    const bound: BoundSocket = { inbox, interfaceName, ways: new Map(), wiring: 0 };
    this.#sockets.set(key, bound);
    return {
      local: address,
      interfaceName,
      send: (bytes, to) => Promise.resolve(this.#send(bytes, bound, key, address, to)),
      received: () => inbox,
      close: () => {
        inbox.close();
        if (this.#sockets.get(key) === bound) this.#sockets.delete(key);
      },
    };
  }

  #send(
    bytes: Bytes,
    bound: BoundSocket,
    key: string,
    from: SocketAddress,
    to: SocketAddress,
  ): boolean {
    const isOurs = this.attachments.some(({ ips }) => ips.includes(from.ip));
    if (!isOurs || !this.#sockets.has(key)) return false;
    const { network } = this;
    network.sent++;
    network.sentBytes += bytes.length;
    const kind = this.traffic.noteDatagramOut(bytes, to.ip);
    const way = this.#way(bound, from, to);
    if (way === undefined) return true; // Nobody there: it gets lost, as it would on a wire.
    const { path } = way;
    const passed = network.filter(bytes, this, path.to, to);
    if (passed === undefined) return true;
    const passedKind = passed === bytes ? kind : undefined;
    network.carry(passed, this, path.to, (arrived) => path.to.#arrive(arrived, way, passedKind));
    return true;
  }

  #way(bound: BoundSocket, from: SocketAddress, to: SocketAddress): Way | undefined {
    if (bound.wiring !== this.network.wiring) {
      bound.ways.clear();
      bound.wiring = this.network.wiring;
    }
    const known = bound.ways.get(to.ip);
    if (known !== undefined) {
      for (const way of known) {
        if (way.to.port === to.port && way.to.zone === to.zone) return way;
      }
    }
    const path = this.pathTo(to, from.ip);
    if (path === undefined) return undefined;
    const { remoteInterface } = path;
    const way: Way = {
      to,
      path,
      key: formatSocketAddress(socketAddress(to.ip, to.port, remoteInterface)),
      from: socketAddress(from.ip, from.port, remoteInterface),
    };
    if (known === undefined) bound.ways.set(to.ip, [way]);
    else known.push(way);
    return way;
  }

  /** Puts a datagram into the socket at `to`, as if `from` had sent it. */
  inject(bytes: Bytes, from: SocketAddress, to: SocketAddress, interfaceName: string): void {
    const key = formatSocketAddress(socketAddress(to.ip, to.port, interfaceName));
    this.#put(bytes, socketAddress(from.ip, from.port, interfaceName), to, interfaceName, key);
  }

  #arrive(bytes: Bytes, { from, to, path, key }: Way, kind: TrafficKind | undefined): void {
    this.#put(bytes, from, to, path.remoteInterface, key, kind);
  }

  #put(
    bytes: Bytes,
    from: SocketAddress,
    to: SocketAddress,
    interfaceName: string,
    key: string,
    kind?: TrafficKind,
  ): void {
    if (this.#attachments.get(interfaceName)?.ips.includes(to.ip) !== true) return;
    this.traffic.noteDatagramIn(bytes, to.ip, kind);
    this.#sockets.get(key)?.inbox.put({ bytes, from });
  }

  async openBeacons(): Promise<BeaconChannel> {
    await Promise.resolve();
    const channel = new MemoryBeacons(this, () => this.#channels.delete(channel));
    this.#channels.add(channel);
    return channel;
  }

  /** A beacon arrives on the interface. */
  hear(bytes: Bytes, from: IpAddress, interfaceName: string): void {
    this.traffic.noteBeaconIn(bytes, from);
    for (const channel of this.#channels) channel.hear(bytes, from, interfaceName);
  }
}

/** The beacon group as one process sees it. */
class MemoryBeacons implements BeaconChannel {
  readonly #host: MemoryHost;
  readonly #inbox = new Inbox<ReceivedBeacon>();
  readonly #onClose: () => void;
  #joined = new Set<string>();

  constructor(host: MemoryHost, onClose: () => void) {
    this.#host = host;
    this.#onClose = onClose;
  }

  async follow(interfaces: readonly NetworkInterface[]) {
    await Promise.resolve();
    this.#joined = new Set(interfaces.map(({ name }) => name));
    return interfaces.map(({ name }) => ({ name, multicast: true }));
  }

  async send(bytes: Bytes, interfaceName: string): Promise<number> {
    await Promise.resolve();
    const at = this.#host.attachments.find(({ name }) => name === interfaceName);
    if (at === undefined) return 0;
    const { network } = this.#host;
    const froms = [false, true].flatMap((six) =>
      at.ips.filter((one) => isIpv6(one) === six).slice(0, 1)
    );
    for (const from of froms) {
      network.sent++;
      network.sentBytes += bytes.length;
      this.#host.traffic.noteBeaconOut(bytes, from);
      const hearers = network.on(at.lan).filter((hearer) =>
        hearer.at.ips.some((one) => isIpv6(one) === isIpv6(from))
      );
      network.carryToAll(bytes, this.#host, hearers, (arrived, { host, at: { name } }) => {
        host.hear(arrived, from, name);
      });
    }
    return froms.length;
  }

  hear(bytes: Bytes, from: IpAddress, interfaceName: string): void {
    if (!this.#joined.has(interfaceName)) return;
    this.#inbox.put({
      bytes,
      from: socketAddress(from, beaconPort, interfaceName),
      interfaceName,
    });
  }

  received(): AsyncIterable<ReceivedBeacon> {
    return this.#inbox;
  }

  close(): void {
    this.#inbox.close();
    this.#onClose();
  }
}
