/**
 * The Trickle algorithm (RFC 6206 §4.2), with the RFC's names: an interval of length I between Imin
 * and Imax, a moment t in its second half, a counter c of consistent transmissions heard, and a
 * redundancy constant k. It says when to transmit, not what.
 *
 * State of an interface at Imax = 256 s and k = 3 on a network of N nodes: about 3 to 6 beacons an
 * interval in all (unsynchronised intervals exceed k a little, RFC 6206 §6.2). A beacon is 135 bytes
 * over IPv6 and 115 over IPv4 with Ethernet headers, 250 for both: a node hears 3 to 6 bytes a
 * second and sends about 4/N of that; alone it sends 1 byte a second.
 *
 * @module
 */
import { type Duration, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";

/** Parameters of RFC 6206 §4.1. */
export interface TrickleOptions {
  /** Imin. */
  readonly min: Duration;
  /** Imax as the number of doublings of Imin. */
  readonly doublings: number;
  /** k. */
  readonly redundancy: number;
}

/** What an instant of the timer means: `suppressed` where c ≥ k at t. */
export type TrickleDecision = "transmit" | "suppressed";

/** One Trickle timer. */
export class Trickle {
  readonly #min: Duration;
  readonly #max: Duration;
  readonly #k: number;
  readonly #prng: Prng;
  /** I. */
  #interval: Duration;
  /** End of the current interval. */
  #end: Instant;
  /** t, as an instant; `undefined` once it has passed. */
  #t: Instant | undefined;
  /** c. */
  #c = 0;

  /** Starts with I = Imin: whoever appears on a network wants to be heard soon (§4.2 step 1 allows any). */
  constructor(options: TrickleOptions, prng: Prng, now: Instant) {
    this.#min = options.min;
    this.#max = scaled(options.min, 2 ** options.doublings);
    this.#k = options.redundancy;
    this.#prng = prng;
    this.#interval = options.min;
    this.#end = now;
    this.#begin(options.min, now);
  }

  /** The current interval I. */
  get interval(): Duration {
    return this.#interval;
  }

  /** A consistent transmission was heard (step 3). */
  handleConsistent(): void {
    this.#c++;
  }

  /** An inconsistency (step 6): back to Imin, unless I is Imin already. Returns whether it was reset. */
  handleInconsistent(now: Instant): boolean {
    if (this.#interval <= this.#min) return false;
    this.#begin(this.#min, now);
    return true;
  }

  /**
   * Step 4 or step 5, whichever is due: returns the decision at t, `undefined` where an interval ended.
   * To be called again while `nextTimeout` has passed. A late call loses intervals, nothing else.
   */
  handleTimeout(now: Instant): TrickleDecision | undefined {
    if (this.#t !== undefined) {
      if (now < this.#t) return undefined;
      this.#t = undefined;
      return this.#c < this.#k ? "transmit" : "suppressed";
    }
    if (now >= this.#end) {
      const doubled = scaled(this.#interval, 2);
      this.#begin(doubled < this.#max ? doubled : this.#max, now);
    }
    return undefined;
  }

  /** The next instant that means something. */
  nextTimeout(): Instant {
    return this.#t ?? this.#end;
  }

  /** Step 2: a new interval of length I, c = 0, t in [I/2, I). */
  #begin(interval: Duration, now: Instant): void {
    this.#interval = interval;
    this.#c = 0;
    this.#t = later(now, scaled(interval, this.#prng.between(0.5, 1)));
    this.#end = later(now, interval);
  }
}
