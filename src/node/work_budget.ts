/**
 * How much dear work one peer may cause: so much at once, so much a second.
 *
 * @module
 */
import { elapsed, type Instant } from "../base/instant.ts";
import { dearWorkBurst, dearWorkRate } from "./limits.ts";

/** A bucket of pieces of work. */
export class WorkBudget {
  readonly #burst: number;
  readonly #rate: number;
  #left: number;
  #at: Instant | undefined;

  /** @param rate Pieces per second. */
  constructor(burst = dearWorkBurst, rate = dearWorkRate) {
    this.#burst = burst;
    this.#rate = rate;
    this.#left = burst;
  }

  /** Takes one piece; `false` if none is left now. */
  take(now: Instant): boolean {
    const since = this.#at === undefined ? 0 : elapsed(this.#at, now);
    this.#at = now;
    this.#left = Math.min(this.#burst, this.#left + since / 1_000 * this.#rate);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
