/**
 * The records held: a tree of those that are in fingerprints and offers, and beside it a few that
 * are not (aged, or their author hidden). Nothing else is kept per record, so that a store whose
 * tree shares its nodes with others' costs next to nothing. What may be held, and how long, is
 * `record_store.ts`'s to decide.
 *
 * @module
 */
import type { Instant } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind, type RecordKey, recordKey } from "../wire/record_key.ts";
import { RecordTree, type RecordTreeFilling, type RecordTreeShape } from "./record_tree.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** What comes after every key that begins with what stands before it. */
const afterHexadecimal = "g";

/** Characters of a key before its author, and before its subject. */
const authorAt = 2;
const subjectAt = authorAt + 64;

/** The kind's two characters, with which its keys begin. */
function kindText(kind: number): string {
  return kind.toString(16).padStart(authorAt, "0");
}

function kindsIn(tree: RecordTree<VerifiedRecord>): string[] {
  const kinds: string[] = [];
  let first = tree.firstFrom("");
  while (first !== undefined) {
    const kind = kindText(first.kind);
    kinds.push(kind);
    first = tree.firstFrom(kind + afterHexadecimal);
  }
  return kinds;
}

/** The author as a key names it. */
function authorText(id: NodeId): string {
  return recordKey(infoKind, id, new Uint8Array(0)).slice(authorAt);
}

function hasAuthor(tree: RecordTree<VerifiedRecord>, author: string): boolean {
  return kindsIn(tree).some((kind) => {
    const head = kind + author;
    return tree.firstFrom(head)?.key.startsWith(head) ?? false;
  });
}

function* byAuthor(
  tree: RecordTree<VerifiedRecord>,
  author: string,
): IterableIterator<VerifiedRecord> {
  for (const kind of kindsIn(tree)) {
    const head = kind + author;
    yield* tree.range(head, head + afterHexadecimal);
  }
}

/** Each author in the tree once, in order of ids. */
function* authorsIn(tree: RecordTree<VerifiedRecord>): IterableIterator<VerifiedRecord> {
  const walks = kindsIn(tree).map((kind) => {
    const records = tree.range(kind, kind + afterHexadecimal);
    return { records, next: records.next() };
  });
  for (;;) {
    let first: VerifiedRecord | undefined;
    let lowest = afterHexadecimal;
    for (const { next } of walks) {
      if (next.done === true) continue;
      const author = next.value.key.slice(authorAt, subjectAt);
      if (author >= lowest) continue;
      lowest = author;
      first = next.value;
    }
    if (first === undefined) return;
    yield first;
    for (const walk of walks) {
      while (walk.next.done !== true && walk.next.value.key.startsWith(lowest, authorAt)) {
        walk.next = walk.records.next();
      }
    }
  }
}

/** The records held, one under each key. */
export class HeldRecords {
  #version = 0;
  #authorCount = 0;
  /** What is in fingerprints and offers. */
  #current: RecordTree<VerifiedRecord>;
  /** What is not. */
  #aside: RecordTree<VerifiedRecord>;
  /** Of those aside because they have aged: since when. */
  readonly #leftAt = new Map<RecordKey, Instant>();
  /**
   * When records were first seen that claim to be signed later than that, by this process's clock.
   * The others age from their signing: nobody needs to know when they came.
   */
  readonly #seenAt = new Map<RecordKey, Instant>();

  constructor(shape: RecordTreeShape<VerifiedRecord>) {
    this.#current = RecordTree.empty(shape);
    this.#aside = RecordTree.empty({ key: shape.key });
  }

  /** What is in fingerprints and offers. */
  get tree(): RecordTree<VerifiedRecord> {
    return this.#current;
  }

  /** What is held beside it. */
  get aside(): RecordTree<VerifiedRecord> {
    return this.#aside;
  }

  /** How many there are. */
  get size(): number {
    return this.#current.size + this.#aside.size;
  }

  /** Another number after every change: what was computed over all of it holds while it stands. */
  get version(): number {
    return this.#version;
  }

  /** How many authors have a record here. */
  get authorCount(): number {
    return this.#authorCount;
  }

  /** The one under the key. */
  get(key: RecordKey): VerifiedRecord | undefined {
    return this.#current.get(key) ?? this.#aside.get(key);
  }

  /** Since when the record is out of fingerprints for its age. */
  leftAt(key: RecordKey): Instant | undefined {
    return this.#leftAt.get(key);
  }

  /** When it was first seen, if it claims to be signed later than that. */
  seenAt(key: RecordKey): Instant | undefined {
    return this.#seenAt.get(key);
  }

  /** Keys of those that claim to be signed after they were seen. */
  seenBeforeSigned(): IterableIterator<RecordKey> {
    return this.#seenAt.keys();
  }

  /** Whether the author has a record here. */
  hasAuthor(id: NodeId): boolean {
    return this.#has(authorText(id));
  }

  #has(author: string): boolean {
    return hasAuthor(this.#current, author) ||
      (this.#aside.size > 0 && hasAuthor(this.#aside, author));
  }

  /** Authors with a record here, in order of ids. */
  *authors(): IterableIterator<NodeId> {
    for (const { author } of authorsIn(this.#current)) yield author;
    for (const { author, key } of authorsIn(this.#aside)) {
      if (!hasAuthor(this.#current, key.slice(authorAt, subjectAt))) yield author;
    }
  }

  /** The author's records in order of keys. */
  byAuthor(id: NodeId): readonly VerifiedRecord[] {
    const author = authorText(id);
    const records = [...byAuthor(this.#current, author)];
    if (this.#aside.size === 0) return records;
    const all = [...records, ...byAuthor(this.#aside, author)];
    return all.sort((a, b) => a.key < b.key ? -1 : 1);
  }

  /** How many subjects the record's author has under its kind, an administrator's. */
  subjectsBeside({ key }: VerifiedRecord): number {
    const head = key.slice(0, subjectAt);
    const countIn = (tree: RecordTree<VerifiedRecord>) =>
      tree.countBelow(head + afterHexadecimal) - tree.countBelow(head);
    return countIn(this.#current) + countIn(this.#aside);
  }

  /**
   * Puts the record under its key, whatever was there, and into fingerprints and offers.
   *
   * @param seenAt When it was first seen, if it claims to be signed later than that.
   * @returns Whether the author had none before.
   */
  hold(record: VerifiedRecord, seenAt: Instant | undefined): boolean {
    const { key } = record;
    this.#version += 1;
    const isNew = this.get(key) === undefined && !this.#has(key.slice(authorAt, subjectAt));
    if (isNew) this.#authorCount += 1;
    this.#forgetStay(key);
    if (seenAt !== undefined) this.#seenAt.set(key, seenAt);
    this.#aside = this.#aside.without(key);
    this.#current = this.#current.with(record);
    return isNew;
  }

  /** Holds what was filled in and nothing else, without what `hold` notes of each. */
  fill(filling: RecordTreeFilling<VerifiedRecord>, authors: number): void {
    this.#version += 1;
    this.#current = filling.finish();
    this.#authorCount = authors;
  }

  /** Holds what the other holds and nothing else, at once: their trees share one shape. */
  adopt(other: HeldRecords): void {
    this.#version += 1;
    this.#current = other.#current;
    this.#aside = other.#aside;
    this.#authorCount = other.#authorCount;
    this.#leftAt.clear();
    this.#seenAt.clear();
    for (const [key, at] of other.#leftAt) this.#leftAt.set(key, at);
    for (const [key, at] of other.#seenAt) this.#seenAt.set(key, at);
  }

  /** Lets the record go. */
  remove({ key }: VerifiedRecord): void {
    this.#version += 1;
    this.#forgetStay(key);
    this.#current = this.#current.without(key);
    this.#aside = this.#aside.without(key);
    if (!this.#has(key.slice(authorAt, subjectAt))) this.#authorCount -= 1;
  }

  /** Lets all go that the author has. */
  removeAuthor(id: NodeId): readonly VerifiedRecord[] {
    const records = this.byAuthor(id);
    for (const record of records) this.remove(record);
    return records;
  }

  #forgetStay(key: RecordKey): void {
    this.#leftAt.delete(key);
    this.#seenAt.delete(key);
  }

  /** It has aged: it stays, but in fingerprints and offers it is no longer. */
  leave(record: VerifiedRecord, now: Instant): void {
    this.#leftAt.set(record.key, now);
    this.setAside(record);
  }

  /** It stays, but in fingerprints and offers it is no longer. */
  setAside(record: VerifiedRecord): void {
    this.#version += 1;
    this.#current = this.#current.without(record.key);
    this.#aside = this.#aside.with(record);
  }

  /** It comes back to fingerprints and offers. */
  takeBack(record: VerifiedRecord): void {
    this.#version += 1;
    this.#leftAt.delete(record.key);
    this.#aside = this.#aside.without(record.key);
    this.#current = this.#current.with(record);
  }

  /** Notes that one set aside for another reason is not aged after all. */
  noteYoung(key: RecordKey): void {
    this.#leftAt.delete(key);
  }

  /** Keys of those that are out of fingerprints for their age, with the time since when. */
  left(): IterableIterator<[RecordKey, Instant]> {
    return this.#leftAt.entries();
  }
}
