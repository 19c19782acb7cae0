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
  assertEquals(judged.median, wallTime(now + hour));
  assertEquals(judgeClock(now, built, [hour, hour, 0, 0, 1_000]).problem, undefined);
});
