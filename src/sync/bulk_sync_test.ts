import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { hours, instant, later } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { nodeIdFromBytes } from "../wire/node_id.ts";
import { decodeBulkPage, encodeBulkPage } from "../wire/bulk.ts";
import {
  administratorBound,
  allKinds,
  keyBound,
  type KeyRange,
  rangeHolds,
  wholeRange,
} from "../wire/key_range.ts";
import { bulkPageBytesMax, bulkPageBytesMin, bulkRangesMax } from "../wire/limits.ts";
import { decodeRecordKey, type RecordKey } from "../wire/record_key.ts";
import { answerBulk } from "./bulk_page.ts";
import { type BulkFailure, BulkSync } from "./bulk_sync.ts";
import {
  bulkFailedPause,
  bulkLiarPause,
  bulkPagesMax,
  bulkResumable,
  bulkTimeMax,
} from "./limits.ts";

const now = instant(1_000_000);
const [ann, bob, eve] = [1, 2, 3].map((fill) => {
  const id = nodeIdFromBytes(new Uint8Array(32).fill(fill));
  assert(id !== undefined);
  return id;
});
assert(ann !== undefined && bob !== undefined && eve !== undefined);
const wish = { kinds: allKinds, ranges: [wholeRange] };

function machine(): BulkSync {
  return new BulkSync(new Prng([1]));
}

function keyOf(author: number, kind = 0): RecordKey {
  return fakeEntry(kind, author, 1).key;
}

Deno.test("one neighbour is taken from, the others wait and are compared with at its end", () => {
  const bulk = machine();
  assertEquals(bulk.want(ann, wish, now), [{ kind: "begin", peer: ann }]);
  assertEquals(bulk.want(bob, wish, now), []);
  assertEquals(bulk.want(ann, wish, now), []);
  assert(bulk.defers(ann) && bulk.defers(bob) && !bulk.defers(eve));
  const outcome = bulk.handlePage("end", undefined, now);
  assert(outcome === "complete");
  assertEquals(bulk.handleEnd(outcome, now), [{ kind: "compare", peers: [ann, bob] }]);
  assert(!bulk.defers(ann) && !bulk.defers(bob));
  // Who claims as much again is believed again later.
  assertEquals(bulk.want(ann, wish, now), []);
  assertEquals(bulk.want(bob, wish, now), [{ kind: "begin", peer: bob }]);
});

Deno.test("the next neighbour goes on behind the last key, and who lied waits an hour", () => {
  const bulk = machine();
  bulk.want(ann, wish, now);
  bulk.want(bob, wish, now);
  const key = keyOf(1);
  assertEquals(bulk.judge([key]), undefined);
  assertEquals(bulk.handlePage("more", key, now), "ask on");
  assertEquals(bulk.handleEnd("record forged", now), [{ kind: "begin", peer: bob }]);
  assertEquals(bulk.request().after, key);
  assertEquals(bulk.judge([key]), "records not in order");
  assertEquals(bulk.handleEnd("broken off", now), [{ kind: "compare", peers: [bob] }]);
  assert(!bulk.mayTake(bob, now) && bulk.mayTake(bob, later(now, bulkFailedPause)));
  assert(!bulk.mayTake(ann, later(now, bulkFailedPause)));
  assert(bulk.mayTake(ann, later(now, bulkLiarPause)));
});

Deno.test("where nobody waits, who is found next goes on, soon after and with everything only", () => {
  const stopped = () => {
    const bulk = machine();
    bulk.want(ann, wish, now);
    bulk.handlePage("more", keyOf(1), now);
    assertEquals(bulk.handleEnd("broken off", now), [{ kind: "compare", peers: [ann] }]);
    return bulk;
  };
  const soon = stopped();
  soon.want(bob, wish, later(now, bulkResumable));
  assertEquals(soon.request().after, keyOf(1));
  // What came before is another's: that it is not all is no sign that bob holds anything back.
  soon.handleEnd("complete", now);
  assert(soon.mayTake(bob, now));
  const late = stopped();
  late.want(bob, wish, later(now, hours(1)));
  assertEquals(late.request().after, undefined);
  const other = stopped();
  const administrators = { low: administratorBound, high: undefined };
  other.want(bob, { kinds: allKinds, ranges: [administrators] }, now);
  assertEquals(other.request().after, undefined);
});

Deno.test("a busy neighbour is compared with again after a while, not at once by datagrams", () => {
  const bulk = machine();
  bulk.want(ann, wish, now);
  assertEquals(bulk.handleEnd("busy", now), [{ kind: "compare", peers: [] }]);
  assert(bulk.defers(ann));
  assertEquals(bulk.want(ann, wish, now), []);
  const due = bulk.nextTimeout();
  assert(due !== undefined && due > now);
  assertEquals(bulk.handleTimeout(now), []);
  assertEquals(bulk.handleTimeout(due), [{ kind: "compare", peers: [ann] }]);
  assertEquals(bulk.nextTimeout(), undefined);
  assertEquals(bulk.want(ann, wish, due), [{ kind: "begin", peer: ann }]);
});

Deno.test("pages without end, and pages that take too long, end a transfer", () => {
  const endless = machine();
  endless.want(ann, wish, now);
  let outcome: "ask on" | "complete" | BulkFailure = "ask on";
  for (let i = 0; i < bulkPagesMax && outcome === "ask on"; i++) {
    outcome = endless.handlePage("more", undefined, now);
  }
  assertEquals(outcome, "pages used up");
  const slow = machine();
  slow.want(ann, wish, now);
  assertEquals(slow.handlePage("more", undefined, later(now, bulkTimeMax)), "time used up");
});

Deno.test("a record outside the ranges or of another kind is a lie", () => {
  const [low, high] = [keyOf(1), keyOf(2)].sort();
  assert(low !== undefined && high !== undefined);
  const bounds = (key: string) => keyBound(Uint8Array.fromHex(key));
  const only: KeyRange = { low: bounds(low), high: bounds(high) };
  const bulk = machine();
  bulk.want(ann, { kinds: [{ first: 0, last: 0 }], ranges: [only] }, now);
  assertEquals(bulk.judge([low]), undefined);
  assertEquals(bulk.judge([high]), "record outside its range");
  assertEquals(bulk.judge([low, low]), "records not in order");
  const others = machine();
  others.want(ann, { kinds: [{ first: 0, last: 0 }], ranges: [wholeRange] }, now);
  assertEquals(others.judge([keyOf(1, 1)]), "record outside its range");
});

/** A fake entry's bytes are its key. */
function keyInBytes(bytes: Bytes): RecordKey {
  const key = decodeRecordKey(bytes);
  assert(!(key instanceof DecodeError));
  return key;
}

/** Takes everything in the wish from the store, as the performer does. */
function takeAll(bulk: BulkSync, store: MemoryRanges): { keys: RecordKey[]; pages: number } {
  const keys: RecordKey[] = [];
  for (let pages = 1;; pages++) {
    const request = { ...bulk.request(), bytesMax: bulkPageBytesMin };
    const page = answerBulk(store, request);
    const decoded = decodeBulkPage(encodeBulkPage(page), request.bytesMax);
    assertEquals(decoded, page);
    const came = page.records.map(keyInBytes);
    assertEquals(bulk.judge(came), undefined);
    keys.push(...came);
    assert(page.state !== "busy");
    const next = bulk.handlePage(page.state, came.at(-1), now);
    if (next === "ask on") continue;
    assertEquals(next, "complete");
    return { keys, pages };
  }
}

Deno.test("all records of the ranges come once and in order, whatever the ranges", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(5_000), { maxLength: 400, size: "max" }),
      fc.uniqueArray(fc.nat(255), { maxLength: 160, size: "max" }),
      (authors, cuts) => {
        const store = new MemoryRanges(authors.map((author) => fakeEntry(author % 3, author, 1)));
        const bounds = [...cuts].sort((a, b) => a - b);
        const ranges: KeyRange[] = [];
        for (let i = 0; i + 1 < bounds.length; i += 2) {
          const bound = (at: number) => keyBound(Uint8Array.of(at % 3, Math.floor(at / 3)));
          const [low, high] = [bound(bounds[i] ?? 0), bound(bounds[i + 1] ?? 0)];
          const last = ranges.at(-1)?.high;
          if (low < high && (last === undefined || last <= low)) ranges.push({ low, high });
        }
        if (ranges.length === 0) ranges.push(wholeRange);
        const bulk = machine();
        bulk.want(ann, { kinds: allKinds, ranges }, now);
        const { keys, pages } = takeAll(bulk, store);
        const expected = store.all().map(({ key }) => key)
          .filter((key) => ranges.some((range) => rangeHolds(range, key)));
        assertEquals(keys, expected);
        assert(pages <= Math.ceil(ranges.length / bulkRangesMax) + expected.length * 2);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a page holds what fits, and says that there is more only if it is half full", () => {
  const store = new MemoryRanges(Array.from({ length: 2_000 }, (_, i) => fakeEntry(0, i, 1)));
  const request = { kinds: allKinds, ranges: [wholeRange], after: undefined };
  const page = answerBulk(store, { ...request, bytesMax: bulkPageBytesMin });
  assertEquals(page.state, "more");
  const bytes = encodeBulkPage(page);
  assert(bytes.length <= bulkPageBytesMin && bytes.length > bulkPageBytesMin - 40);
  assertEquals(answerBulk(store, { ...request, bytesMax: bulkPageBytesMax }).state, "end");
  const nothing = { ...request, kinds: [{ first: 9, last: 9 }], bytesMax: bulkPageBytesMin };
  assertEquals(answerBulk(store, nothing), { state: "end", records: [] });
});
