/**
 * When the costs that `links` tells have drifted so far that they are worth telling anew. A record
 * costs the whole fleet some bytes, so a link that only became faster or slower waits for a day, and
 * must have been two steps (four times) off for ten minutes. PROTOCOL §7.5.
 *
 * @module
 */
import { type Instant, later } from "../base/instant.ts";
import type { LinkCost } from "../wire/links.ts";
import { costCheckEvery, costDriftSteps, costsToldEvery } from "./limits.ts";

/** The machine. */
export class CostDrift {
  #told: ReadonlyMap<string, number> = new Map();
  #toldAt: Instant | undefined;
  #checkAt: Instant | undefined;
  /** Neighbours whose cost was off at the last check. */
  #off: ReadonlySet<string> = new Set();

  /** `links` was published with these costs. */
  handlePublished(costs: readonly LinkCost[], now: Instant): void {
    this.#told = new Map(costs.map(({ peer, costExponent }) => [peer, costExponent]));
    this.#toldAt = now;
    this.#checkAt = later(now, costCheckEvery);
    this.#off = new Set();
  }

  /** Whether `links` is to be published for its costs alone. */
  handleTimeout(costs: readonly LinkCost[], now: Instant): boolean {
    if (this.#checkAt === undefined || now < this.#checkAt) return false;
    this.#checkAt = later(now, costCheckEvery);
    const off = costs.filter(({ peer, costExponent }) => {
      const told = this.#told.get(peer);
      return told !== undefined && Math.abs(told - costExponent) >= costDriftSteps;
    }).map(({ peer }) => peer);
    const stayedOff = off.some((peer) => this.#off.has(peer));
    this.#off = new Set(off);
    return stayedOff && this.#toldAt !== undefined && now >= later(this.#toldAt, costsToldEvery);
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    return this.#checkAt;
  }
}
