/**
 * Carries out what discovery decides: beacons sent and heard, addresses dialled, names resolved.
 * PROTOCOL §9.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { type Instant, later, milliseconds } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import { unreachable } from "../base/invariant.ts";
import type { IslandKey } from "../crypto/mod.ts";
import type {
  DialOutcome as DiscoveryDialOutcome,
  Discovery,
  DiscoveryEffect,
  UnlinkReason,
} from "../discovery/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { BeaconChannel, NetworkInterface, ReceivedBeacon } from "../platform/network.ts";
import { type Beacon, decodeBeacon, encodeBeacon } from "../wire/beacon.ts";
import { type NodeId, nodeIdFromBytes, nodeIdToBytes } from "../wire/node_id.ts";
import {
  formatSocketAddress,
  parsePort,
  parseSocketAddress,
  type SocketAddress,
  socketAddress,
} from "../wire/socket_address.ts";
import type { Authenticator, DialOutcome } from "./authenticator.ts";
import type { Background } from "./background.ts";
import { exchangeWait } from "./limits.ts";
import type { Lateness } from "./lateness.ts";
import type { Timed } from "./pump.ts";
import type { Warnings } from "./warnings.ts";

/** What the finder asks of the node. */
export interface FinderOwner {
  /** The smallest id of those reachable from here. */
  smallestReachable(): NodeId;
  /** Whether a path leads there, as far as is known yet. */
  isReachable(id: NodeId): boolean;
  /** An exchange that this node dialled was finished; resolves when the link is judged. */
  handleDialled(outcome: DialOutcome & { readonly kind: "proven" }): void;
  /** The node at the other end has this node's key. Whether it is this very process. */
  handleOwnId(bootNonce: Bytes): boolean;
  /** Whether this node announces itself at all. */
  announces(): boolean;
  /** A deadline may have come nearer. */
  poke(): void;
}

/** Parts of the finder. */
export interface FinderOptions {
  readonly selfId: NodeId;
  readonly port: number;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly background: Background;
  readonly discovery: Discovery;
  /** How late this process runs. */
  readonly lateness: Lateness;
  /** Absent with `--no-multicast`. */
  readonly beacons: BeaconChannel | undefined;
  readonly tag: Bytes;
  readonly islandKey: IslandKey;
  readonly authenticator: Authenticator;
  readonly warnings: Warnings;
  /** Addresses of a host name; empty if it has none now. */
  readonly lookUpHost: (name: string) => Promise<readonly IpAddress[]>;
  readonly owner: FinderOwner;
  /** Aborts when the node stops. */
  readonly stopping: AbortSignal;
}

/** Discovery at work. */
export class Finder implements Timed {
  readonly #options: FinderOptions;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  #now(): Instant {
    return this.#options.clock.monotonic();
  }

  /** Hears beacons until the channel is closed. */
  async hear(): Promise<void> {
    const { beacons, background } = this.#options;
    if (beacons === undefined) return;
    for await (const beacon of beacons.received()) {
      const { discovery } = this.#options;
      // Cheap first: what is over its sender's budget costs no HMAC.
      if (!discovery.admitBeacon(beacon.from, this.#now())) continue;
      background.own("judge a beacon", this.#judge(beacon));
    }
  }

  async #judge({ bytes, from, interfaceName }: ReceivedBeacon): Promise<void> {
    const { counters, tag, owner, discovery } = this.#options;
    const beacon = decodeBeacon(bytes);
    if (isDecodeError(beacon)) return counters.count(beacon.reason);
    if (!equalBytes(beacon.tag, tag)) return counters.count("beacon of another mesh");
    const id = beacon.idForm === "plain" ? nodeIdFromBytes(beacon.id) : undefined;
    if (id === undefined) return counters.count("beacon of an unknown member");
    const { port, solicitation } = beacon;
    // A solicitation is answered whatever its sender reaches, and one that is reached from here is of
    // this island: where a hundred start, that is most beacons.
    const agrees = !solicitation &&
      (owner.isReachable(id) || await this.#isOfOurIsland(beacon));
    const heard = { id, port, solicitation };
    this.perform(discovery.handleBeacon(heard, from, interfaceName, agrees, this.#now()));
    owner.poke();
  }

  /** Whether it carries the mark that its sender would have if both reached the same nodes. */
  async #isOfOurIsland({ idForm, id, island }: Beacon): Promise<boolean> {
    const { islandKey, owner } = this.#options;
    const smallestId = nodeIdToBytes(owner.smallestReachable());
    return equalBytes(await islandKey.mark({ smallestId, hour: 0, idForm, id }), island);
  }

  /** The interfaces served are these now. */
  handleInterfaces(interfaces: readonly NetworkInterface[]): void {
    this.perform(this.#options.discovery.handleInterfaces(interfaces, this.#now()));
  }

  /** A stored record says where the node listens. */
  handleKnown(id: NodeId): void {
    this.#options.discovery.handleKnown(id);
  }

  /** Paths may lead to more nodes than before. */
  handlePaths(): void {
    this.#options.discovery.handlePaths(this.#now());
  }

  /** A link is held with the node at this address. */
  handleLinked(id: NodeId, address: SocketAddress): void {
    this.perform(this.#options.discovery.handleLinked(id, address, this.#now()));
  }

  /** The link is over. */
  handleUnlinked(id: NodeId, why: UnlinkReason): void {
    this.perform(this.#options.discovery.handleUnlinked(id, why, this.#now()));
  }

  /** The node's records are gone. */
  handleForgotten(id: NodeId): void {
    this.perform(this.#options.discovery.handleForgotten(id, this.#now()));
  }

  /** Carries the effects out; none once the node stops. */
  perform(effects: readonly DiscoveryEffect[]): void {
    const { background, warnings, stopping } = this.#options;
    // The end of one dial would begin the next, for ever.
    if (stopping.aborted) return;
    for (const effect of effects) {
      switch (effect.kind) {
        case "beacon":
          background.own("send a beacon", this.#announce(effect.interfaceName, effect.solicit));
          break;
        case "dial":
          background.own(`dial ${formatSocketAddress(effect.to)}`, this.#dial(effect.to));
          break;
        case "resolve":
          background.own(`resolve ${effect.peer}`, this.#resolve(effect.peer));
          break;
        case "warn":
          warnings.raise(
            effect.code,
            effect.message,
            `${effect.id} ${formatSocketAddress(effect.address)}`,
          );
          break;
        case "unwarn":
          warnings.clear(effect.code, `${effect.id} ${formatSocketAddress(effect.address)}`);
          break;
        default:
          unreachable(effect);
      }
    }
  }

  async #announce(interfaceName: string, solicitation: boolean): Promise<void> {
    const { beacons, selfId, port, tag, islandKey, owner } = this.#options;
    if (beacons === undefined || !owner.announces()) return;
    const id = nodeIdToBytes(selfId);
    const smallestId = nodeIdToBytes(owner.smallestReachable());
    const island = await islandKey.mark({ smallestId, hour: 0, idForm: "plain", id });
    const beacon = encodeBeacon({ solicitation, tag, idForm: "plain", id, port, island });
    if (await beacons.send(beacon, interfaceName) === 0) {
      this.#options.counters.count("beacon not sent");
    }
  }

  async #dial(to: SocketAddress): Promise<void> {
    const outcome = await this.dial(to);
    this.perform(
      this.#options.discovery.handleDialled(to, this.#forDiscovery(outcome), this.#now()),
    );
    if (outcome.kind === "proven") this.#options.owner.handleDialled(outcome);
    this.#options.owner.poke();
  }

  /** Dials and runs an exchange within its time; never rejects. */
  dial(to: SocketAddress, onConnected?: () => void): Promise<DialOutcome> {
    return this.#dialWithin(new AbortController(), to, onConnected);
  }

  /** Only opens a TCP connection, to see whether the port refuses, and closes it. Never rejects. */
  knock(to: SocketAddress): Promise<DialOutcome> {
    const limit = new AbortController();
    return this.#dialWithin(limit, to, () => limit.abort());
  }

  async #dialWithin(
    limit: AbortController,
    to: SocketAddress,
    onConnected: (() => void) | undefined,
  ): Promise<DialOutcome> {
    const { clock, authenticator, lateness, stopping } = this.#options;
    const stop = () => limit.abort();
    stopping.addEventListener("abort", stop);
    if (stopping.aborted) stop();
    const done = new AbortController();
    const begun = clock.monotonic();
    const wait = milliseconds(exchangeWait + lateness.allowance(begun));
    const timer = clock.wait(later(begun, wait), done.signal).then(stop);
    try {
      return await authenticator.dial(to, limit.signal, onConnected);
    } finally {
      done.abort();
      stopping.removeEventListener("abort", stop);
      await timer;
    }
  }

  #forDiscovery(outcome: DialOutcome): DiscoveryDialOutcome {
    const { counters, owner } = this.#options;
    switch (outcome.kind) {
      case "proven":
        return { kind: "proved", id: outcome.result.peer };
      case "own id":
        return owner.handleOwnId(outcome.bootNonce)
          ? { kind: "self" }
          : { kind: "failed", reason: "exchange" };
      case "failed":
        counters.count(`dial: ${outcome.why}`);
        return {
          kind: "failed",
          reason: outcome.why === "rejected" ? "exchange" : outcome.why,
        };
      default:
        return unreachable(outcome);
    }
  }

  /** Resolves `HOST:PORT`: an address in its text form, or a name for the system's resolver. */
  async #resolve(peer: string): Promise<void> {
    const addresses = await this.#addressesOf(peer);
    this.#options.warnings.set(
      addresses.length === 0,
      "peer-unresolved",
      `--peer ${peer} cannot be resolved to an address now. It is tried again.`,
      peer,
    );
    this.perform(this.#options.discovery.handlePeerResolved(peer, addresses, this.#now()));
    this.#options.owner.poke();
  }

  async #addressesOf(peer: string): Promise<readonly SocketAddress[]> {
    const address = parseSocketAddress(peer);
    if (address !== undefined) return [address];
    const colon = peer.lastIndexOf(":");
    const port = parsePort(peer.slice(colon + 1));
    if (colon < 1 || port === undefined) return [];
    const ips = await this.#options.lookUpHost(peer.slice(0, colon));
    return ips.map((ip) => socketAddress(ip, port));
  }

  nextTimeout(): Instant | undefined {
    return this.#options.discovery.nextTimeout();
  }

  handleTimeout(now: Instant): void {
    this.#options.discovery.handleLateness(this.#options.lateness.isLate(now));
    this.perform(this.#options.discovery.handleTimeout(now));
  }
}
