/**
 * What differs between two versions of a record tree. Versions share their nodes, and the same
 * records have the same shape, so two trees are walked side by side and left alone where they are
 * one: it costs what differs, times the depth.
 *
 * @module
 */
import type { RecordEntry, RecordTreeNode as Node } from "./record_tree_node.ts";

/** A record that came, went, or took the place of another. */
export interface RecordChange<T extends RecordEntry> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** Two subtrees still to be compared, as far as their keys lie between the bounds. */
interface Pair<T extends RecordEntry> {
  readonly before: Node<T> | undefined;
  readonly after: Node<T> | undefined;
  /** Keys above this one; `undefined`: from the first on. */
  readonly above: string | undefined;
  /** Keys below this one; `undefined`: to the last. */
  readonly below: string | undefined;
}

/** The topmost node whose key lies between the bounds. */
function topBetween<T extends RecordEntry>(
  top: Node<T> | undefined,
  above: string | undefined,
  below: string | undefined,
): Node<T> | undefined {
  let node = top;
  while (node !== undefined) {
    if (above !== undefined && node.entry.key <= above) node = node.right;
    else if (below !== undefined && node.entry.key >= below) node = node.left;
    else return node;
  }
  return undefined;
}

/**
 * The changes that make one tree of another, in order of their keys.
 *
 * @param outranks Whether the first node stands above the second in every tree that holds both.
 * @param end Keys from this one on are left out.
 */
export function* changesBetween<T extends RecordEntry>(
  before: Node<T> | undefined,
  after: Node<T> | undefined,
  outranks: (one: Node<T>, other: Node<T>) => boolean,
  end?: string,
): IterableIterator<RecordChange<T>> {
  const open: (Pair<T> | RecordChange<T>)[] = [{ before, after, above: undefined, below: end }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!("above" in next)) {
      yield next;
      continue;
    }
    const { above, below } = next;
    const old = topBetween(next.before, above, below);
    const now = topBetween(next.after, above, below);
    // The same nodes hold the same; two that are nothing as well.
    if (old === now) continue;
    const isOldTop = old !== undefined &&
      (now === undefined || old.entry.key === now.entry.key || outranks(old, now));
    const isNewTop = now !== undefined &&
      (old === undefined || old.entry.key === now.entry.key || outranks(now, old));
    const key = (isOldTop ? old : now)?.entry.key;
    // What stands on top of one tree alone is not in the other, which is parted where it would be.
    open.push({
      before: isOldTop ? old.right : old,
      after: isNewTop ? now.right : now,
      above: key,
      below,
    });
    const change = {
      before: isOldTop ? old.entry : undefined,
      after: isNewTop ? now.entry : undefined,
    };
    if (change.before !== change.after) open.push(change);
    open.push({
      before: isOldTop ? old.left : old,
      after: isNewTop ? now.left : now,
      above,
      below: key,
    });
  }
}
