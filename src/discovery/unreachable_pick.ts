/**
 * The random known id that no path leads to: one is dialled every 30 s, every 2 s while there is no
 * link at all, and one at once after an interface change.
 *
 * @module
 */
import { earliest, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Candidates } from "./candidates.ts";
import { lonelyPause, unreachablePause } from "./limits.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the pick rests on. */
export interface UnreachablePickOptions {
  readonly prng: Prng;
  readonly candidates: Candidates;
  readonly surroundings: Surroundings;
  /** Whether nothing else is under way with the id. */
  readonly isFree: (id: NodeId) => boolean;
}

/** Picks unreachable ids, each at its time. */
export class UnreachablePick {
  readonly #options: UnreachablePickOptions;
  #at: Instant;
  /** Networks are new: the next unreachable id is dialled at once, whatever its back-off. */
  #atOnce = true;

  constructor(options: UnreachablePickOptions, now: Instant) {
    this.#options = options;
    this.#at = now;
  }

  /** Networks are new. */
  handleInterfaces(now: Instant): void {
    this.#atOnce = true;
    this.#at = now;
  }

  /** There is a link: nothing is urgent any more. */
  handleLinked(): void {
    this.#atOnce = false;
  }

  /** A link ended. */
  handleUnlinked(now: Instant): void {
    if (this.#options.surroundings.links > 0) return;
    this.#at = earliest(this.#at, later(now, lonelyPause)) ?? now;
  }

  /** The id to dial now, if it is time and there is one. */
  handleTimeout(now: Instant): NodeId | undefined {
    if (now < this.#at) return undefined;
    const { prng, candidates, surroundings, isFree } = this.#options;
    const pause = surroundings.links === 0 ? lonelyPause : unreachablePause;
    this.#at = later(now, scaled(pause, prng.between(0.9, 1.1)));
    const id = candidates.pickUnreachable(isFree, this.#atOnce, now);
    if (id !== undefined) this.#atOnce = false;
    return id;
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant {
    return this.#at;
  }
}
