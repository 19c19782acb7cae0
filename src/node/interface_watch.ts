/**
 * The interfaces this node serves, looked at again and again: sockets and the beacon group follow
 * them, what is missing is warned about, and what changed is told.
 *
 * @module
 */
import { type Instant, later } from "../base/instant.ts";
import { type IpAddress, ipScope, isIpv6, samePrefix } from "../base/ip.ts";
import type { Clock } from "../platform/clock.ts";
import type { BeaconChannel, Network, NetworkInterface } from "../platform/network.ts";
import type { Background } from "./background.ts";
import { interfacesLookEvery } from "./limits.ts";
import type { Timed } from "./pump.ts";
import type { InterfaceEntry } from "../control/mod.ts";
import type { Sockets } from "./sockets.ts";
import type { Warnings } from "./warnings.ts";

/** What the watch tells the node. */
export interface InterfaceWatchOwner {
  /** These interfaces are served now, and it is another list than before. */
  handleInterfaces(served: readonly NetworkInterface[]): Promise<void>;
  /** Another look was taken, whatever it showed. */
  handleLook(): void;
}

/** Parts of the watch. */
export interface InterfaceWatchOptions {
  readonly clock: Clock;
  readonly network: Network;
  readonly background: Background;
  readonly sockets: Sockets;
  /** Absent with `--no-multicast`. */
  readonly beacons: BeaconChannel | undefined;
  readonly warnings: Warnings;
  /** Names of the interfaces to serve; empty = all. */
  readonly names: readonly string[];
  readonly owner: InterfaceWatchOwner;
}

/** Follows the interfaces. */
export class InterfaceWatch implements Timed {
  readonly #options: InterfaceWatchOptions;
  #served: readonly NetworkInterface[] = [];
  #shown = "";
  #multicast = new Map<string, boolean>();
  #lookAt: Instant;

  constructor(options: InterfaceWatchOptions) {
    this.#options = options;
    this.#lookAt = options.clock.monotonic();
  }

  /** The interfaces served, for status. */
  entries(): InterfaceEntry[] {
    return this.#served.map(({ name, index }) => ({
      name,
      ...index === undefined ? {} : { index },
      multicast: this.#multicast.get(name) ?? false,
    }));
  }

  /** The addresses served. */
  addresses(): IpAddress[] {
    return this.#served.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  }

  /** Name of the interface that holds this address of ours. */
  zoneOf(own: IpAddress): string | undefined {
    return this.#served.find(({ addresses }) => addresses.some(({ ip }) => ip === own))?.name;
  }

  /** Whether the remote address lies in the network of this local one. */
  sharesNetwork(local: IpAddress, remote: IpAddress): boolean {
    return this.#served.some(({ addresses }) =>
      addresses.some(({ ip, prefixLength }) => ip === local && samePrefix(ip, remote, prefixLength))
    );
  }

  /** Whether the remote address is of no global scope, or lies in a network of ours. */
  isNear(remote: IpAddress): boolean {
    return ipScope(remote) !== "global" ||
      this.#served.some(({ addresses }) =>
        addresses.some(({ ip, prefixLength }) => samePrefix(ip, remote, prefixLength))
      );
  }

  /** Looks, and resolves when sockets and beacons follow. */
  async look(): Promise<void> {
    const { clock, network, names, sockets, beacons, owner } = this.#options;
    this.#lookAt = later(clock.monotonic(), interfacesLookEvery);
    const served = network.interfaces().filter(({ name }) =>
      names.length === 0 || names.includes(name)
    );
    const before = this.#shown;
    this.#served = served;
    this.#shown = JSON.stringify(served);
    // An address that was not ready, or a group not joined, is tried again at every look.
    await sockets.follow(served);
    const joined = await beacons?.follow(served) ?? [];
    this.#multicast = new Map(joined.map(({ name, multicast }) => [name, multicast]));
    this.#judge(joined.find(({ reason }) => reason !== undefined)?.reason);
    if (before !== this.#shown) await owner.handleInterfaces(served);
  }

  #judge(reason: string | undefined): void {
    const { beacons, warnings } = this.#options;
    const none = beacons !== undefined && ![...this.#multicast.values()].includes(true);
    warnings.set(
      none,
      "no-multicast",
      `No interface can send or hear beacons${reason === undefined ? "" : ` (${reason})`}. Other ` +
        "nodes are found only through stored records and --peer.",
    );
    warnings.set(
      !this.addresses().some((ip) => ipScope(ip) !== "loopback" && isIpv6(ip)),
      "no-ipv6",
      "No interface has an IPv6 address. Nodes on this network are found over IPv4 only.",
    );
  }

  nextTimeout(): Instant | undefined {
    return this.#lookAt;
  }

  handleTimeout(now: Instant): void {
    this.#lookAt = later(now, interfacesLookEvery);
    this.#options.owner.handleLook();
    this.#options.background.own("follow interfaces", this.look());
  }
}
