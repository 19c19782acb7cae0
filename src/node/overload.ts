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

/** Looks now and then. */
export class Overload {
  readonly #counters: Counters;
  readonly #warnings: Warnings;
  readonly #seen = new Map<string, number>();
  /** When each reason last grew fast. */
  readonly #shedAt = new Map<string, Instant>();

  constructor(counters: Counters, warnings: Warnings) {
    this.#counters = counters;
    this.#warnings = warnings;
  }

  /** Compares with the look before. */
  look(now: Instant): void {
    for (const reason of Object.values(shedReasons)) {
      const count = this.#counters.of(reason);
      if (count - (this.#seen.get(reason) ?? 0) >= overloadShedMin) this.#shedAt.set(reason, now);
      this.#seen.set(reason, count);
    }
    const reasons = [...this.#shedAt].flatMap(([reason, at]) =>
      elapsed(at, now) < overloadOver ? [reason] : []
    );
    this.#warnings.set(
      reasons.length > 0,
      "overload",
      `More comes in than this node takes; what is too much is dropped (${
        reasons.sort().join(", ")
      }). Links are answered as before.`,
    );
  }
}
