import { assertEquals, assertStringIncludes } from "@std/assert";
import { wallTime } from "../base/instant.ts";
import { judgeClock } from "./clock_judgement.ts";

const built = wallTime(Date.UTC(2026, 10, 22));
const year = 365 * 24 * 3_600_000;

Deno.test("a clock in 1970 and one in 2100 are suspect, whoever else is there", () => {
  assertStringIncludes(judgeClock(wallTime(5_000), built, []).problem ?? "", "1970");
  assertStringIncludes(judgeClock(wallTime(built + 74 * year), built, []).problem ?? "", "2100");
  assertEquals(judgeClock(wallTime(built + year), built, []).problem, undefined);
});

Deno.test("four neighbours cannot outvote a clock, the middle of five can", () => {
  const now = wallTime(built + year);
  const hour = 3_600_000;
  assertEquals(judgeClock(now, built, [hour, hour, hour, hour]).problem, undefined);
  const judged = judgeClock(now, built, [hour, hour, hour, 0, -99 * year]);
  assertStringIncludes(judged.problem ?? "", "60 minutes behind");
  assertEquals(judged.neighbours, wallTime(now + hour));
  assertEquals(judgeClock(now, built, [hour, hour, 0, 0, 1_000]).problem, undefined);
});

Deno.test("a clock before the build is corrected by one neighbour, within what can be", () => {
  const past = wallTime(86_400_000);
  const right = built + year;
  assertEquals(judgeClock(past, built, [right - past]).neighbours, wallTime(right));
  assertEquals(judgeClock(past, built, [1_000]).neighbours, undefined);
  assertEquals(judgeClock(past, built, [Number.MAX_SAFE_INTEGER]).neighbours, undefined);
  assertEquals(judgeClock(past, built, []).neighbours, undefined);
});

Deno.test("what is said of a wrong clock is the same a second later", () => {
  for (const wall of [5_000, built + 74 * year]) {
    const [one, other] = [wall, wall + 1_234].map((time) => judgeClock(wallTime(time), built, []));
    assertEquals(one?.problem, other?.problem);
  }
});
