/**
 * The calendar as the node uses it: what is thought of this machine's, what is signed with, and what
 * follows when it is wrong or was set.
 *
 * @module
 */
import type { WallTime } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { type RecordStore, signingTime } from "../sync/mod.ts";
import { type ClockJudgement, judgeClock } from "./clock_judgement.ts";
import { clockDifferenceMax, clockDisputeMin, clockJumpMin } from "./limits.ts";
import type { PeerTable } from "./peer.ts";
import type { Warnings } from "./warnings.ts";

/** Parts of the calendar. */
export interface CalendarOptions {
  readonly clock: Clock;
  /** When this program was built. */
  readonly builtAt: WallTime;
  readonly peers: PeerTable;
  readonly store: RecordStore;
  readonly warnings: Warnings;
}

/** What the calendar shows when the monotonic clock shows 0. */
function originOf(clock: Clock): number {
  return clock.wall() - clock.monotonic();
}

/** Judges this machine's calendar by its neighbours'. */
export class Calendar {
  readonly #options: CalendarOptions;
  #origin: number;

  constructor(options: CalendarOptions) {
    this.#options = options;
    this.#origin = originOf(options.clock);
  }

  #judgement(): ClockJudgement {
    const { clock, builtAt, peers } = this.#options;
    const ahead = peers.links().flatMap(({ wallAheadMs }) => wallAheadMs ?? []);
    return judgeClock(clock.wall(), builtAt, ahead);
  }

  /** How far the calendar is off the neighbour's that differs most, milliseconds. */
  #differenceMax(): number {
    let most = 0;
    for (const { wallAheadMs = 0 } of this.#options.peers.links()) {
      most = Math.max(most, Math.abs(wallAheadMs));
    }
    return most;
  }

  /** The time to sign with. */
  signingTime(): WallTime {
    const { clock, builtAt } = this.#options;
    return signingTime(clock.wall(), builtAt, () => this.#judgement().neighbours);
  }

  /**
   * Whether the clock was set since the last question: what neighbours' clocks were found to differ
   * by holds only while ours is not.
   */
  wasSet(): boolean {
    const origin = originOf(this.#options.clock);
    const jump = Math.abs(origin - this.#origin);
    this.#origin = origin;
    return jump > clockJumpMin;
  }

  /** Warns while the clock is suspect, and stops the ageing of records while it is disputed. */
  judge(): void {
    const { clock, builtAt, store, warnings } = this.#options;
    const difference = this.#differenceMax();
    // Where nobody differs, as at nearly every look, the median does not either.
    const { problem } = difference > clockDifferenceMax
      ? this.#judgement()
      : judgeClock(clock.wall(), builtAt, []);
    // Ageing stops on anybody's disagreement: records kept too long harm less than records lost.
    const disputed = difference > clockDisputeMin;
    warnings.set(
      problem !== undefined,
      "clock",
      `${problem ?? ""} Records do not expire until it is set right.`,
    );
    store.expiryPaused = problem !== undefined || disputed;
  }
}
