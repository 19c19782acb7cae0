/**
 * Records in the order of their keys, as a tree that never changes: whoever adds a record gets
 * another tree, which shares all but some dozens of nodes with the one before. A version can
 * therefore be walked, summed up or written to disk while the store goes on.
 *
 * It is a treap (Seidel, Aragon: "Randomized search trees"): a search tree by key and a heap by a
 * priority that is a keyed hash of the key. The same records have the same shape in whatever order
 * they came, so that simulated stores can share nodes (`RecordTreeShape.share`).
 *
 * Who knew the priorities could make n ids and publish the 2·√n among them whose keys rise while
 * their priorities fall: a tree as deep as they are many. The hash's key is therefore a secret of
 * the process (`RecordTreeShape.key`); to whoever does not know it every set of keys is a random
 * one, whose depth is below 5·log₂ n with a chance that grows negligible as n grows.
 *
 * @module
 */
import { halfSipHash, type HashKey } from "../base/half_sip_hash.ts";
import type { WallTime } from "../base/instant.ts";
import { changesBetween, type RecordChange } from "./record_tree_changes.ts";
import {
  minuteOf,
  type RecordEntry,
  RecordSum,
  RecordTreeNode,
  type RecordTreeNode as Node,
} from "./record_tree_node.ts";

/** What gives a tree its shape, and its nodes their places in memory. */
export interface RecordTreeShape<T extends RecordEntry> {
  /** A secret of the process; trees that share nodes have the same. */
  readonly key: HashKey;
  /** The node that is used for this one: itself, or one made before of the same parts. */
  share?(node: Node<T>): Node<T>;
  /** The root with the entry under its key: what `make` makes, or what it made of the same before. */
  rootWith?(root: Node<T> | undefined, entry: T, make: () => Node<T>): Node<T>;
}

/** A tree that is being made of entries in order. */
export interface RecordTreeFilling<T extends RecordEntry> {
  /** @param entry Its key is above those of all before. */
  add(entry: T): void;
  /** The tree; nothing is added any more. */
  finish(): RecordTree<T>;
}

/** Whether a node of that priority and key stands above one of this priority and key. */
function outranks(priority: number, key: string, other: number, otherKey: string): boolean {
  return priority > other || (priority === other && key < otherKey);
}

function standsAbove(one: Node<RecordEntry>, other: Node<RecordEntry>): boolean {
  return outranks(one.priority, one.entry.key, other.priority, other.entry.key);
}

/** The records. */
export class RecordTree<T extends RecordEntry> {
  readonly #shape: RecordTreeShape<T>;
  /** The topmost node. The identity of the whole: trees with the same root hold the same. */
  readonly root: Node<T> | undefined;

  private constructor(shape: RecordTreeShape<T>, root: Node<T> | undefined) {
    this.#shape = shape;
    this.root = root;
  }

  /** A tree of nothing. */
  static empty<T extends RecordEntry>(shape: RecordTreeShape<T>): RecordTree<T> {
    return new RecordTree<T>(shape, undefined);
  }

  /** The tree of these entries, whose keys must rise: quicker than one by one. */
  static of<T extends RecordEntry>(
    shape: RecordTreeShape<T>,
    ascending: Iterable<T>,
  ): RecordTree<T> {
    const filling = RecordTree.empty(shape).filling();
    for (const entry of ascending) filling.add(entry);
    return filling.finish();
  }

  /** Begins another tree of this shape, of nothing but what is added to it. */
  filling(): RecordTreeFilling<T> {
    // The path down the right side, not yet made: each with its left child.
    const path: { entry: T; priority: number; left: Node<T> | undefined }[] = [];
    const close = (until: (priority: number, key: string) => boolean): Node<T> | undefined => {
      let closed: Node<T> | undefined;
      for (;;) {
        const top = path.at(-1);
        if (top === undefined || until(top.priority, top.entry.key)) return closed;
        path.pop();
        closed = this.#node(top.entry, top.priority, top.left, closed);
      }
    };
    return {
      add: (entry) => {
        const priority = halfSipHash(entry.key, this.#shape.key);
        const left = close((above, key) => outranks(above, key, priority, entry.key));
        path.push({ entry, priority, left });
      },
      finish: () => new RecordTree(this.#shape, close(() => false)),
    };
  }

  /** How many records there are. */
  get size(): number {
    return this.root?.count ?? 0;
  }

  /** The record under the key. */
  get(key: string): T | undefined {
    let node = this.root;
    while (node !== undefined) {
      const here: string = node.entry.key;
      if (key === here) return node.entry;
      node = key < here ? node.left : node.right;
    }
    return undefined;
  }

  /** The tree with this record under its key, whatever was there. */
  with(entry: T): RecordTree<T> {
    const shape = this.#shape;
    const make = () => this.#insert(this.root, entry, halfSipHash(entry.key, shape.key));
    return new RecordTree(shape, shape.rootWith?.(this.root, entry, make) ?? make());
  }

  /** The tree without the record under this key. */
  without(key: string): RecordTree<T> {
    const root = this.#remove(this.root, key);
    return root === this.root ? this : new RecordTree(this.#shape, root);
  }

  /** How many records have keys below the bound. */
  countBelow(bound: string): number {
    let node = this.root;
    let count = 0;
    while (node !== undefined) {
      if (node.entry.key < bound) {
        count += 1 + (node.left?.count ?? 0);
        node = node.right;
      } else {
        node = node.left;
      }
    }
    return count;
  }

  /** The record before which there are `index` others. */
  at(index: number): T | undefined {
    let node = this.root;
    let left = index;
    while (node !== undefined) {
      const before = node.left?.count ?? 0;
      if (left === before) return node.entry;
      if (left < before) {
        node = node.left;
      } else {
        left -= before + 1;
        node = node.right;
      }
    }
    return undefined;
  }

  /** The first record whose key is not below the bound. */
  firstFrom(bound: string): T | undefined {
    let node = this.root;
    let found: T | undefined;
    while (node !== undefined) {
      if (node.entry.key < bound) {
        node = node.right;
      } else {
        found = node.entry;
        node = node.left;
      }
    }
    return found;
  }

  /** Adds to `sum` all records with `low` ≤ key < `high`; no `high`: to the end. */
  sumUp(low: string, high: string | undefined, sum: RecordSum): void {
    if (high === undefined) sum.add(this.root, 1);
    else this.#sumBelow(high, sum, 1);
    this.#sumBelow(low, sum, -1);
  }

  #sumBelow(bound: string, sum: RecordSum, sign: 1 | -1): void {
    if (bound === "") return;
    let node = this.root;
    while (node !== undefined) {
      if (node.entry.key < bound) {
        sum.add(node, sign);
        sum.add(node.right, sign === 1 ? -1 : 1);
        node = node.right;
      } else {
        node = node.left;
      }
    }
  }

  /** The records with `low` ≤ key < `high`, in order; no `high`: to the end. */
  *range(low: string = "", high?: string): IterableIterator<T> {
    // Found before, since looking at each key would take twice as long as the whole walk.
    const end = high === undefined ? undefined : this.firstFrom(high);
    if (end !== undefined && end.key < low) return;
    const above: Node<T>[] = [];
    for (let node = this.root; node !== undefined;) {
      if (node.entry.key < low) {
        node = node.right;
      } else {
        above.push(node);
        node = node.left;
      }
    }
    for (let next = above.pop(); next !== undefined; next = above.pop()) {
      if (next.entry === end) return;
      yield next.entry;
      for (let node = next.right; node !== undefined; node = node.left) above.push(node);
    }
  }

  /**
   * What has changed since another version (left out: since there was nothing), in order of keys, of
   * those below `end`. `undefined` where the other has another shape: nothing follows from it.
   */
  changesSince(
    before: RecordTree<T> | undefined,
    end?: string,
  ): IterableIterator<RecordChange<T>> | undefined {
    if (before !== undefined && before.#shape !== this.#shape) return undefined;
    return changesBetween(before?.root, this.root, standsAbove, end);
  }

  /** The records signed before the end of the minute, in order; costs what is found, not what there is. */
  *signedUpTo(time: WallTime): IterableIterator<T> {
    const minute = minuteOf(time);
    const above: Node<T>[] = [];
    let node = this.root;
    for (;;) {
      while (node !== undefined && node.oldest <= minute) {
        above.push(node);
        node = node.left;
      }
      const next = above.pop();
      if (next === undefined) return;
      if (minuteOf(next.entry.signedAt) <= minute) yield next.entry;
      node = next.right;
    }
  }

  #node(
    entry: T,
    priority: number,
    left: Node<T> | undefined,
    right: Node<T> | undefined,
  ): Node<T> {
    const node = new RecordTreeNode(entry, priority, left, right);
    return this.#shape.share?.(node) ?? node;
  }

  #insert(node: Node<T> | undefined, entry: T, priority: number): Node<T> {
    if (node === undefined) return this.#node(entry, priority, undefined, undefined);
    const { entry: here, left, right } = node;
    if (entry.key === here.key) return this.#node(entry, priority, left, right);
    if (outranks(priority, entry.key, node.priority, here.key)) {
      const [before, after] = this.#split(node, entry.key);
      return this.#node(entry, priority, before, after);
    }
    return entry.key < here.key
      ? this.#node(here, node.priority, this.#insert(left, entry, priority), right)
      : this.#node(here, node.priority, left, this.#insert(right, entry, priority));
  }

  /** What lies below the key, which is not there, and what above. */
  #split(
    node: Node<T> | undefined,
    key: string,
  ): readonly [Node<T> | undefined, Node<T> | undefined] {
    if (node === undefined) return [undefined, undefined];
    if (node.entry.key < key) {
      const [before, after] = this.#split(node.right, key);
      return [this.#node(node.entry, node.priority, node.left, before), after];
    }
    const [before, after] = this.#split(node.left, key);
    return [before, this.#node(node.entry, node.priority, after, node.right)];
  }

  #remove(node: Node<T> | undefined, key: string): Node<T> | undefined {
    if (node === undefined) return undefined;
    const { entry, priority, left, right } = node;
    if (key === entry.key) return this.#join(left, right);
    if (key < entry.key) {
      const rest = this.#remove(left, key);
      return rest === left ? node : this.#node(entry, priority, rest, right);
    }
    const rest = this.#remove(right, key);
    return rest === right ? node : this.#node(entry, priority, left, rest);
  }

  /** Both, all of `before` lying below all of `after`. */
  #join(before: Node<T> | undefined, after: Node<T> | undefined): Node<T> | undefined {
    if (before === undefined) return after;
    if (after === undefined) return before;
    if (outranks(before.priority, before.entry.key, after.priority, after.entry.key)) {
      const right = this.#join(before.right, after);
      return this.#node(before.entry, before.priority, before.left, right);
    }
    const left = this.#join(before, after.left);
    return this.#node(after.entry, after.priority, left, after.right);
  }
}
