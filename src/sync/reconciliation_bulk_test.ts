import { assert, assertEquals } from "@std/assert";
import { later } from "../base/instant.ts";
import { allKinds, wholeRange } from "../wire/key_range.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import { honest, now, play } from "../../tests/fixtures/played_reconciliation.ts";
import { bulkAbove, bulkOtherSide, transferredKeysMax } from "./limits.ts";
import { answerCompare } from "./reconcile.ts";
import { Reconciliation } from "./reconciliation.ts";

/** Walks with an honest peer until something is left to bulk, fetching and pushing at once. */
async function walkToBulk(own: MemoryRanges, peer: MemoryRanges) {
  const machine = new Reconciliation(own, () => true, true);
  const waiting = await machine.start(allKinds, now);
  let fetched = 0;
  for (let effect = waiting.shift(); effect !== undefined; effect = waiting.shift()) {
    if (effect.kind === "bulk") {
      const done = waiting.find(({ kind }) => kind === "done");
      assert(done?.kind === "done" && done.reason === "left to bulk" && done.again === undefined);
      return { ranges: effect.ranges, fetched, rounds: done.rounds };
    }
    if (effect.kind === "done") return undefined;
    if (effect.kind === "ask") {
      waiting.push(...await machine.handleAnswer(await answerCompare(peer, effect.message), now));
      continue;
    }
    const [from, to] = effect.kind === "fetch" ? [peer, own] : [own, peer];
    for (const key of effect.keys) {
      const entry = from.get(key);
      if (entry !== undefined) to.admit(entry);
    }
    if (effect.kind === "fetch") fetched += effect.keys.length;
    waiting.push(
      ...effect.kind === "fetch"
        ? await machine.handleFetched(effect.keys, effect.keys, now)
        : await machine.handlePushed(effect.keys, now),
    );
  }
  return undefined;
}

function fakes(count: number, first = 0): MemoryRanges {
  return new MemoryRanges(Array.from({ length: count }, (_, i) => fakeEntry(0, first + i, 1)));
}

Deno.test("who lacks most of what the peer holds takes everything in bulk after one answer", async () => {
  const bulk = await walkToBulk(fakes(10), fakes(3_000));
  assertEquals([bulk?.ranges, bulk?.rounds, bulk?.fetched], [[wholeRange], 1, 0]);
});

Deno.test("a few hundred go by datagrams, and so does a difference that the peer is to take", async () => {
  assertEquals(await walkToBulk(fakes(10), fakes(10 + bulkAbove - 1)), undefined);
  assertEquals(await walkToBulk(fakes(3_000), fakes(10)), undefined);
});

Deno.test("who lacks hundreds here and there is left to take them, as one who lacks a good part", async () => {
  const full = fakes(3_000);
  const peer = new MemoryRanges(full.all().filter((_, i) => i % 5 !== 0));
  const done = await play(full, honest(peer), peer);
  assertEquals([done.reason, done.again], ["left to the peer", later(now, bulkOtherSide)]);
  assert(peer.size < 3_000);
});

Deno.test("where each side lacks much, bulk takes the ranges that are left", async () => {
  const own = fakes(1_500);
  const bulk = await walkToBulk(own, fakes(1_500, 10_000));
  assert(bulk !== undefined && bulk.fetched > 0 && bulk.fetched < bulkAbove);
  const [first] = bulk.ranges;
  assert(first !== undefined && first.low > "00");
  for (const [i, range] of bulk.ranges.entries()) {
    assert(range.high === undefined || range.high < (bulk.ranges[i + 1]?.low ?? "ff"));
  }
});

Deno.test("a walk waits for what it transfers before it asks for more", async () => {
  const [own, peer] = [new MemoryRanges(), fakes(2_000)];
  const machine = new Reconciliation(own);
  const waiting = await machine.start(allKinds, now);
  const fetching: RecordKey[] = [];
  for (let effect = waiting.shift(); effect !== undefined; effect = waiting.shift()) {
    if (effect.kind === "fetch") fetching.push(...effect.keys);
    if (effect.kind !== "ask") continue;
    waiting.push(...await machine.handleAnswer(await answerCompare(peer, effect.message), now));
  }
  assertEquals(fetching.length, transferredKeysMax);
  const goesOn = await machine.handleFetched(fetching.slice(0, 1), [], now);
  assertEquals(goesOn.map(({ kind }) => kind), ["ask"]);
});
