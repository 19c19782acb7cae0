/** The machine's clocks: the only file that reads them and sets timers. @module */
import { type Instant, instant, type WallTime, wallTime } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { TIMER_MAX } from "./limits.ts";

/** The clocks of this machine. */
export class SystemClock implements Clock {
  monotonic(): Instant {
    return instant(performance.now());
  }

  wall(): WallTime {
    return wallTime(Date.now());
  }

  async wait(until: Instant, signal: AbortSignal): Promise<void> {
    // A timer may fire a little early and cannot be longer than 24 days: look at the clock again.
    while (!signal.aborted) {
      const left = until - this.monotonic();
      if (!(left > 0)) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(Math.ceil(left), TIMER_MAX));
        signal.addEventListener("abort", done);
      });
    }
  }
}

/** Lets everything else that waits in this process have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Calls `then` at `until`; the function returned calls it off. */
export function callAt(clock: Clock, until: Instant, then: () => void): () => void {
  const calledOff = new AbortController();
  const wait = async () => {
    await clock.wait(until, calledOff.signal);
    if (!calledOff.signal.aborted) then();
  };
  void wait(); // A clock's wait never rejects, and what `then` throws is a bug that must show.
  return () => calledOff.abort();
}
