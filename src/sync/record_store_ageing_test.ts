import { assert, assertEquals } from "@std/assert";
import { days, hours, instant, minutes, wallTime } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { offerOf } from "../wire/offer.ts";
import {
  after,
  ann,
  ben,
  keysOf,
  newStore,
  put,
  signedAt,
  start,
  wallStart,
} from "../../tests/fixtures/store_records.ts";
import {
  expiryCheckInterval,
  knownNodesMax,
  recordGrace,
  recordLifetime,
  refreshInterval,
  tombstoneLifetime,
  tombstonesMax,
} from "./limits.ts";

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
