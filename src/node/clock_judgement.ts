/**
 * Whether the calendar of this machine can be believed, and what to sign with if not. Nothing but
 * dates rests on it: links, datagrams and exchanges run on the monotonic clock.
 *
 * @module
 */
import { formatWallTime, type WallTime, wallTime } from "../base/instant.ts";
import { clockAfterBuildMax, clockDifferenceMax, clockVotersMin } from "./limits.ts";

/** What is thought of the clock. */
export interface ClockJudgement {
  /** A sentence for people, if it is suspect. */
  readonly problem: string | undefined;
  /** The neighbours' median, if there are enough of them. */
  readonly median: WallTime | undefined;
}

/** The middle of the neighbours' calendars; `undefined` below five neighbours. */
function medianAhead(aheadMs: readonly number[]): number | undefined {
  if (aheadMs.length < clockVotersMin) return undefined;
  const sorted = [...aheadMs].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/**
 * Judges the clock.
 *
 * @param aheadMs Per linked neighbour, its calendar less ours in milliseconds.
 */
export function judgeClock(
  wall: WallTime,
  builtAt: WallTime,
  aheadMs: readonly number[],
): ClockJudgement {
  const ahead = medianAhead(aheadMs);
  const median = ahead === undefined ? undefined : wallTime(wall + ahead);
  const shown = formatWallTime(wall);
  if (wall < builtAt) {
    return { problem: `The clock shows ${shown}, a time before this program was built.`, median };
  }
  if (wall > builtAt + clockAfterBuildMax) {
    return { problem: `The clock shows ${shown}, decades after this program was built.`, median };
  }
  if (ahead !== undefined && Math.abs(ahead) > clockDifferenceMax) {
    const minutes = Math.round(Math.abs(ahead) / 60_000);
    const way = ahead > 0 ? "behind" : "ahead of";
    return { problem: `The clock is ${minutes} minutes ${way} the neighbours'.`, median };
  }
  return { problem: undefined, median };
}
