import { assert, assertEquals } from "@std/assert";
import { idOf } from "../../tests/sim/beacon_bus.ts";
import { type Instant, instant, later, milliseconds, seconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { ComparisonTurns } from "./comparison_turns.ts";
import {
  comparisonPatience,
  comparisonQuiet,
  comparisonsAtOnce,
  comparisonSettle,
  lateComparisonLook,
  lateComparisonPatience,
  lateComparisonSettle,
} from "./limits.ts";

const begin = instant(1_000);
const settled = later(begin, comparisonSettle);
const peers = Array.from({ length: 12 }, (_, i) => idOf(i + 1));

function turns(): ComparisonTurns {
  return new ComparisonTurns(new Prng([5]));
}

Deno.test("the first comparison of a node begins at once", () => {
  const machine = turns();
  machine.want(peers[0] ?? idOf(0), "link", begin);
  assertEquals(machine.handleTimeout(begin), peers.slice(0, 1));
});

Deno.test("of twelve links that come together one is compared with, their probes tell of the rest", () => {
  const machine = turns();
  for (const id of peers) machine.want(id, "link", begin);
  assertEquals(machine.handleTimeout(begin), peers.slice(0, 1));
  assertEquals(machine.nextTimeout(), undefined);
});

Deno.test("of twelve that differ a few are compared with at a time, then the rest", () => {
  const machine = turns();
  for (const id of peers) machine.want(id, "probe", begin);
  const order: string[] = [];
  let now = settled;
  for (let round = 0; order.length < peers.length && round < 40; round++) {
    const begun = machine.handleTimeout(now);
    order.push(...begun);
    assertEquals(machine.running, begun.length);
    assert(machine.running <= comparisonsAtOnce);
    for (const id of begun) machine.handleEnded(id, undefined);
    now = machine.nextTimeout() ?? now;
  }
  assertEquals(new Set(order), new Set(peers));
  assertEquals(machine.nextTimeout(), undefined);
});

Deno.test("whoever turns out equal meanwhile is not compared with", () => {
  const machine = turns();
  for (const id of peers) machine.want(id, "probe", begin);
  assertEquals(machine.handleTimeout(begin), [], "what differs may be on its way");
  for (const id of peers.slice(1)) machine.handleEqual(id);
  assertEquals(machine.handleTimeout(settled), peers.slice(0, 1));
});

Deno.test("while records come in one upon the other a comparison waits, but not for ever", () => {
  const machine = turns();
  const [id = idOf(0)] = peers;
  machine.want(id, "probe", begin);
  let now = begin;
  for (; now < later(begin, comparisonPatience); now = later(now, milliseconds(100))) {
    machine.handleChange(now);
    assertEquals(machine.handleTimeout(now), []);
  }
  assertEquals(machine.handleTimeout(now), [id]);
});

Deno.test("an urgent wish overtakes an earlier patient one", () => {
  const machine = turns();
  const [id = idOf(0)] = peers;
  machine.want(id, "probe", begin);
  machine.want(id, "at once", begin);
  machine.want(id, "probe", begin);
  assertEquals(machine.handleTimeout(begin), [id]);
  assertEquals(machine.nextTimeout(), undefined, "one comparison for all three");
});

Deno.test("a peer that only ever differs waits its pause out and takes nobody's turn", () => {
  const machine = turns();
  const [liar = idOf(0), other = idOf(0)] = peers;
  machine.want(liar, "at once", begin);
  machine.handleTimeout(begin);
  const again = later(begin, seconds(300));
  machine.handleEnded(liar, again);
  machine.want(liar, "at once", begin);
  machine.want(other, "at once", begin);
  assertEquals(machine.handleTimeout(begin), [other]);
  assertEquals(machine.nextTimeout(), again);
  assertEquals(machine.handleTimeout(again), [liar]);
});

Deno.test("a link that is gone is compared with no more", () => {
  const machine = turns();
  const [id = idOf(0)] = peers;
  machine.want(id, "probe", begin);
  machine.handleUnlink(id);
  assertEquals(machine.nextTimeout(), undefined);
  assertEquals(machine.handleTimeout(settled), []);
});

Deno.test("who was found equal, or came anew, is not made to wait for an earlier lie", () => {
  const machine = turns();
  const [equal = idOf(0), anew = idOf(0)] = peers;
  for (const id of [equal, anew]) {
    machine.want(id, "at once", begin);
    machine.handleTimeout(begin);
    machine.handleEnded(id, later(begin, seconds(300)));
  }
  machine.handleEqual(equal);
  machine.handleUnlink(anew);
  for (const id of [equal, anew]) machine.want(id, "at once", begin);
  assertEquals(machine.handleTimeout(begin), [equal, anew]);
});

Deno.test("of those that wait for a place the one goes first that was to begin first", () => {
  const machine = turns();
  const [one = idOf(0), two = idOf(0), patient = idOf(0), urgent = idOf(0)] = peers;
  for (const id of [one, two]) machine.want(id, "at once", begin);
  assertEquals(machine.handleTimeout(begin), [one, two]);
  machine.want(patient, "probe", begin);
  machine.want(urgent, "at once", later(begin, milliseconds(100)));
  machine.handleEnded(one, undefined);
  assertEquals(machine.handleTimeout(settled), [urgent]);
});

Deno.test("a wish during a comparison with the same peer waits for its end", () => {
  const machine = turns();
  const [id = idOf(0)] = peers;
  machine.want(id, "at once", begin);
  machine.handleTimeout(begin);
  machine.want(id, "at once", begin);
  assertEquals(machine.handleTimeout(begin), []);
  assertEquals(machine.nextTimeout(), undefined);
  machine.handleEnded(id, undefined);
  assertEquals(machine.handleTimeout(begin), [id]);
});

/** When the machine begins a comparison, asked at its own deadlines; and how often it was asked. */
function beginning(machine: ComparisonTurns, until: Instant): { at: Instant; looks: number } {
  for (let looks = 1;; looks++) {
    const at = machine.nextTimeout();
    assert(at !== undefined && at <= until);
    if (machine.handleTimeout(at).length > 0) return { at, looks };
  }
}

Deno.test("a node that runs late gives what is on its way more time", () => {
  const last = later(begin, milliseconds(lateComparisonPatience + 3_000));
  const begun = (keepsComing: boolean) => {
    const machine = new ComparisonTurns(new Prng([5]), () => milliseconds(3_000));
    machine.want(idOf(1), "probe", begin);
    if (keepsComing) machine.handleChange(last);
    return beginning(machine, last);
  };
  const { at, looks } = begun(false);
  assert(at > later(settled, milliseconds(3_000)));
  assert(at <= later(begin, milliseconds(lateComparisonSettle + 3_000)));
  assert(looks <= 2 + lateComparisonSettle / lateComparisonLook);
  // And when records keep coming in, a later last moment.
  assertEquals(begun(true).at, last);
});

Deno.test("a node that is in time again compares as soon as any other, and within a look", () => {
  let allowed = 3_000;
  const machine = new ComparisonTurns(new Prng([5]), () => milliseconds(allowed));
  machine.want(idOf(1), "probe", begin);
  const first = machine.nextTimeout();
  assert(first !== undefined);
  assertEquals(machine.handleTimeout(first), []);
  allowed = 0;
  const { at, looks } = beginning(machine, later(first, lateComparisonLook));
  assertEquals([at, looks], [later(first, lateComparisonLook), 1]);
});

Deno.test("while a node runs late records that keep coming put a comparison off for longer", () => {
  let allowed = 0;
  const machine = new ComparisonTurns(new Prng([5]), () => milliseconds(allowed));
  machine.want(idOf(1), "probe", begin);
  machine.handleChange(settled);
  assertEquals(machine.nextTimeout(), later(settled, comparisonQuiet));
  allowed = 2_000;
  machine.handleChange(settled);
  assertEquals(machine.nextTimeout(), later(settled, milliseconds(comparisonQuiet + 2_000)));
});

Deno.test("a node that runs late compares for its probes one by one, at once where it must", () => {
  const machine = new ComparisonTurns(new Prng([5]), () => milliseconds(3_000));
  const [one = idOf(0), two = idOf(0), three = idOf(0)] = peers;
  machine.want(one, "probe", begin);
  machine.want(two, "probe", begin);
  const first = later(begin, milliseconds(lateComparisonSettle + 3_000));
  assertEquals(machine.handleTimeout(first).length, 1);
  const rested = later(first, lateComparisonSettle);
  assertEquals(machine.handleTimeout(later(rested, milliseconds(-1))), []);
  machine.want(three, "at once", first);
  assertEquals(machine.handleTimeout(first), [three]);
  for (const id of [one, two, three]) machine.handleEnded(id, undefined);
  assertEquals(machine.handleTimeout(later(rested, lateComparisonSettle)).length, 1);
});
