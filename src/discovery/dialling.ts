/**
 * Whom to dial, now: connect-backs to who was heard, one-way peers again, `--peer`, the random
 * unreachable id (`unreachable_pick.ts`), and whoever is near or reachable while links are missing
 * (`link_search.ts`). Owns the dials in flight and what their outcomes mean.
 *
 * @module
 */
import type { Counters } from "../base/counters.ts";
import { type Duration, earliest, elapsed, type Instant } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import type { Candidates } from "./candidates.ts";
import { type ConnectBackOptions, ConnectBacks } from "./connect_backs.ts";
import { Departures } from "./departures.ts";
import type { DialOutcome, DiscoveryEffect } from "./effects.ts";
import { type DialReason, type Flight, Flights } from "./flights.ts";
import { backoffMin, declinedBackoff, oneWayHeardWithin } from "./limits.ts";
import { LinkSearch } from "./link_search.ts";
import { type ClosedReason, OneWay, type OneWayPeer } from "./one_way.ts";
import { Peers, type PeerSnapshot } from "./peers.ts";
import type { Surroundings } from "./surroundings.ts";
import { UnreachablePick } from "./unreachable_pick.ts";

/** What the dialling shares with the rest of discovery. */
export interface DiallingOptions {
  readonly self: NodeId;
  readonly peers: readonly string[];
  readonly prng: Prng;
  readonly counters: Counters;
  readonly candidates: Candidates;
  readonly surroundings: Surroundings;
}

/** What is shown of it. */
export interface DiallingSnapshot {
  readonly dialsInFlight: Readonly<Record<DialReason, number>>;
  readonly peers: readonly PeerSnapshot[];
  readonly oneWay: readonly OneWayPeer[];
}

/** The dials of this node. */
export class Dialling {
  readonly #self: NodeId;
  readonly #counters: Counters;
  readonly #candidates: Candidates;
  readonly #surroundings: Surroundings;
  readonly #flights = new Flights();
  readonly #connectBacks: ConnectBacks;
  readonly #oneWay: OneWay;
  readonly #peers: Peers;
  readonly #departures: Departures;
  readonly #search: LinkSearch;
  readonly #unreachable: UnreachablePick;

  constructor(options: DiallingOptions, now: Instant) {
    this.#self = options.self;
    this.#counters = options.counters;
    this.#candidates = options.candidates;
    this.#surroundings = options.surroundings;
    this.#connectBacks = new ConnectBacks(options.prng);
    this.#oneWay = new OneWay(options.prng);
    this.#peers = new Peers(options.peers, options.prng, now);
    const shared = { ...options, flights: this.#flights, oneWay: this.#oneWay };
    this.#departures = new Departures(shared, now);
    const isFree = (id: NodeId) => this.#isFree(id);
    this.#search = new LinkSearch({ ...shared, departures: this.#departures, isFree }, now);
    this.#unreachable = new UnreachablePick({ ...shared, isFree }, now);
  }

  /** Links this node strives for, whoever dialled. */
  get degree(): number {
    return this.#search.degree;
  }

  /** Whether a dial to the id is under way. */
  isDialling(id: NodeId): boolean {
    return this.#flights.hasId(id);
  }

  /** Whether links are missing for which an id of this sort may be dialled. */
  wantsLink(held: boolean): boolean {
    return this.#search.lackingInHaste(held) > 0;
  }

  /** Whether this process runs late. */
  get isLate(): boolean {
    return this.#search.isLate;
  }

  /** Whether this process runs late. */
  handleLateness(isLate: boolean): void {
    this.#search.handleLateness(isLate);
  }

  /** Whether the id is heard one way and therefore has its own times. */
  isOneWay(id: NodeId): boolean {
    return this.#oneWay.has(id);
  }

  /** The id was heard. */
  handleHeard(id: NodeId, now: Instant): void {
    this.#oneWay.handleHeard(id, now);
  }

  /** Dials the id back within 20 ms. */
  connectBack(id: NodeId, options: ConnectBackOptions, now: Instant): void {
    if (!this.#connectBacks.add(id, options, now)) {
      this.#counters.count("connect-back without a place");
    }
  }

  /** Networks are new: an unreachable id and the peers are due at once. */
  handleInterfaces(now: Instant): void {
    this.#unreachable.handleInterfaces(now);
    this.#peers.handleInterfaces(now);
    this.lookForLinks(now);
  }

  /** The id is forgotten. */
  handleForgotten(id: NodeId): DiscoveryEffect[] {
    this.#connectBacks.delete(id);
    return this.#oneWay.handleOpened(id);
  }

  /** A text of `--peer` was resolved. */
  handlePeerResolved(peer: string, addresses: readonly SocketAddress[], now: Instant): void {
    if (addresses.length === 0) this.#counters.count("peer not resolved");
    this.#peers.handleResolved(peer, addresses, now);
    for (const text of addresses.map(formatSocketAddress)) {
      const id = this.#surroundings.isLinkedAt(text)
        ? this.#surroundings.idAt(text, now)
        : undefined;
      if (id === undefined) continue;
      this.#peers.handleAnswered(peer, id, false, now);
      return;
    }
  }

  /** There is a link with the id at the address. */
  handleLinked(id: NodeId, text: string, now: Instant): DiscoveryEffect[] {
    this.#connectBacks.delete(id);
    this.#search.handleLinked(now);
    this.#peers.handleLinked(id);
    this.#unreachable.handleLinked();
    return [...this.#oneWay.handleOpened(id), ...this.#oneWay.handleOpenedAddress(text)];
  }

  /** The link with the id ended. */
  handleUnlinked(id: NodeId, now: Instant): void {
    this.#peers.handleUnlinked(id, now);
    this.#unreachable.handleUnlinked(now);
    if (this.#surroundings.links === 0) this.#search.handleLonely(now);
    this.lookForLinks(now);
  }

  /** How a dial ended. */
  handleDialled(address: SocketAddress, outcome: DialOutcome, now: Instant): DiscoveryEffect[] {
    const text = formatSocketAddress(address);
    const flight = this.#flights.end(text);
    if (flight === undefined) this.#counters.count("outcome of no dial");
    if (outcome.kind === "failed") {
      this.#counters.count(`dial ${outcome.reason}`);
      return flight === undefined ? [] : this.#handleFailed(flight, outcome.reason, now);
    }
    if (outcome.kind === "proved" && outcome.id !== this.#self) {
      return this.#handleProved(address, text, outcome.id, flight, now);
    }
    this.#counters.count("dialled myself");
    this.#surroundings.handleSelf(text);
    return flight === undefined ? [] : this.#handleElsewhere(flight, text, now);
  }

  /** Does what is due. */
  handleTimeout(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    for (const flight of this.#flights.expire(now)) {
      this.#counters.count("dial without an outcome");
      effects.push(...this.#handleFailed(flight, "aborted", now));
    }
    effects.push(
      ...this.#dialBack(now),
      ...this.#oneWay.handleTimeout(now),
      ...this.#retryOneWay(now),
      ...this.#dialPeers(now),
      ...this.#dialUnreachable(now),
      ...this.#search.handleTimeout(now),
    );
    return effects;
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    return earliest(
      this.#flights.nextTimeout(),
      this.#connectBacks.nextTimeout(),
      this.#oneWay.nextTimeout(),
      this.#peers.nextTimeout(),
      this.#unreachable.nextTimeout(),
      this.#search.nextTimeout(),
    );
  }

  /** For status. */
  snapshot(): DiallingSnapshot {
    return {
      dialsInFlight: {
        "beacon": this.#flights.count("beacon"),
        "one-way": this.#flights.count("one-way"),
        "degree": this.#flights.count("degree"),
        "unreachable": this.#flights.count("unreachable"),
        "peer": this.#flights.count("peer"),
      },
      peers: this.#peers.snapshot(),
      oneWay: this.#oneWay.snapshot(),
    };
  }

  /** Something was learned: look for missing links soon. */
  lookForLinks(now: Instant): void {
    this.#search.lookSoon(now);
  }

  #dialBack(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    for (const { id, relink, beyondDegree } of this.#connectBacks.due(now)) {
      const held = this.#candidates.isHeld(id);
      if ((this.#surroundings.isLinked(id) && !relink) || this.#flights.hasId(id)) {
        this.#connectBacks.delete(id);
      } else if (!beyondDegree && !this.wantsLink(held)) {
        this.#connectBacks.delete(id);
        this.#counters.count("connect-back not needed");
      } else if (!beyondDegree && this.#search.waitsForVolunteers(now)) {
        this.#postpone(id, now);
      } else if (this.#departures.begin(id, "beacon", relink, effects, now) !== "no room") {
        this.#connectBacks.delete(id);
      } else {
        this.#postpone(id, now);
      }
    }
    return effects;
  }

  #postpone(id: NodeId, now: Instant): void {
    if (!this.#connectBacks.postpone(id, now)) this.#counters.count("connect-back without room");
  }

  #retryOneWay(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    for (const id of this.#oneWay.due(now)) {
      const busy = this.#flights.hasId(id);
      const began = busy || this.#departures.begin(id, "one-way", false, effects, now) === "begun";
      this.#oneWay.handleRetried(id, began, now);
    }
    return effects;
  }

  #dialPeers(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    for (const peer of this.#peers.resolutionsDue((id) => this.#surroundings.isLinked(id), now)) {
      effects.push({ kind: "resolve", peer });
    }
    for (const peer of this.#peers.dialsDue(now)) {
      if (!this.#flights.hasRoom("peer", true, 0)) {
        this.#peers.postpone(peer, now);
        continue;
      }
      const to = this.#peers.nextAddress(
        peer,
        (address) => this.#departures.allows(address),
        now,
      );
      if (to !== undefined) effects.push(this.#departures.beginForPeer(peer, to, now));
    }
    return effects;
  }

  #dialUnreachable(now: Instant): DiscoveryEffect[] {
    const id = this.#unreachable.handleTimeout(now);
    // The paths to most of those are on their way to a process that runs late.
    if (id === undefined || (this.isLate && this.#surroundings.links > 0)) return [];
    const effects: DiscoveryEffect[] = [];
    this.#departures.begin(id, "unreachable", false, effects, now);
    return effects;
  }

  /** Whether nothing else is under way with the id. */
  #isFree(id: NodeId): boolean {
    return !this.#surroundings.isLinked(id) && !this.#flights.hasId(id) &&
      !this.#connectBacks.has(id) &&
      !this.#oneWay.has(id);
  }

  #handleProved(
    address: SocketAddress,
    text: string,
    id: NodeId,
    flight: Flight | undefined,
    now: Instant,
  ): DiscoveryEffect[] {
    this.#counters.count("dial proved");
    this.#surroundings.handleProved(id, address, now);
    this.#candidates.prove(id, address);
    if (!this.#surroundings.isLinked(id)) this.#candidates.rest(id, declinedBackoff, now);
    const effects: DiscoveryEffect[] = [
      ...this.#oneWay.handleOpened(id),
      ...this.#oneWay.handleOpenedAddress(text),
    ];
    if (flight?.peer !== undefined) {
      this.#peers.handleAnswered(flight.peer, id, this.#hasLinkBeside(id), now);
    }
    if (flight?.expect !== undefined && flight.expect !== id) {
      this.#counters.count("dial answered by another id");
      effects.push(...this.#handleElsewhere(flight, text, now));
    }
    return effects;
  }

  #hasLinkBeside(id: NodeId): boolean {
    return this.#surroundings.links > (this.#surroundings.isLinked(id) ? 1 : 0);
  }

  /** The address is not the hoped-for id's: it loses it and is looked for at its others. */
  #handleElsewhere(flight: Flight, text: string, now: Instant): DiscoveryEffect[] {
    if (flight.peer !== undefined) this.#peers.handleFailed(flight.peer, now);
    if (flight.expect === undefined) return [];
    this.#candidates.removeAddress(flight.expect, text);
    return this.#dialOn(flight, flight.expect, backoffMin, now);
  }

  #handleFailed(
    flight: Flight,
    reason: ClosedReason | "tls" | "exchange" | "aborted",
    now: Instant,
  ): DiscoveryEffect[] {
    if (flight.peer !== undefined) this.#peers.handleFailed(flight.peer, now);
    const id = flight.expect;
    if (id === undefined) return [];
    switch (reason) {
      case "refused":
      case "timeout":
      case "unreachable":
        return [
          ...this.#handleClosed(flight, id, reason, now),
          ...this.#dialOn(flight, id, backoffMin, now),
        ];
      case "tls":
      case "exchange":
        return [
          ...this.#oneWay.handleOpened(id),
          ...this.#dialOn(flight, id, declinedBackoff, now),
        ];
      case "aborted":
        return this.#dialOn(flight, id, backoffMin, now);
    }
  }

  /** A port did not open: where the id is heard from there, it is heard one way only. */
  #handleClosed(flight: Flight, id: NodeId, reason: ClosedReason, now: Instant) {
    const text = formatSocketAddress(flight.to);
    const heard = this.#candidates.heardSince(id, now);
    const addresses = this.#candidates.heardAt(id, now).map(formatSocketAddress);
    const linked = this.#surroundings.isLinked(id) || this.#surroundings.isLinkedAt(text);
    if (linked || heard === undefined || !addresses.includes(text)) return [];
    // A peer that is known to be one stays it while it is heard.
    const isOld = elapsed(heard.last, flight.since) > oneWayHeardWithin;
    if (isOld && !this.#oneWay.has(id)) return [];
    return this.#oneWay.handleClosed({
      id,
      address: flight.to,
      reason,
      held: flight.held,
      heard,
      othersLeft: addresses.length > 1 && this.#candidates.hasNext(id),
      triedAt: flight.since,
    }, now);
  }

  /** On to the id's next address, or to its rest. */
  #dialOn(flight: Flight, id: NodeId, atLeast: Duration, now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    // A one-way peer is tried address by address, each at its time.
    if (this.#surroundings.isLinked(id) || flight.why === "one-way") return effects;
    if (this.#candidates.hasNext(id)) {
      if (this.#departures.begin(id, flight.why, false, effects, now) === "begun") return effects;
    }
    this.#candidates.rest(id, atLeast, now);
    return effects;
  }
}
