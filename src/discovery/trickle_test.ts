import { assert, assertEquals } from "@std/assert";
import { instant, seconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { Trickle } from "./trickle.ts";

const options = { min: seconds(2), doublings: 7, redundancy: 3 };

/** Runs to the end of the current interval; the decision at t, and t. */
function interval(trickle: Trickle, heard: number) {
  const length = trickle.interval;
  for (let i = 0; i < heard; i++) trickle.handleConsistent();
  const t = trickle.nextTimeout();
  const decision = trickle.handleTimeout(t);
  const end = trickle.nextTimeout();
  assertEquals(trickle.handleTimeout(end), undefined);
  return { length, t, end, decision };
}

Deno.test("t lies in the second half of I, and I doubles from 2 s to 256 s and stays", () => {
  const trickle = new Trickle(options, new Prng([1]), instant(0));
  let start = 0;
  const lengths: number[] = [];
  for (let i = 0; i < 10; i++) {
    const { length, t, end } = interval(trickle, 0);
    lengths.push(length / 1_000);
    assertEquals(end, start + length);
    assert(t >= start + length / 2 && t < end);
    start = end;
  }
  assertEquals(lengths, [2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
});

Deno.test("it transmits if and only if c is below k, and c begins at 0 in every interval", () => {
  const trickle = new Trickle(options, new Prng([2]), instant(0));
  const decisions = [0, 2, 3, 7, 2].map((heard) => interval(trickle, heard).decision);
  assertEquals(decisions, ["transmit", "transmit", "suppressed", "suppressed", "transmit"]);
});

Deno.test("an inconsistency sets I to Imin and begins anew; at Imin it does nothing", () => {
  const trickle = new Trickle(options, new Prng([3]), instant(0));
  const untouched = trickle.nextTimeout();
  assertEquals(trickle.handleInconsistent(instant(500)), false);
  assertEquals(trickle.nextTimeout(), untouched);
  for (let i = 0; i < 4; i++) interval(trickle, 0);
  for (let i = 0; i < 5; i++) trickle.handleConsistent();
  const now = instant(40_000);
  assertEquals(trickle.handleInconsistent(now), true);
  assertEquals(trickle.interval, seconds(2));
  const t = trickle.nextTimeout();
  assert(t >= now + 1_000 && t < now + 2_000);
  assertEquals(trickle.handleTimeout(t), "transmit");
});

Deno.test("nothing happens before its time", () => {
  const trickle = new Trickle(options, new Prng([4]), instant(0));
  assertEquals(trickle.handleTimeout(instant(999)), undefined);
  assertEquals(trickle.interval, seconds(2));
  assert(trickle.nextTimeout() >= 1_000);
});

Deno.test("after a long sleep one transmission is due, and time goes on from now", () => {
  const trickle = new Trickle(options, new Prng([5]), instant(0));
  const now = instant(36_000_000);
  assertEquals(trickle.handleTimeout(now), "transmit");
  assertEquals(trickle.handleTimeout(now), undefined);
  assert(trickle.nextTimeout() > now);
});
