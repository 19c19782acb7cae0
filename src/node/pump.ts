/**
 * The one place where machines meet time: waits for the earliest deadline of all of them and hands
 * each the instant. Machines never wait.
 *
 * @module
 */
import { earliest, type Instant, later, milliseconds } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import type { Lateness } from "./lateness.ts";

/** Something with deadlines: a machine and the code that performs its effects. */
export interface Timed {
  /** When it wants to be called next; `undefined` while it waits for nothing. */
  nextTimeout(): Instant | undefined;
  /** Called at or after that instant; must not block. */
  handleTimeout(now: Instant): void;
}

/** Longest time between two looks: a machine whose deadline moved without a poke is seen by then. */
const lookEvery = milliseconds(1_000);

/** Drives `Timed` things on a clock until its signal aborts. */
export class Pump {
  readonly #clock: Clock;
  readonly #parts: readonly Timed[];
  readonly #lateness: Lateness | undefined;
  #wake = new AbortController();
  /** Until when it sleeps; absent while it is awake. */
  #sleepsUntil: Instant | undefined;
  /** Whether a deadline may have come nearer since it woke. */
  #wasPoked = false;

  /** @param lateness Learns how late this process runs. */
  constructor(clock: Clock, parts: readonly Timed[], lateness?: Lateness) {
    this.#clock = clock;
    this.#parts = parts;
    this.#lateness = lateness;
  }

  /** Says that a deadline may have come nearer. */
  poke(): void {
    this.#wasPoked = true;
    if (this.#sleepsUntil === undefined) return;
    const next = this.#next();
    if (next === undefined || next >= this.#sleepsUntil) return;
    // Waking costs more than looking, and nearly every datagram pokes.
    this.#sleepsUntil = undefined;
    // With a reason, or the platform makes an exception with a trace of every wake.
    this.#wake.abort("poked");
  }

  #next(): Instant | undefined {
    let next: Instant | undefined;
    for (const part of this.#parts) next = earliest(next, part.nextTimeout());
    return next;
  }

  /** Calls those that are due; the earliest of all deadlines then. */
  #call(now: Instant): Instant | undefined {
    this.#wasPoked = false;
    let next: Instant | undefined;
    for (const part of this.#parts) {
      let due = part.nextTimeout();
      if (due !== undefined && due <= now) {
        part.handleTimeout(now);
        due = part.nextTimeout();
        // What it did may have brought the deadlines of others nearer.
        this.#wasPoked = true;
      }
      next = earliest(next, due);
    }
    return this.#wasPoked ? this.#next() : next;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake.abort("stopped");
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        this.#wake = new AbortController();
        const now = this.#clock.monotonic();
        const next = earliest(later(now, lookEvery), this.#call(now));
        if (next !== undefined && next > now) {
          this.#sleepsUntil = next;
          await this.#clock.wait(next, this.#wake.signal);
          if (!this.#wake.signal.aborted) this.#lateness?.note(next, this.#clock.monotonic());
          this.#sleepsUntil = undefined;
        } // A machine that stays due must not starve the sockets: yield to them once a round.
        else await this.#clock.wait(later(now, milliseconds(1)), signal);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}
