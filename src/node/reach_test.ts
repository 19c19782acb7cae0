import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { plainInfo } from "../../tests/sim/record_author.ts";
import {
  numberedId,
  unsignedAt,
  unsignedLinks,
  unsignedRecord,
} from "../../tests/fixtures/unsigned_records.ts";
import { instant } from "../base/instant.ts";
import { RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind } from "../wire/record_key.ts";
import { linkGraphOf } from "./link_graph_making.ts";
import { type Path, Reach } from "./reach.ts";

const wall = unsignedAt;
const count = 9;
const ids = Array.from({ length: count }, (_, number) => numberedId(number));

/** Breadth first over links that both ends list, as it is told in the book: the model. */
function pathsOf(
  self: NodeId,
  linked: Iterable<NodeId>,
  listed: ReadonlyMap<NodeId, readonly NodeId[]>,
): Map<NodeId, Path> {
  const paths = new Map<NodeId, Path>();
  let edge: NodeId[] = [];
  for (const id of linked) {
    if (id === self) continue;
    paths.set(id, { hops: 1, via: id });
    edge.push(id);
  }
  for (let hops = 2; edge.length > 0; hops++) {
    const beyond: NodeId[] = [];
    for (const from of edge) {
      for (const to of listed.get(from) ?? []) {
        if (to === self || paths.has(to) || listed.get(to)?.includes(from) !== true) continue;
        paths.set(to, { hops, via: paths.get(from)?.via ?? from });
        beyond.push(to);
      }
    }
    edge = beyond;
  }
  return paths;
}

Deno.test("the graph is made once for what is held, and anew when that has changed", () => {
  const [self, other] = ids;
  if (!self || !other) throw new Error("two ids");
  const store = new RecordStore({ selfId: self });
  const say = (author: NodeId, name: string, serial: number) =>
    store.admit(
      unsignedRecord(infoKind, author, serial, encodeInfo(plainInfo(name))),
      instant(0),
      wall,
    );
  say(self, "twin", 1);
  say(other, "twin", 1);
  const before = linkGraphOf(store);
  assertEquals(linkGraphOf(store) === before, true);
  assertEquals([...before.sharedNames.keys()], ["twin"]);
  say(other, "single", 2);
  const after = linkGraphOf(store);
  assertEquals(after === before, false);
  assertEquals(after.sharedNames.size, 0);
  assertEquals(before.sharedNames.size, 1);
});

Deno.test("an invented link leads nowhere", () => {
  const [self, near, stranger, accomplice] = ids;
  if (!self || !near || !stranger || !accomplice) throw new Error("four ids");
  const store = new RecordStore({ selfId: self });
  const list = (author: NodeId, ...neighbours: NodeId[]) => {
    store.admit(unsignedLinks(author, 1, neighbours), instant(0), wall);
  };
  list(near, self);
  list(stranger, near, self, accomplice);
  list(accomplice, stranger);
  const reach = new Reach(linkGraphOf(store), self, [near]);
  assertEquals([near, stranger, accomplice].map((id) => reach.reaches(id)), [true, false, false]);
});

Deno.test("links are followed as few at a time as wanted", () => {
  const [self, ...others] = ids;
  if (!self) throw new Error("an id");
  const store = new RecordStore({ selfId: self });
  for (const [i, id] of others.entries()) {
    const neighbours = [others[i - 1] ?? self, others[i + 1]].flatMap((other) => other ?? []);
    store.admit(unsignedLinks(id, 1, neighbours), instant(0), wall);
  }
  const stepsOf = (walked: Reach) => {
    let steps = 1;
    while (walked.walk(1)) steps++;
    return steps;
  };
  const reach = new Reach(linkGraphOf(store), self, others.slice(0, 1));
  assertEquals(stepsOf(reach), others.length);
  assertEquals(reach.walk(1), false);
  assertEquals(stepsOf(new Reach(linkGraphOf(store), self, others)), others.length);
  const hops = others.map((id) => reach.pathTo(id)?.hops);
  assertEquals(hops, others.map((_, i) => i + 1));
});

const node = fc.integer({ min: 0, max: count - 1 });
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ lists: fc.uniqueArray(node, { maxLength: 5 }), by: node }) },
  { weight: 2, arbitrary: fc.record({ tells: node }) },
  { weight: 1, arbitrary: fc.record({ goes: node }) },
  { weight: 3, arbitrary: fc.record({ linked: node }) },
  { weight: 2, arbitrary: fc.record({ unlinked: node }) },
);

Deno.test("who is reached, how and how many is what the records and the links say, whatever came before", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60, size: "max" }), (changes) => {
      const [self = ids[0]] = ids;
      if (self === undefined) return;
      const at = (number: number): NodeId => ids[number] ?? self;
      const store = new RecordStore({ selfId: self });
      const linked = new Set<NodeId>();
      const listed = new Map<NodeId, readonly NodeId[]>();
      const shown = new Set<NodeId>();
      let serial = 1;
      const admit = (record: VerifiedRecord) => store.admit(record, instant(0), wall);
      for (const one of changes) {
        if ("lists" in one) {
          const neighbours = one.lists.map(at);
          listed.set(at(one.by), neighbours);
          admit(unsignedLinks(at(one.by), serial++, neighbours));
        } else if ("tells" in one) {
          shown.add(at(one.tells));
          const body = encodeInfo(plainInfo("x"));
          admit(unsignedRecord(infoKind, at(one.tells), serial++, body));
        } else if ("goes" in one) {
          if (one.goes === 0) continue;
          listed.delete(at(one.goes));
          shown.delete(at(one.goes));
          store.forget(at(one.goes), wall);
        } else if ("linked" in one) linked.add(at(one.linked));
        else linked.delete(at(one.unlinked));

        const paths = pathsOf(self, linked, listed);
        const reach = new Reach(linkGraphOf(store), self, linked);
        // Somewhat ahead, wholly, or not at all: it must not matter.
        for (let i = 0; i < serial % 4; i++) reach.walk(serial % 3);
        for (const id of ids) {
          assertEquals(reach.pathTo(id), paths.get(id), `path to ${ids.indexOf(id)}`);
          assertEquals(reach.reaches(id), id === self || paths.has(id), `${ids.indexOf(id)}`);
        }
        const reached = ids.filter((id) => shown.has(id) && (id === self || paths.has(id)));
        assertEquals(reach.count(), reached.length);
        const smallest = [...reached, self].map((id) => [prefixHexOf(id), id] as const).sort()[0];
        assertEquals(reach.smallest(), smallest?.[1]);
        const known = reach.graph.nodes.map(({ id }) => id);
        assertEquals(new Set(known), shown);
        assertEquals(
          reach.graph.nodes.filter((each) => reach.reachesNode(each)).map(({ id }) => id).sort(),
          [...reached].sort(),
        );
      }
    }),
    { numRuns: 300 },
  );
});
