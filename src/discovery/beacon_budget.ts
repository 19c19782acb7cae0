/**
 * What beacons may cost: a budget per source address and one for all together, as token buckets.
 * One bounds the beacons that are verified at all, others the dials that they cause. An address can
 * be spoofed on the same network, so the sum is bounded whatever the sources say, and *favoured*
 * sources (this machine, addresses where a peer proved itself) draw from a sum of their own: a storm
 * from made-up addresses does not silence them.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import type { Instant } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";

/** Sizes of the buckets: how many at once, how many a second. */
export interface SourceBudgetOptions {
  readonly sourceBurst: number;
  readonly sourceRate: number;
  readonly burst: number;
  readonly rate: number;
  /** Source addresses told apart; the one not seen for longest is forgotten first. */
  readonly sourcesMax: number;
}

class TokenBucket {
  readonly #burst: number;
  readonly #rate: number;
  #tokens: number;
  #at: Instant;

  constructor(burst: number, rate: number, now: Instant) {
    this.#burst = burst;
    this.#rate = rate;
    this.#tokens = burst;
    this.#at = now;
  }

  #refill(now: Instant): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) / 1_000 * this.#rate);
    this.#at = now;
  }

  has(now: Instant): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  take(): void {
    this.#tokens -= 1;
  }
}

/** How a source is treated. */
export type SourceStanding = "own" | "favoured" | "unknown";
/** What the budget says. */
export type BudgetDecision = "granted" | "source" | "total";

/** A budget by source address. */
export class SourceBudget {
  readonly #options: SourceBudgetOptions;
  readonly #sources: BoundedMap<IpAddress, TokenBucket>;
  readonly #unknown: TokenBucket;
  readonly #favoured: TokenBucket;

  constructor(options: SourceBudgetOptions, now: Instant) {
    this.#options = options;
    this.#sources = new BoundedMap(options.sourcesMax);
    this.#unknown = new TokenBucket(options.burst, options.rate, now);
    this.#favoured = new TokenBucket(options.burst, options.rate, now);
  }

  /**
   * Takes one from the budget. A refusal says which part was used up, and takes nothing. This
   * machine's own addresses (`own`) have no limit of their own: many nodes may run on it.
   */
  take(source: IpAddress, standing: SourceStanding, now: Instant): BudgetDecision {
    const total = standing === "unknown" ? this.#unknown : this.#favoured;
    if (standing === "own") {
      if (!total.has(now)) return "total";
    } else {
      const { sourceBurst, sourceRate } = this.#options;
      const bucket = this.#sources.get(source) ?? new TokenBucket(sourceBurst, sourceRate, now);
      this.#sources.set(source, bucket);
      if (!bucket.has(now)) return "source";
      if (!total.has(now)) return "total";
      bucket.take();
    }
    total.take();
    return "granted";
  }
}
