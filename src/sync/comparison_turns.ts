/**
 * When stores are compared, and with whom: a few at a time, and not while what differs is on its way
 * anyhow. PROTOCOL §8.3.
 *
 * While a fleet forms every probe of every link finds a difference. Comparing at once with each
 * neighbour would fetch the same records from all of them; a moment later push has brought most.
 *
 * @module
 */
import { type Duration, earliest, type Instant, instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type Allowance, laterAllowing, noAllowance, runsLate } from "./allowance.ts";
import {
  comparisonPatience,
  comparisonQuiet,
  comparisonsAtOnce,
  comparisonSettle,
  lateComparisonLook,
  lateComparisonPatience,
  lateComparisonSettle,
} from "./limits.ts";

/** Why a comparison is wanted. */
export type ComparisonReason =
  /** This node dialled a new link. */
  | "link"
  /** A probe found the digests different. */
  | "probe"
  /** Now, whatever is on its way: the peer holds far more, or told something unreadable. */
  | "at once";

interface Window {
  /** From now on, once records have stopped coming in for a moment. */
  readonly at: Instant;
  /** Whether they have or not. */
  readonly latest: Instant;
}

interface Wish extends Window {
  readonly why: ComparisonReason;
  /** The same for as long as this process runs late. */
  readonly late: Window;
}

/** The machine. */
export class ComparisonTurns {
  readonly #prng: Prng;
  readonly #allowance: Allowance;
  readonly #running = new Set<NodeId>();
  readonly #due = new Map<NodeId, Wish>();
  /** Before this a peer is not compared with, whatever is wanted. */
  readonly #notBefore = new Map<NodeId, Instant>();
  /** Until then no other begins for a probe's sake: this process runs late, and one brings most. */
  #restUntil: Instant | undefined;
  /** When those are looked at again that wait only because this process runs late. */
  #lookAgainAt: Instant | undefined;
  /** When records have stopped coming in, if none comes until then. */
  #quietAt: Instant | undefined;

  /** @param allowance For what is on its way by push, while this process runs late. */
  constructor(prng: Prng, allowance: Allowance = noAllowance) {
    this.#prng = prng;
    this.#allowance = allowance;
  }

  /** How many are under way. */
  get running(): number {
    return this.#running.size;
  }

  /** A comparison with the linked peer is wanted. */
  want(id: NodeId, why: ComparisonReason, now: Instant): void {
    // Of links that come together one is enough; whether another differs its first probe tells.
    if (why === "link" && this.#running.size + this.#due.size > 0) return;
    const wish = why === "probe" ? this.#wishOnceSettled(now) : wishAt(why, now);
    const before = this.#due.get(id);
    if (before === undefined || wish.latest < before.latest) this.#due.set(id, wish);
  }

  #wishOnceSettled(now: Instant): Wish {
    const share = this.#prng.between(0.5, 1);
    const within = (settle: Duration, longest: Duration): Window => ({
      at: laterAllowing(now, scaled(settle, share), this.#allowance),
      latest: laterAllowing(now, longest, this.#allowance),
    });
    return {
      why: "probe",
      ...within(comparisonSettle, comparisonPatience),
      late: within(lateComparisonSettle, lateComparisonPatience),
    };
  }

  /** A record came in: more may be on its way. */
  handleChange(now: Instant): void {
    this.#quietAt = laterAllowing(now, comparisonQuiet, this.#allowance);
  }

  /** Both stores are equal: what was wanted is done. */
  handleEqual(id: NodeId): void {
    this.#due.delete(id);
    this.#notBefore.delete(id);
  }

  /** A comparison ended; until `again`, if given, the peer is not worth another. */
  handleEnded(id: NodeId, again: Instant | undefined): void {
    this.#running.delete(id);
    if (again !== undefined) this.#notBefore.set(id, again);
  }

  /** The link is gone. */
  handleUnlink(id: NodeId): void {
    this.#due.delete(id);
    this.#notBefore.delete(id);
  }

  /** Whom to compare with now; each is told by `handleEnded` when it is over. */
  handleTimeout(now: Instant): NodeId[] {
    const begun: NodeId[] = [];
    const isLate = runsLate(this.#allowance, now);
    this.#lookAgainAt = isLate ? later(now, lateComparisonLook) : undefined;
    for (const [id, wish] of [...this.#due].sort(([, a], [, b]) => a.at - b.at)) {
      if (this.#running.size >= comparisonsAtOnce) break;
      if (this.#startOf(id, wish, isLate) > now || this.#running.has(id)) continue;
      this.#due.delete(id);
      this.#notBefore.delete(id);
      this.#running.add(id);
      begun.push(id);
      if (isLate) this.#restUntil = later(now, lateComparisonSettle);
    }
    return begun;
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    if (this.#running.size >= comparisonsAtOnce) return undefined;
    let next: Instant | undefined;
    for (const [id, wish] of this.#due) {
      if (this.#running.has(id)) continue;
      const start = this.#startOf(id, wish, false);
      const looked = Math.max(start, this.#lookAgainAt ?? start);
      next = earliest(next, instant(Math.min(looked, this.#startOf(id, wish, true))));
    }
    return next;
  }

  #startOf(id: NodeId, wish: Wish, isLate: boolean): Instant {
    const { at, latest } = isLate ? wish.late : wish;
    const settled = Math.min(latest, Math.max(at, this.#quietAt ?? at));
    const rests = isLate && wish.why === "probe";
    const start = rests ? Math.max(settled, this.#restUntil ?? settled) : settled;
    return instant(Math.max(start, this.#notBefore.get(id) ?? start));
  }
}

function wishAt(why: ComparisonReason, now: Instant): Wish {
  const at = { at: now, latest: now };
  return { why, ...at, late: at };
}
