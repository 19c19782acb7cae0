/** Time as the outside gives it. @module */
import type { Instant, WallTime } from "../base/instant.ts";

/** The clocks. The system's and the simulator's are the two implementations. */
export interface Clock {
  /** Never goes back, unrelated to the calendar, stands still at most while the machine sleeps. */
  monotonic(): Instant;
  /** The calendar as the machine believes it: may jump, may be wrong by decades. */
  wall(): WallTime;
  /**
   * Resolves at `until` (or soon after), or as soon as `signal` aborts; never rejects. Whoever
   * awaits looks at the clock and the signal again.
   */
  wait(until: Instant, signal: AbortSignal): Promise<void>;
}
