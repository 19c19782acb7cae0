import { assert, assertEquals } from "@std/assert";
import { later } from "../base/instant.ts";
import { keyBound, type KeyRange } from "../wire/key_range.ts";
import type { AnswerMessage, CompareRequest, CompareResult } from "../wire/message.ts";
import { offerOf } from "../wire/offer.ts";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import { type Answerer, now, play } from "../../tests/fixtures/played_reconciliation.ts";
import { reconcilePause, reconcileRoundsMax } from "./limits.ts";
import type { RecordEntry } from "./range_summary.ts";
import { answerCompare } from "./reconcile.ts";

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
