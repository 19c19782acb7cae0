/**
 * What is remembered of records that are not here: those deleted, by key and serial, and bytes that
 * were refused, by hash.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Instant, later, type WallTime } from "../base/instant.ts";
import { offerHashLength } from "../wire/limits.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { refusalMemory, refusalsMax, tombstoneLifetime, tombstonesMax } from "./limits.ts";

/** A mark in the place of a deleted record. */
export interface Tombstone {
  readonly key: RecordKey;
  readonly serial: number;
  /** When it was set. */
  readonly deletedAt: WallTime;
}

/** The tombstones: while one stands, nothing at or below its serial comes back. */
export class Tombstones {
  readonly #stones = new BoundedMap<RecordKey, Tombstone>(tombstonesMax);

  /** How many stand. */
  get size(): number {
    return this.#stones.size;
  }

  /** Sets one, also one from the log. */
  set(stone: Tombstone): void {
    const { key, serial, deletedAt } = stone;
    this.#stones.set(key, { key, serial, deletedAt });
  }

  /** Whether this version was deleted here. */
  covers(key: RecordKey, serial: number, wall: WallTime): boolean {
    const stone = this.#stones.get(key);
    if (stone === undefined || serial > stone.serial) return false;
    // One from the future was set under a wrong clock: what that clock deleted may come back.
    return wall >= stone.deletedAt && wall - stone.deletedAt < tombstoneLifetime;
  }

  /** Takes the one of this key away: something newer has come. */
  clear(key: RecordKey): void {
    this.#stones.delete(key);
  }

  /** Takes away those that have stood long enough. */
  prune(wall: WallTime): void {
    for (const [key, stone] of [...this.#stones.entries()]) {
      if (wall - stone.deletedAt >= tombstoneLifetime) this.#stones.delete(key);
    }
  }

  /** All of them. */
  all(): readonly Tombstone[] {
    return [...this.#stones.values()];
  }
}

/** 16 bytes as a string of 16 characters: the smallest name a hash can have in a `Map`. */
function hashName(hash: Uint8Array): string {
  return String.fromCharCode(...hash.subarray(0, offerHashLength));
}

/** The bytes refused in the last ten minutes, named by the beginning of their hashes. */
export class Refusals {
  readonly #until = new BoundedMap<string, Instant>(refusalsMax);

  /** Remembers one by its hash, or the first 16 bytes of it. */
  note(hash: Uint8Array, now: Instant): void {
    this.#until.set(hashName(hash), later(now, refusalMemory));
  }

  /** Whether one is remembered. */
  has(hash: Uint8Array, now: Instant): boolean {
    const until = this.#until.get(hashName(hash));
    return until !== undefined && now < until;
  }

  /** Forgets all. */
  clear(): void {
    this.#until.clear();
  }
}
