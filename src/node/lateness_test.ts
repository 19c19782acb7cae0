import { assert, assertEquals } from "@std/assert";
import { instant, later, milliseconds } from "../base/instant.ts";
import { Lateness } from "./lateness.ts";
import { latenessHalfLife, latenessMax, paceLateAbove } from "./limits.ts";

const begin = instant(10_000);
const after = (ms: number) => later(begin, milliseconds(ms));

Deno.test("a process that wakes when it asked to is not late", () => {
  const lateness = new Lateness();
  lateness.note(begin, begin);
  lateness.note(after(20), after(10)); // Woken before its time.
  assertEquals(lateness.at(after(20)), milliseconds(0));
  assertEquals(lateness.allowance(after(20)), milliseconds(0));
});

Deno.test("the worst lateness counts, and is half forgotten in two seconds", () => {
  const lateness = new Lateness();
  lateness.note(begin, after(400));
  lateness.note(after(410), after(415));
  assert(lateness.at(after(415)) > 390);
  assert(lateness.isLate(after(415)));
  assert(lateness.allowance(after(415)) > 1_000);
  const half = lateness.at(later(after(415), latenessHalfLife));
  assert(half > 190 && half < 210, `${half}`);
  assert(!lateness.isLate(later(after(415), milliseconds(10 * latenessHalfLife))));
});

Deno.test("a machine that slept is late by no more than the limit", () => {
  const lateness = new Lateness();
  lateness.note(begin, after(86_400_000));
  assertEquals(lateness.at(after(86_400_000)), latenessMax);
  assert(paceLateAbove < latenessMax);
});
