import { assertEquals, assertNotEquals } from "@std/assert";
import { fromHex, toHex } from "../base/bytes.ts";
import {
  administratorBound,
  allKinds,
  keyBound,
  lowestBound,
  wholeRange,
} from "../wire/key_range.ts";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import { fingerprintOf, rangeSide, RangeView } from "./range_summary.ts";
import type { RecordEntry } from "./record_tree_node.ts";

function summarise(entries: readonly RecordEntry[]) {
  return new RangeView(new MemoryRanges(entries).tree, wholeRange, allKinds).summary();
}

function withHash(kind: number, hex: string) {
  return { ...fakeEntry(kind, 1, 1), hash: fromHex(hex) ?? new Uint8Array(32) };
}

Deno.test("hashes are summed big-endian and modulo 2^256", () => {
  const most = "ff".repeat(32);
  const two = `${"00".repeat(31)}02`;
  assertEquals(toHex(summarise([withHash(0, most), withHash(1, two)]).sum), `${"00".repeat(31)}01`);
  const word = `${"00".repeat(27)}01 00000000`.replace(" ", "");
  const below = `${"00".repeat(28)}ffffffff`;
  assertEquals(
    toHex(summarise([withHash(0, below), withHash(1, below), withHash(2, word)]).sum),
    `${"00".repeat(27)}02fffffffe`,
  );
});

Deno.test("administrators' hashes are sorted and never summed", () => {
  const [high, low] = ["f0".repeat(32), "0f".repeat(32)];
  const summary = summarise([withHash(128, high), withHash(200, low)]);
  assertEquals(summary.administratorHashes.map(toHex), [low, high]);
  assertEquals(toHex(summary.sum), "00".repeat(32));
  assertEquals(summary.count, 2);
});

Deno.test("the form of a fingerprint follows from the bounds, not from what lies between", async () => {
  const beforeAdministrators = { low: lowestBound, high: administratorBound };
  assertEquals(rangeSide(beforeAdministrators), "self");
  assertEquals(rangeSide({ low: administratorBound, high: undefined }), "administrator");
  assertEquals(rangeSide(wholeRange), "both");
  assertEquals(rangeSide({ low: keyBound(Uint8Array.of(5)), high: undefined }), "both");
  const store = new MemoryRanges([fakeEntry(0, 1, 1)]);
  const summary = summarise(store.all());
  assertNotEquals(
    toHex(await fingerprintOf(store, wholeRange, summary)),
    toHex(await fingerprintOf(store, beforeAdministrators, summary)),
  );
});

Deno.test("a fingerprint asked for again is the same, another count or sum is another", async () => {
  const store = new MemoryRanges([]);
  const of = async (count: number, first: number) => {
    const sum = new Uint8Array(32).fill(first);
    return toHex(await fingerprintOf(store, wholeRange, { count, sum, administratorHashes: [] }));
  };
  assertEquals(await of(1, 7), await of(1, 7));
  assertNotEquals(await of(1, 7), await of(2, 7));
  assertNotEquals(await of(1, 7), await of(1, 8));
});
