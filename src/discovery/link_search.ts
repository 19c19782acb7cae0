/**
 * Looking for links while some are missing: how many are, when it is time to look, and whom to dial –
 * ids near by and ids that a path leads to, in turn.
 *
 * @module
 */
import { earliest, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Candidates } from "./candidates.ts";
import { degreeFor } from "./degree.ts";
import type { Departures } from "./departures.ts";
import type { DiscoveryEffect } from "./effects.ts";
import type { Flights } from "./flights.ts";
import {
  eagerLinks,
  fillGap,
  fillPause,
  hasteGap,
  lateLinks,
  unhurriedFillPause,
  volunteerLinksMax,
} from "./limits.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the search rests on. */
export interface LinkSearchOptions {
  readonly candidates: Candidates;
  readonly surroundings: Surroundings;
  readonly flights: Flights;
  readonly departures: Departures;
  readonly prng: Prng;
  /** Whether nothing else is under way with the id. */
  readonly isFree: (id: NodeId) => boolean;
}

/** The search for missing links. */
export class LinkSearch {
  readonly #options: LinkSearchOptions;
  #fillAt: Instant;
  /** When a node with links enough for the moment dials one more. */
  #unhurriedAt: Instant;
  /** When a node that has a link dials the next one in haste. */
  #hastyAt: Instant;
  #filledAt: Instant | undefined;
  #nearFirst = true;
  #isLate = false;

  constructor(options: LinkSearchOptions, now: Instant) {
    this.#options = options;
    this.#fillAt = now;
    this.#hastyAt = now;
    this.#unhurriedAt = this.#unhurriedAfter(now);
  }

  /** Links this node strives for, whoever dialled. */
  get degree(): number {
    return degreeFor(this.#options.candidates.heldCount + 1);
  }

  /**
   * How many dials for more links may begin. Half of what is missing in haste at a time, for the
   * others look for links too; between that and the degree one now and then. Dials to strangers take
   * no room from held ids: anybody can cause them.
   */
  missing(held: boolean, now: Instant): number {
    const { links, linksCounted } = this.#options.surroundings;
    const inHaste = this.missingInHaste(held, now);
    const enough = links >= volunteerLinksMax || linksCounted >= this.degree;
    if (inHaste > 0 || enough || this.#isLate || now < this.#unhurriedAt) return inHaste;
    return 1 - this.#options.flights.countForLinks(held);
  }

  /** The same without those that can wait: a newcomer that all hear is not for all to dial. */
  missingInHaste(held: boolean, now: Instant): number {
    return this.waitsForVolunteers(now) ? 0 : this.lackingInHaste(held);
  }

  /** The same, whether or not volunteers are waited for. */
  lackingInHaste(held: boolean): number {
    const { links, linksCounted } = this.#options.surroundings;
    if (links >= volunteerLinksMax) return 0;
    // Who is late has enough to do: each dial would only make the others fail.
    const wanted = this.#isLate ? lateLinks : eagerLinks;
    return Math.ceil((wanted - linksCounted) / 2) - this.#options.flights.countForLinks(held);
  }

  /** Whether a link has just come, which those of volunteers may follow. */
  waitsForVolunteers(now: Instant): boolean {
    return now < this.#hastyAt;
  }

  /** A link has come: those who volunteered for this node as well are waited for. */
  handleLinked(now: Instant): void {
    this.#hastyAt = later(now, hasteGap);
  }

  /** The last link is gone: there is nothing to wait for. */
  handleLonely(now: Instant): void {
    this.#hastyAt = now;
  }

  #unhurriedAfter(now: Instant): Instant {
    return later(now, scaled(unhurriedFillPause, this.#options.prng.between(0.5, 1.5)));
  }

  /** Whether this process runs late. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Whether this process runs late: then fewer links are sought. */
  handleLateness(isLate: boolean): void {
    this.#isLate = isLate;
  }

  /** Something was learned: look for missing links soon. */
  lookSoon(now: Instant): void {
    const soonest = this.#filledAt === undefined ? now : later(this.#filledAt, fillGap);
    this.#fillAt = earliest(this.#fillAt, soonest > now ? soonest : now) ?? now;
  }

  /** Looks, if it is time. */
  handleTimeout(now: Instant): DiscoveryEffect[] {
    const { candidates, departures, isFree } = this.#options;
    if (now < this.#fillAt || !this.#isLooking(now)) return [];
    this.#filledAt = now;
    this.#fillAt = later(now, fillPause);
    const effects: DiscoveryEffect[] = [];
    const fits = (id: NodeId) =>
      isFree(id) && (candidates.isHeld(id) || this.missing(false, now) > 0);
    for (let missing = this.missing(true, now); missing > 0; missing--) {
      const near = () => candidates.pickNear(fits, now);
      const far = () => candidates.pickReachable(fits, now);
      const id = this.#nearFirst ? near() ?? far() : far() ?? near();
      this.#nearFirst = !this.#nearFirst;
      if (id === undefined) break;
      if (departures.begin(id, "degree", false, effects, now) === "no room") break;
    }
    this.#unhurriedAt = this.#unhurriedAfter(now);
    return effects;
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    if (this.#isLooking(this.#fillAt)) return this.#fillAt;
    for (const from of [this.#hastyAt, this.#unhurriedAt].sort((a, b) => a - b)) {
      const at = from > this.#fillAt ? from : this.#fillAt;
      if (this.#isLooking(at)) return at;
    }
    return undefined;
  }

  #isLooking(at: Instant): boolean {
    return this.#options.candidates.hasLive && this.missing(true, at) > 0;
  }
}
