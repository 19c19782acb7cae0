/**
 * The records a node holds: under each key the newest serial, at equal serials the lower hash. What
 * comes in here was verified (`verify_record.ts`); here it is decided whether it is kept, and for
 * how long. PROTOCOL §7.6.
 *
 * No serial and no time is refused for being far off: an author who signs the highest serial there
 * is has silenced himself and nobody else, and his record ages from when it was first seen here.
 *
 * Who goes when the node is full: of the authors that came when it was half full already, those
 * that nothing keeps (`keepsAuthor`: this node, its links, whom a path of links reaches; in a
 * cluster, members), heard of last first. So a flood of new identities displaces itself and nobody
 * who was known before it. When nothing may go, the newcomer is refused.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, compareBytes, equalBytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { type Instant, instant, later, type WallTime, wallTime } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import { offerHashLength } from "../wire/limits.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Offer } from "../wire/offer.ts";
import {
  isAdministratorKind,
  type RecordKey,
  recordKeyAuthor,
  recordKeyKind,
} from "../wire/record_key.ts";
import type { AdmitOutcome, OfferJudgement, StoreEffect } from "./admission.ts";
import { HeldRecords } from "./held_records.ts";
import { expiryCheckInterval, flaggedAuthorsMax, knownNodesMax } from "./limits.ts";
import { Newcomers } from "./newcomers.ts";
import type { RecordRanges } from "./range_summary.ts";
import { RecordAdmission, type StoreParts } from "./record_admission.ts";
import { RecordAgeing } from "./record_ageing.ts";
import { restoreMany, restoreOne, type SeenRecord } from "./record_restoring.ts";
import type { RecordTree } from "./record_tree.ts";
import { type RecordStoreOptions, sharingOf } from "./store_options.ts";
import { Refusals, type Tombstone, Tombstones } from "./tombstones.ts";
import type { VerifiedRecord } from "./verify_record.ts";

export type { AdmitOutcome, AdmitRefusal, OfferJudgement, StoreEffect } from "./admission.ts";
export type { RecordSharing, RecordStoreOptions } from "./store_options.ts";
export type { Tombstone } from "./tombstones.ts";

/** Counts, for status and metrics. */
export interface RecordStoreSnapshot {
  readonly records: number;
  readonly authors: number;
  readonly tombstones: number;
  readonly flagged: number;
  readonly refused: Readonly<Record<string, number>>;
}

/** The store. A machine: no I/O, no clock. */
export class RecordStore implements RecordRanges {
  readonly #parts: StoreParts;
  readonly #admission: RecordAdmission;
  readonly #options: StoreParts["options"];
  readonly #held: HeldRecords;
  readonly #ageing: RecordAgeing;
  readonly #newcomers: Newcomers;
  readonly #tombstones = new Tombstones();
  readonly #refused = new Refusals();
  readonly #flagged = new BoundedMap<NodeId, true>(flaggedAuthorsMax);
  readonly #counters = new Counters();
  #nextCheck: Instant | undefined;

  constructor(options: RecordStoreOptions) {
    this.#options = {
      selfId: options.selfId,
      namesAdministrator: options.namesAdministrator ?? (() => false),
      hidesAuthor: options.hidesAuthor ?? (() => false),
      keepsAuthor: options.keepsAuthor ?? (() => false),
    };
    const sharing = sharingOf(options.sharing);
    const held = new HeldRecords(sharing);
    const builtAt = options.builtAt ?? wallTime(0);
    const maximum = options.knownNodes ?? knownNodesMax;
    this.#held = held;
    this.#ageing = new RecordAgeing(held, this.#options.hidesAuthor, builtAt);
    this.#newcomers = new Newcomers(maximum, (id) => held.hasAuthor(id));
    this.#parts = {
      options: this.#options,
      knownNodesMax: maximum,
      sharing,
      held,
      ageing: this.#ageing,
      newcomers: this.#newcomers,
      tombstones: this.#tombstones,
      refused: this.#refused,
      flagged: this.#flagged,
      counters: this.#counters,
    };
    this.#admission = new RecordAdmission(this.#parts);
  }

  /** Under whom fingerprints are remembered: stores that share their trees share these as well. */
  get fingerprintOwner(): object {
    return this.#parts.sharing;
  }

  /**
   * What is in fingerprints and offers, as it is now. It never changes; its `root` is another one
   * exactly if something changed, and the same in stores that share their trees and hold the same.
   */
  get tree(): RecordTree<VerifiedRecord> {
    return this.#held.tree;
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
    return this.#ageing.isPaused;
  }

  /** Stops or resumes ageing: while the wall clock is suspect nothing leaves and nothing is deleted. */
  set expiryPaused(paused: boolean) {
    if (paused === this.#ageing.isPaused) return;
    this.#ageing.isPaused = paused;
    // What has left by a calendar that is doubted now, or was until now, is looked at again at once.
    this.lookAgain();
  }

  /** The calendar was set: ages are looked at anew at once, not at the next of the regular looks. */
  lookAgain(): void {
    // What was refused as aged may be wanted now.
    this.#refused.clear();
    if (this.#nextCheck !== undefined) this.#nextCheck = instant(0);
  }

  /** Decides about a verified record that came in now. */
  admit(record: VerifiedRecord, now: Instant, wall: WallTime): AdmitOutcome {
    const outcome = this.#admission.take(record, now, now, wall, false);
    if (outcome.kind === "stored") this.#nextCheck ??= later(now, expiryCheckInterval);
    return outcome;
  }

  /** Takes back a record from this node's own log, first seen then. */
  restore(
    record: VerifiedRecord,
    firstSeen: WallTime,
    now: Instant,
    wall: WallTime,
  ): AdmitOutcome {
    const outcome = restoreOne(this.#parts, this.#admission, [record, firstSeen], now, wall);
    if (outcome.kind === "stored") this.#nextCheck ??= later(now, expiryCheckInterval);
    return outcome;
  }

  /** Takes back many records, as `restoreMany` tells, some with each step of the walk. */
  *restoreInSlices(
    records: readonly SeenRecord[],
    now: Instant,
    wall: WallTime,
  ): IterableIterator<void> {
    yield* restoreMany(this.#parts, this.#admission, records, now, wall);
    if (this.size > 0) this.#nextCheck ??= later(now, expiryCheckInterval);
  }

  /**
   * Holds from now on what the other store holds, and nothing else, without looking at any of it:
   * for thousands of stores in one process that have their memory in common (`RecordSharing`).
   */
  adopt(other: RecordStore, now: Instant): void {
    invariant(
      this.fingerprintOwner === other.fingerprintOwner,
      "the stores have their memory in common",
    );
    this.#held.adopt(other.#held);
    this.#nextCheck ??= later(now, expiryCheckInterval);
  }

  /** Takes back a tombstone from this node's own log; what it buries goes. */
  restoreTombstone(tombstone: Tombstone, wall: WallTime): void {
    this.#tombstones.set(tombstone);
    const { key } = tombstone;
    const held = this.#held.get(key);
    if (held === undefined || !this.#tombstones.covers(key, held.serial, wall)) return;
    this.#held.remove(held);
  }

  /** Takes back a flag from this node's own log. */
  restoreFlag(author: NodeId): void {
    this.#flagged.set(author, true);
  }

  /** Whether bytes of this hash were refused in the last ten minutes. */
  wasRefused(hash: Uint8Array, now: Instant): boolean {
    return this.#refused.has(hash, now);
  }

  /** The record of exactly these bytes, if it is held under the key; also a hidden author's. */
  heldAs(key: RecordKey, bytes: Bytes): VerifiedRecord | undefined {
    const held = this.#held.get(key);
    return held !== undefined && equalBytes(held.bytes, bytes) ? held : undefined;
  }

  /** Remembers for ten minutes that the bytes of this hash are not wanted. Only of bytes that were seen: an offer's hash is a peer's word. */
  noteRefused(hash: Uint8Array, now: Instant): void {
    this.#refused.note(hash, now);
  }

  /** Forgets what was refused: a root was trusted, or a revocation lifted. */
  forgetRefusals(): void {
    this.#refused.clear();
  }

  /** Decides whether an offered record is worth fetching. */
  judgeOffer(offer: Offer, now: Instant, wall: WallTime): OfferJudgement {
    const held = this.#held.get(offer.key);
    if (held !== undefined) {
      const order = compareBytes(offer.hashPrefix, held.hash.subarray(0, offerHashLength));
      if (offer.serial === held.serial && order === 0) return "held";
      if (offer.serial < held.serial || (offer.serial === held.serial && order > 0)) return "older";
    }
    if (this.#refused.has(offer.hashPrefix, now)) return "refused";
    const author = recordKeyAuthor(offer.key);
    const mayNot = this.#options.hidesAuthor(author) ||
      (isAdministratorKind(recordKeyKind(offer.key)) && !this.#options.namesAdministrator(author));
    return mayNot || this.#tombstones.covers(offer.key, offer.serial, wall) ? "refused" : "wanted";
  }

  /** The record under the key, also one that has left fingerprints; not a hidden author's. */
  get(key: RecordKey): VerifiedRecord | undefined {
    const record = this.#held.get(key);
    return record === undefined || this.hides(record.author) ? undefined : record;
  }

  /** From when the record's life counts: its signing, or when it was first seen if that was earlier. */
  agesFrom(record: VerifiedRecord, now: Instant, wall: WallTime): WallTime {
    const seenAt = this.#held.seenAt(record.key);
    return seenAt === undefined ? record.signedAt : this.#ageing.wallAt(seenAt, now, wall);
  }

  /**
   * What is in fingerprints and offers, in order of keys, from `low` on and before `high` (to the
   * end if that is left out or `null`). Bounds are hexadecimal and need not be keys.
   */
  range(low: string, high?: string | null): IterableIterator<VerifiedRecord> {
    return this.#held.tree.range(low, high ?? undefined);
  }

  /** What is in fingerprints and offers, in order of keys. */
  records(): IterableIterator<VerifiedRecord> {
    return this.range("");
  }

  /** Whether the author has a record here, hidden ones included. */
  hasAuthor(id: NodeId): boolean {
    return this.#held.hasAuthor(id);
  }

  /** The author's records in order of keys; hidden ones too. */
  byAuthor(id: NodeId): readonly VerifiedRecord[] {
    return this.#held.byAuthor(id);
  }

  /** Authors with a record here, in order of ids. */
  authors(): IterableIterator<NodeId> {
    return this.#held.authors();
  }

  /** Whether the author's records are hidden. */
  hides(id: NodeId): boolean {
    return this.#options.hidesAuthor(id);
  }

  /**
   * Whether the author is hidden was decided anew: his records leave fingerprints and offers, or come
   * back to them.
   */
  handleHiding(author: NodeId): void {
    for (const record of this.byAuthor(author)) {
      if (this.hides(author)) {
        if (this.#held.tree.get(record.key) !== undefined) this.#held.setAside(record);
      } else if (this.#held.leftAt(record.key) === undefined) {
        this.#held.takeBack(record);
      }
    }
  }

  /** Whether the author was seen to sign two payloads under one serial. */
  isFlagged(id: NodeId): boolean {
    return this.#flagged.has(id);
  }

  /** Drops a node: its records go, and come back only with higher serials. Nothing happens to this node itself. */
  forget(id: NodeId, wall: WallTime): readonly StoreEffect[] {
    if (id === this.#options.selfId) return [];
    const records = this.#held.removeAuthor(id);
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
    const effects = this.#ageing.look(now, wall);
    // A calendar that is doubted says nothing about tombstones either.
    if (this.#ageing.isPaused) return effects;
    for (const effect of effects) {
      if (effect.kind !== "deleted") continue;
      this.#held.remove(effect.record);
      this.#bury(effect.record, wall);
    }
    this.#tombstones.prune(wall);
    return effects;
  }

  /** The tombstones that stand, for the log. */
  tombstones(): readonly Tombstone[] {
    return this.#tombstones.all();
  }

  /** The authors flagged, for the log. */
  flagged(): readonly NodeId[] {
    return [...this.#flagged.keys()];
  }

  /**
   * All records held with the times from which their lives count, for the log, as they are now
   * (whatever happens while this is walked). Those who came last come last.
   */
  held(now: Instant, wall: WallTime): IterableIterator<readonly [VerifiedRecord, WallTime]> {
    const newcomers = this.#newcomers.ids();
    const last = new Set(newcomers);
    const seen = new Map(
      [...this.#held.seenBeforeSigned()].map((key) => [key, this.#held.seenAt(key)] as const),
    );
    const wallOf = ({ key, signedAt }: VerifiedRecord) => {
      const seenAt = seen.get(key);
      return seenAt === undefined ? signedAt : this.#ageing.wallAt(seenAt, now, wall);
    };
    const trees = [this.#held.tree, this.#held.aside];
    const lastRecords = newcomers.flatMap((author) => this.byAuthor(author));
    return (function* () {
      for (const tree of trees) {
        for (const record of tree.range()) {
          if (!last.has(record.author)) yield [record, wallOf(record)] as const;
        }
      }
      for (const record of lastRecords) yield [record, wallOf(record)] as const;
    })();
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
