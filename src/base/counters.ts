/**
 * Counting by reason: what was dropped and why, for status and metrics.
 *
 * @module
 */
import { BoundedMap } from "./bounded_map.ts";

/** Most reasons told apart; a reason is a fixed phrase of ours, so this is never met in practice. */
const REASONS_MAX = 256;

/** Counts per reason. */
export class Counters {
  readonly #counts = new BoundedMap<string, number>(REASONS_MAX);

  /** One more for the reason. */
  count(reason: string, times = 1): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + times);
  }

  /** How often so far. */
  of(reason: string): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** All counts, by reason in order of name. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts.entries()].sort(([a], [b]) => a < b ? -1 : 1));
  }
}
