import { assertEquals } from "@std/assert";
import { Counters } from "../base/counters.ts";
import { instant, later, seconds } from "../base/instant.ts";
import { overloadOver, overloadShedMin } from "./limits.ts";
import { Overload, shedReasons } from "./overload.ts";
import { Warnings } from "./warnings.ts";

Deno.test("a flood shows in the warnings while it lasts, a few drops do not", () => {
  const counters = new Counters();
  const warnings = new Warnings(() => {});
  const overload = new Overload(counters, warnings);
  const now = instant(5_000);
  counters.count(shedReasons.inbox, overloadShedMin - 1);
  overload.look(now);
  assertEquals(warnings.all(), []);
  counters.count(shedReasons.newAuthors, overloadShedMin);
  counters.count(shedReasons.inbox);
  overload.look(later(now, seconds(2)));
  assertEquals(warnings.all(), [{
    code: "overload",
    message: "More comes in than this node takes; what is too much is dropped " +
      "(new authors over one neighbour's ration). Links are answered as before.",
  }]);
  overload.look(later(now, overloadOver));
  assertEquals(warnings.all().length, 1);
  overload.look(later(later(now, overloadOver), seconds(2)));
  assertEquals(warnings.all(), []);
});
