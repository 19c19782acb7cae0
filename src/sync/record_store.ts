/**
 * The records a node holds: under each key the newest serial, at equal serials the lower hash. What
 * comes in here was verified (`verify_record.ts`); here it is decided whether it is kept, and for
 * how long. PROTOCOL §7.6.
 *
 * No serial and no time is refused for being far off: an author who signs the highest serial there
 * is has silenced himself and nobody else, and his record ages from when it was first seen here.
 *
 * Who goes when the node is full: authors that nothing keeps (`keepsAuthor`: this node, its links,
 * whom a path of links reaches), those heard of last first; so a flood of new identities displaces
 * itself. When nothing may go, the newcomer is refused.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { compareBytes, equalBytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import {
  elapsed,
  type Instant,
  instant,
  later,
  milliseconds,
  type WallTime,
  wallTime,
} from "../base/instant.ts";
import { sameExceptSignature } from "../wire/cose_sign1.ts";
import { offerHashLength } from "../wire/limits.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Offer } from "../wire/offer.ts";
import {
  infoKind,
  isAdministratorKind,
  linksKind,
  type RecordKey,
  recordKeyAuthor,
  recordKeyKind,
} from "../wire/record_key.ts";
import type { AdmitOutcome, AdmitRefusal, OfferJudgement, StoreEffect } from "./admission.ts";
import { hashName, type HeldRecord, HeldRecords } from "./held_records.ts";
import {
  administratorSubjectsMax,
  expiryCheckInterval,
  flaggedAuthorsMax,
  knownNodesMax,
  recordGrace,
  recordLifetime,
  unknownSelfKindsPerAuthorMax,
} from "./limits.ts";
import { Refusals, type Tombstone, Tombstones } from "./tombstones.ts";
import type { VerifiedRecord } from "./verify_record.ts";

export type { AdmitOutcome, AdmitRefusal, OfferJudgement, StoreEffect } from "./admission.ts";
export type { Tombstone } from "./tombstones.ts";

/** What the store asks of those around it. */
export interface RecordStoreOptions {
  /** This node: never evicted, never forgotten. */
  readonly selfId: NodeId;
  /** Whether a trusted root names the author as an administrator. Left out: nobody is named. */
  readonly namesAdministrator?: (author: NodeId) => boolean;
  /** Whether the author's records are hidden, as a revoked one's are. Left out: nobody's. */
  readonly hidesAuthor?: (author: NodeId) => boolean;
  /** Whether the author may not be evicted: linked, or reached by a path of links. Left out: nobody. */
  readonly keepsAuthor?: (author: NodeId) => boolean;
  /** When this program was built: a first-seen time before it came from a clock that was not set. */
  readonly builtAt?: WallTime;
  /** Fewer than `knownNodesMax`, for tests. */
  readonly knownNodes?: number;
}

/** Counts, for status and metrics. */
export interface RecordStoreSnapshot {
  readonly records: number;
  readonly authors: number;
  readonly tombstones: number;
  readonly flagged: number;
  readonly refused: Readonly<Record<string, number>>;
}

function isKnownSelfKind(kind: number): boolean {
  return kind === infoKind || kind === linksKind;
}

/** The store. A machine: no I/O, no clock. */
export class RecordStore {
  readonly #options: Required<Omit<RecordStoreOptions, "builtAt" | "knownNodes">>;
  readonly #builtAt: WallTime;
  readonly #knownNodesMax: number;
  readonly #held = new HeldRecords();
  readonly #tombstones = new Tombstones();
  readonly #refused = new Refusals();
  readonly #flagged = new BoundedMap<NodeId, true>(flaggedAuthorsMax);
  readonly #counters = new Counters();
  #expiryPaused = false;
  #nextCheck: Instant | undefined;
  /** When the log was read, and by how much the calendar was ahead of the monotonic clock then. */
  #restored: { readonly at: Instant; readonly origin: number } | undefined;

  constructor(options: RecordStoreOptions) {
    this.#options = {
      selfId: options.selfId,
      namesAdministrator: options.namesAdministrator ?? (() => false),
      hidesAuthor: options.hidesAuthor ?? (() => false),
      keepsAuthor: options.keepsAuthor ?? (() => false),
    };
    this.#builtAt = options.builtAt ?? wallTime(0);
    this.#knownNodesMax = options.knownNodes ?? knownNodesMax;
  }

  /** How many records are held. */
  get size(): number {
    return this.#held.size;
  }

  /** Another number after every change of what is held: for what is computed over all of it. */
  get version(): number {
    return this.#held.version;
  }

  /** How many authors have a record here. */
  get authorCount(): number {
    return this.#held.authorCount;
  }

  /** Whether ageing stands still. */
  get expiryPaused(): boolean {
    return this.#expiryPaused;
  }

  /** Stops or resumes ageing: while the wall clock is suspect nothing leaves and nothing is deleted. */
  set expiryPaused(paused: boolean) {
    if (paused === this.#expiryPaused) return;
    this.#expiryPaused = paused;
    // What was refused as aged may be wanted now.
    this.#refused.clear();
    // What has left by a calendar that is doubted now, or was until now, is looked at again at once.
    if (this.#nextCheck !== undefined) this.#nextCheck = instant(0);
  }

  /** Decides about a verified record that came in now. */
  admit(record: VerifiedRecord, now: Instant, wall: WallTime): AdmitOutcome {
    return this.#take(record, now, now, wall, false);
  }

  /** Takes back a record from this node's own log, first seen then. */
  restore(
    record: VerifiedRecord,
    firstSeen: WallTime,
    now: Instant,
    wall: WallTime,
  ): AdmitOutcome {
    this.#restored ??= { at: now, origin: wall - now };
    // A time before the build, or after now, came from a clock that was wrong: count from today.
    const trusted = firstSeen >= this.#builtAt && firstSeen <= wall;
    const age = milliseconds(trusted ? wall - firstSeen : 0);
    const outcome = this.#take(record, later(now, milliseconds(-age)), now, wall, true);
    const held = this.#held.get(record.key);
    // One that has aged stays out of fingerprints from the start, but is held for the day of grace
    // first: should the clock turn out to be wrong, nothing was lost.
    if (outcome.kind === "stored" && held !== undefined) this.#age(held, now, wall);
    return outcome;
  }

  /** Takes back a tombstone from this node's own log; what it buries goes. */
  restoreTombstone(tombstone: Tombstone, wall: WallTime): void {
    this.#tombstones.set(tombstone);
    const { key } = tombstone;
    const held = this.#held.get(key)?.record;
    if (held === undefined || !this.#tombstones.covers(key, held.serial, wall)) return;
    this.#held.remove(held);
  }

  /** Takes back a flag from this node's own log. */
  restoreFlag(author: NodeId): void {
    this.#flagged.set(author, true);
  }

  #take(
    record: VerifiedRecord,
    firstSeen: Instant,
    now: Instant,
    wall: WallTime,
    isRestored: boolean,
  ): AdmitOutcome {
    const held = this.#held.get(record.key)?.record;
    if (held !== undefined) {
      if (equalBytes(held.hash, record.hash)) return { kind: "known" };
      if (held.serial > record.serial) return { kind: "older", held, equivocation: false };
    }
    const refusal = this.#refusalOf(record, held, wall, isRestored);
    if (refusal !== undefined) return this.#refuse(record, refusal, now);
    const equivocation = held !== undefined && held.serial === record.serial &&
      !sameExceptSignature(held.bytes, record.bytes);
    if (equivocation) this.#flagged.set(record.author, true);
    if (held !== undefined) {
      if (held.serial === record.serial && compareBytes(held.hash, record.hash) < 0) {
        return { kind: "older", held, equivocation };
      }
      this.#hold(record, firstSeen);
      return { kind: "stored", previous: held, gone: [], equivocation };
    }
    const gone = this.#makeRoom(record);
    if (typeof gone === "string") return this.#refuse(record, gone, now);
    this.#hold(record, firstSeen);
    this.#nextCheck ??= later(now, expiryCheckInterval);
    return { kind: "stored", gone, equivocation };
  }

  #refuse(record: VerifiedRecord, reason: AdmitRefusal, now: Instant): AdmitOutcome {
    this.#counters.count(reason);
    this.noteRefused(record.hash, now);
    return { kind: "refused", reason };
  }

  #refusalOf(
    record: VerifiedRecord,
    held: VerifiedRecord | undefined,
    wall: WallTime,
    isRestored: boolean,
  ): AdmitRefusal | undefined {
    if (this.#options.hidesAuthor(record.author)) return "author hidden";
    if (isAdministratorKind(record.kind)) {
      if (!this.#options.namesAdministrator(record.author)) return "not an administrator";
      const subjects = this.#held.subjectsBeside(record);
      if (held === undefined && subjects >= administratorSubjectsMax) return "too many subjects";
    }
    const hasAged = wall - record.signedAt >= recordLifetime;
    if (hasAged && !isRestored && !this.#expiryPaused) return "expired";
    return this.#tombstones.covers(record.key, record.serial, wall) ? "deleted before" : undefined;
  }

  /** Finds a place for a key not held: what had to go for it, or why there is none. */
  #makeRoom(record: VerifiedRecord): readonly VerifiedRecord[] | AdmitRefusal {
    if (!this.#held.hasAuthor(record.author)) {
      if (this.#held.authorCount < this.#knownNodesMax) return [];
      const { selfId, keepsAuthor } = this.#options;
      const victim = this.#held.lastAuthorThat((id) => id !== selfId && !keepsAuthor(id));
      if (victim === undefined) return "too many nodes";
      this.#counters.count("node evicted");
      return this.#removeAuthor(victim);
    }
    if (isAdministratorKind(record.kind) || isKnownSelfKind(record.kind)) return [];
    // All nodes keep the same four, the lowest kinds: else two who saw different ones first would
    // never be in step.
    const unknown = this.#held.byAuthor(record.author).filter(({ kind }) =>
      !isAdministratorKind(kind) && !isKnownSelfKind(kind)
    );
    if (unknown.length < unknownSelfKindsPerAuthorMax) return [];
    const highest = unknown.at(-1);
    if (highest === undefined || highest.kind < record.kind) return "too many unknown kinds";
    this.#held.remove(highest);
    return [highest];
  }

  /** Puts the record under its key, whatever was there. */
  #hold(record: VerifiedRecord, firstSeen: Instant): void {
    this.#held.hold(record, firstSeen);
    this.#tombstones.clear(record.key);
  }

  #removeAuthor(id: NodeId): readonly VerifiedRecord[] {
    const records = this.byAuthor(id);
    for (const record of records) this.#held.remove(record);
    return records;
  }

  /** Whether bytes of this hash need not be judged again: held, or refused in the last ten minutes. */
  knows(hash: Uint8Array, now: Instant): boolean {
    const name = hashName(hash);
    return this.#held.hasHash(name) || this.#refused.has(name, now);
  }

  /** Remembers for ten minutes that the bytes of this hash are not wanted. Only of bytes that were seen: an offer's hash is a peer's word. */
  noteRefused(hash: Uint8Array, now: Instant): void {
    this.#refused.note(hashName(hash), now);
  }

  /** Forgets what was refused: a root was trusted, or a revocation lifted. */
  forgetRefusals(): void {
    this.#refused.clear();
  }

  /** Decides whether an offered record is worth fetching. */
  judgeOffer(offer: Offer, now: Instant, wall: WallTime): OfferJudgement {
    const held = this.#held.get(offer.key)?.record;
    if (held !== undefined) {
      const order = compareBytes(offer.hashPrefix, held.hash.subarray(0, offerHashLength));
      if (offer.serial === held.serial && order === 0) return "held";
      if (offer.serial < held.serial || (offer.serial === held.serial && order > 0)) return "older";
    }
    if (this.#refused.has(hashName(offer.hashPrefix), now)) return "refused";
    const author = recordKeyAuthor(offer.key);
    const mayNot = this.#options.hidesAuthor(author) ||
      (isAdministratorKind(recordKeyKind(offer.key)) && !this.#options.namesAdministrator(author));
    return mayNot || this.#tombstones.covers(offer.key, offer.serial, wall) ? "refused" : "wanted";
  }

  /** The record under the key, also one that has left fingerprints; not a hidden author's. */
  get(key: RecordKey): VerifiedRecord | undefined {
    const record = this.#held.get(key)?.record;
    return record === undefined || this.hides(record.author) ? undefined : record;
  }

  /** When the record was first seen here, by the wall clock as it is now. */
  firstSeenOf(key: RecordKey, now: Instant, wall: WallTime): WallTime | undefined {
    const held = this.#held.get(key);
    return held === undefined
      ? undefined
      : wallTime(Math.max(0, Math.round(wall - this.#heldFor(held, now, wall))));
  }

  /**
   * How long the record has been known here. What came from the log came with a date, and a calendar
   * that was ahead when the log was read and has been set right since made that time too long.
   */
  #heldFor({ firstSeen }: HeldRecord, now: Instant, wall: WallTime): number {
    const restored = this.#restored;
    if (restored === undefined || firstSeen >= restored.at) return elapsed(firstSeen, now);
    return elapsed(firstSeen, now) + Math.min(0, wall - now - restored.origin);
  }

  /**
   * What is in fingerprints and offers, in order of keys, from `low` on and before `high` (to the
   * end if that is left out or `null`). Bounds are hexadecimal and need not be keys.
   */
  *range(low: string, high?: string | null): IterableIterator<VerifiedRecord> {
    for (const key of this.#held.currentKeys(low, high ?? undefined)) {
      const record = this.get(key);
      if (record !== undefined) yield record;
    }
  }

  /** What is in fingerprints and offers, in order of keys. */
  records(): IterableIterator<VerifiedRecord> {
    return this.range("");
  }

  /** The author's records in order of keys; hidden ones too. */
  byAuthor(id: NodeId): readonly VerifiedRecord[] {
    return this.#held.byAuthor(id);
  }

  /** Authors with a record here, those heard of first in front. */
  authors(): IterableIterator<NodeId> {
    return this.#held.authors();
  }

  /** Whether the author's records are hidden. */
  hides(id: NodeId): boolean {
    return this.#options.hidesAuthor(id);
  }

  /** Whether the author was seen to sign two payloads under one serial. */
  isFlagged(id: NodeId): boolean {
    return this.#flagged.has(id);
  }

  /** Drops a node: its records go, and come back only with higher serials. Nothing happens to this node itself. */
  forget(id: NodeId, wall: WallTime): readonly StoreEffect[] {
    if (id === this.#options.selfId) return [];
    const records = this.#removeAuthor(id);
    for (const record of records) this.#bury(record, wall);
    return records.map((record) => ({ kind: "deleted", record }));
  }

  #bury({ key, serial }: VerifiedRecord, wall: WallTime): void {
    this.#tombstones.set({ key, serial, deletedAt: wall });
  }

  /** When `handleTimeout` wants to be called. */
  nextTimeout(): Instant | undefined {
    return this.#nextCheck;
  }

  /** Looks through the records for those that have aged. */
  handleTimeout(now: Instant, wall: WallTime): readonly StoreEffect[] {
    if (this.#nextCheck === undefined || now < this.#nextCheck) return [];
    this.#nextCheck = later(now, expiryCheckInterval);
    if (this.#expiryPaused) return this.#takeAllBack();
    const effects: StoreEffect[] = [];
    for (const held of this.#held.values()) {
      const effect = this.#age(held, now, wall);
      if (effect !== undefined) effects.push(effect);
    }
    for (const effect of effects) {
      if (effect.kind !== "deleted") continue;
      this.#held.remove(effect.record);
      this.#bury(effect.record, wall);
    }
    this.#tombstones.prune(wall);
    return effects;
  }

  /** Nobody knows how old anything is: else a wrong calendar would keep this node out of step. */
  #takeAllBack(): readonly StoreEffect[] {
    const left = [...this.#held.values()].filter(({ leftAt }) => leftAt !== undefined);
    for (const held of left) this.#held.takeBack(held);
    return left.map(({ record }) => ({ kind: "returned", record }));
  }

  #age(held: HeldRecord, now: Instant, wall: WallTime): StoreEffect | undefined {
    if (this.#expiryPaused) return undefined;
    const { record } = held;
    // First seen is counted on the monotonic clock: a wall clock that is set does not age anything.
    const age = Math.max(this.#heldFor(held, now, wall), wall - record.signedAt);
    if (age < recordLifetime) {
      if (held.leftAt === undefined) return undefined;
      this.#held.takeBack(held);
      return { kind: "returned", record };
    }
    if (held.leftAt === undefined) {
      this.#held.leave(held, now);
      return { kind: "left", record };
    }
    return elapsed(held.leftAt, now) >= recordGrace ? { kind: "deleted", record } : undefined;
  }

  /** The tombstones that stand, for the log. */
  tombstones(): readonly Tombstone[] {
    return this.#tombstones.all();
  }

  /** The authors flagged, for the log. */
  flagged(): readonly NodeId[] {
    return [...this.#flagged.keys()];
  }

  /** All records held with their first-seen times, for the log. */
  *held(now: Instant, wall: WallTime): IterableIterator<readonly [VerifiedRecord, WallTime]> {
    for (const { record } of this.#held.values()) {
      yield [record, this.firstSeenOf(record.key, now, wall) ?? wall];
    }
  }

  /** Counts, for status and metrics. */
  snapshot(): RecordStoreSnapshot {
    return {
      records: this.#held.size,
      authors: this.#held.authorCount,
      tombstones: this.#tombstones.size,
      flagged: this.#flagged.size,
      refused: this.#counters.snapshot(),
    };
  }
}
