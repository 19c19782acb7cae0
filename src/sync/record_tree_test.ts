import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { minutes, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { fakeEntry, seededBytes } from "../../tests/fixtures/record_ranges.ts";
import { RecordTree, type RecordTreeShape } from "./record_tree.ts";
import { type RecordEntry, RecordSum, type RecordTreeNode } from "./record_tree_node.ts";

const shape: RecordTreeShape<RecordEntry> = { key: [3, 4] };

const anyEntry = fc.record({
  kind: fc.constantFrom(0, 1, 127, 128, 255),
  author: fc.nat(30),
  serial: fc.nat(2),
  signedAt: fc.nat(5),
}).map(({ kind, author, serial, signedAt }) => ({
  ...fakeEntry(kind, author, serial),
  signedAt: wallTime(signedAt * minutes(1)),
}));
const anyStep = fc.record({ entry: anyEntry, removes: fc.boolean() });
const anyBound = fc.record({
  kind: fc.nat(255),
  author: fc.nat(30),
  length: fc.constantFrom(0, 2, 4, 66),
})
  .map(({ kind, author, length }) =>
    (kind.toString(16).padStart(2, "0") + toHex(seededBytes(32, author, 7))).slice(0, length)
  );

/** The sum, computed the long way. */
function longSum(entries: readonly RecordEntry[]): string {
  let sum = 0n;
  for (const { kind, hash } of entries) if (kind < 128) sum += BigInt(`0x${toHex(hash)}`);
  return (sum % (1n << 256n)).toString(16).padStart(64, "0");
}

Deno.test("what changed between any two versions is what two sorted lists differ in", () => {
  fc.assert(
    fc.property(
      fc.array(anyStep, { maxLength: 80, size: "max" }),
      fc.option(anyBound, { nil: undefined }),
      (steps, end) => {
        const versions = [RecordTree.empty<RecordEntry>(shape)];
        for (const { entry, removes } of steps) {
          const tree = versions.at(-1) ?? RecordTree.empty(shape);
          versions.push(removes ? tree.without(entry.key) : tree.with(entry));
        }
        for (const [i, before] of versions.entries()) {
          const after = versions[(i * 7 + 3) % versions.length] ?? before;
          const keys = new Set([...before.range(), ...after.range()].map(({ key }) => key));
          const differing = [...keys].sort().filter((key) =>
            (end === undefined || key < end) && before.get(key) !== after.get(key)
          );
          assertEquals(
            [...after.changesSince(before, end) ?? []],
            differing.map((key) => ({ before: before.get(key), after: after.get(key) })),
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("between trees of two shapes nobody is told what changed", () => {
  const other = RecordTree.empty<RecordEntry>({ key: [3, 4] });
  assertEquals(RecordTree.empty<RecordEntry>(shape).changesSince(other), undefined);
});

Deno.test("of two versions only what differs is looked at", () => {
  const entries = Array.from({ length: 2_000 }, (_, i) => fakeEntry(0, i, 1));
  let looked = 0;
  const tree = RecordTree.of<RecordEntry>(
    shape,
    entries.sort((a, b) => a.key < b.key ? -1 : 1).map((entry) => ({
      ...entry,
      get key() {
        looked += 1;
        return entry.key;
      },
    })),
  );
  const changed = tree.with(fakeEntry(0, 1_000, 2)).without(fakeEntry(0, 5, 1).key);
  looked = 0;
  assertEquals([...changed.changesSince(tree) ?? []].length, 2);
  assert(looked < 400, `${looked} keys were looked at`);
});

Deno.test("a tree agrees with a sorted list about everything, and old versions stay as they were", () => {
  fc.assert(
    fc.property(
      fc.array(anyStep, { maxLength: 80, size: "max" }),
      fc.array(fc.tuple(anyBound, anyBound), { maxLength: 5 }),
      (steps, bounds) => {
        const model = new Map<string, RecordEntry>();
        let tree = RecordTree.empty<RecordEntry>(shape);
        const versions: (readonly [RecordTree<RecordEntry>, readonly RecordEntry[]])[] = [];
        for (const { entry, removes } of steps) {
          if (removes) model.delete(entry.key);
          else model.set(entry.key, entry);
          tree = removes ? tree.without(entry.key) : tree.with(entry);
          versions.push([tree, [...model.values()].sort((a, b) => a.key < b.key ? -1 : 1)]);
        }
        for (const [version, list] of versions) {
          assertEquals(version.size, list.length);
          assertEquals([...version.range()], list);
        }
        const [, list] = versions.at(-1) ?? [tree, []];
        for (const [i, entry] of list.entries()) {
          assert(tree.get(entry.key) === entry);
          assert(tree.at(i) === entry);
        }
        assertEquals([tree.at(-1), tree.at(list.length)], [undefined, undefined]);
        for (const [one, other] of [...bounds, ["", ""] as const]) {
          const [low, high] = one < other ? [one, other] : [other, one];
          for (const end of [high, undefined]) {
            const inside = list.filter(({ key }) =>
              key >= low && (end === undefined || key.localeCompare(end) < 0)
            );
            assertEquals([...tree.range(low, end)], inside);
            if (low < high) assertEquals([...tree.range(high, low)], []);
            const sum = new RecordSum();
            tree.sumUp(low, end, sum);
            assertEquals([sum.count, toHex(sum.toBytes())], [inside.length, longSum(inside)]);
          }
          assertEquals(tree.countBelow(low), list.filter(({ key }) => key < low).length);
          assert(tree.firstFrom(low) === list.find(({ key }) => key >= low));
        }
        for (const minute of [0, 2, 5]) {
          const time = wallTime(minute * minutes(1));
          assertEquals(
            [...tree.signedUpTo(time)],
            list.filter(({ signedAt }) => signedAt <= time),
          );
        }
      },
    ),
    { numRuns: 100 },
  );
});

/** The tree's nodes from the top, with their children's places. */
function shapeOf(tree: RecordTree<RecordEntry>): string[] {
  const shown: string[] = [];
  const show = (node: RecordTreeNode<RecordEntry> | undefined, place: string) => {
    if (node === undefined) return;
    shown.push(`${place} ${node.entry.key}`);
    show(node.left, `${place}l`);
    show(node.right, `${place}r`);
  };
  show(tree.root, "");
  return shown;
}

Deno.test("the same records have the same shape in whatever order they came", () => {
  const prng = new Prng([5]);
  const entries = Array.from({ length: 300 }, (_, i) => fakeEntry(i % 3, i, 1));
  const sorted = entries.toSorted((a, b) => a.key < b.key ? -1 : 1);
  const expected = shapeOf(RecordTree.of(shape, sorted));
  assertEquals(expected.length, 300);
  for (let round = 0; round < 10; round++) {
    let tree = RecordTree.empty<RecordEntry>(shape);
    for (const entry of prng.shuffled(entries)) tree = tree.with(entry);
    const others = Array.from({ length: 50 }, (_, i) => fakeEntry(7, i, 1));
    for (const entry of others) tree = tree.with(entry);
    for (const entry of prng.shuffled(others)) tree = tree.without(entry.key);
    assertEquals(shapeOf(tree), expected);
  }
});

Deno.test("a change shares all but a path with the version before, and no change is none", () => {
  const entries = Array.from({ length: 4_096 }, (_, i) => fakeEntry(0, i, 1));
  const tree = RecordTree.of(shape, entries.toSorted((a, b) => a.key < b.key ? -1 : 1));
  const nodesOf = (of: RecordTree<RecordEntry>) => {
    const nodes = new Set<RecordTreeNode<RecordEntry>>();
    const collect = (node: RecordTreeNode<RecordEntry> | undefined) => {
      if (node === undefined) return;
      nodes.add(node);
      collect(node.left);
      collect(node.right);
    };
    collect(of.root);
    return nodes;
  };
  const before = nodesOf(tree);
  for (const next of [tree.with(fakeEntry(0, 9_999, 1)), tree.without(entries[7]?.key ?? "")]) {
    const fresh = [...nodesOf(next)].filter((node) => !before.has(node)).length;
    assert(fresh > 0 && fresh < 80, `${fresh} nodes are new`);
  }
  assert(tree.without(fakeEntry(0, 9_999, 1).key) === tree);
});

function depthOf(node: RecordTreeNode<RecordEntry> | undefined): number {
  return node === undefined ? 0 : 1 + Math.max(depthOf(node.left), depthOf(node.right));
}

/** Of the entries, ascending by key, the longest run whose priorities fall under this shape. */
function longestChain(entries: readonly RecordEntry[], key: readonly [number, number]) {
  const priorities = entries.map((entry) =>
    RecordTree.empty<RecordEntry>({ key }).with(entry).root?.priority ?? 0
  );
  // Patience sorting (the longest falling subsequence), with the way back.
  const piles: number[] = [];
  const before = new Map<number, number | undefined>();
  priorities.forEach((priority, i) => {
    let low = 0;
    let high = piles.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((priorities[piles[middle] ?? 0] ?? 0) > priority) low = middle + 1;
      else high = middle;
    }
    before.set(i, piles[low - 1]);
    piles[low] = i;
  });
  const chain: RecordEntry[] = [];
  for (let at = piles.at(-1); at !== undefined; at = before.get(at)) {
    const entry = entries[at];
    if (entry !== undefined) chain.unshift(entry);
  }
  return chain;
}

Deno.test("who chooses ids without knowing the key makes no deep tree", () => {
  const made = Array.from({ length: 40_000 }, (_, i) => fakeEntry(0, i, 1))
    .sort((a, b) => a.key < b.key ? -1 : 1);
  const known = [11, 12] as const;
  const chain = longestChain(made, known);
  assert(chain.length > 300, `a chain of ${chain.length}`);
  // With the key known the attack works, or this test would prove nothing.
  assertEquals(depthOf(RecordTree.of({ key: known }, chain).root), chain.length);
  for (let secret = 0; secret < 20; secret++) {
    const depth = depthOf(RecordTree.of({ key: [secret, 99] }, chain).root);
    assert(depth < 5 * Math.log2(chain.length), `depth ${depth} of ${chain.length}`);
  }
  for (const count of [1_000, 40_000]) {
    const depth = depthOf(RecordTree.of(shape, made.slice(0, count)).root);
    assert(depth < 5 * Math.log2(count), `depth ${depth} of ${count}`);
  }
});

Deno.test("trees that share their nodes are one tree where they hold the same", () => {
  const made = new Map<string, RecordTreeNode<RecordEntry>>();
  const names = new Map<RecordTreeNode<RecordEntry>, number>();
  const sharing: RecordTreeShape<RecordEntry> = {
    key: [1, 1],
    share(node) {
      const nameOf = (child: RecordTreeNode<RecordEntry> | undefined) =>
        child === undefined ? 0 : names.get(child);
      const name = `${toHex(node.entry.hash)} ${nameOf(node.left)} ${nameOf(node.right)}`;
      const there = made.get(name);
      if (there !== undefined) return there;
      made.set(name, node);
      names.set(node, names.size + 1);
      return node;
    },
  };
  const entries = Array.from({ length: 200 }, (_, i) => fakeEntry(0, i, 1));
  const prng = new Prng([6]);
  let one = RecordTree.empty<RecordEntry>(sharing);
  let two = RecordTree.empty<RecordEntry>(sharing);
  for (const entry of entries) one = one.with(entry);
  for (const entry of prng.shuffled(entries)) two = two.with(entry);
  assert(one.root === two.root);
});
