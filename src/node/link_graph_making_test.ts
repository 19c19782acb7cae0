import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  numberedId,
  unsignedAt,
  unsignedLinks,
  unsignedRecord,
} from "../../tests/fixtures/unsigned_records.ts";
import { plainInfo } from "../../tests/sim/record_author.ts";
import { instant } from "../base/instant.ts";
import { RecordStore } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { infoKind, linksKind } from "../wire/record_key.ts";
import type { LinkGraph } from "./link_graph.ts";
import { LinkGraphMaking, linkGraphOf } from "./link_graph_making.ts";

const count = 40;
const node = fc.nat(count - 1);
const change = fc.oneof(
  // Both list one another, and nobody else: rings and trees come about, and fall apart.
  { weight: 6, arbitrary: fc.record({ links: node, with: node }) },
  { weight: 3, arbitrary: fc.record({ unlinks: node, from: node }) },
  { weight: 2, arbitrary: fc.record({ lists: fc.uniqueArray(node, { maxLength: 6 }), by: node }) },
  { weight: 2, arbitrary: fc.record({ tells: node, name: fc.constantFrom("a", "b", "c") }) },
  {
    weight: 1,
    arbitrary: fc.record({ mumbles: node, kind: fc.constantFrom(infoKind, linksKind) }),
  },
  { weight: 1, arbitrary: fc.record({ goes: fc.integer({ min: 1, max: count - 1 }) }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** A store to which all of that happens. */
class Records {
  readonly store = new RecordStore({ selfId: numberedId(0) });
  readonly #listed = new Map<number, ReadonlySet<number>>();
  #serial = 1;

  #list(by: number, change: (listed: Set<number>) => void): void {
    const listed = new Set(this.#listed.get(by));
    change(listed);
    this.#listed.set(by, listed);
    const record = unsignedLinks(numberedId(by), this.#serial++, [...listed].map(numberedId));
    this.store.admit(record, instant(0), unsignedAt);
  }

  #say(author: number, kind: number, body: ReturnType<typeof encodeInfo>): void {
    const record = unsignedRecord(kind, numberedId(author), this.#serial++, body);
    this.store.admit(record, instant(0), unsignedAt);
  }

  make(one: Change): void {
    if ("links" in one) {
      this.#list(one.links, (listed) => listed.add(one.with));
      this.#list(one.with, (listed) => listed.add(one.links));
    } else if ("unlinks" in one) {
      this.#list(one.unlinks, (listed) => listed.delete(one.from));
    } else if ("lists" in one) {
      this.#list(one.by, (listed) => {
        listed.clear();
        for (const other of one.lists) listed.add(other);
      });
    } else if ("tells" in one) {
      this.#say(one.tells, infoKind, encodeInfo(plainInfo(one.name)));
    } else if ("mumbles" in one) {
      if (one.kind === linksKind) this.#listed.delete(one.mumbles);
      this.#say(one.mumbles, one.kind, new Map());
    } else {
      this.#listed.delete(one.goes);
      this.store.forget(numberedId(one.goes), unsignedAt);
    }
  }
}

/** All that a graph tells. */
function told(graph: LinkGraph) {
  const numbers = Array.from({ length: graph.numbersEnd }, (_, number) => number);
  return {
    nodes: graph.nodes,
    parts: numbers.map((number) => graph.partOf(number)),
    neighbours: numbers.map((number) => [...graph.neighboursOf(number)]),
    shown: numbers.map((number) => graph.shownIn(number)),
    sharedNames: graph.sharedNames,
  };
}

Deno.test("a graph made of the one before is the graph made of nothing, whatever changed between", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(change, { minLength: 1, maxLength: 40, size: "max" }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (rounds, slice) => {
        const records = new Records();
        let graph = new LinkGraphMaking(records.store).finish();
        for (const changes of rounds) {
          for (const one of changes) records.make(one);
          const making = new LinkGraphMaking(records.store, graph);
          while (making.work(slice));
          graph = making.finish();
          assertEquals(told(graph), told(new LinkGraphMaking(records.store).finish()));
        }
      },
    ),
    { numRuns: 200 },
  );
});

/** A fleet in which everybody has links with those beside him, around a ring. */
function ring(): RecordStore {
  const store = new RecordStore({ selfId: numberedId(0) });
  for (let number = 0; number < count; number++) {
    const neighbours = [1, 2, count - 1, count - 2].map((step) => (number + step) % count);
    const record = unsignedLinks(numberedId(number), 1, neighbours.map(numberedId));
    store.admit(record, instant(0), unsignedAt);
  }
  return store;
}

Deno.test("one that nothing changed for reads nothing, and one change reads that", () => {
  const store = ring();
  const before = linkGraphOf(store);
  const unchanged = new LinkGraphMaking(store, before);
  assertEquals(unchanged.work(1), false);
  store.admit(unsignedLinks(numberedId(7), 2, [numberedId(8)]), instant(0), unsignedAt);
  const changed = new LinkGraphMaking(store, before);
  assertEquals([changed.work(1), changed.work(1)], [true, false]);
  const seven = before.numberOf(numberedId(7));
  const eight = before.numberOf(numberedId(8));
  assert(seven !== undefined && eight !== undefined);
  assertEquals([...changed.finish().neighboursOf(seven)], [eight]);
});

Deno.test("a graph of another store is no beginning: its tree has another shape", () => {
  const [one, other] = [ring(), ring()];
  const graph = new LinkGraphMaking(one).finish();
  other.admit(unsignedLinks(numberedId(3), 2, []), instant(0), unsignedAt);
  const made = new LinkGraphMaking(other, graph).finish();
  assertEquals(told(made), told(new LinkGraphMaking(other).finish()));
  const three = made.numberOf(numberedId(3));
  assert(three !== undefined);
  assertEquals(made.partOf(three), three);
});
