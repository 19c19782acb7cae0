import { assertEquals } from "@std/assert";
import { type Instant, instant } from "../base/instant.ts";
import { ip } from "../../tests/sim/beacon_bus.ts";
import { type BudgetDecision, SourceBudget } from "./beacon_budget.ts";

const options = { sourceBurst: 4, sourceRate: 1, burst: 10, rate: 2, sourcesMax: 3 };

function times(count: number, take: () => BudgetDecision): BudgetDecision[] {
  return Array.from({ length: count }, take);
}

function granted(decisions: readonly BudgetDecision[]): number {
  return decisions.filter((decision) => decision === "granted").length;
}

Deno.test("a source has its burst, then its rate", () => {
  const budget = new SourceBudget(options, instant(0));
  const take = (now: Instant) => budget.take(ip("10.0.0.1"), "unknown", now);
  assertEquals(times(6, () => take(instant(0))), [
    ...times(4, () => "granted"),
    "source",
    "source",
  ]);
  assertEquals(take(instant(999)), "source");
  assertEquals(times(2, () => take(instant(2_000))), ["granted", "granted"]);
  assertEquals(take(instant(2_000)), "source");
});

Deno.test("all sources together have a budget, however many addresses are made up", () => {
  const budget = new SourceBudget(options, instant(0));
  let n = 0;
  const take = () => budget.take(ip(`10.0.1.${n++}`), "unknown", instant(0));
  assertEquals(granted(times(100, take)), 10);
  assertEquals(take(), "total");
});

Deno.test("favoured sources are not starved by unknown ones, and have their own limit too", () => {
  const budget = new SourceBudget(options, instant(0));
  for (let n = 0; n < 100; n++) budget.take(ip(`10.0.1.${n}`), "unknown", instant(0));
  const take = () => budget.take(ip("10.0.0.2"), "favoured", instant(0));
  assertEquals(granted(times(20, take)), 4);
});

Deno.test("this machine's addresses have no limit of their own", () => {
  const budget = new SourceBudget(options, instant(0));
  assertEquals(granted(times(20, () => budget.take(ip("10.0.0.3"), "own", instant(0)))), 10);
});

Deno.test("a refused one costs nothing", () => {
  const budget = new SourceBudget(options, instant(0));
  for (let n = 0; n < 10; n++) budget.take(ip(`10.0.1.${n}`), "unknown", instant(0));
  const take = (now: Instant) => budget.take(ip("10.0.0.4"), "unknown", now);
  assertEquals(times(5, () => take(instant(0))), times(5, () => "total"));
  assertEquals(granted(times(5, () => take(instant(2_000)))), 4);
});
