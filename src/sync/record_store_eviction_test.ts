import { assert, assertEquals } from "@std/assert";
import type { NodeId } from "../wire/node_id.ts";
import { fakeAuthor, fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import {
  ann,
  ben,
  newStore,
  put,
  self,
  start,
  wallStart,
} from "../../tests/fixtures/store_records.ts";
import { evictionSearchMax } from "./limits.ts";

Deno.test("a full node lets those go who were heard of last, never itself, its links, the old ones", async () => {
  const authors: RecordAuthor[] = [];
  for (let n = 10; n < 20; n++) authors.push(await RecordAuthor.create(n));
  const kept = new Set<NodeId>();
  const store = newStore({ knownNodes: 5, keepsAuthor: (id) => kept.has(id) });
  const [a, b, c, d, e, f] = authors;
  assert(a && b && c && d && e && f);
  put(store, await a.record({}));
  put(store, await self.record({}));
  put(store, await b.record({}));
  kept.add(b.id);
  put(store, await c.record({}));
  put(store, await c.record({ kind: 5, body: 0 }));
  put(store, await d.record({}));
  const outcome = store.admit(await e.record({}), start, wallStart);
  assert(outcome.kind === "stored");
  assertEquals(outcome.gone.map(({ author }) => author), [d.id]);
  const next = store.admit(await d.record({}), start, wallStart);
  assert(next.kind === "stored" && next.gone[0]?.author === e.id);
  for (const id of [a.id, c.id, d.id]) kept.add(id);
  const refused = store.admit(await f.record({}), start, wallStart);
  assert(refused.kind === "refused" && refused.reason === "too many nodes");
  assertEquals(store.authorCount, 5);
  // A known author's news need no room.
  assertEquals(put(store, await c.record({ serial: 2 })), "stored");
  assertEquals(store.snapshot().refused["node evicted"], 2);
});

Deno.test("a node that came late to its own full store does not go, nor do those who were there first", async () => {
  const store = newStore({ knownNodes: 4, keepsAuthor: (id) => id === ben.id });
  for (let n = 10; n < 12; n++) put(store, await (await RecordAuthor.create(n)).record({}));
  put(store, await ben.record({}));
  put(store, await self.record({}));
  const outcome = store.admit(await ann.record({}), start, wallStart);
  assertEquals(outcome, { kind: "refused", reason: "too many nodes" });
});

Deno.test("of many restored together the last are newcomers", () => {
  const store = newStore({ knownNodes: 6 });
  const records = Array.from({ length: 6 }, (_, i) => fakeRecord({ author: i }));
  const seen = records.map((record) => [record, wallStart] as const);
  for (const _ of store.restoreInSlices(seen, start, wallStart));
  const outcome = store.admit(fakeRecord({ author: 9 }), start, wallStart);
  assert(outcome.kind === "stored");
  assertEquals(outcome.gone.map(({ author }) => author), [fakeAuthor(5)]);
});

Deno.test("a flood of identities ends with the same old nodes and bounded memory", async () => {
  const store = newStore({ knownNodes: 20 });
  const old: NodeId[] = [];
  for (let n = 0; n < 19; n++) {
    const author = await RecordAuthor.create(100 + n);
    old.push(author.id);
    put(store, await author.record({}));
  }
  put(store, await (await RecordAuthor.create(4_000)).record({}));
  // News of an old node do not make it a new one.
  put(store, await (await RecordAuthor.create(100)).record({ serial: 2 }));
  for (let n = 0; n < 400; n++) {
    put(store, await (await RecordAuthor.create(5_000 + n)).record({}));
  }
  assertEquals(store.authorCount, 20);
  assertEquals([...store.authors()].filter((id) => old.includes(id)).length, 19);
});

Deno.test("a flood of 100,000 identities pushes out nobody who was known, at a bounded cost each", () => {
  const knownNodes = 2_000;
  let asked = 0;
  const linked = new Set<NodeId>();
  const store = newStore({
    knownNodes,
    keepsAuthor: (id) => {
      asked += 1;
      return linked.has(id);
    },
  });
  const real = Array.from({ length: 1_000 }, (_, i) => fakeRecord({ author: i }));
  for (const record of real) store.admit(record, start, wallStart);
  // Of those who come while the flood runs the linked ones stay.
  for (let i = 0; i < 100; i++) linked.add(fakeAuthor(1_000 + i * 1_000));
  let evicted = 0;
  for (let i = 0; i < 100_000; i++) {
    const before = asked;
    const outcome = store.admit(fakeRecord({ author: 1_000 + i }), start, wallStart);
    assert(asked - before <= evictionSearchMax, `${asked - before} looked at`);
    if (outcome.kind === "stored") evicted += outcome.gone.length;
  }
  assertEquals(store.authorCount, knownNodes);
  // Nobody was refused: of 100,000 newcomers 1,000 are there.
  assertEquals(evicted, 100_000 - 1_000);
  for (const { key } of real) assert(store.get(key) !== undefined);
  for (const id of linked) assertEquals(store.byAuthor(id).length, 1);
  // And after a restart those who came last are still the ones to go.
  const next = newStore({ knownNodes });
  const kept = [...store.held(start, wallStart)];
  for (const _ of next.restoreInSlices(kept, start, wallStart));
  assertEquals(next.authorCount, knownNodes);
  for (let i = 0; i < 1_500; i++) next.admit(fakeRecord({ author: 200_000 + i }), start, wallStart);
  for (const { key } of real) assert(next.get(key) !== undefined);
});
