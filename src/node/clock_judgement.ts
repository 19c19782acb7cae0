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
  /**
   * What the neighbours say, however few they are, if this program can have lived to see it. To be
   * signed with only where the own clock is certainly wrong: then even one neighbour knows better,
   * and the worst that a liar reaches is a date some years ahead.
   */
  readonly neighbours: WallTime | undefined;
}

function middleOf(aheadMs: readonly number[]): number | undefined {
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
  const middle = middleOf(aheadMs);
  const ahead = aheadMs.length < clockVotersMin ? undefined : middle;
  const told = middle === undefined ? undefined : wallTime(wall + middle);
  const isPossible = told !== undefined && told >= builtAt && told <= builtAt + clockAfterBuildMax;
  const neighbours = isPossible ? told : undefined;
  // The day alone: a sentence that changes with the second would be news every time.
  const shown = () => formatWallTime(wall).replace(/T.*/, "");
  if (wall < builtAt) {
    return {
      problem: `The clock shows ${shown()}, a date before this program was built.`,
      neighbours,
    };
  }
  if (wall > builtAt + clockAfterBuildMax) {
    return {
      problem: `The clock shows ${shown()}, decades after this program was built.`,
      neighbours,
    };
  }
  if (ahead !== undefined && Math.abs(ahead) > clockDifferenceMax) {
    const minutes = Math.round(Math.abs(ahead) / 60_000);
    const way = ahead > 0 ? "behind" : "ahead of";
    return { problem: `The clock is ${minutes} minutes ${way} the neighbours'.`, neighbours };
  }
  return { problem: undefined, neighbours };
}
