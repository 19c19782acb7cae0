import { assert, assertEquals } from "@std/assert";
import { days, wallTime } from "../base/instant.ts";
import { fakeRecord } from "../../tests/fixtures/fake_records.ts";
import {
  after,
  keysOf,
  newStore,
  signedAt,
  start,
  wallStart,
} from "../../tests/fixtures/store_records.ts";
import { restoreSlice } from "./limits.ts";
import { RecordStore } from "./record_store.ts";

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
