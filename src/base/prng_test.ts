import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Prng } from "./prng.ts";

function drawn(seed: readonly number[]): number[] {
  const prng = new Prng(seed);
  return Array.from({ length: 8 }, () => prng.unit());
}

Deno.test("the same seed gives the same sequence, and any other bit another one", () => {
  const seed = [7, 0, 0x9000_0000, 2];
  assertEquals(drawn(seed), drawn(seed));
  for (let word = 0; word < 4; word++) {
    for (let bit = 0; bit < 32; bit++) {
      const other = seed.map((value, i) => i === word ? value ^ (1 << bit) : value);
      assertNotEquals(drawn(other), drawn(seed), `word ${word}, bit ${bit}`);
    }
  }
});

Deno.test("numbers keep to their bounds, and a shuffle to its items", () => {
  const prng = new Prng([1]);
  for (let i = 0; i < 1_000; i++) {
    const [unit, between, below] = [prng.unit(), prng.between(-2, 3), prng.below(5)];
    assertEquals([unit >= 0 && unit < 1, between >= -2 && between < 3], [true, true]);
    assertEquals([Number.isInteger(below), below >= 0 && below < 5], [true, true]);
  }
  assertEquals(prng.pick([]), undefined);
  const items = [3, 1, 2];
  assertEquals(prng.shuffled(items).sort(), [1, 2, 3]);
  assertEquals(items, [3, 1, 2]);
});

Deno.test("a shuffle gives every order as often as any other", () => {
  const prng = new Prng([2]);
  const times = new Map<string, number>();
  for (let i = 0; i < 6_000; i++) {
    const order = prng.shuffled(["a", "b", "c"]).join("");
    times.set(order, (times.get(order) ?? 0) + 1);
  }
  assertEquals(times.size, 6);
  for (const [order, count] of times) assert(count > 900 && count < 1_100, `${order}: ${count}`);
});
