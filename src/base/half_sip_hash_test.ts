import { assertEquals } from "@std/assert";
import { halfSipHash, type HashKey } from "./half_sip_hash.ts";

/** Key 00 01 … 07 and inputs of 0, 1, 2, … bytes 00 01 02 …: `vectors.h` of the reference code. */
Deno.test("the hash gives the reference code's values", () => {
  const key: HashKey = [0x03020100, 0x07060504];
  const text = (length: number) => String.fromCharCode(...new Array(length).keys());
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  // Printed little-endian there, as a number here.
  assertEquals(
    [0, 1, 2, 3].map((length) => hex(halfSipHash(text(length), key))),
    ["5b9f35a9", "b85a4727", "03a662fa", "04e7fe8a"],
  );
});

Deno.test("another key gives other values", () => {
  const values = new Set<number>();
  for (let i = 0; i < 100; i++) values.add(halfSipHash("the same", [i, 7]));
  assertEquals(values.size, 100);
});
