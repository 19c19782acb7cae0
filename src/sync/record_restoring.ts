/**
 * Records come back from this node's own log: one by one, or many at once into an empty store.
 *
 * @module
 */
import type { Instant, WallTime } from "../base/instant.ts";
import type { AdmitOutcome } from "./admission.ts";
import { restoreSlice } from "./limits.ts";
import { isKnownSelfKind, type RecordAdmission, type StoreParts } from "./record_admission.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** A record with the time beside it when it was first seen. */
export type SeenRecord = readonly [VerifiedRecord, WallTime];

/** Takes back a record, first seen then. */
export function restoreOne(
  parts: StoreParts,
  admission: RecordAdmission,
  [record, firstSeen]: SeenRecord,
  now: Instant,
  wall: WallTime,
): AdmitOutcome {
  const { ageing, held } = parts;
  ageing.noteRestored(now, wall);
  const seenAt = ageing.seenAt(firstSeen, now, wall);
  const outcome = admission.take(record, seenAt, now, wall, true);
  // One that has aged stays out of fingerprints from the start, but is held for the day of grace
  // first: should the clock turn out to be wrong, nothing was lost.
  if (outcome.kind === "stored" && ageing.hasAged(record, seenAt, now, wall)) {
    held.leave(record, now);
  }
  return outcome;
}

/**
 * Takes back many, of which no two have one key, into a store that holds nothing and that nobody
 * looks at until this has ended: as `restoreOne` for each, but quicker. It yields where something
 * else may have its turn.
 */
export function* restoreMany(
  parts: StoreParts,
  admission: RecordAdmission,
  records: readonly SeenRecord[],
  now: Instant,
  wall: WallTime,
): IterableIterator<void> {
  const { ageing, held, sharing, tombstones } = parts;
  // What most have: a kind that everybody keeps, no tombstone, a time of signing to be believed.
  const isPlain = (record: VerifiedRecord, firstSeen: WallTime) =>
    isKnownSelfKind(record.kind) &&
    admission.refusalOf(record, undefined, wall, true) === undefined &&
    !ageing.isAhead(record, ageing.seenAt(firstSeen, now, wall), now, wall) &&
    !ageing.hasAged(record, undefined, now, wall);
  ageing.noteRestored(now, wall);
  // Among many authors it counts who came last.
  const isQuick = held.size === 0 && records.length <= parts.knownNodesMax / 2;
  const plain = new SortedParts();
  const others: SeenRecord[] = [];
  for (const [place, seen] of records.entries()) {
    const [record, firstSeen] = seen;
    if (isQuick && isPlain(record, firstSeen)) {
      plain.add(sharing.record(record));
      tombstones.clear(record.key);
    } else {
      others.push(seen);
    }
    if (place % restoreSlice === restoreSlice - 1) yield;
  }
  if (plain.authorCount > 0) yield* fill(parts, plain);
  for (const [place, seen] of others.entries()) {
    restoreOne(parts, admission, seen, now, wall);
    if (place % restoreSlice === restoreSlice - 1) yield;
  }
}

function* fill({ held }: StoreParts, plain: SortedParts): IterableIterator<void> {
  const filling = held.tree.filling();
  let added = 0;
  for (const part of plain.inOrder()) {
    for (const record of part) filling.add(record);
    added += part.length;
    if (added < restoreSlice) continue;
    added = 0;
    yield;
  }
  held.fill(filling, plain.authorCount);
}

/** Records by how their keys begin, so that they can be sorted in parts: all at once takes long. */
class SortedParts {
  readonly #parts = new Map<string, VerifiedRecord[]>();
  readonly #authors = new Set<string>();

  /** How many authors they have. */
  get authorCount(): number {
    return this.#authors.size;
  }

  add(record: VerifiedRecord): void {
    this.#authors.add(record.author);
    // The kind and a byte of the author.
    const beginning = record.key.slice(0, 4);
    const part = this.#parts.get(beginning);
    if (part === undefined) this.#parts.set(beginning, [record]);
    else part.push(record);
  }

  /** In order of keys. */
  *inOrder(): IterableIterator<readonly VerifiedRecord[]> {
    for (const beginning of [...this.#parts.keys()].sort()) {
      yield (this.#parts.get(beginning) ?? []).sort((a, b) => a.key < b.key ? -1 : 1);
    }
  }
}
