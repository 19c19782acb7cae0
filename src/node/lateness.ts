/**
 * How late this process runs: how much longer than asked its waits take. On a machine with more to do
 * than processors every turn of a process waits for its share, and so does everybody else's on that
 * machine; whoever then gives up after the usual time and begins anew makes it worse.
 *
 * @module
 */
import { type Duration, elapsed, type Instant, milliseconds } from "../base/instant.ts";
import { latenessHalfLife, latenessMax, lateTurns, paceLateAbove } from "./limits.ts";

/** The lateness of one process. */
export class Lateness {
  #late = 0;
  #at: Instant | undefined;

  /** A wait that was to end at `due` ended at `now`. */
  note(due: Instant, now: Instant): void {
    const late = Math.min(latenessMax, Math.max(0, elapsed(due, now)));
    const before = this.at(now);
    this.#late = late > before ? late : before;
    this.#at = now;
  }

  /** How late it runs now, in milliseconds: the worst of late, halved with every two seconds. */
  at(now: Instant): Duration {
    if (this.#at === undefined) return milliseconds(0);
    return milliseconds(this.#late * 0.5 ** (elapsed(this.#at, now) / latenessHalfLife));
  }

  /** What a round trip with a peer may take longer for it: both ends wait for several turns. */
  allowance(now: Instant): Duration {
    return milliseconds(lateTurns * this.at(now));
  }

  /** Whether it runs so late that nothing is to be begun that can wait. */
  isLate(now: Instant): boolean {
    return this.at(now) > paceLateAbove;
  }
}
