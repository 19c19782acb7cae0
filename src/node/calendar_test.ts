import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { idOf } from "../../tests/sim/beacon_bus.ts";
import { days, instant, wallTime } from "../base/instant.ts";
import { RecordStore } from "../sync/mod.ts";
import { Calendar } from "./calendar.ts";
import { clockDifferenceMax, clockDisputeMin, clockJumpMin } from "./limits.ts";
import { PeerTable } from "./peer.ts";
import { Warnings } from "./warnings.ts";

const built = Date.UTC(2026, 6, 1);

/** The calendar of a node with one neighbour. */
function calendar() {
  const shown = { wall: built + days(30), monotonic: 5_000 };
  const peers = new PeerTable(new SeededEntropy([1]));
  const peer = peers.open(idOf(2));
  peers.link(peer);
  const store = new RecordStore({ selfId: idOf(1), builtAt: wallTime(built) });
  const warned: string[] = [];
  const warnings = new Warnings(({ code }, cleared) => {
    warned.push(`${code}${cleared ? " cleared" : ""}`);
  });
  const clock = {
    wall: () => wallTime(shown.wall),
    monotonic: () => instant(shown.monotonic),
    wait: () => Promise.resolve(),
  };
  const machine = new Calendar({ clock, builtAt: wallTime(built), peers, store, warnings });
  return { shown, peer, store, warned, calendar: machine };
}

Deno.test("a clock that drifts was not set, one that jumps was, once", () => {
  const { shown, calendar: machine } = calendar();
  assert(!machine.wasSet());
  shown.monotonic += 60_000;
  shown.wall += 60_000 + clockJumpMin;
  assert(!machine.wasSet(), "a minute in a minute is the most that drifts");
  shown.wall += clockJumpMin + 1;
  assert(machine.wasSet());
  assert(!machine.wasSet());
  shown.wall -= clockJumpMin + 1;
  assert(machine.wasSet(), "backwards, too");
});

Deno.test("one neighbour a day away stops the ageing of records, and nobody is warned for it", () => {
  const { peer, store, warned, calendar: machine } = calendar();
  for (const sign of [1, -1]) {
    peer.wallAheadMs = sign * clockDisputeMin;
    machine.judge();
    assert(!store.expiryPaused);
    peer.wallAheadMs = sign * (clockDisputeMin + 1);
    machine.judge();
    assert(store.expiryPaused);
  }
  assert(clockDifferenceMax < clockDisputeMin);
  assertEquals(warned, []);
});

Deno.test("a clock before the build is warned about until it is set right", () => {
  const { shown, store, warned, calendar: machine } = calendar();
  const right = shown.wall;
  shown.wall = 0;
  machine.judge();
  assert(store.expiryPaused);
  shown.wall = right;
  machine.judge();
  assert(!store.expiryPaused);
  assertEquals(warned, ["clock", "clock cleared"]);
});
