/**
 * Local networks in memory: machines with interfaces on them, datagrams and beacons that take time,
 * get lost, and stop at one-way cuts. Nothing happens here but in virtual time.
 *
 * @module
 */
import { type Bytes, copyBytes } from "../../src/base/bytes.ts";
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
import type { VirtualTime } from "./virtual_clock.ts";

const beaconPort = 7410;

/** An IP address that a test wrote down. */
export function ip(text: string): IpAddress {
  const parsed = parseIp(text);
  invariant(parsed !== undefined, `"${text}" is an address`);
  return parsed;
}

/** What has arrived and waits for its reader. */
class Inbox<T> {
  readonly #items: T[] = [];
  #wake: () => void = () => {};
  #isClosed = false;

  put(item: T): void {
    if (this.#isClosed) return;
    this.#items.push(item);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  async *read(): AsyncGenerator<T> {
    while (!this.#isClosed) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
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
}

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

/** All local networks of a world. Those of other names are worlds apart, except for routed addresses. */
export class MemoryNetwork {
  readonly time: VirtualTime;
  readonly #prng: Prng;
  readonly #hosts: MemoryHost[] = [];
  readonly #cuts = new Set<string>();
  readonly #delays = new Map<string, Duration>();
  /** The share of datagrams and beacons that get lost. */
  loss = 0;
  /** How long anything takes from machine to machine, unless `setDelay` says otherwise. */
  delay = milliseconds(1);
  /** Whether datagrams get through at all; beacons and streams do. */
  filter: DatagramFilter = (bytes) => bytes;
  /** Duplicates, delays and loses beyond `loss` and `delay`. */
  weather: Weather = () => onTime;
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
    return this.#delays.get(`${from.name} ${to.name}`) ?? this.delay;
  }

  /** Whether what one sends reaches the other, but for loss. */
  passes(from: MemoryHost, to: MemoryHost): boolean {
    return !this.#cuts.has(`${from.name} ${to.name}`);
  }

  /** Who has the address on a network of this name. */
  holder(lan: string, wanted: IpAddress): { host: MemoryHost; at: Attachment } | undefined {
    for (const host of this.#hosts) {
      for (const at of host.attachments) {
        if (at.lan === lan && at.ips.includes(wanted)) return { host, at };
      }
    }
    return undefined;
  }

  /** Everybody on the network. */
  *on(lan: string): Generator<{ host: MemoryHost; at: Attachment }> {
    for (const host of this.#hosts) {
      for (const at of host.attachments) if (at.lan === lan) yield { host, at };
    }
  }

  /** Carries something from one to the other, if it is not lost on the way. */
  carry(bytes: Bytes, from: MemoryHost, to: MemoryHost, arrive: (bytes: Bytes) => void): void {
    if (!this.passes(from, to) || this.#prng.unit() < this.loss) return;
    this.noteSent(from, to, bytes.length);
    const usual = this.delayOf(from, to);
    for (const more of this.weather(from, to)) {
      const copy = copyBytes(bytes);
      this.time.after(milliseconds(usual + more), () => {
        this.noteArrived(from, to);
        // The kernel has it; the process may be stopped or slow.
        const late = to.lateness();
        if (late > 0) this.time.after(late, () => arrive(copy));
        else arrive(copy);
      });
    }
  }
}

/** One machine: its interfaces, as the node that runs there sees them. */
export class MemoryHost implements Network {
  readonly name: string;
  readonly network: MemoryNetwork;
  /** How much later than it should the process here does what it has to do now. */
  lateness: () => Duration = () => milliseconds(0);
  readonly #attachments = new Map<string, Attachment>();
  readonly #sockets = new Map<string, BoundSocket>();
  readonly #channels = new Set<MemoryBeacons>();
  #interfacesMade = 0;

  constructor(network: MemoryNetwork, name: string) {
    this.network = network;
    this.name = name;
  }

  /** Its interfaces and what they are attached to. */
  get attachments(): readonly Attachment[] {
    return [...this.#attachments.values()];
  }

  /** Plugs an interface in; again under the same name = it moved or its addresses changed. */
  attach(name: string, lan: string, ...ips: readonly IpAddress[]): void {
    const index = this.#attachments.get(name)?.index ?? ++this.#interfacesMade;
    this.#attachments.set(name, { name, index, lan, ips });
  }

  /** Unplugs it. */
  detach(name: string): void {
    this.#attachments.delete(name);
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
    for (const at of this.#attachments.values()) {
      if (to.zone !== undefined && to.zone !== at.name) continue;
      const own = local ??
        at.ips.find((one) =>
          isIpv6(one) === isIpv6(to.ip) &&
          (ipScope(one) === ipScope(to.ip) || to.zone === undefined)
        );
      if (own === undefined || !at.ips.includes(own)) continue;
      const found = this.network.holder(at.lan, to.ip);
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
    const bound: BoundSocket = { inbox, interfaceName };
    this.#sockets.set(key, bound);
    return {
      local: address,
      interfaceName,
      send: (bytes, to) => Promise.resolve(this.#send(bytes, address, to)),
      received: () => inbox.read(),
      close: () => {
        inbox.close();
        if (this.#sockets.get(key) === bound) this.#sockets.delete(key);
      },
    };
  }

  #send(bytes: Bytes, from: SocketAddress, to: SocketAddress): boolean {
    const isOurs = this.attachments.some(({ ips }) => ips.includes(from.ip));
    if (!isOurs || !this.#sockets.has(formatSocketAddress(from))) return false;
    this.network.sent++;
    this.network.sentBytes += bytes.length;
    const path = this.pathTo(to, from.ip);
    if (path === undefined) return true; // Nobody there: it gets lost, as it would on a wire.
    const passed = this.network.filter(bytes, this, path.to, to);
    if (passed === undefined) return true;
    this.network.carry(passed, this, path.to, (arrived) => {
      path.to.#arrive(arrived, from, to, path.remoteInterface);
    });
    return true;
  }

  /** Puts a datagram into the socket at `to`, as if `from` had sent it. */
  inject(bytes: Bytes, from: SocketAddress, to: SocketAddress, interfaceName: string): void {
    this.#arrive(bytes, from, to, interfaceName);
  }

  #arrive(bytes: Bytes, from: SocketAddress, to: SocketAddress, interfaceName: string): void {
    if (this.#attachments.get(interfaceName)?.ips.includes(to.ip) !== true) return;
    const at = formatSocketAddress(socketAddress(to.ip, to.port, interfaceName));
    this.#sockets.get(at)?.inbox.put({
      bytes,
      from: socketAddress(from.ip, from.port, interfaceName),
    });
  }

  async openBeacons(): Promise<BeaconChannel> {
    await Promise.resolve();
    const channel = new MemoryBeacons(this, () => this.#channels.delete(channel));
    this.#channels.add(channel);
    return channel;
  }

  /** A beacon arrives on the interface. */
  hear(bytes: Bytes, from: IpAddress, interfaceName: string): void {
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
      for (const { host, at: hearer } of network.on(at.lan)) {
        if (!hearer.ips.some((one) => isIpv6(one) === isIpv6(from))) continue;
        network.carry(bytes, this.#host, host, (arrived) => host.hear(arrived, from, hearer.name));
      }
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
    return this.#inbox.read();
  }

  close(): void {
    this.#inbox.close();
    this.#onClose();
  }
}
