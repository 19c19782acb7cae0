import { assert, assertEquals } from "@std/assert";
import { compareBytes } from "../base/bytes.ts";
import { days, hours, instant, minutes, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { encodeInfo } from "../wire/info.ts";
import type { NodeId } from "../wire/node_id.ts";
import { offerOf } from "../wire/offer.ts";
import { fakeAuthor, fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { plainInfo, RecordAuthor, type TestRecordOptions } from "../../tests/sim/record_author.ts";
import {
  evictionSearchMax,
  expiryCheckInterval,
  knownNodesMax,
  recordGrace,
  recordLifetime,
  refreshInterval,
  restoreSlice,
  tombstoneLifetime,
  tombstonesMax,
} from "./limits.ts";
import { RecordStore, type RecordStoreOptions } from "./record_store.ts";
import type { VerifiedRecord } from "./verify_record.ts";

const self = await RecordAuthor.create(1_000);
const ann = await RecordAuthor.create(1);
const ben = await RecordAuthor.create(2);
const signedAt = 1_700_000_000_000;
const start = instant(5_000);
const wallStart = wallTime(signedAt + 1_000);

function newStore(options: Partial<RecordStoreOptions> = {}): RecordStore {
  return new RecordStore({ selfId: self.id, ...options });
}

/** Both clocks, so many days after the start. */
function after(count: number) {
  return { now: instant(start + days(count)), wall: wallTime(wallStart + days(count)) };
}

function put(store: RecordStore, record: VerifiedRecord) {
  return store.admit(record, start, wallStart).kind;
}

function keysOf(store: RecordStore): string[] {
  return [...store.records()].map((record) => record.key);
}

/** Two records of one key and serial that say different things, the one with the lower hash first. */
async function rivals(author: RecordAuthor, options: TestRecordOptions = {}) {
  const one = await author.record({ ...options, body: encodeInfo(plainInfo("one")) });
  const two = await author.record({ ...options, body: encodeInfo(plainInfo("two")) });
  return compareBytes(one.hash, two.hash) < 0 ? [one, two] as const : [two, one] as const;
}

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

Deno.test("the highest serial and time there are silence their author and nobody else", async () => {
  const top = Number.MAX_SAFE_INTEGER;
  const store = newStore();
  const record = await ann.record({ serial: top, signedAt: top });
  assertEquals(put(store, record), "stored");
  assertEquals(put(store, await ann.record({ serial: top - 1 })), "older");
  assertEquals(put(store, await ben.record({ serial: 1 })), "stored");
  // It ages from when it was first seen, not from the time it claims.
  const left = after(60);
  assertEquals(store.handleTimeout(left.now, left.wall).length, 2);
  const gone = after(61.1);
  assertEquals(
    store.handleTimeout(gone.now, gone.wall).map((effect) => effect.kind),
    ["deleted", "deleted"],
  );
  assertEquals(store.authorCount, 0);
});

Deno.test("a record leaves fingerprints after 60 days, is deleted a day later, and stays so", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  put(store, record);
  const early = after(59.9);
  assertEquals(store.handleTimeout(early.now, early.wall), []);
  assertEquals(keysOf(store), [record.key]);
  const due = after(60);
  assertEquals(store.handleTimeout(due.now, due.wall), [{ kind: "left", record }]);
  assertEquals(keysOf(store), []);
  assertEquals(store.get(record.key), record);
  assertEquals(store.judgeOffer(offerOf(record), due.now, due.wall), "held");
  const dayLater = after(61.01);
  assertEquals(store.handleTimeout(dayLater.now, dayLater.wall), [{ kind: "deleted", record }]);
  assertEquals(store.get(record.key), undefined);
  assertEquals(store.tombstones().map(({ key, serial }) => [key, serial]), [[record.key, 1]]);
  // Another node, which saw it later, offers it still.
  const { now, wall } = dayLater;
  assertEquals(store.judgeOffer(offerOf(record), now, wall), "refused");
  const zombie = await ann.record({ signedAt: wall + days(365) });
  const outcome = store.admit(zombie, now, wall);
  assert(outcome.kind === "refused" && outcome.reason === "deleted before");
  assert(store.wasRefused(zombie.hash, now));
  assert(!store.wasRefused(zombie.hash, instant(now + minutes(10))));
  const alive = await ann.record({ serial: 2, signedAt: wall });
  assertEquals(store.judgeOffer(offerOf(alive), now, wall), "wanted");
  assertEquals(store.admit(alive, now, wall).kind, "stored");
});

Deno.test("a record that is already old when it comes is refused", async () => {
  const { now, wall } = after(60);
  const outcome = newStore().admit(await ann.record({ signedAt }), now, wall);
  assert(outcome.kind === "refused" && outcome.reason === "expired");
});

Deno.test("what a wrong calendar refused as old is wanted as soon as it is set right", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  const wrong = wallTime(wallStart + days(4_000));
  assertEquals(store.admit(record, start, wrong).kind, "refused");
  assertEquals(store.judgeOffer(offerOf(record), start, wallStart), "refused");
  store.lookAgain();
  assertEquals(store.judgeOffer(offerOf(record), start, wallStart), "wanted");
  assertEquals(store.admit(record, start, wallStart).kind, "stored");
});

Deno.test("while ageing is paused nothing leaves, nothing is deleted, and old records are taken", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  put(store, record);
  store.expiryPaused = true;
  const late = after(365);
  assertEquals(store.handleTimeout(late.now, late.wall), []);
  assertEquals(keysOf(store), [record.key]);
  assertEquals(store.admit(await ben.record({ signedAt }), late.now, late.wall).kind, "stored");
  store.expiryPaused = false;
  const later = after(366);
  assertEquals(store.handleTimeout(later.now, later.wall).length, 2);
});

Deno.test("while ageing is paused tombstones stand, whatever the calendar says", async () => {
  const store = newStore();
  const record = await ann.record({ serial: 5 });
  put(store, record);
  store.forget(ann.id, wallStart);
  store.expiryPaused = true;
  const wrong = after(4_000);
  assertEquals(store.handleTimeout(wrong.now, wrong.wall), []);
  assertEquals(store.tombstones().length, 1);
});

Deno.test("what left by a calendar that turns out to be doubtful comes back at once", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  put(store, record);
  const wrong = wallTime(wallStart + days(4_000));
  const now = instant(start + hours(1));
  assertEquals(store.handleTimeout(now, wrong), [{ kind: "left", record }]);
  store.expiryPaused = true;
  assert((store.nextTimeout() ?? now + 1) <= now);
  assertEquals(store.handleTimeout(now, wrong), [{ kind: "returned", record }]);
  assertEquals(keysOf(store), [record.key]);
  // Nor is the next look awaited when the doubt is over.
  store.expiryPaused = false;
  assert((store.nextTimeout() ?? now + 1) <= now);
  assertEquals(store.handleTimeout(now, wrong), [{ kind: "left", record }]);
});

Deno.test("a log read under a calendar that was ahead ages nothing once the calendar is right", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  const ahead = days(4_000);
  const start = instant(1_000);
  store.restore(record, wallStart, start, wallTime(wallStart + ahead));
  assertEquals(keysOf(store), []);
  const now = instant(start + hours(1));
  const wall = wallTime(wallStart + hours(1));
  assertEquals(store.handleTimeout(now, wall), [{ kind: "returned", record }]);
  assertEquals(store.agesFrom(record, now, wall), wallTime(signedAt));
  // Where the calendar was right the time before the restart counts.
  const other = newStore();
  other.restore(record, wallStart, start, wallTime(wallStart + days(59)));
  assertEquals(keysOf(other), [record.key]);
  const late = wallTime(wallStart + days(60));
  assertEquals(other.handleTimeout(instant(start + days(1)), late), [{ kind: "left", record }]);
});

Deno.test("a wall clock that jumps ahead and back costs nothing but the time between", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  put(store, record);
  const wrong = wallTime(wallStart + days(4_000));
  const first = instant(start + hours(1));
  assertEquals(store.handleTimeout(first, wrong), [{ kind: "left", record }]);
  const second = instant(start + hours(2));
  const right = wallTime(wallStart + hours(2));
  assertEquals(store.handleTimeout(second, right), [{ kind: "returned", record }]);
  assertEquals(keysOf(store), [record.key]);
});

Deno.test("what a wrong clock buried may come back when the clock is right", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt });
  put(store, record);
  const wrong = days(4_000);
  for (const hour of [1, 26]) {
    store.handleTimeout(instant(start + hours(hour)), wallTime(wallStart + wrong + hours(hour)));
  }
  assertEquals(store.size, 0);
  const now = instant(start + hours(27));
  const right = wallTime(wallStart + hours(27));
  assertEquals(store.judgeOffer(offerOf(record), now, right), "wanted");
  assertEquals(store.admit(record, now, right).kind, "stored");
});

Deno.test("a node that started in 1970 and then learns the date loses nothing", async () => {
  const store = newStore({ builtAt: wallTime(signedAt - days(100)) });
  const record = await ann.record({ signedAt });
  store.admit(record, start, wallTime(10_000));
  const { now, wall } = after(1);
  assertEquals(store.handleTimeout(now, wall), []);
  assertEquals(keysOf(store), [record.key]);
  // And what it wrote down as first seen in 1970 counts from today after a restart.
  const next = newStore({ builtAt: wallTime(signedAt - days(100)) });
  next.restore(record, wallTime(10_000), start, wallStart);
  assertEquals(keysOf(next), [record.key]);
});

Deno.test("first-seen times survive a restart", async () => {
  const store = newStore();
  const record = await ann.record({ signedAt: Number.MAX_SAFE_INTEGER });
  put(store, record);
  const { now, wall } = after(50);
  const firstSeen = store.agesFrom(record, now, wall);
  assertEquals(firstSeen, wallStart);
  const next = newStore();
  next.restore(record, wallStart, instant(0), wall);
  assertEquals(next.agesFrom(record, instant(0), wall), wallStart);
  assertEquals(next.handleTimeout(instant(days(9.9)), after(59.9).wall), []);
  assertEquals(next.handleTimeout(instant(days(10)), after(60).wall).length, 1);
  // One past its time is held for its day of grace, but in no fingerprint.
  const late = newStore();
  late.restore(record, wallStart, instant(0), after(60.5).wall);
  assertEquals([late.size, keysOf(late).length], [1, 0]);
});

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

Deno.test("what is restored together is what is restored one by one", () => {
  const records = Array.from({ length: 200 }, (_, i) =>
    fakeRecord({
      author: i % 41,
      kind: [0, 1, 2, 7, 129][i % 5] ?? 0,
      serial: i,
      // Some aged, some signed in what is the future here.
      signedAt: signedAt + days(i % 7 === 0 ? -70 : i % 11 === 0 ? 30 : 0),
    }));
  const newest = [...new Map(records.map((record) => [record.key, record])).values()];
  const options = { namesAdministrator: () => true, builtAt: wallTime(signedAt - days(90)) };
  const [together, single] = [newStore(options), newStore(options)];
  for (const store of [together, single]) {
    const buried = newest[3];
    assert(buried !== undefined);
    const { key, serial } = buried;
    store.restoreTombstone({ key, serial, deletedAt: wallStart }, wallStart);
  }
  const seen = newest.map((record) => [record, wallStart] as const);
  for (const _ of together.restoreInSlices(seen, start, wallStart));
  for (const record of newest) single.restore(record, wallStart, start, wallStart);
  assert(together.size > 50);
  for (const at of [0, 59, 60.5, 91, 93]) {
    const { now, wall } = after(at);
    const effectsOf = (store: RecordStore) =>
      store.handleTimeout(now, wall).map(({ kind, record }) => `${kind} ${record.key}`).sort();
    assertEquals(effectsOf(together), effectsOf(single));
    assertEquals(keysOf(together), keysOf(single));
    assertEquals([together.size, together.authorCount], [single.size, single.authorCount]);
  }
});

Deno.test("many are restored in slices, and none of them is long", () => {
  const records = Array.from(
    { length: 6_000 },
    (_, i) => fakeRecord({ author: i % 3_000, kind: i < 3_000 ? 0 : 1 }),
  );
  const store = newStore();
  const seen = records.map((record) => [record, wallStart] as const);
  let turns = 0;
  for (const _ of store.restoreInSlices(seen, start, wallStart)) turns += 1;
  assert(turns >= 2 * Math.floor(6_000 / restoreSlice) - 2, `${turns} turns`);
  assertEquals([store.size, store.authorCount], [6_000, 3_000]);
  assertEquals(keysOf(store), records.map(({ key }) => key).sort());
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

Deno.test("a record that ages while its author is hidden does not come back with him", async () => {
  const hidden = new Set<NodeId>([ann.id]);
  const store = newStore({ hidesAuthor: (id) => hidden.has(id) });
  hidden.clear();
  put(store, await ann.record({}));
  hidden.add(ann.id);
  store.handleHiding(ann.id);
  const { now, wall } = after(60.5);
  assertEquals(store.handleTimeout(now, wall), [], "it was in no fingerprint");
  hidden.clear();
  store.handleHiding(ann.id);
  assertEquals(keysOf(store), []);
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

Deno.test("the limits of ageing fit together", () => {
  // Two refreshes, even without their jitter, lie within a record's life.
  assert(2 * refreshInterval < recordLifetime);
  assert(tombstoneLifetime > recordLifetime + recordGrace);
  assert(expiryCheckInterval < recordGrace);
  assert(tombstonesMax >= knownNodesMax);
});

Deno.test("judging the clock again, with the same result, does not forget what was refused", async () => {
  const store = newStore();
  const refused = await ann.record({ signedAt: signedAt - days(90) });
  assertEquals(put(store, refused), "refused");
  store.expiryPaused = false;
  assert(store.wasRefused(refused.hash, start));
  store.expiryPaused = true;
  assert(!store.wasRefused(refused.hash, start), "now it may be wanted");
});
