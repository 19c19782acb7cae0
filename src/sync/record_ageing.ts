/**
 * How old the held records are: which have had their life and leave fingerprints and offers, which
 * come back, which go for good. PROTOCOL §7.6.
 *
 * A record's life counts from its signing, or from when it was first seen if it claims to be signed
 * later than that. What was seen is counted on the monotonic clock, so that a calendar that is set
 * ages nothing; while the calendar is doubted nothing ages at all.
 *
 * @module
 */
import {
  elapsed,
  type Instant,
  later,
  milliseconds,
  type WallTime,
  wallTime,
} from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { StoreEffect } from "./admission.ts";
import type { HeldRecords } from "./held_records.ts";
import { expiryCheckInterval, recordGrace, recordLifetime } from "./limits.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** Judges the ages of what is held, and moves it in and out of what is compared. */
export class RecordAgeing {
  readonly #held: HeldRecords;
  readonly #hidesAuthor: (author: NodeId) => boolean;
  readonly #builtAt: WallTime;
  /** When the log was read, and by how much the calendar was ahead of the monotonic clock then. */
  #restored: { readonly at: Instant; readonly origin: number } | undefined;
  /** Whether ageing stands still. */
  isPaused = false;

  /** @param builtAt When this program was built: a time before it came from a clock that was not set. */
  constructor(
    held: HeldRecords,
    hidesAuthor: (author: NodeId) => boolean,
    builtAt: WallTime,
  ) {
    this.#held = held;
    this.#hidesAuthor = hidesAuthor;
    this.#builtAt = builtAt;
  }

  /** What is in the log comes back now, with dates. */
  noteRestored(now: Instant, wall: WallTime): void {
    this.#restored ??= { at: now, origin: wall - now };
  }

  /** When the process's clock would have shown that something of the log was first seen. */
  seenAt(firstSeen: WallTime, now: Instant, wall: WallTime): Instant {
    // A time before the build, or after now, came from a clock that was wrong: count from today.
    const trusted = firstSeen >= this.#builtAt && firstSeen <= wall;
    return later(now, milliseconds(trusted ? firstSeen - wall : 0));
  }

  /**
   * How long something seen then has been known here. What came from the log came with a date, and a
   * calendar that was ahead when the log was read and has been set right since made that time too
   * long.
   */
  #seenFor(seenAt: Instant, now: Instant, wall: WallTime): number {
    const restored = this.#restored;
    if (restored === undefined || seenAt >= restored.at) return elapsed(seenAt, now);
    return elapsed(seenAt, now) + Math.min(0, wall - now - restored.origin);
  }

  /** What the calendar, as it is now, would have shown then. */
  wallAt(seenAt: Instant, now: Instant, wall: WallTime): WallTime {
    return wallTime(Math.max(0, Math.round(wall - this.#seenFor(seenAt, now, wall))));
  }

  /**
   * Whether the record claims to be signed so long after it was first seen that it would age too
   * late. Clocks that differ less do not matter: nobody looks at ages more often.
   */
  isAhead(record: VerifiedRecord, seenAt: Instant, now: Instant, wall: WallTime): boolean {
    return record.signedAt > wall - elapsed(seenAt, now) + expiryCheckInterval;
  }

  /** Whether its life is over, counted from its signing or, if that is known, from when it was seen. */
  hasAged(
    record: VerifiedRecord,
    seenAt: Instant | undefined,
    now: Instant,
    wall: WallTime,
  ): boolean {
    if (this.isPaused) return false;
    const seenFor = seenAt === undefined ? 0 : this.#seenFor(seenAt, now, wall);
    return Math.max(seenFor, wall - record.signedAt) >= recordLifetime;
  }

  /**
   * Looks through the records: the young among those that had left come back, the aged leave, and
   * those that left a day ago are to be deleted, which is left to the caller.
   */
  look(now: Instant, wall: WallTime): readonly StoreEffect[] {
    if (this.isPaused) return this.#takeAllBack();
    const effects: StoreEffect[] = [];
    for (const [record, leftAt] of this.#left()) {
      if (!this.#hasAgedHere(record, now, wall)) {
        this.#takeBack(record);
        effects.push({ kind: "returned", record });
      } else if (elapsed(leftAt, now) >= recordGrace) {
        effects.push({ kind: "deleted", record });
      }
    }
    for (const record of this.#aged(now, wall)) {
      const isCompared = this.#held.tree.get(record.key) !== undefined;
      this.#held.leave(record, now);
      if (isCompared) effects.push({ kind: "left", record });
    }
    return effects;
  }

  #hasAgedHere(record: VerifiedRecord, now: Instant, wall: WallTime): boolean {
    return this.hasAged(record, this.#held.seenAt(record.key), now, wall);
  }

  /** Nobody knows how old anything is: else a wrong calendar would keep this node out of step. */
  #takeAllBack(): readonly StoreEffect[] {
    const left = this.#left();
    for (const [record] of left) this.#takeBack(record);
    return left.map(([record]) => ({ kind: "returned", record }));
  }

  /** It is of an age to be compared again; a hidden author's stays where it is. */
  #takeBack(record: VerifiedRecord): void {
    if (this.#hidesAuthor(record.author)) this.#held.noteYoung(record.key);
    else this.#held.takeBack(record);
  }

  /** What is out of fingerprints for its age, and since when. */
  #left(): (readonly [VerifiedRecord, Instant])[] {
    return [...this.#held.left()].flatMap(([key, leftAt]) => {
      const record = this.#held.get(key);
      return record === undefined ? [] : [[record, leftAt] as const];
    });
  }

  /** What has aged and has not left yet: found by time of signing, without looking at the rest. */
  #aged(now: Instant, wall: WallTime): VerifiedRecord[] {
    const signedBy = wallTime(wall - recordLifetime);
    const candidates = new Set([
      ...this.#held.tree.signedUpTo(signedBy),
      ...this.#held.aside.signedUpTo(signedBy),
    ]);
    for (const key of this.#held.seenBeforeSigned()) {
      const record = this.#held.get(key);
      if (record !== undefined) candidates.add(record);
    }
    return [...candidates].filter((record) =>
      this.#held.leftAt(record.key) === undefined && this.#hasAgedHere(record, now, wall)
    );
  }
}
