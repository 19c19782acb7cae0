/**
 * Whether a verified record is kept, in whose place, and who has to go for it. PROTOCOL §7.6; who
 * goes when the node is full is told in `record_store.ts`.
 *
 * @module
 */
import type { BoundedMap } from "../base/bounded_map.ts";
import { compareBytes, equalBytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import type { Instant, WallTime } from "../base/instant.ts";
import { sameExceptSignature } from "../wire/cose_sign1.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind, isAdministratorKind, linksKind } from "../wire/record_key.ts";
import type { AdmitOutcome, AdmitRefusal } from "./admission.ts";
import type { HeldRecords } from "./held_records.ts";
import {
  administratorSubjectsMax,
  recordLifetime,
  unknownSelfKindsPerAuthorMax,
} from "./limits.ts";
import type { Newcomers } from "./newcomers.ts";
import type { RecordAgeing } from "./record_ageing.ts";
import type { RecordSharing, RecordStoreOptions } from "./store_options.ts";
import type { Refusals, Tombstones } from "./tombstones.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** What a store is put together from. */
export interface StoreParts {
  readonly options: Required<Omit<RecordStoreOptions, "builtAt" | "knownNodes" | "sharing">>;
  readonly knownNodesMax: number;
  readonly sharing: RecordSharing;
  readonly held: HeldRecords;
  readonly ageing: RecordAgeing;
  readonly newcomers: Newcomers;
  readonly tombstones: Tombstones;
  readonly refused: Refusals;
  readonly flagged: BoundedMap<NodeId, true>;
  readonly counters: Counters;
}

/** Whether everybody keeps records of the kind. */
export function isKnownSelfKind(kind: number): boolean {
  return kind === infoKind || kind === linksKind;
}

/** Decides about records and puts them where they belong. */
export class RecordAdmission {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  /**
   * Decides about a record, first seen then, and holds it if it is to be held.
   *
   * @param isRestored It comes from this node's own log: that it has aged is no reason to refuse it.
   */
  take(
    record: VerifiedRecord,
    seenAt: Instant,
    now: Instant,
    wall: WallTime,
    isRestored: boolean,
  ): AdmitOutcome {
    const held = this.#parts.held.get(record.key);
    if (held !== undefined) {
      if (equalBytes(held.hash, record.hash)) return { kind: "known" };
      if (held.serial > record.serial) return { kind: "older", held, equivocation: false };
    }
    const refusal = this.refusalOf(record, held, wall, isRestored);
    if (refusal !== undefined) return this.#refuse(record, refusal, now);
    const equivocation = held !== undefined && held.serial === record.serial &&
      !sameExceptSignature(held.bytes, record.bytes);
    if (equivocation) this.#parts.flagged.set(record.author, true);
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
    return { kind: "stored", gone, equivocation };
  }

  #refuse(record: VerifiedRecord, reason: AdmitRefusal, now: Instant): AdmitOutcome {
    this.#parts.counters.count(reason);
    this.#parts.refused.note(record.hash, now);
    return { kind: "refused", reason };
  }

  /** Why the record may not be held, whatever room there is. */
  refusalOf(
    record: VerifiedRecord,
    held: VerifiedRecord | undefined,
    wall: WallTime,
    isRestored: boolean,
  ): AdmitRefusal | undefined {
    if (this.#parts.options.hidesAuthor(record.author)) return "author hidden";
    if (isAdministratorKind(record.kind)) {
      if (!this.#parts.options.namesAdministrator(record.author)) return "not an administrator";
      const subjects = this.#parts.held.subjectsBeside(record);
      if (held === undefined && subjects >= administratorSubjectsMax) return "too many subjects";
    }
    const hasAged = wall - record.signedAt >= recordLifetime;
    if (hasAged && !isRestored && !this.#parts.ageing.isPaused) return "expired";
    return this.#parts.tombstones.covers(record.key, record.serial, wall)
      ? "deleted before"
      : undefined;
  }

  /** Finds a place for a key not held: what had to go for it, or why there is none. */
  #makeRoom(record: VerifiedRecord): readonly VerifiedRecord[] | AdmitRefusal {
    if (!this.#parts.held.hasAuthor(record.author)) {
      if (this.#parts.held.authorCount < this.#parts.knownNodesMax) return [];
      const { selfId, keepsAuthor } = this.#parts.options;
      const victim = this.#parts.newcomers.takeLastThat((id) => id !== selfId && !keepsAuthor(id));
      if (victim === undefined) return "too many nodes";
      this.#parts.counters.count("node evicted");
      return this.#parts.held.removeAuthor(victim);
    }
    if (isAdministratorKind(record.kind) || isKnownSelfKind(record.kind)) return [];
    // All nodes keep the same four, the lowest kinds: else two who saw different ones first would
    // never be in step.
    const unknown = this.#parts.held.byAuthor(record.author).filter(({ kind }) =>
      !isAdministratorKind(kind) && !isKnownSelfKind(kind)
    );
    if (unknown.length < unknownSelfKindsPerAuthorMax) return [];
    const highest = unknown.at(-1);
    if (highest === undefined || highest.kind < record.kind) return "too many unknown kinds";
    this.#parts.held.remove(highest);
    return [highest];
  }

  /** Puts the record under its key, whatever was there. */
  #hold(record: VerifiedRecord, seenAt: Instant, now: Instant, wall: WallTime): void {
    const isAhead = this.#parts.ageing.isAhead(record, seenAt, now, wall);
    const isNew = this.#parts.held.hold(
      this.#parts.sharing.record(record),
      isAhead ? seenAt : undefined,
    );
    if (isNew && this.#parts.held.authorCount > this.#parts.knownNodesMax / 2) {
      this.#parts.newcomers.add(record.author);
    }
    this.#parts.tombstones.clear(record.key);
  }
}
