import { assert, assertEquals } from "@std/assert";
import { type Instant, instant } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { idOf } from "../../tests/sim/beacon_bus.ts";
import { Announcer } from "./announcer.ts";
import { audienceFor, audienceMax, resetGapMax, strangersFor } from "./limits.ts";

/** Moments at which it beacons until `until`. */
function beacons(announcer: Announcer, until: number, lonely = false): Instant[] {
  const moments: Instant[] = [];
  for (let next = announcer.nextTimeout(); next !== undefined && next <= until;) {
    if (announcer.handleTimeout(lonely, next)) moments.push(next);
    next = announcer.nextTimeout();
  }
  return moments;
}

function settled(): Announcer {
  const announcer = new Announcer(new Prng([1]), instant(0));
  beacons(announcer, 1_000_000);
  assertEquals(announcer.snapshot(instant(1_000_000)).intervalMs, 256_000);
  return announcer;
}

Deno.test("a new interface gets beacons at 0, 100 and 400 ms, then by Trickle from 2 s", () => {
  const announcer = new Announcer(new Prng([1]), instant(0));
  const [first, second, third, fourth] = beacons(announcer, 2_000);
  assertEquals([first, second, third], [instant(0), instant(100), instant(400)]);
  assert(fourth !== undefined && fourth >= 1_000);
});

Deno.test("bursts of an interface whose addresses come one by one are a second apart", () => {
  const announcer = new Announcer(new Prng([1]), instant(0));
  beacons(announcer, 450);
  announcer.handleChanged(instant(500));
  assertEquals(beacons(announcer, 1_999).slice(0, 3), [
    instant(1_000),
    instant(1_100),
    instant(1_400),
  ]);
});

Deno.test("three nodes of the island silence a beacon, one node heard three times does not", () => {
  const announcer = settled();
  const one = new Announcer(new Prng([2]), instant(0));
  beacons(one, 1_000_000);
  const start = 1_024_000;
  beacons(announcer, start);
  beacons(one, start);
  for (let i = 0; i < 3; i++) {
    announcer.handleConsistent(idOf(i));
    one.handleConsistent(idOf(1));
  }
  const before = announcer.snapshot(instant(start)).suppressed;
  // Intervals end at 254 s and every 256 s from there.
  const end = 1_277_999;
  assertEquals(beacons(announcer, end).length, 0);
  assertEquals(announcer.snapshot(instant(start)).suppressed, before + 1);
  assertEquals(beacons(one, end).length, 1);
});

Deno.test("a node without a link is never silenced", () => {
  const announcer = settled();
  for (let i = 0; i < 5; i++) announcer.handleConsistent(idOf(i));
  assert(beacons(announcer, 1_000_000 + 384_000, true).length >= 1);
});

Deno.test("another island resets only when seen twice, 5 s apart", () => {
  const announcer = settled();
  const resets = () => announcer.snapshot(instant(1_000_000)).resets;
  announcer.handleDifferent(instant(1_000_000));
  announcer.handleDifferent(instant(1_004_999));
  assertEquals(resets(), 0);
  announcer.handleDifferent(instant(1_005_000));
  assertEquals(resets(), 1);
});

Deno.test("another island seen again after nine minutes begins a new count", () => {
  const announcer = settled();
  announcer.handleDifferent(instant(1_000_000));
  announcer.handleDifferent(instant(1_540_000));
  assertEquals(announcer.snapshot(instant(1_540_000)).resets, 0);
});

Deno.test("resets come at most every 10 s, and ever rarer while they bring no link", () => {
  const announcer = settled();
  const resets: number[] = [];
  let count = 0;
  for (let at = 1_000_000; at < 3_000_000; at += 1_000) {
    beacons(announcer, at);
    announcer.handleInconsistent(instant(at));
    const now = announcer.snapshot(instant(at)).resets;
    if (now > count) resets.push(at);
    count = now;
  }
  const gaps = resets.slice(1).map((at, i) => at - (resets[i] ?? 0));
  assertEquals(gaps.slice(0, 5), [10_000, 20_000, 40_000, 80_000, 160_000]);
  assert(gaps.slice(5).every((gap) => gap >= resetGapMax));
  announcer.handleLinked();
  beacons(announcer, 3_300_000);
  const before = announcer.snapshot(instant(3_300_000)).resets;
  announcer.handleInconsistent(instant(3_300_000));
  beacons(announcer, 3_310_000);
  announcer.handleInconsistent(instant(3_310_000));
  assertEquals(announcer.snapshot(instant(3_310_000)).resets, before + 2);
});

Deno.test("strangers count for a minute, whoever has a record for an hour, nobody twice", () => {
  const announcer = settled();
  const count = (at: number) => [announcer.audience(instant(at)), announcer.strangers(instant(at))];
  announcer.handleAudience(idOf(1), false, instant(0));
  announcer.handleAudience(idOf(2), false, instant(0));
  announcer.handleAudience(idOf(3), true, instant(0));
  assertEquals(count(0), [1, 2]);
  announcer.handleKnown(idOf(1));
  announcer.handleAudience(idOf(2), true, instant(0));
  announcer.handleKnown(idOf(9));
  assertEquals(count(0), [3, 0]);
  announcer.handleAudience(idOf(4), false, instant(0));
  assertEquals(count(strangersFor), [3, 1]);
  assertEquals(count(strangersFor + 1), [3, 0]);
  assertEquals(count(audienceFor + 1), [0, 0]);
  for (let n = 0; n < audienceMax + 9; n++) announcer.handleAudience(idOf(n), false, instant(n));
  assertEquals(count(audienceMax), [0, audienceMax]);
});

Deno.test("another island is answered at its first beacon and once in some seconds, whether it resets or not", () => {
  const announcer = settled();
  const answered = [0, 4_999, 5_000, 5_001, 9_999, 10_000, 600_000].map((ms) =>
    announcer.handleDifferent(instant(1_000_000 + ms))
  );
  assertEquals(answered, [true, false, true, false, false, true, true]);
});
