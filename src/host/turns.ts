/**
 * Turns for work that costs the processor: a few at a time, the others wait in order, none for long.
 * Under load few that finish beat many that run into their time limits.
 *
 * @module
 */
import { type Duration, type Instant, later } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";

/** A place in the line. */
interface Waiting {
  readonly until: Instant;
  /** Told `true` when it is its turn. */
  readonly settle: (isTurn: boolean) => void;
}

/** Gives turns. */
export class Turns {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #patience: Duration;
  readonly #line: Waiting[] = [];
  #limit: number;
  #taken = 0;

  /**
   * @param most Turns at a time, at least 1, while none runs into its time limit.
   * @param patience Longest wait for one.
   */
  constructor(clock: Clock, most: number, patience: Duration) {
    this.#clock = clock;
    this.#most = most;
    this.#limit = most;
    this.#patience = patience;
  }

  /** One ran into its time limit: from now on there are half as many at a time, and always one. */
  handleLate(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  /** One ended in time: from now on there is one more at a time, up to the most. */
  handleInTime(): void {
    this.#limit = Math.min(this.#most, this.#limit + 1);
    if (this.#taken < this.#limit) this.#startNext();
  }

  /** Whoever is first in line goes next. */
  #startNext(): void {
    const next = this.#line.shift();
    if (next === undefined) return;
    this.#taken++;
    next.settle(true);
  }

  /**
   * Waits for a turn. Resolves to the function that gives it back (calling it again does nothing),
   * or to `undefined` if the wait took too long or `signal` aborted.
   */
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#taken < this.#limit) this.#taken++;
    else if (!await this.#wait(signal)) return undefined;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken--;
      if (this.#taken < this.#limit) this.#startNext();
    };
  }

  async #wait(signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting: Waiting = {
      until: later(this.#clock.monotonic(), this.#patience),
      settle: resolve,
    };
    this.#line.push(waiting);
    const leave = () => {
      const at = this.#line.indexOf(waiting);
      if (at < 0) return;
      this.#line.splice(at, 1);
      resolve(false);
    };
    const limit = AbortSignal.any([signal, over.signal]);
    const patience = this.#clock.wait(waiting.until, limit).then(leave);
    const isTurn = await promise;
    over.abort();
    await patience;
    return isTurn;
  }
}
