/**
 * The one place where machines meet time: waits for the earliest deadline of all of them and hands
 * each the instant. Machines never wait.
 *
 * @module
 */
import { elapsed, type Instant, later, milliseconds, seconds } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import type { Lateness } from "./lateness.ts";

/** Something with deadlines: a machine and the code that performs its effects. */
export interface Timed {
  /** When it wants to be called next; `undefined` while it waits for nothing. */
  nextTimeout(): Instant | undefined;
  /** Called at or after that instant; must not block. What it brings nearer elsewhere it pokes for. */
  handleTimeout(now: Instant): void;
}

/** Longest time between two looks: a machine whose deadline moved without a poke is seen by then. */
const lookEvery = seconds(3);
/** A pump that is awake for another reason takes a look this early: waking for it would cost more. */
const lookAhead = milliseconds(500);

/** Drives `Timed` things on a clock until its signal aborts. */
export class Pump {
  readonly #clock: Clock;
  readonly #parts: readonly Timed[];
  readonly #lateness: Lateness | undefined;
  /**
   * What each part wanted when it was asked last. Asking all costs more than most of what they do,
   * so it is done when somebody says that a deadline may have come nearer, and now and then.
   */
  readonly #due: (Instant | undefined)[];
  /** When all are asked again, whatever happens. */
  #lookAt: Instant;
  #wake = new AbortController();
  /** Until when it sleeps; absent while it is awake. */
  #sleepsUntil: Instant | undefined;
  /** Whether a deadline may have come nearer since all were asked. */
  #wasPoked = false;
  #isLookScheduled = false;

  /** @param lateness Learns how late this process runs. */
  constructor(clock: Clock, parts: readonly Timed[], lateness?: Lateness) {
    this.#clock = clock;
    this.#parts = parts;
    this.#lateness = lateness;
    this.#due = parts.map(() => undefined);
    this.#lookAt = clock.monotonic();
  }

  /** Says that a deadline may have come nearer. Said often in one turn, it costs one look after it. */
  poke(): void {
    this.#wasPoked = true;
    if (this.#sleepsUntil === undefined || this.#isLookScheduled) return;
    this.#isLookScheduled = true;
    queueMicrotask(() => {
      this.#isLookScheduled = false;
      this.#lookAsleep();
    });
  }

  /** Wakes only for what is due before it would wake anyway: waking costs more than looking. */
  #lookAsleep(): void {
    if (this.#sleepsUntil === undefined || !this.#wasPoked) return;
    this.#ask(this.#clock.monotonic());
    if (this.#next() >= this.#sleepsUntil) return;
    this.#sleepsUntil = undefined;
    // With a reason, or the platform makes an exception with a trace of every wake.
    this.#wake.abort("poked");
  }

  /** Asks every part what it wants. */
  #ask(now: Instant): void {
    this.#wasPoked = false;
    this.#lookAt = later(now, lookEvery);
    this.#parts.forEach((part, i) => this.#due[i] = part.nextTimeout());
  }

  /** The earliest of all deadlines. */
  #next(): Instant {
    let next = this.#lookAt;
    for (const due of this.#due) if (due !== undefined && due < next) next = due;
    return next;
  }

  /** Calls those that are due, each once; the earliest of all deadlines then. */
  #call(now: Instant): Instant {
    if (this.#wasPoked || elapsed(now, this.#lookAt) <= lookAhead) this.#ask(now);
    this.#parts.forEach((part, i) => {
      const wanted = this.#due[i];
      if (wanted === undefined || wanted > now) return;
      // It may have moved since it was asked.
      const due = part.nextTimeout();
      if (due !== undefined && due <= now) part.handleTimeout(now);
      this.#due[i] = part.nextTimeout();
    });
    if (this.#wasPoked) this.#ask(now);
    return this.#next();
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake.abort("stopped");
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        if (this.#wake.signal.aborted) this.#wake = new AbortController();
        const now = this.#clock.monotonic();
        const next = this.#call(now);
        if (next > now) {
          this.#sleepsUntil = next;
          await this.#clock.wait(next, this.#wake.signal);
          if (!this.#wake.signal.aborted) this.#lateness?.note(next, this.#clock.monotonic());
          this.#sleepsUntil = undefined;
        } // A machine that stays due must not starve the sockets: yield to them once a round, however
        // long that took.
        else await this.#clock.wait(later(this.#clock.monotonic(), milliseconds(1)), signal);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}
