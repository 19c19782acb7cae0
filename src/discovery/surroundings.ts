/**
 * What is known about addresses: which are this node's own, with whom there is a link at which, who
 * answered where, and which sources have earned trust in their traffic.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { elapsed, type Instant } from "../base/instant.ts";
import { type IpAddress, ipScope, isIpv6 } from "../base/ip.ts";
import type { NetworkInterface } from "../platform/network.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import type { SourceStanding } from "./beacon_budget.ts";
import {
  interfacesMax,
  linkLocalInterfacesMax,
  linksCountedPerAddress,
  provenAddressesMax,
  provenFor,
  relinkGap,
  selfAddressesMax,
  solicitationGap,
} from "./limits.ts";

interface Link {
  readonly text: string;
  readonly ip: IpAddress;
  readonly since: Instant;
  readonly relinkedAt: Instant | undefined;
}

/** How the interfaces differ from before. */
export interface InterfaceChange {
  /** Names of those that are new or have a new address. */
  readonly appeared: readonly string[];
  /** Names of those that are gone. */
  readonly gone: readonly string[];
}

/** Addresses and who is there. Texts are those of `formatSocketAddress`. */
export class Surroundings {
  readonly #port: number;
  #addresses: ReadonlyMap<string, ReadonlySet<IpAddress>> = new Map();
  #ownIps: ReadonlySet<IpAddress> = new Set();
  #ownTexts: ReadonlySet<string> = new Set();
  #zones: readonly string[] = [];
  readonly #selfTexts = new BoundedMap<string, true>(selfAddressesMax);
  readonly #proven = new BoundedMap<string, { readonly id: NodeId; readonly at: Instant }>(
    provenAddressesMax,
  );
  readonly #favoured = new BoundedMap<IpAddress, true>(provenAddressesMax);
  readonly #links = new Map<NodeId, Link>();
  readonly #linkedTexts = new Map<string, NodeId>();
  /** Asked for at nearly every turn; absent when links or addresses have changed. */
  #linksCounted: number | undefined;

  /** @param port The port this node listens on. */
  constructor(port: number) {
    this.#port = port;
  }

  /** Number of links. */
  get links(): number {
    return this.#links.size;
  }

  /** Number of links of which so many with one other machine's address count. */
  get linksCounted(): number {
    this.#linksCounted ??= this.#countLinks();
    return this.#linksCounted;
  }

  #countLinks(): number {
    const perAddress = new Map<IpAddress, number>();
    let counted = 0;
    for (const { ip } of this.#links.values()) {
      const before = perAddress.get(ip) ?? 0;
      perAddress.set(ip, before + 1);
      if (before < linksCountedPerAddress || this.standing(ip) === "own") counted++;
    }
    return counted;
  }

  /** Interfaces on which link-local addresses without a zone are tried. */
  get zones(): readonly string[] {
    return this.#zones;
  }

  /** Whether this node listens on a loopback address. */
  get hasLoopback(): boolean {
    for (const ip of this.#ownIps) if (ipScope(ip) === "loopback") return true;
    return false;
  }

  /** Interfaces and the addresses listened on. Any change makes dialled-myself addresses forgotten. */
  handleInterfaces(interfaces: readonly NetworkInterface[]): InterfaceChange {
    const before = this.#addresses;
    const served = interfaces.slice(0, interfacesMax);
    const addresses = new Map(
      served.map((one) => [one.name, new Set(one.addresses.map(({ ip }) => ip))]),
    );
    const appeared: string[] = [];
    let changed = false;
    for (const [name, ips] of addresses) {
      const old = before.get(name);
      if (old === undefined || [...ips].some((ip) => !old.has(ip))) appeared.push(name);
      if (old?.size !== ips.size) changed = true;
    }
    const gone = [...before.keys()].filter((name) => !addresses.has(name));
    if (!changed && appeared.length === 0 && gone.length === 0) return { appeared, gone };
    this.#addresses = addresses;
    this.#linksCounted = undefined;
    this.#selfTexts.clear();
    this.#ownIps = new Set([...addresses.values()].flatMap((ips) => [...ips]));
    this.#ownTexts = new Set(
      [...addresses].flatMap(([name, ips]) =>
        [...ips].map((ip) => formatSocketAddress(socketAddress(ip, this.#port, name)))
      ),
    );
    this.#zones = [...addresses]
      .filter(([, ips]) => [...ips].some((ip) => isIpv6(ip) && ipScope(ip) === "link-local"))
      .map(([name]) => name)
      .slice(0, linkLocalInterfacesMax);
    return { appeared, gone };
  }

  /** A dial there met this node itself. */
  handleSelf(text: string): void {
    this.#selfTexts.set(text, true);
  }

  /** Somebody finished an exchange there. */
  handleProved(id: NodeId, address: SocketAddress, now: Instant): void {
    this.#proven.set(formatSocketAddress(address), { id, at: now });
    this.#favoured.set(address.ip, true);
  }

  /** A link, new or at another address; returns whether it is new. */
  handleLinked(id: NodeId, address: SocketAddress, now: Instant): boolean {
    const text = formatSocketAddress(address);
    const before = this.#links.get(id);
    if (before !== undefined && this.#linkedTexts.get(before.text) === id) {
      this.#linkedTexts.delete(before.text);
    }
    const since = before?.since ?? now;
    this.#links.set(id, { text, ip: address.ip, since, relinkedAt: before?.relinkedAt });
    this.#linkedTexts.set(text, id);
    this.#linksCounted = undefined;
    this.#favoured.set(address.ip, true);
    return before === undefined;
  }

  /** The link ended; returns whether there was one. */
  handleUnlinked(id: NodeId): boolean {
    const link = this.#links.get(id);
    if (link === undefined) return false;
    this.#links.delete(id);
    this.#linksCounted = undefined;
    if (this.#linkedTexts.get(link.text) === id) this.#linkedTexts.delete(link.text);
    return true;
  }

  /** Whether there is a link with the id. */
  isLinked(id: NodeId): boolean {
    return this.#links.has(id);
  }

  /** Whether there is a link at the address. */
  isLinkedAt(text: string): boolean {
    return this.#linkedTexts.has(text);
  }

  /** Whether the address is this node's own. */
  isOwn(text: string): boolean {
    return this.#ownTexts.has(text) || this.#selfTexts.has(text);
  }

  /** Who is at the address: the link's id, else who answered there lately. */
  idAt(text: string, now: Instant): NodeId | undefined {
    const proven = this.#proven.get(text);
    const lately = proven !== undefined && elapsed(proven.at, now) <= provenFor;
    return this.#linkedTexts.get(text) ?? (lately ? proven.id : undefined);
  }

  /** How a source of beacons stands with this node. */
  standing(ip: IpAddress): SourceStanding {
    if (this.#ownIps.has(ip)) return "own";
    return this.#favoured.has(ip) ? "favoured" : "unknown";
  }

  /** Whether the linked id may be dialled all the same, as it solicits; so, at most every 30 s. */
  takeRelink(id: NodeId, now: Instant): boolean {
    const link = this.#links.get(id);
    if (link === undefined || elapsed(link.since, now) < solicitationGap) return false;
    if (link.relinkedAt !== undefined && elapsed(link.relinkedAt, now) < relinkGap) return false;
    this.#links.set(id, { ...link, relinkedAt: now });
    return true;
  }
}
