import { assertEquals } from "@std/assert";
import { Prng } from "../base/prng.ts";
import { DecodeError } from "../base/decode.ts";
import { decodeRecordKey, type RecordKey } from "../wire/record_key.ts";
import { crc32 } from "./crc32.ts";
import { SortedKeys } from "./sorted_keys.ts";

function keyOf(number: number): RecordKey {
  const bytes = new Uint8Array(33);
  new DataView(bytes.buffer).setUint32(1, number);
  const key = decodeRecordKey(bytes);
  if (key instanceof DecodeError) throw new Error(key.reason);
  return key;
}

Deno.test("keys stay sorted through insertions and deletions, over many chunks", () => {
  const seed = [4, 3, 2, 1];
  const prng = new Prng(seed);
  const keys = new SortedKeys();
  const model = new Set<RecordKey>();
  for (let step = 0; step < 20_000; step++) {
    const key = keyOf(prng.below(6_000));
    if (prng.below(5) < 3) {
      assertEquals(keys.add(key), !model.has(key), `seed ${seed}`);
      model.add(key);
    } else {
      assertEquals(keys.delete(key), model.delete(key), `seed ${seed}`);
    }
  }
  const sorted = [...model].sort();
  assertEquals([...keys.range("")], sorted);
  assertEquals(keys.size, sorted.length);
  for (let round = 0; round < 200; round++) {
    const [low = "", high = ""] = [keyOf(prng.below(6_500)), keyOf(prng.below(6_500))].sort();
    const expected = sorted.filter((key) => key >= low && key < high);
    assertEquals([...keys.range(low, high)], expected, `seed ${seed}`);
  }
});

Deno.test("the checksum is CRC-32: its check value", () => {
  const digits = new TextEncoder().encode("123456789");
  assertEquals(crc32(digits), 0xcbf43926);
  assertEquals(crc32(digits.slice(0, 4), digits.slice(4)), 0xcbf43926);
});
