import { assertEquals } from "@std/assert";
import { median } from "./frame.ts";

Deno.test("the median is the middle one, or the mean of the two in the middle", () => {
  assertEquals(median([7]), 7);
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([10, 2, 4, 100]), 7);
});
