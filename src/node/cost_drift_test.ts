import { assertEquals } from "@std/assert";
import { type Duration, hours, type Instant, instant, later, minutes } from "../base/instant.ts";
import type { LinkCost } from "../wire/links.ts";
import { CostDrift } from "./cost_drift.ts";

const begin = instant(5_000);
const ann = "00".repeat(16);
const bob = "11".repeat(16);

function costs(ofAnn: number, ofBob = 3): LinkCost[] {
  return [{ peer: ann, costExponent: ofAnn }, { peer: bob, costExponent: ofBob }];
}

/** When the costs are told, asked whenever the machine wants to be, for `length`. */
function toldAt(costsAt: (now: Instant) => readonly LinkCost[], length: Duration): Duration[] {
  const drift = new CostDrift();
  drift.handlePublished(costs(1), begin);
  const told: Duration[] = [];
  for (let now = drift.nextTimeout(); now !== undefined && now <= later(begin, length);) {
    const current = costsAt(now);
    if (drift.handleTimeout(current, now)) {
      told.push(minutes((now - begin) / 60_000));
      drift.handlePublished(current, now);
    }
    now = drift.nextTimeout();
  }
  return told;
}

Deno.test("a cost that moved two steps is told after a day, and not again while it stays", () => {
  assertEquals(toldAt(() => costs(3), hours(72)), [hours(24)]);
});

Deno.test("a cost that moved one step is not told", () => {
  assertEquals(toldAt(() => costs(2, 2), hours(72)), []);
});

Deno.test("a cost that comes and goes within ten minutes is not told", () => {
  let turn = 0;
  assertEquals(toldAt(() => costs(turn++ % 2 === 0 ? 9 : 1), hours(72)), []);
});

Deno.test("a cost that moves all the time is told once a day", () => {
  const rising = (now: Instant) => costs(1 + Math.floor((now - begin) / hours(6)));
  assertEquals(toldAt(rising, hours(72)), [hours(24), hours(48), hours(72)]);
});
