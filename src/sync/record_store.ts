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
import type { HashKey } from "../base/half_sip_hash.ts";
import { type Instant, instant, later, type WallTime, wallTime } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
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
import { HeldRecords } from "./held_records.ts";
import {
  administratorSubjectsMax,
  expiryCheckInterval,
  flaggedAuthorsMax,
  knownNodesMax,
  recordLifetime,
  unknownSelfKindsPerAuthorMax,
} from "./limits.ts";
import { Newcomers } from "./newcomers.ts";
import type { RecordRanges } from "./range_summary.ts";
import { RecordAgeing } from "./record_ageing.ts";
import type { RecordTree, RecordTreeShape } from "./record_tree.ts";
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
  /** A secret that shapes the tree, or what stores that share memory have in common. Left out: no secret, for tests. */
  readonly sharing?: HashKey | RecordSharing;
}

/** What many stores of one process have in common, so that what they all hold is there once. */
export interface RecordSharing extends RecordTreeShape<VerifiedRecord> {
  /** The record that is held for this one: itself, or one of the same bytes that was there before. */
  record(record: VerifiedRecord): VerifiedRecord;
}

function sharingOf(given: HashKey | RecordSharing = [0, 0]): RecordSharing {
  return "record" in given ? given : { key: given, record: (record) => record };
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
export class RecordStore implements RecordRanges {
  readonly #options: Required<Omit<RecordStoreOptions, "builtAt" | "knownNodes" | "sharing">>;
  readonly #knownNodesMax: number;
  readonly #sharing: RecordSharing;
  /** Under whom fingerprints are remembered: stores that share their trees share these as well. */
  readonly fingerprintOwner: object;
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
    this.#knownNodesMax = options.knownNodes ?? knownNodesMax;
    this.#sharing = sharingOf(options.sharing);
    this.fingerprintOwner = this.#sharing;
    this.#held = new HeldRecords(this.#sharing);
    this.#ageing = new RecordAgeing(
      this.#held,
      this.#options.hidesAuthor,
      options.builtAt ?? wallTime(0),
    );
    this.#newcomers = new Newcomers(this.#knownNodesMax, (id) => this.#held.hasAuthor(id));
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
    return this.#take(record, now, now, wall, false);
  }

  /** Takes back a record from this node's own log, first seen then. */
  restore(
    record: VerifiedRecord,
    firstSeen: WallTime,
    now: Instant,
    wall: WallTime,
  ): AdmitOutcome {
    this.#ageing.noteRestored(now, wall);
    const seenAt = this.#ageing.seenAt(firstSeen, now, wall);
    const outcome = this.#take(record, seenAt, now, wall, true);
    // One that has aged stays out of fingerprints from the start, but is held for the day of grace
    // first: should the clock turn out to be wrong, nothing was lost.
    if (outcome.kind === "stored" && this.#ageing.hasAged(record, seenAt, now, wall)) {
      this.#held.leave(record, now);
    }
    return outcome;
  }

  /**
   * Takes back many records, of which no two have one key, into an empty store: as `restore` for
   * each, but quicker.
   */
  restoreAll(
    records: readonly (readonly [VerifiedRecord, WallTime])[],
    now: Instant,
    wall: WallTime,
  ): void {
    // What most have: a kind that everybody keeps, no tombstone, a time of signing to be believed.
    const isPlain = (record: VerifiedRecord, firstSeen: WallTime) =>
      isKnownSelfKind(record.kind) &&
      this.#refusalOf(record, undefined, wall, true) === undefined &&
      !this.#ageing.isAhead(record, this.#ageing.seenAt(firstSeen, now, wall), now, wall) &&
      !this.#ageing.hasAged(record, undefined, now, wall);
    this.#ageing.noteRestored(now, wall);
    // Among many authors it counts who came last.
    const isQuick = this.size === 0 && records.length <= this.#knownNodesMax / 2;
    const plain: VerifiedRecord[] = [];
    const others: (readonly [VerifiedRecord, WallTime])[] = [];
    for (const [record, firstSeen] of records) {
      if (isQuick && isPlain(record, firstSeen)) {
        plain.push(this.#sharing.record(record));
        this.#tombstones.clear(record.key);
      } else {
        others.push([record, firstSeen]);
      }
    }
    if (plain.length > 0) {
      this.#held.fill(plain.sort((a, b) => a.key < b.key ? -1 : 1));
      this.#nextCheck ??= later(now, expiryCheckInterval);
    }
    for (const [record, firstSeen] of others) this.restore(record, firstSeen, now, wall);
  }

  /**
   * Holds from now on what the other store holds, and nothing else, without looking at any of it:
   * for thousands of stores in one process that have their memory in common (`RecordSharing`).
   */
  adopt(other: RecordStore, now: Instant): void {
    invariant(this.#sharing === other.#sharing, "the stores have their memory in common");
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

  #take(
    record: VerifiedRecord,
    seenAt: Instant,
    now: Instant,
    wall: WallTime,
    isRestored: boolean,
  ): AdmitOutcome {
    const held = this.#held.get(record.key);
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
      this.#hold(record, seenAt, now, wall);
      return { kind: "stored", previous: held, gone: [], equivocation };
    }
    const gone = this.#makeRoom(record);
    if (typeof gone === "string") return this.#refuse(record, gone, now);
    this.#hold(record, seenAt, now, wall);
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
    if (hasAged && !isRestored && !this.#ageing.isPaused) return "expired";
    return this.#tombstones.covers(record.key, record.serial, wall) ? "deleted before" : undefined;
  }

  /** Finds a place for a key not held: what had to go for it, or why there is none. */
  #makeRoom(record: VerifiedRecord): readonly VerifiedRecord[] | AdmitRefusal {
    if (!this.#held.hasAuthor(record.author)) {
      if (this.#held.authorCount < this.#knownNodesMax) return [];
      const { selfId, keepsAuthor } = this.#options;
      const victim = this.#newcomers.takeLastThat((id) => id !== selfId && !keepsAuthor(id));
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
  #hold(record: VerifiedRecord, seenAt: Instant, now: Instant, wall: WallTime): void {
    const isAhead = this.#ageing.isAhead(record, seenAt, now, wall);
    const isNew = this.#held.hold(this.#sharing.record(record), isAhead ? seenAt : undefined);
    if (isNew && this.#held.authorCount > this.#knownNodesMax / 2) {
      this.#newcomers.add(record.author);
    }
    this.#tombstones.clear(record.key);
  }

  #removeAuthor(id: NodeId): readonly VerifiedRecord[] {
    const records = this.byAuthor(id);
    for (const record of records) this.#held.remove(record);
    return records;
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
