import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { DecodeError } from "../base/decode.ts";
import { type Instant, instant, later } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import { requestMessageMax } from "../wire/datagram.ts";
import {
  administratorBound,
  allKinds,
  commonKinds,
  keyBound,
  type KeyRange,
  type KindRange,
  wholeRange,
} from "../wire/key_range.ts";
import { answerMessageMax } from "../wire/limits.ts";
import {
  type AnswerMessage,
  type CompareRequest,
  type CompareResult,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
} from "../wire/message.ts";
import { offerOf } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { fakeEntry, MemoryRanges, seededBytes } from "../../tests/fixtures/record_ranges.ts";
import {
  bulkAbove,
  bulkOtherSide,
  reconcileAgain,
  reconcilePause,
  reconcileRoundsMax,
  transferredKeysMax,
} from "./limits.ts";
import type { RecordEntry } from "./range_summary.ts";
import { answerCompare, answerProbe, digestOf } from "./reconcile.ts";
import { Reconciliation, type ReconciliationEffect } from "./reconciliation.ts";

const now: Instant = instant(1_000);
type Done = Extract<ReconciliationEffect, { kind: "done" }>;
type Answerer = (request: CompareRequest) => Promise<AnswerMessage> | AnswerMessage;

interface Traffic {
  requestBytes: number;
  answerBytes: number;
}

/** Plays one reconciliation to its end through real bytes; transfers happen when nothing else does. */
async function play(
  own: MemoryRanges,
  answerer: Answerer,
  peer: MemoryRanges,
  kinds: readonly KindRange[] = allKinds,
  traffic: Traffic = { requestBytes: 0, answerBytes: 0 },
): Promise<Done> {
  const machine = new Reconciliation(own);
  let effects = await machine.start(kinds, now);
  const waiting: ReconciliationEffect[] = [];
  let underWay = 0;
  for (let step = 0; step < 10_000; step++) {
    waiting.push(...effects);
    const next = waiting.shift();
    invariant(next !== undefined, "a reconciliation that has not ended wants something");
    switch (next.kind) {
      case "done":
        assertEquals(await machine.handleFetched([], [], now), []);
        return next;
      case "fetch": {
        underWay += next.keys.length;
        assert(underWay <= transferredKeysMax);
        const arrived = next.keys.filter((key) => {
          const entry = peer.get(key);
          return entry !== undefined && own.admit(entry);
        });
        underWay -= next.keys.length;
        effects = await machine.handleFetched(next.keys, arrived, now);
        break;
      }
      case "push":
        assert(next.keys.length <= transferredKeysMax);
        for (const key of next.keys) {
          const entry = own.get(key);
          if (entry !== undefined) peer.admit(entry);
        }
        effects = await machine.handlePushed(next.keys, now);
        break;
      case "ask": {
        const sent = encodeRequest(next.message);
        assert(sent.length <= requestMessageMax, `a request of ${sent.length} bytes`);
        const request = decodeRequest(sent);
        assert(!(request instanceof DecodeError) && request.kind === "compare");
        const answered = encodeAnswer(await answerer(request));
        const answer = decodeAnswer(answered);
        assert(!(answer instanceof DecodeError), "the answer decodes");
        traffic.requestBytes += sent.length;
        traffic.answerBytes += answered.length;
        effects = await machine.handleAnswer(answer, now);
        break;
      }
    }
  }
  throw new Error("the reconciliation does not end");
}

function honest(store: MemoryRanges, kept: readonly KindRange[] = allKinds): Answerer {
  return async (request) => {
    const answer = await answerCompare(store, request, answerMessageMax, kept);
    const size = encodeAnswer(answer).length;
    assert(size <= answerMessageMax, `an answer of ${size} bytes`);
    return answer;
  };
}

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

/** What a request and its answer cost beside their messages: seals, tags, IPv6 and UDP headers. */
const datagramOverheads = 126 + 55 + 2 * 48;

Deno.test("10,000 records with 10 differences cost less than 10 KB and 10 round trips", async () => {
  const common = Array.from({ length: 10_000 }, (_, i) => fakeEntry(i % 2, i >> 1, 5));
  const a = new MemoryRanges(common);
  const b = new MemoryRanges(common);
  for (let i = 0; i < 10; i++) (i % 2 ? a : b).admit(fakeEntry(i % 2, 313 + 400 * i, 6));
  const traffic = { requestBytes: 0, answerBytes: 0 };
  const done = await play(a, honest(b), b, allKinds, traffic);
  console.log(
    `10,000 records, 10 differences: ${done.rounds} rounds with the closing one, ` +
      `${traffic.requestBytes} bytes of requests, ${traffic.answerBytes} of answers`,
  );
  assertEquals([done.equal, done.fetched, done.pushed], [true, 5, 5]);
  assert(done.rounds < 10, `${done.rounds} rounds`);
  const bytes = traffic.requestBytes + traffic.answerBytes + done.rounds * datagramOverheads;
  assert(bytes < 10_000, `${bytes} bytes`);
});

Deno.test("stores that are equal find that out with one exchange of less than 400 bytes", async () => {
  const store = new MemoryRanges(
    Array.from({ length: 1_000 }, (_, i) => fakeEntry(i % 2, i >> 1, 5)),
  );
  const probe = { kind: "probe", kinds: allKinds, digest: await digestOf(store) } as const;
  const answer = await answerProbe(store, probe);
  assertEquals(answer.digest, probe.digest);
  const bytes = encodeRequest(probe).length + encodeAnswer(answer).length + datagramOverheads;
  assert(bytes < 400, `${bytes} bytes`);
});

Deno.test("a big difference is walked within the bounds and goes on in the next reconciliation", async () => {
  const full = new MemoryRanges(Array.from({ length: 3_000 }, (_, i) => fakeEntry(0, i, 1)));
  const empty = new MemoryRanges();
  let reconciliations = 0;
  for (;;) {
    reconciliations++;
    const done = await play(empty, honest(full), full);
    assert(done.rounds <= reconcileRoundsMax);
    if (done.equal) break;
    assertEquals(done.again, later(now, reconcileAgain));
  }
  assertEquals(empty.all().length, 3_000);
  console.log(`3,000 records from nothing: ${reconciliations} reconciliations`);
  // The other way round nothing is pushed: who lacks most of it takes it.
  const other = new MemoryRanges();
  const left = await play(full, honest(other), other);
  assertEquals([left.reason, other.size, left.rounds], ["left to the peer", 0, 1]);
  assertEquals(left.again, later(now, bulkOtherSide));
});

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

Deno.test("of two records of one serial both ends keep the one with the lower hash", async () => {
  const both = [fakeEntry(0, 1, 5, 0), fakeEntry(0, 1, 5, 1)] as const;
  for (const [mine, theirs] of [[0, 1], [1, 0]] as const) {
    const [a, b] = [new MemoryRanges([both[mine]]), new MemoryRanges([both[theirs]])];
    assertEquals((await play(a, honest(b), b)).equal, true);
    assertEquals(a.all(), b.all());
  }
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

function compareAnswer(
  request: CompareRequest,
  results: Extract<AnswerMessage, { kind: "compare" }>["results"],
): AnswerMessage {
  return { kind: "compare", kinds: request.kinds, results, held: request.held };
}

const fingerprint = new Uint8Array(16).fill(0xbb);

/** Halves any range for ever, deeper and deeper, always with wrong fingerprints. */
function splitForEver(request: CompareRequest): AnswerMessage {
  return compareAnswer(
    request,
    request.ranges.slice(0, 20).map((range) => {
      const low = Uint8Array.from(
        { length: range.low.length / 2 },
        (_, i) => parseInt(range.low.slice(2 * i, 2 * i + 2), 16),
      );
      // Bounds of 65 bytes are the longest there are: below them the liar has to list.
      if (low.length >= 65) return { kind: "list", offers: [] };
      const middle = keyBound(Uint8Array.of(...low, 0));
      return middle === range.high ? { kind: "list", offers: [] } : {
        kind: "split",
        parts: [{ high: middle, fingerprint }, { high: range.high, fingerprint }],
      };
    }),
  );
}

/** The range in two, cut at this byte, always with wrong fingerprints. */
function splitAt(range: KeyRange | undefined, byte: number): CompareResult {
  const highs = [keyBound(Uint8Array.of(byte)), range?.high];
  return { kind: "split", parts: highs.map((high) => ({ high, fingerprint })) };
}

/** Cuts thirty-nine small parts off the end of the first range, whose beginning is asked for next. */
function splitOff(request: CompareRequest): AnswerMessage {
  const [range] = request.ranges;
  const end = parseInt(range?.high ?? "fff0", 16);
  const cuts = Array.from({ length: 39 }, (_, i) => end - 39 + i);
  const highs = [...cuts.map((cut) => keyBound(Uint8Array.of(cut >> 8, cut & 0xff))), range?.high];
  return compareAnswer(request, [{
    kind: "split",
    parts: highs.map((high) => ({ high, fingerprint })),
  }]);
}

const liars: Readonly<Record<string, readonly [Answerer, RegExp]>> = {
  "splits for ever": [splitForEver, /used up|still different/],
  "splits off more and more parts": [splitOff, /^ranges used up$/],
  "always differs but lists the same": [
    (request) =>
      compareAnswer(request, [{
        kind: "list",
        offers: ownStore().all().map(offerOf),
      }]),
    /^still different$/,
  ],
  "claims to hold nothing, again and again": [
    (request) => compareAnswer(request, [{ kind: "list", offers: [] }]),
    /^still different$/,
  ],
  "offers what it never delivers": [
    (request) => compareAnswer(request, [{ kind: "list", offers: [offerOf(fakeEntry(0, 77, 9))] }]),
    /^still different$/,
  ],
  "gives no result": [(request) => compareAnswer(request, []), /^answer without result$/],
  "gives more results than ranges": [
    (request) => compareAnswer(request, [{ kind: "equal" }, { kind: "equal" }]),
    /^answer with more results/,
  ],
  "names fewer kinds every time": [
    (request) => ({
      kind: "compare",
      kinds: request.kinds.map(({ first, last }) => ({ first, last: last - 1 })),
      results: [],
      held: 0,
    }),
    /^answer kinds not asked$/,
  ],
  "answers something else": [() => ({ kind: "offer" }), /^answer of another kind$/],
  "sends a notice": [() => ({ kind: "notice", code: 4, value: 0 }), /^notice$/],
  "ends its split elsewhere": [
    (request) =>
      compareAnswer(request, [{
        kind: "split",
        parts: [{ high: keyBound(Uint8Array.of(1)), fingerprint }, {
          high: keyBound(Uint8Array.of(2)),
          fingerprint,
        }],
      }]),
    /^split outside its range$/,
  ],
  "splits into parts that begin before the range": [
    ({ ranges, ...request }) => {
      const isFirst = ranges.length === 1;
      const split = splitAt(ranges.at(-1), isFirst ? 2 : 1);
      return compareAnswer({ ranges, ...request }, isFirst ? [split] : [{ kind: "equal" }, split]);
    },
    /^split outside its range$/,
  ],
  "lists kinds that were not asked for": [
    (request) =>
      request.kinds.length > 0 && request.kinds[0]?.last === 255
        ? { kind: "compare", kinds: [{ first: 0, last: 127 }], results: [], held: 0 }
        : compareAnswer(request, [{ kind: "list", offers: [offerOf(fakeEntry(200, 1, 1))] }]),
    /^offer outside its range$/,
  ],
  "lists outside the range": [
    async (request) => {
      const [first] = request.ranges;
      if (first?.high === undefined) {
        return await answerCompare(
          new MemoryRanges(Array.from({ length: 50 }, (_, i) => fakeEntry(i % 2, i + 500, 1))),
          request,
        );
      }
      return compareAnswer(request, [{ kind: "list", offers: [offerOf(fakeEntry(255, 1, 1))] }]);
    },
    /^offer outside its range$/,
  ],
};

function ownStore(): MemoryRanges {
  return new MemoryRanges(Array.from({ length: 30 }, (_, i): RecordEntry => fakeEntry(0, i, 1)));
}

for (const [what, [liar, reason]] of Object.entries(liars)) {
  Deno.test(`a peer that ${what} costs a bounded walk and then a pause`, async () => {
    const own = ownStore();
    const before = own.all();
    const done = await play(own, liar, new MemoryRanges());
    assert(reason.test(done.reason), done.reason);
    assert(!done.equal && done.rounds <= reconcileRoundsMax);
    assertEquals(done.again, later(now, reconcilePause));
    assertEquals(own.all(), before);
  });
}

Deno.test("kinds that one side names and the other does not keep are narrowed once", () => {
  assertEquals(
    commonKinds([{ first: 0, last: 200 }], [{ first: 5, last: 9 }, { first: 128, last: 255 }]),
    [{ first: 5, last: 9 }, { first: 128, last: 200 }],
  );
});
