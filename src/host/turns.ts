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
  readonly #limit: number;
  readonly #patience: Duration;
  readonly #line: Waiting[] = [];
  #taken = 0;

  /**
   * @param limit Turns at a time, at least 1.
   * @param patience Longest wait for one.
   */
  constructor(clock: Clock, limit: number, patience: Duration) {
    this.#clock = clock;
    this.#limit = limit;
    this.#patience = patience;
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
      const next = this.#line.shift();
      if (next === undefined) this.#taken--;
      else next.settle(true);
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
