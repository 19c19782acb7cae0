/**
 * The records held, and the orders in which they are looked for: by key, by hash, by author, by an
 * administrator's subjects, and in order of keys those that are in fingerprints and offers. What may
 * be held, and how long, is `record_store.ts`'s to decide.
 *
 * @module
 */
import type { Instant } from "../base/instant.ts";
import { offerHashLength } from "../wire/limits.ts";
import type { NodeId } from "../wire/node_id.ts";
import { isAdministratorKind, type RecordKey } from "../wire/record_key.ts";
import { KnownAuthors } from "./known_authors.ts";
import { SortedKeys } from "./sorted_keys.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** A record with what is known of its stay. */
export interface HeldRecord {
  readonly record: VerifiedRecord;
  /** By this process's clock; a restored one may lie before the clock's origin. */
  readonly firstSeen: Instant;
  /** When it left fingerprints and offers, if it has. */
  readonly leftAt?: Instant;
}

/** 16 bytes as a string of 16 characters: the smallest name a hash can have in a `Set`. */
export function hashName(hash: Uint8Array): string {
  return String.fromCharCode(...hash.subarray(0, offerHashLength));
}

/** The administrator and kind under which a record's subject counts. */
function subjectsName(record: VerifiedRecord): string {
  return `${record.kind} ${record.author}`;
}

/** The records held, one under each key. */
export class HeldRecords {
  #version = 0;
  readonly #held = new Map<RecordKey, HeldRecord>();
  readonly #hashes = new Set<string>();
  /** Keys of what is in fingerprints and offers. */
  readonly #current = new SortedKeys();
  readonly #authors = new KnownAuthors();
  readonly #subjects = new Map<string, number>();

  /** How many there are. */
  get size(): number {
    return this.#held.size;
  }

  /** Another number after every change: what was computed over all of it holds while it stands. */
  get version(): number {
    return this.#version;
  }

  /** How many authors have a record here. */
  get authorCount(): number {
    return this.#authors.size;
  }

  /** The one under the key. */
  get(key: RecordKey): HeldRecord | undefined {
    return this.#held.get(key);
  }

  /** All of them, in no order. */
  values(): IterableIterator<HeldRecord> {
    return this.#held.values();
  }

  /** Whether one has the hash of this name. */
  hasHash(name: string): boolean {
    return this.#hashes.has(name);
  }

  /** Whether the author has a record here. */
  hasAuthor(id: NodeId): boolean {
    return this.#authors.has(id);
  }

  /** Authors with a record here, those heard of first in front. */
  authors(): IterableIterator<NodeId> {
    return this.#authors.ids();
  }

  /** The author heard of last of those who may go, looked for among the last few hundred. */
  lastAuthorThat(mayGo: (id: NodeId) => boolean): NodeId | undefined {
    return this.#authors.lastThat(mayGo);
  }

  /** The author's records in order of keys. */
  byAuthor(id: NodeId): readonly VerifiedRecord[] {
    const records: VerifiedRecord[] = [];
    for (const key of this.#authors.keysOf(id)) {
      const record = this.#held.get(key)?.record;
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** How many subjects the record's author has under its kind, an administrator's. */
  subjectsBeside(record: VerifiedRecord): number {
    return this.#subjects.get(subjectsName(record)) ?? 0;
  }

  /** Keys of what is in fingerprints and offers, in order, from `low` on and before `high`. */
  currentKeys(low: string, high: string | undefined): IterableIterator<RecordKey> {
    return this.#current.range(low, high);
  }

  /** Puts the record under its key, whatever was there, and into fingerprints and offers. */
  hold(record: VerifiedRecord, firstSeen: Instant): void {
    this.#version += 1;
    const previous = this.#held.get(record.key)?.record;
    if (previous === undefined) {
      this.#authors.add(record.author, record.key);
      if (isAdministratorKind(record.kind)) {
        this.#subjects.set(subjectsName(record), this.subjectsBeside(record) + 1);
      }
    } else {
      // Not removed and added: an author keeps his place among those heard of.
      this.#hashes.delete(hashName(previous.hash));
    }
    this.#held.set(record.key, { record, firstSeen });
    this.#hashes.add(hashName(record.hash));
    this.#current.add(record.key);
  }

  /** Lets the record go. */
  remove(record: VerifiedRecord): void {
    this.#version += 1;
    this.#held.delete(record.key);
    this.#hashes.delete(hashName(record.hash));
    this.#current.delete(record.key);
    this.#authors.delete(record.author, record.key);
    if (!isAdministratorKind(record.kind)) return;
    const left = this.subjectsBeside(record) - 1;
    if (left <= 0) this.#subjects.delete(subjectsName(record));
    else this.#subjects.set(subjectsName(record), left);
  }

  /** It stays, but in fingerprints and offers it is no longer. */
  leave({ record, firstSeen }: HeldRecord, now: Instant): void {
    this.#version += 1;
    this.#held.set(record.key, { record, firstSeen, leftAt: now });
    this.#current.delete(record.key);
  }

  /** It comes back to fingerprints and offers. */
  takeBack({ record, firstSeen }: HeldRecord): void {
    this.#version += 1;
    this.#held.set(record.key, { record, firstSeen });
    this.#current.add(record.key);
  }
}
