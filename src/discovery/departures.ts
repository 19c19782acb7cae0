/**
 * Beginning a dial: whether there is room in flight and budget for it, and to which of an id's
 * addresses it goes.
 *
 * @module
 */
import type { Counters } from "../base/counters.ts";
import type { Instant } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import { SourceBudget } from "./beacon_budget.ts";
import type { AddressRules, Candidates } from "./candidates.ts";
import type { DiscoveryEffect } from "./effects.ts";
import type { DialReason, Flights } from "./flights.ts";
import {
  backoffMin,
  fillPause,
  heldDialsBurst,
  heldDialsPerSourceBurst,
  heldDialsPerSourceRate,
  heldDialsRate,
  recordDialsBurst,
  recordDialsPerSourceBurst,
  recordDialsPerSourceRate,
  recordDialsRate,
  sourcesMax,
  strangerDialsBurst,
  strangerDialsPerSourceBurst,
  strangerDialsPerSourceRate,
  strangerDialsRate,
} from "./limits.ts";
import type { OneWay } from "./one_way.ts";
import type { Surroundings } from "./surroundings.ts";

/** What came of a dial that was to begin. */
export type Departure = "begun" | "no room" | "no address" | "budget";

/** What departures rest on. */
export interface DeparturesOptions {
  readonly counters: Counters;
  readonly candidates: Candidates;
  readonly surroundings: Surroundings;
  readonly flights: Flights;
  readonly oneWay: OneWay;
}

/** Where dials begin. */
export class Departures {
  readonly #counters: Counters;
  readonly #candidates: Candidates;
  readonly #surroundings: Surroundings;
  readonly #flights: Flights;
  readonly #oneWay: OneWay;
  readonly #strangerDials: SourceBudget;
  readonly #heldDials: SourceBudget;
  readonly #recordDials: SourceBudget;

  constructor(options: DeparturesOptions, now: Instant) {
    this.#counters = options.counters;
    this.#candidates = options.candidates;
    this.#surroundings = options.surroundings;
    this.#flights = options.flights;
    this.#oneWay = options.oneWay;
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
    this.#recordDials = new SourceBudget({
      sourceBurst: recordDialsPerSourceBurst,
      sourceRate: recordDialsPerSourceRate,
      burst: recordDialsBurst,
      rate: recordDialsRate,
      sourcesMax,
    }, now);
  }

  /**
   * Begins a dial to the next address of the id, if there is one and there is room for it.
   *
   * @param relink Whether an address with a link may be dialled too.
   * @param effects Takes the dial.
   */
  begin(
    id: NodeId,
    why: DialReason,
    relink: boolean,
    effects: DiscoveryEffect[],
    now: Instant,
  ): Departure {
    const held = this.#candidates.isHeld(id);
    if (!this.#flights.hasRoom(why, held, this.#oneWay.size)) return "no room";
    const [heard] = this.#candidates.heardAt(id, now);
    if (
      why === "beacon" && heard !== undefined &&
      this.#flights.hasAddress(formatSocketAddress(heard))
    ) return "no room";
    const to = this.#nextAddress(id, why, relink, now);
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

  /** Begins a dial to an address of `--peer`, where nobody is hoped for; it must be allowed. */
  beginForPeer(peer: string, to: SocketAddress, now: Instant): DiscoveryEffect {
    this.#flights.begin({ to, why: "peer", held: true, peer, since: now });
    this.#counters.count("dial for peer");
    return { kind: "dial", to, why: "peer" };
  }

  /** Whether the address may be dialled at all: not this node's own, not in flight, not linked. */
  allows(address: SocketAddress): boolean {
    return this.#allows(formatSocketAddress(address), false);
  }

  #allows(text: string, relink: boolean): boolean {
    return !this.#surroundings.isOwn(text) && !this.#flights.hasAddress(text) &&
      (relink || !this.#surroundings.isLinkedAt(text));
  }

  /** The next address of the id, without those that only records name and that had their share. */
  #nextAddress(
    id: NodeId,
    why: DialReason,
    relink: boolean,
    now: Instant,
  ): SocketAddress | undefined {
    for (;;) {
      const to = this.#candidates.nextAddress(id, this.#rules(relink), why === "one-way", now);
      if (to === undefined || why === "beacon" || why === "one-way") return to;
      if (!this.#candidates.isHearsay(id, to, now)) return to;
      const isOwn = this.#surroundings.standing(to.ip) === "own";
      if (isOwn || this.#recordDials.take(to.ip, "unknown", now) === "granted") return to;
      this.#counters.count("recorded address over its budget");
      if (!this.#candidates.hasNext(id)) return undefined;
    }
  }

  #rules(relink: boolean): AddressRules {
    return {
      zones: this.#surroundings.zones,
      loopback: this.#surroundings.hasLoopback,
      allows: (text) => this.#allows(text, relink),
    };
  }
}
