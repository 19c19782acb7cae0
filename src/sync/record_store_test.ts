import { assert, assertEquals } from "@std/assert";
import { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { offerOf } from "../wire/offer.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import {
  ann,
  ben,
  keysOf,
  newStore,
  put,
  rivals,
  self,
  start,
  wallStart,
} from "../../tests/fixtures/store_records.ts";
import type { VerifiedRecord } from "./verify_record.ts";

Deno.test("the newest serial wins, in whatever order records come", async () => {
  const [old, middle, newest] = await Promise.all(
    [1, 2, 3].map((serial) => ann.record({ serial })),
  );
  assert(old !== undefined && middle !== undefined && newest !== undefined);
  const store = newStore();
  assertEquals(put(store, middle), "stored");
  assertEquals(put(store, old), "older");
  const outcome = store.admit(newest, start, wallStart);
  assert(outcome.kind === "stored" && outcome.previous === middle && !outcome.equivocation);
  assertEquals(put(store, newest), "known");
  assertEquals(store.get(newest.key), newest);
  assertEquals(store.size, 1);
});

Deno.test("of two payloads under one serial all keep the lower hash and flag the author", async () => {
  const [lower, higher] = await rivals(ann);
  const one = newStore();
  put(one, lower);
  const refused = one.admit(higher, start, wallStart);
  assert(refused.kind === "older" && refused.equivocation && refused.held === lower);
  const two = newStore();
  put(two, higher);
  const replaced = two.admit(lower, start, wallStart);
  assert(replaced.kind === "stored" && replaced.equivocation && replaced.previous === higher);
  for (const store of [one, two]) {
    assertEquals(store.get(lower.key), lower);
    assert(store.isFlagged(ann.id) && !store.isFlagged(ben.id));
    assertEquals(store.flagged(), [ann.id]);
  }
});

Deno.test("one payload under two valid signatures flags nobody, and the lower hash is kept", async () => {
  const record = await ann.record({});
  // As if signed a second time with another nonce: same bytes but for the signature.
  const bytes = record.bytes.slice();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  for (const first of [0, 255]) {
    const hash = new Uint8Array(32).fill(first);
    const again: VerifiedRecord = {
      ...record,
      body: record.body,
      bytes,
      hash,
      subject: record.subject,
      authorKey: record.authorKey,
    };
    const store = newStore();
    put(store, record);
    const outcome = store.admit(again, start, wallStart);
    assert(outcome.kind === (first === 0 ? "stored" : "older"));
    assert((outcome.kind === "stored" || outcome.kind === "older") && !outcome.equivocation);
    assert(!store.isFlagged(ann.id));
    assertEquals(store.get(record.key)?.hash, first === 0 ? hash : record.hash);
  }
});

Deno.test("two stores that saw the same records in any order hold the same", async () => {
  const records: VerifiedRecord[] = [];
  for (const author of [ann, ben]) {
    for (const serial of [1, 2, 2, 3]) {
      for (const kind of [2, 3, 4, 5, 6, 7, 8]) {
        records.push(await author.record({ kind, serial, body: `${records.length}` }));
      }
    }
    records.push(...await rivals(author, { serial: 9 }));
  }
  const seed = [1, 2, 3, 4];
  const prng = new Prng(seed);
  const reference = newStore();
  for (const record of records) reference.admit(record, start, wallStart);
  const expected = [...reference.records()].map(({ hash }) => hash);
  for (let round = 0; round < 50; round++) {
    const store = newStore();
    for (const record of prng.shuffled(records)) store.admit(record, start, wallStart);
    // A kind displaced by a lower one comes again from whoever still has it.
    for (const record of prng.shuffled(records)) store.admit(record, start, wallStart);
    assertEquals([...store.records()].map(({ hash }) => hash), expected, `seed ${seed}`);
  }
});

Deno.test("unknown self kinds are carried, the lowest four of an author", async () => {
  const store = newStore();
  const put1 = async (kind: number, serial = 1) =>
    store.admit(await ann.record({ kind, serial, body: kind }), start, wallStart);
  assertEquals(put(store, await ann.record({})), "stored");
  for (const kind of [9, 7, 8, 10]) assertEquals((await put1(kind)).kind, "stored");
  const refused = await put1(11);
  assert(refused.kind === "refused" && refused.reason === "too many unknown kinds");
  const displaced = await put1(3);
  assert(displaced.kind === "stored" && displaced.gone[0]?.kind === 10);
  assertEquals((await put1(9, 2)).kind, "stored");
  assertEquals(store.byAuthor(ann.id).map(({ kind }) => kind), [0, 3, 7, 8, 9]);
  assertEquals(put(store, await ben.record({ kind: 100, body: 0 })), "stored");
});

Deno.test("administrator kinds are refused unless a trusted root names the author", async () => {
  const record = await ann.record({ kind: 128, subject: Uint8Array.of(1), body: 0 });
  const closed = newStore();
  const outcome = closed.admit(record, start, wallStart);
  assert(outcome.kind === "refused" && outcome.reason === "not an administrator");
  assertEquals(closed.judgeOffer(offerOf(record), start, wallStart), "refused");
  const open = newStore({ namesAdministrator: (id) => id === ann.id });
  assertEquals(put(open, record), "stored");
  const other = await ann.record({ kind: 128, subject: Uint8Array.of(2), body: 0 });
  assertEquals(put(open, other), "stored");
  assertEquals(put(open, await ben.record({ kind: 128, body: 0 })), "refused");
  assertEquals(open.byAuthor(ann.id).length, 2);
});

Deno.test("a forgotten node stays away until it says something new", async () => {
  const store = newStore();
  const record = await ann.record({ serial: 5 });
  put(store, record);
  put(store, await self.record({}));
  assertEquals(store.forget(ann.id, wallStart), [{ kind: "deleted", record }]);
  assertEquals(store.forget(self.id, wallStart), []);
  assertEquals([...store.authors()], [self.id]);
  assertEquals(put(store, record), "refused");
  assertEquals(put(store, await ann.record({ serial: 6 })), "stored");
});

Deno.test("a hidden author's records are neither shown nor taken", async () => {
  const hidden = new Set<NodeId>();
  const store = newStore({ hidesAuthor: (id) => hidden.has(id) });
  const record = await ann.record({});
  put(store, record);
  hidden.add(ann.id);
  store.handleHiding(ann.id);
  assert(store.hides(ann.id));
  assertEquals(store.get(record.key), undefined);
  assertEquals(keysOf(store), []);
  const news = await ann.record({ serial: 2 });
  assertEquals(put(store, news), "refused");
  assertEquals(store.judgeOffer(offerOf(news), start, wallStart), "refused");
  hidden.delete(ann.id);
  store.handleHiding(ann.id);
  assertEquals(keysOf(store), [record.key]);
});

Deno.test("an offer is wanted exactly if its record would be kept", async () => {
  const [lower, higher] = await rivals(ann, { serial: 5 });
  const store = newStore();
  const judge = (record: VerifiedRecord) => store.judgeOffer(offerOf(record), start, wallStart);
  assertEquals(judge(higher), "wanted");
  put(store, higher);
  assertEquals(judge(higher), "held");
  assertEquals(judge(lower), "wanted");
  put(store, lower);
  assertEquals(judge(higher), "older");
  assertEquals(judge(await ann.record({ serial: 4 })), "older");
  assertEquals(judge(await ann.record({ serial: 6 })), "wanted");
});

Deno.test("ranges are walked in order, from the low bound on, before the high one", async () => {
  const store = newStore();
  for (let n = 0; n < 40; n++) {
    const author = await RecordAuthor.create(300 + n);
    put(store, await author.record({}));
    put(store, await author.record({ kind: 5, body: n }));
  }
  const all = keysOf(store);
  assertEquals(all, [...all].sort());
  const [low, high] = [all[10], all[30]];
  assert(low !== undefined && high !== undefined);
  assertEquals([...store.range(low, high)].map(({ key }) => key), all.slice(10, 30));
  assertEquals([...store.range("05")].length, 40);
  assertEquals([...store.range("00", "05")].length, 40);
  assertEquals([...store.range("06", null)].length, 0);
});
