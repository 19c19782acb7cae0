/**
 * Whom to dial, now: connect-backs to who was heard, one-way peers again, `--peer`, the random
 * unreachable id, and whoever is near or reachable while links are missing. Owns the dials in flight
 * and what their outcomes mean.
 *
 * @module
 */
import type { Counters } from "../base/counters.ts";
import { type Duration, earliest, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import { SourceBudget } from "./beacon_budget.ts";
import type { AddressRules, Candidates } from "./candidates.ts";
import { type ConnectBackOptions, ConnectBacks } from "./connect_backs.ts";
import { degreeFor } from "./degree.ts";
import type { DialOutcome, DiscoveryEffect } from "./effects.ts";
import { type DialReason, type Flight, Flights } from "./flights.ts";
import {
  backoffMin,
  declinedBackoff,
  fillGap,
  fillPause,
  heldDialsBurst,
  heldDialsPerSourceBurst,
  heldDialsPerSourceRate,
  heldDialsRate,
  lonelyPause,
  sourcesMax,
  strangerDialsBurst,
  strangerDialsPerSourceBurst,
  strangerDialsPerSourceRate,
  strangerDialsRate,
  unreachablePause,
} from "./limits.ts";
import { type ClosedReason, OneWay, type OneWayPeer } from "./one_way.ts";
import { Peers, type PeerSnapshot } from "./peers.ts";
import type { Surroundings } from "./surroundings.ts";

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

type DialResult = "begun" | "no room" | "no address" | "budget";

/** The dials of this node. */
export class Dialling {
  readonly #self: NodeId;
  readonly #prng: Prng;
  readonly #counters: Counters;
  readonly #candidates: Candidates;
  readonly #surroundings: Surroundings;
  readonly #flights = new Flights();
  readonly #connectBacks: ConnectBacks;
  readonly #oneWay: OneWay;
  readonly #peers: Peers;
  readonly #strangerDials: SourceBudget;
  readonly #heldDials: SourceBudget;
  #unreachableAt: Instant;
  /** Networks are new: the next unreachable id is dialled at once, whatever its back-off. */
  #unreachableAtOnce = true;
  #fillAt: Instant;
  #filledAt: Instant | undefined;
  #nearFirst = true;

  constructor(options: DiallingOptions, now: Instant) {
    this.#self = options.self;
    this.#prng = options.prng;
    this.#counters = options.counters;
    this.#candidates = options.candidates;
    this.#surroundings = options.surroundings;
    this.#connectBacks = new ConnectBacks(options.prng);
    this.#oneWay = new OneWay(options.prng);
    this.#peers = new Peers(options.peers, options.prng, now);
    this.#strangerDials = new SourceBudget({
      sourceBurst: strangerDialsPerSourceBurst,
      sourceRate: strangerDialsPerSourceRate,
      burst: strangerDialsBurst,
      rate: strangerDialsRate,
      sourcesMax,
    }, now);
    this.#heldDials = new SourceBudget({
      sourceBurst: heldDialsPerSourceBurst,
      sourceRate: heldDialsPerSourceRate,
      burst: heldDialsBurst,
      rate: heldDialsRate,
      sourcesMax,
    }, now);
    this.#unreachableAt = now;
    this.#fillAt = now;
  }

  /** Links this node strives for, whoever dialled. */
  get degree(): number {
    return degreeFor(this.#candidates.heldCount + 1);
  }

  /** Whether a dial to the id is under way. */
  isDialling(id: NodeId): boolean {
    return this.#flights.hasId(id);
  }

  /** Whether links are missing for which an id of this sort may be dialled. */
  wantsLink(held: boolean): boolean {
    return this.#missing(held) > 0;
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
    this.#unreachableAtOnce = true;
    this.#unreachableAt = now;
    this.#peers.handleInterfaces(now);
    this.lookForLinks(now);
  }

  /** Another id is known. */
  handleKnown(now: Instant): void {
    if (this.#unreachableAtOnce && this.#candidates.unreachableCount > 0) {
      this.#unreachableAt = now;
    }
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
  handleLinked(id: NodeId, text: string): DiscoveryEffect[] {
    this.#connectBacks.delete(id);
    this.#peers.handleLinked(id);
    this.#unreachableAtOnce = false;
    return [...this.#oneWay.handleOpened(id), ...this.#oneWay.handleOpenedAddress(text)];
  }

  /** The link with the id ended. */
  handleUnlinked(id: NodeId, now: Instant): void {
    this.#peers.handleUnlinked(id, now);
    if (this.#surroundings.links === 0) {
      this.#unreachableAt = earliest(this.#unreachableAt, later(now, lonelyPause)) ?? now;
    }
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
      ...this.#dialForDegree(now),
    );
    return effects;
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    const looks = this.#candidates.hasLive && this.#missing(true) > 0;
    return earliest(
      this.#flights.nextTimeout(),
      this.#connectBacks.nextTimeout(),
      this.#oneWay.nextTimeout(),
      this.#peers.nextTimeout(),
      this.#unreachableAt,
      looks ? this.#fillAt : undefined,
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

  /**
   * How many dials for more links may begin. Half of what is missing at a time: the others look for
   * links too, and a fleet that starts together would end at twice its degree. Dials to strangers
   * take no room from held ids: anybody can cause them.
   */
  #missing(held: boolean): number {
    const atOnce = Math.ceil((this.degree - this.#surroundings.links) / 2);
    return atOnce - this.#flights.countForLinks(held);
  }

  /** Something was learned: look for missing links soon. */
  lookForLinks(now: Instant): void {
    const soonest = this.#filledAt === undefined ? now : later(this.#filledAt, fillGap);
    this.#fillAt = earliest(this.#fillAt, soonest > now ? soonest : now) ?? now;
  }

  #dialBack(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    for (const { id, relink, beyondDegree } of this.#connectBacks.due(now)) {
      const held = this.#candidates.isHeld(id);
      if ((this.#surroundings.isLinked(id) && !relink) || this.#flights.hasId(id)) {
        this.#connectBacks.delete(id);
      } else if (!beyondDegree && this.#missing(held) <= 0) {
        this.#connectBacks.delete(id);
        this.#counters.count("connect-back not needed");
      } else if (this.#dial(id, "beacon", relink, effects, now) !== "no room") {
        this.#connectBacks.delete(id);
      } else if (!this.#connectBacks.postpone(id, now)) {
        this.#counters.count("connect-back without room");
      }
    }
    return effects;
  }

  #retryOneWay(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    for (const id of this.#oneWay.due(now)) {
      const busy = this.#flights.hasId(id);
      const began = busy || this.#dial(id, "one-way", false, effects, now) === "begun";
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
      const rules = this.#rules(false);
      const to = this.#peers.nextAddress(
        peer,
        (address) => rules.allows(formatSocketAddress(address)),
        now,
      );
      if (to === undefined) continue;
      this.#flights.begin({ to, why: "peer", held: true, peer, since: now });
      this.#counters.count("dial for peer");
      effects.push({ kind: "dial", to, why: "peer" });
    }
    return effects;
  }

  #dialUnreachable(now: Instant): DiscoveryEffect[] {
    if (now < this.#unreachableAt) return [];
    const pause = this.#surroundings.links === 0 ? lonelyPause : unreachablePause;
    this.#unreachableAt = later(now, scaled(pause, this.#prng.between(0.9, 1.1)));
    const id = this.#candidates.pickUnreachable(
      (id) => this.#isFree(id),
      this.#unreachableAtOnce,
      now,
    );
    if (id === undefined) return [];
    this.#unreachableAtOnce = false;
    const effects: DiscoveryEffect[] = [];
    this.#dial(id, "unreachable", false, effects, now);
    return effects;
  }

  #dialForDegree(now: Instant): DiscoveryEffect[] {
    if (now < this.#fillAt || !this.#candidates.hasLive || this.#missing(true) <= 0) return [];
    this.#filledAt = now;
    this.#fillAt = later(now, fillPause);
    const effects: DiscoveryEffect[] = [];
    const fits = (id: NodeId) =>
      this.#isFree(id) && (this.#candidates.isHeld(id) || this.#missing(false) > 0);
    for (let missing = this.#missing(true); missing > 0; missing--) {
      const near = () => this.#candidates.pickNear(fits, now);
      const far = () => this.#candidates.pickReachable(fits, now);
      const id = this.#nearFirst ? near() ?? far() : far() ?? near();
      this.#nearFirst = !this.#nearFirst;
      if (id === undefined || this.#dial(id, "degree", false, effects, now) === "no room") break;
    }
    return effects;
  }

  /** Whether nothing else is under way with the id. */
  #isFree(id: NodeId): boolean {
    return !this.#surroundings.isLinked(id) && !this.#flights.hasId(id) &&
      !this.#connectBacks.has(id) &&
      !this.#oneWay.has(id);
  }

  #rules(relink: boolean): AddressRules {
    return {
      zones: this.#surroundings.zones,
      loopback: this.#surroundings.hasLoopback,
      allows: (text) =>
        !this.#surroundings.isOwn(text) && !this.#flights.hasAddress(text) &&
        (relink || !this.#surroundings.isLinkedAt(text)),
    };
  }

  /** Begins a dial to the next address of the id, if there is one and there is room for it. */
  #dial(
    id: NodeId,
    why: DialReason,
    relink: boolean,
    effects: DiscoveryEffect[],
    now: Instant,
  ): DialResult {
    const held = this.#candidates.isHeld(id);
    if (!this.#flights.hasRoom(why, held, this.#oneWay.size)) return "no room";
    const [heard] = this.#candidates.heardAt(id, now);
    if (
      why === "beacon" && heard !== undefined &&
      this.#flights.hasAddress(formatSocketAddress(heard))
    ) return "no room";
    const to = this.#candidates.nextAddress(
      id,
      this.#rules(relink),
      why === "one-way",
      now,
    );
    if (to === undefined) {
      this.#candidates.rest(id, backoffMin, now);
      return "no address";
    }
    // What anybody can cause is bounded by where it leads; the rest by its own back-off.
    if (why === "beacon" || (!held && why !== "one-way")) {
      const standing = this.#surroundings.standing(to.ip) === "own" ? "own" : "unknown";
      const budget = held ? this.#heldDials : this.#strangerDials;
      if (budget.take(to.ip, standing, now) !== "granted") {
        this.#counters.count("dial over the budget");
        this.#candidates.restart(id);
        this.#candidates.pause(id, fillPause, now);
        return "budget";
      }
    }
    this.#flights.begin({ to, why, expect: id, held, since: now });
    this.#counters.count(`dial for ${why}`);
    effects.push({ kind: "dial", to, expect: id, why });
    return "begun";
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
      if (this.#dial(id, flight.why, false, effects, now) === "begun") return effects;
    }
    this.#candidates.rest(id, atLeast, now);
    return effects;
  }
}
