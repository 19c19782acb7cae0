import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { later } from "../base/instant.ts";
import { administratorBound, allKinds, commonKinds, wholeRange } from "../wire/key_range.ts";
import { encodeAnswer } from "../wire/message.ts";
import { fakeEntry, MemoryRanges, seededBytes } from "../../tests/fixtures/record_ranges.ts";
import { honest, now, play } from "../../tests/fixtures/played_reconciliation.ts";
import { reconcilePause } from "./limits.ts";
import { answerCompare, answerProbe, digestOf } from "./reconcile.ts";
import { Reconciliation } from "./reconciliation.ts";

function unionOf(...stores: MemoryRanges[]): MemoryRanges {
  return new MemoryRanges(stores.flatMap((store) => store.all()));
}

const anyEntry = fc.record({
  kind: fc.constantFrom(0, 1, 2, 127, 128, 129, 255),
  author: fc.nat(40),
  serial: fc.nat(3),
  variant: fc.nat(1),
  subject: fc.constantFrom(0, 1, 5, 32),
}).map(({ kind, author, serial, variant, subject }) =>
  fakeEntry(
    kind,
    author,
    serial,
    variant,
    kind < 128 ? new Uint8Array(0) : seededBytes(subject, author),
  )
);
const anyStore = fc.array(anyEntry, { maxLength: 120, size: "max" }).map((entries) =>
  new MemoryRanges(entries)
);

Deno.test("two stores end as the newest of both, and say so", async () => {
  await fc.assert(
    fc.asyncProperty(anyStore, anyStore, anyStore, async (left, right, common) => {
      const a = unionOf(left, common);
      const b = unionOf(right, common);
      const expected = unionOf(a, b).all();
      const done = await play(a, honest(b), b);
      assertEquals(done.equal, true, done.reason);
      assertEquals(a.all(), expected);
      assertEquals(b.all(), expected);
      assertEquals(await digestOf(a), await digestOf(b));
    }),
    { numRuns: 60 },
  );
});

Deno.test("an answer within any budget says at least something", async () => {
  await fc.assert(
    fc.asyncProperty(anyStore, fc.integer({ min: 500, max: 1_100 }), async (store, budget) => {
      const done = await play(new MemoryRanges(), async (request) => {
        const answer = await answerCompare(store, request, budget);
        assert(encodeAnswer(answer).length <= budget);
        return answer;
      }, store);
      assertEquals(done.equal, true, done.reason);
    }),
    { numRuns: 30 },
  );
});

Deno.test("keys that share long prefixes are told apart within the budget", async () => {
  const subjects = Array.from({ length: 200 }, (_, i) => {
    const subject = new Uint8Array(32).fill(9);
    subject[31] = i;
    return fakeEntry(200, 1, 1, 0, subject);
  });
  // Short bounds in the middle, long ones behind: the size cannot be guessed from one of them.
  const short = Array.from({ length: 230 }, (_, i) => fakeEntry(0, i, 1));
  const full = new MemoryRanges([...subjects, ...short]);
  const half = new MemoryRanges(full.all().filter((_, i) => i % 2 === 0));
  const done = await play(half, honest(full), full);
  assertEquals(done.equal, true, done.reason);
  assertEquals(half.all(), full.all());
});

Deno.test("a split leaves no part that spans self and administrator kinds", async () => {
  await fc.assert(
    fc.asyncProperty(anyStore, async (store) => {
      const range = { ...wholeRange, fingerprint: new Uint8Array(16) };
      const answer = await answerCompare(store, {
        kind: "compare",
        kinds: allKinds,
        ranges: [range],
        held: 0,
      });
      for (const result of answer.results) {
        if (result.kind !== "split") continue;
        const highs = result.parts.map((part) => part.high);
        assert(highs.includes(administratorBound), `no cut in ${highs}`);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("stores that keep different kinds compare only what both keep", async () => {
  const a = new MemoryRanges([fakeEntry(0, 1, 1), fakeEntry(5, 1, 1), fakeEntry(130, 2, 1)]);
  const b = new MemoryRanges([fakeEntry(0, 1, 2), fakeEntry(7, 3, 1)]);
  const kept = [{ first: 0, last: 4 }, { first: 128, last: 255 }];
  const done = await play(a, honest(b, kept), b);
  assertEquals(done.equal, true, done.reason);
  assertEquals(a.get(fakeEntry(0, 1, 2).key)?.serial, 2);
  assertEquals(a.get(fakeEntry(7, 3, 1).key), undefined);
  assertEquals(b.get(fakeEntry(5, 1, 1).key), undefined);
  assert(b.get(fakeEntry(130, 2, 1).key) !== undefined);
  const nothing = await play(a, honest(b, []), b);
  assertEquals([nothing.equal, nothing.reason], [false, "no kinds in common"]);
});

Deno.test("a probe is answered over the common kinds, with the fingerprint of everything", async () => {
  const store = new MemoryRanges([fakeEntry(0, 1, 1), fakeEntry(140, 1, 1)]);
  const kinds = [{ first: 0, last: 127 }];
  const request = { kind: "probe", kinds, digest: new Uint8Array(16) } as const;
  const answer = await answerProbe(store, request);
  assertEquals(answer.kinds, kinds);
  assertEquals(answer.digest, await digestOf(store, kinds));
  assertEquals(
    await digestOf(store, kinds),
    await digestOf(new MemoryRanges([fakeEntry(0, 1, 1)])),
  );
});

Deno.test("of two records of one serial both ends keep the one with the lower hash", async () => {
  const both = [fakeEntry(0, 1, 5, 0), fakeEntry(0, 1, 5, 1)] as const;
  for (const [mine, theirs] of [[0, 1], [1, 0]] as const) {
    const [a, b] = [new MemoryRanges([both[mine]]), new MemoryRanges([both[theirs]])];
    assertEquals((await play(a, honest(b), b)).equal, true);
    assertEquals(a.all(), b.all());
  }
});

Deno.test("what the store refuses is not fetched, and the walk ends", async () => {
  const own = new MemoryRanges();
  const peer = new MemoryRanges([fakeEntry(0, 1, 1)]);
  const machine = new Reconciliation(own, () => false);
  let effects = await machine.start(allKinds, now);
  const [ask] = effects;
  assert(ask?.kind === "ask");
  effects = await machine.handleAnswer(await answerCompare(peer, ask.message), now);
  assertEquals(effects.map((effect) => effect.kind), ["done"]);
});

Deno.test("records that were not asked for are counted, not taken for progress", async () => {
  const machine = new Reconciliation(new MemoryRanges());
  await machine.start(allKinds, now);
  await machine.handleFetched([], [fakeEntry(0, 9, 9).key], now);
  assertEquals(machine.counts(), { "record not asked for": 1 });
});

Deno.test("an answer twice, or after the end, changes nothing", async () => {
  const own = new MemoryRanges();
  const peer = new MemoryRanges();
  const machine = new Reconciliation(own);
  const [ask] = await machine.start(allKinds, now);
  assert(ask?.kind === "ask");
  const answer = await answerCompare(peer, ask.message);
  const [first, second] = await Promise.all([
    machine.handleAnswer(answer, now),
    machine.handleAnswer(answer, now),
  ]);
  assertEquals(first.map((effect) => effect.kind), ["done"]);
  assertEquals(second, []);
  assertEquals(machine.handleNoAnswer(now), []);
});

Deno.test("no answer ends it, with a pause", async () => {
  const machine = new Reconciliation(new MemoryRanges());
  await machine.start(allKinds, now);
  const [done] = machine.handleNoAnswer(now);
  assert(done?.kind === "done" && !done.equal);
  assertEquals([done.reason, done.again], ["no answer", later(now, reconcilePause)]);
});

Deno.test("kinds that one side names and the other does not keep are narrowed once", () => {
  assertEquals(
    commonKinds([{ first: 0, last: 200 }], [{ first: 5, last: 9 }, { first: 128, last: 255 }]),
    [{ first: 5, last: 9 }, { first: 128, last: 200 }],
  );
});
