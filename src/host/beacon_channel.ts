/**
 * The beacon groups on the interfaces of this machine. IPv6 has one socket per interface, bound to
 * the group with its scope, so that the socket tells where a beacon came from. IPv4 has one socket
 * for all: there the sender's network tells the interface, and senders of other networks are not
 * heard. Beacons are sent from a socket on each address, so that their sender can be dialled back.
 * PROTOCOL §9.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { type IpAddress, ipScope, isIpv6, samePrefix } from "../base/ip.ts";
import type { Clock } from "../platform/clock.ts";
import type { BeaconChannel, NetworkInterface, ReceivedBeacon } from "../platform/network.ts";
import { beaconGroupIpv4, beaconGroupIpv6, beaconPort } from "../wire/beacon.ts";
import { receiveFrom } from "./datagram_socket.ts";
import { Inbox } from "./inbox.ts";
import { BEACON_INBOX_MAX } from "./limits.ts";
import { machine } from "./machine.ts";

/** One address of one interface that sends to, and hears, the group of its family. */
interface Leg {
  readonly interfaceName: string;
  readonly ip: IpAddress;
  readonly index: number | undefined;
}

/** A leg that works. */
interface OpenLeg extends Leg {
  readonly sender: Deno.DatagramConn;
  /** Where its beacons go, as the system is told. */
  readonly group: string;
  readonly close: () => void;
}

// Windows cannot bind to a group: there the socket hears the port on every address.
const canBindToGroup = machine.os !== "windows";

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Closes what is open when a later step fails: runs the steps backwards, whatever they throw. */
function closeAll(steps: readonly (() => void)[]): void {
  for (const step of steps.toReversed()) {
    try {
      step();
    } catch {
      // The interface went away and took its membership along; nothing is left to undo.
    }
  }
}

function keyOf(leg: Leg): string {
  return `${leg.interfaceName} ${leg.index ?? ""} ${leg.ip}`;
}

/**
 * Which addresses of an interface carry beacons: its IPv6 link-local one and its IPv4 ones. IPv6
 * groups cannot be reached on a loopback interface, which has no link-local address either.
 */
export function beaconLegs(one: NetworkInterface): readonly Leg[] {
  const linkLocal = one.addresses.find(({ ip }) => isIpv6(ip) && ipScope(ip) === "link-local");
  const legs: Leg[] = one.addresses.filter(({ ip }) => !isIpv6(ip))
    .map(({ ip }) => ({ interfaceName: one.name, ip, index: one.index }));
  return linkLocal === undefined || one.index === undefined
    ? legs
    : [{ interfaceName: one.name, ip: linkLocal.ip, index: one.index }, ...legs];
}

/** The beacon port of this machine, shared with its other nodes. */
export class SystemBeaconChannel implements BeaconChannel {
  readonly #clock: Clock;
  readonly #port: number;
  readonly #inbox = new Inbox<ReceivedBeacon>(BEACON_INBOX_MAX);
  readonly #legs = new Map<string, OpenLeg>();
  readonly #closed = new AbortController();
  #interfaces: readonly NetworkInterface[] = [];
  #ipv4: Deno.DatagramConn | undefined;
  /** Calls of `follow` run one after the other. */
  #following: Promise<unknown> = Promise.resolve();

  /** @param port Other than the beacon port in tests only. */
  constructor(clock: Clock, port: number = beaconPort) {
    this.#clock = clock;
    this.#port = port;
  }

  follow(interfaces: readonly NetworkInterface[]): ReturnType<BeaconChannel["follow"]> {
    const result = this.#following.then(() => this.#follow(interfaces));
    this.#following = result.catch(() => {}); // The caller of this turn hears of it, not the next.
    return result;
  }

  async #follow(
    interfaces: readonly NetworkInterface[],
  ): Promise<{ name: string; multicast: boolean; reason?: string }[]> {
    if (this.#closed.signal.aborted) return [];
    this.#interfaces = interfaces;
    const wanted = new Map(interfaces.flatMap(beaconLegs).map((leg) => [keyOf(leg), leg]));
    for (const [key, leg] of this.#legs) {
      if (!wanted.has(key)) this.#drop(key, leg);
    }
    const reasons = new Map<string, string[]>();
    for (const [key, leg] of wanted) {
      if (this.#legs.has(key)) continue;
      try {
        const open = isIpv6(leg.ip) ? await this.#openIpv6(leg) : await this.#openIpv4(leg);
        if (this.#closed.signal.aborted) open.close();
        else this.#legs.set(key, open);
      } catch (error) {
        // An IPv6 address whose uniqueness is still being checked cannot be bound for a second or
        // two; a later call tries again.
        const waits = isIpv6(leg.ip) && error instanceof Deno.errors.AddrNotAvailable;
        const why = waits ? "the address is not ready yet" : errorText(error);
        const list = reasons.get(leg.interfaceName) ?? [];
        reasons.set(leg.interfaceName, [...list, `${leg.ip}: ${why}`]);
      }
    }
    return interfaces.map(({ name }) => {
      const multicast = this.#legsOf(name).length > 0;
      const reason = reasons.get(name)?.join("; ");
      if (reason !== undefined) return { name, multicast, reason };
      if (multicast) return { name, multicast };
      return { name, multicast, reason: "no address that can join a group" };
    });
  }

  async send(bytes: Bytes, interfaceName: string): Promise<number> {
    const sent = await Promise.all(
      this.#legsOf(interfaceName).map(async (leg) => {
        try {
          await leg.sender.send(bytes, { transport: "udp", hostname: leg.group, port: this.#port });
          return 1;
        } catch {
          return 0; // The interface may just have gone; the next look at the interfaces tells.
        }
      }),
    );
    return sent.reduce<number>((sum, one) => sum + one, 0);
  }

  received(): AsyncIterable<ReceivedBeacon> {
    return this.#inbox;
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    for (const [key, leg] of this.#legs) this.#drop(key, leg);
    this.#ipv4?.close();
    this.#ipv4 = undefined;
    this.#inbox.end();
  }

  #legsOf(interfaceName: string): OpenLeg[] {
    return [...this.#legs.values()].filter((leg) => leg.interfaceName === interfaceName);
  }

  #drop(key: string, leg: OpenLeg): void {
    this.#legs.delete(key);
    leg.close();
  }

  /** One socket that hears the group on this interface only, one that sends from its address. */
  async #openIpv6(leg: Leg): Promise<OpenLeg> {
    const index = leg.index ?? 0;
    const group = `${beaconGroupIpv6}%${index}`;
    const undo: (() => void)[] = [];
    const close = () => closeAll(undo.splice(0));
    try {
      const sender = Deno.listenDatagram({
        transport: "udp",
        hostname: `${leg.ip}%${index}`,
        port: 0,
        loopback: true,
      });
      undo.push(() => sender.close());
      // Loopback is off on IPv6 unless asked for, and nodes of one machine would be deaf to each
      // other. The runtime sets it through a membership.
      const own = await sender.joinMulticastV6(beaconGroupIpv6, index);
      await own.setLoopback(true);
      const hearer = Deno.listenDatagram({
        transport: "udp",
        hostname: canBindToGroup ? group : "::",
        port: this.#port,
        reuseAddress: true,
        loopback: true,
      });
      const ended = new AbortController();
      undo.push(() => hearer.close(), () => ended.abort());
      await hearer.joinMulticastV6(beaconGroupIpv6, index);
      void this.#hear(hearer, () => leg.interfaceName, ended.signal, leg.interfaceName);
      return { ...leg, sender, group, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** A membership of the shared socket, and a socket that sends from the interface's address. */
  async #openIpv4(leg: Leg): Promise<OpenLeg> {
    const shared = this.#sharedIpv4();
    const undo: (() => void)[] = [];
    const close = () => closeAll(undo.splice(0));
    try {
      // The system picks the interface by the address that the socket is bound to; TTL is 1 unless
      // set.
      const sender = Deno.listenDatagram({
        transport: "udp",
        hostname: leg.ip,
        port: 0,
        loopback: true,
      });
      undo.push(() => sender.close());
      const own = await sender.joinMulticastV4(beaconGroupIpv4, leg.ip);
      await own.setLoopback(true);
      await own.setTTL(1);
      const membership = await shared.joinMulticastV4(beaconGroupIpv4, leg.ip);
      undo.push(() => {
        // Rejects when the address or the socket is gone, and the membership with it.
        void membership.leave().catch(() => {});
      });
      return { ...leg, sender, group: beaconGroupIpv4, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  #sharedIpv4(): Deno.DatagramConn {
    if (this.#ipv4 !== undefined) return this.#ipv4;
    const shared = Deno.listenDatagram({
      transport: "udp",
      hostname: canBindToGroup ? beaconGroupIpv4 : "0.0.0.0",
      port: this.#port,
      reuseAddress: true,
      loopback: true,
    });
    this.#ipv4 = shared;
    void this.#hear(shared, (from) => this.#interfaceNear(from), this.#closed.signal, "");
    return shared;
  }

  /** The selected interface whose network holds the IPv4 sender: the longest prefix wins. */
  #interfaceNear(from: IpAddress): string | undefined {
    let best: { name: string; prefixLength: number } | undefined;
    for (const { name, addresses } of this.#interfaces) {
      for (const { ip, prefixLength } of addresses) {
        const near = !isIpv6(ip) && samePrefix(ip, from, prefixLength);
        if (near && (best === undefined || prefixLength > best.prefixLength)) {
          best = { name, prefixLength };
        }
      }
    }
    return best?.name;
  }

  async #hear(
    connection: Deno.DatagramConn,
    interfaceOf: (from: IpAddress) => string | undefined,
    ended: AbortSignal,
    zone: string,
  ): Promise<void> {
    for await (const { bytes, from } of receiveFrom(connection, zone, this.#clock, ended)) {
      const interfaceName = interfaceOf(from.ip);
      if (interfaceName !== undefined) this.#inbox.put({ bytes, from, interfaceName });
    }
  }
}
