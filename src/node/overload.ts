/**
 * Whether more comes in than this node takes: looks at what was shed by reason, and says so in
 * `status` while it goes on.
 *
 * @module
 */
import { elapsed, type Instant } from "../base/instant.ts";
import type { Counters } from "../base/counters.ts";
import { overloadOver, overloadShedMin } from "./limits.ts";
import type { Warnings } from "./warnings.ts";

/** Reasons under which work is dropped because it is too much, not because it is wrong. */
export const shedReasons = {
  inbox: "inbox full",
  dearWork: "peer over its budget",
  pushed: "pushed records over one neighbour's share",
  newAuthors: "new authors over one neighbour's ration",
} as const;

const reasons = Object.values(shedReasons);

/** Looks now and then. */
export class Overload {
  readonly #counters: Counters;
  readonly #warnings: Warnings;
  readonly #seen = new Map<string, number>();
  /** When each reason last grew fast, while that is not over. */
  readonly #shedAt = new Map<string, Instant>();

  constructor(counters: Counters, warnings: Warnings) {
    this.#counters = counters;
    this.#warnings = warnings;
  }

  /** Compares with the look before. */
  look(now: Instant): void {
    for (const reason of reasons) {
      const count = this.#counters.of(reason);
      const seen = this.#seen.get(reason) ?? 0;
      if (count === seen) continue;
      if (count - seen >= overloadShedMin) this.#shedAt.set(reason, now);
      this.#seen.set(reason, count);
    }
    // As nearly always: there is nothing to warn of, nor a warning to end.
    if (this.#shedAt.size === 0) return;
    for (const [reason, at] of this.#shedAt) {
      if (elapsed(at, now) >= overloadOver) this.#shedAt.delete(reason);
    }
    this.#warnings.set(
      this.#shedAt.size > 0,
      "overload",
      `More comes in than this node takes; what is too much is dropped (${
        [...this.#shedAt.keys()].sort().join(", ")
      }). Links are answered as before.`,
    );
  }
}
