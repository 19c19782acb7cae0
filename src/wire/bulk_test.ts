import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import {
  type BulkPage,
  bulkPageHeadSize,
  type BulkRequest,
  decodeBulkPage,
  decodeBulkRequest,
  encodeBulkPage,
  encodeBulkRequest,
} from "./bulk.ts";
import { type CborValue, encodeCbor } from "./cbor.ts";
import { administratorBound, allKinds, keyBound, lowestBound, wholeRange } from "./key_range.ts";
import {
  bulkPageBytesMax,
  bulkPageBytesMin,
  bulkPageRecordsMax,
  bulkRangesMax,
  bulkRequestBytesMax,
  recordBytesMax,
} from "./limits.ts";
import { decodeRecordKey } from "./record_key.ts";

function keyOf(fill: number) {
  const key = decodeRecordKey(new Uint8Array(33).fill(fill).with(0, 0));
  assert(!(key instanceof DecodeError));
  return key;
}

function reasonOf(value: unknown): string {
  return value instanceof DecodeError ? value.reason : "decoded";
}

const whole: BulkRequest = {
  kinds: allKinds,
  ranges: [wholeRange],
  after: undefined,
  bytesMax: bulkPageBytesMax,
};

Deno.test("each bulk request is exactly these bytes, and these bytes are that request", () => {
  const requests: readonly (readonly [BulkRequest, string])[] = [
    [whole, "84 81 82 00 18ff 81 82 40 f6 f6 1a00040000"],
    [
      {
        kinds: [{ first: 0, last: 1 }],
        ranges: [
          { low: lowestBound, high: keyBound(Uint8Array.of(0, 7)) },
          { low: administratorBound, high: undefined },
        ],
        after: keyOf(1),
        bytesMax: 4_096,
      },
      `84 81 82 00 01 82 82 40 420007 82 4180 f6 5821 00 ${"01".repeat(32)} 191000`,
    ],
  ];
  for (const [request, hex] of requests) {
    const bytes = fromHex(hex.replaceAll(" ", ""));
    assert(bytes !== undefined);
    assertEquals(toHex(encodeBulkRequest(request)), toHex(bytes));
    assertEquals(decodeBulkRequest(bytes), request);
  }
});

Deno.test("each bulk page is exactly these bytes, and these bytes are that page", () => {
  const pages: readonly (readonly [BulkPage, string])[] = [
    [{ state: "end", records: [] }, "82 00 80"],
    [{ state: "end", records: [Uint8Array.of(1, 2)] }, "82 00 81 42 0102"],
    [{ state: "busy", records: [] }, "82 02 80"],
  ];
  for (const [page, hex] of pages) {
    const bytes = fromHex(hex.replaceAll(" ", ""));
    assert(bytes !== undefined);
    assertEquals(toHex(encodeBulkPage(page)), toHex(bytes));
    assertEquals(decodeBulkPage(bytes, bulkPageBytesMax), page);
  }
});

Deno.test("a bulk request out of form is refused with its reason", () => {
  const kinds = [[0, 255]];
  const range: CborValue = [new Uint8Array(0), null];
  const cases: readonly (readonly [CborValue, string])[] = [
    [[kinds, [range], null], "bulk shape"],
    [[kinds, [range], null, 4_096, 0], "bulk shape"],
    [[[[3, 1]], [range], null, 4_096], "kind range"],
    [[kinds, [], null, 4_096], "bulk ranges"],
    [[kinds, [[new Uint8Array(0)]], null, 4_096], "key range"],
    [[kinds, [[new Uint8Array(0), new Uint8Array(0)]], null, 4_096], "key range"],
    [[kinds, [range, range], null, 4_096], "key ranges not ascending"],
    [[kinds, [range], new Uint8Array(32), 4_096], "record key length"],
    [[kinds, [range], 7, 4_096], "record key"],
    [[kinds, [range], null, bulkPageBytesMin - 1], "bulk page size"],
    [[kinds, [range], null, bulkPageBytesMax + 1], "bulk page size"],
  ];
  for (const [value, reason] of cases) {
    assertEquals(reasonOf(decodeBulkRequest(encodeCbor(value))), reason);
  }
  const tooLong = new Uint8Array(bulkRequestBytesMax + 1);
  assertEquals(reasonOf(decodeBulkRequest(tooLong)), "bulk request too long");
});

Deno.test("a bulk page is refused that is longer than asked, or short with more to come", () => {
  const records = Array.from({ length: 5 }, () => new Uint8Array(recordBytesMax).fill(7));
  const bytes = encodeBulkPage({ state: "more", records });
  assertEquals(reasonOf(decodeBulkPage(bytes, bytes.length - 1)), "bulk page too long");
  assertEquals(reasonOf(decodeBulkPage(bytes, bytes.length)), "decoded");
  assertEquals(reasonOf(decodeBulkPage(bytes, bytes.length * 2 + 1)), "bulk page too short");
  for (
    const [value, reason] of [
      [[3, []], "bulk page"],
      [[0, [new Uint8Array(0)]], "bulk page"],
      [[0, [new Uint8Array(recordBytesMax + 1)]], "bulk page"],
      [[2, [new Uint8Array(1)]], "bulk page"],
      [[0, Array.from({ length: bulkPageRecordsMax + 1 }, () => new Uint8Array(1))], "bulk page"],
    ] as const
  ) {
    assertEquals(reasonOf(decodeBulkPage(encodeCbor(value), bulkPageBytesMax)), reason);
  }
});

Deno.test("the longest bulk request fits its limit, and the smallest page holds a record and half", () => {
  const bound = (at: number) => keyBound(new Uint8Array(65).fill(at));
  const request: BulkRequest = {
    kinds: [0, 2, 4, 6, 8, 10, 12, 250].map((kind) => ({ first: kind, last: kind })),
    ranges: Array.from(
      { length: bulkRangesMax },
      (_, i) => ({ low: bound(2 * i), high: bound(2 * i + 1) }),
    ),
    after: keyOf(3),
    bytesMax: bulkPageBytesMax,
  };
  const bytes = encodeBulkRequest(request);
  assert(bytes.length <= bulkRequestBytesMax, `${bytes.length} B`);
  assertEquals(decodeBulkRequest(bytes), request);
  // A page that ends because the next record does not fit is at least half full.
  assert(bulkPageBytesMin - (3 + recordBytesMax) >= bulkPageBytesMin / 2 + bulkPageHeadSize);
});

Deno.test("20,000 hostile bulk messages decode to one form or to a reason", () => {
  const seed = [0x62756c6b, 1];
  const prng = new Prng(seed);
  const good = [
    encodeBulkRequest(whole),
    encodeBulkRequest({ ...whole, after: keyOf(2) }),
    encodeBulkPage({ state: "end", records: [new Uint8Array(3), new Uint8Array(9)] }),
    encodeBulkPage({ state: "busy", records: [] }),
  ];
  let understood = 0;
  for (let run = 0; run < 20_000; run++) {
    const bytes: Bytes = concatBytes(prng.pick(good) ?? new Uint8Array(0));
    for (let i = prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    const cut = prng.below(4) === 0 ? bytes.slice(0, prng.below(bytes.length)) : bytes;
    const request = decodeBulkRequest(cut);
    if (!(request instanceof DecodeError)) {
      understood++;
      assertEquals(toHex(encodeBulkRequest(request)), toHex(cut), `run ${run} of seed ${seed}`);
    }
    const page = decodeBulkPage(cut, bulkPageBytesMax);
    if (!(page instanceof DecodeError)) {
      understood++;
      assertEquals(toHex(encodeBulkPage(page)), toHex(cut), `run ${run} of seed ${seed}`);
    }
  }
  assert(understood > 1_000, `only ${understood} were understood: the fuzzer is blind`);
});
