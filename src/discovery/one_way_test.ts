import { assert, assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import {
  at,
  b,
  beaconOf,
  c,
  dialsIn,
  eth0,
  machineOn,
  run,
  runRefused,
} from "../../tests/fixtures/lone_discovery.ts";

Deno.test("an id heard at two addresses is dialled at the other when the first fails, then warned about", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  machine.handleBeacon(beaconOf(b), at("fe80::b", "eth0"), "eth0", false, instant(600));
  machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", false, instant(600));
  run(machine, 620);
  const refused = { kind: "failed", reason: "refused" } as const;
  const second = machine.handleDialled(at("10.0.0.2"), refused, instant(630));
  assertEquals(dialsIn(second), ["[fe80::b%eth0]:7411"]);
  assert(second.every((effect) => effect.kind !== "warn"));
  const third = machine.handleDialled(at("fe80::b", "eth0"), refused, instant(640));
  assertEquals(third.filter((effect) => effect.kind === "warn").length, 1);
  const linked = machine.handleLinked(b, at("10.0.0.77"), instant(700));
  assertEquals(linked.filter((effect) => effect.kind === "unwarn").length, 1);
});

Deno.test("while the other address is slow the warning still comes within 5 s", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  machine.handleBeacon(beaconOf(b), at("fe80::b", "eth0"), "eth0", false, instant(600));
  machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", false, instant(600));
  run(machine, 620);
  machine.handleDialled(at("10.0.0.2"), { kind: "failed", reason: "timeout" }, instant(3_620));
  const warnings = run(machine, 5_600).filter(({ effect }) => effect.kind === "warn");
  assertEquals(warnings.length, 1);
});

Deno.test("no warning for a port that opens to something else, nor for an id with a link", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", false, instant(600));
  run(machine, 620);
  const tls = machine.handleDialled(
    at("10.0.0.2"),
    { kind: "failed", reason: "tls" },
    instant(650),
  );
  assertEquals(tls.filter((effect) => effect.kind === "warn"), []);
  machine.handleBeacon(beaconOf(c), at("10.0.0.3"), "eth0", false, instant(700));
  run(machine, 720);
  machine.handleLinked(c, at("10.0.0.33"), instant(730));
  const refused = { kind: "failed", reason: "refused" } as const;
  const effects = machine.handleDialled(at("10.0.0.3"), refused, instant(740));
  assertEquals(effects.filter((effect) => effect.kind === "warn"), []);
  machine.handleBeacon(beaconOf(c, true), at("10.0.0.3"), "eth0", false, instant(750));
  assertEquals(dialsIn(run(machine, 1_000)), []);
});

Deno.test("what was heard of a peer before its link ended says nothing about its port", () => {
  for (const why of ["left", "lost"] as const) {
    const machine = machineOn([eth0]);
    run(machine, 500);
    machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", false, instant(600));
    run(machine, 620);
    machine.handleDialled(at("10.0.0.2"), { kind: "proved", id: b }, instant(630));
    machine.handleLinked(b, at("10.0.0.2"), instant(640));
    machine.handleUnlinked(b, why, instant(1_000));
    const before = machine.snapshot(instant(1_000)).counts["dial for degree"] ?? 0;
    assertEquals(runRefused(machine, 100_000), []);
    // It was dialled where it was linked.
    assert((machine.snapshot(instant(100_000)).counts["dial for degree"] ?? 0) > before);
    // Heard again it is there.
    machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(100_500));
    assertEquals(runRefused(machine, 105_000).length, 1, why);
  }
});

Deno.test("a peer that was heard long ago and whose port is closed now has gone", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", true, instant(600));
  run(machine, 620);
  // It runs, and has links enough.
  machine.handleDialled(at("10.0.0.2"), { kind: "failed", reason: "exchange" }, instant(630));
  assertEquals(runRefused(machine, 100_000), []);
  assert((machine.snapshot(instant(100_000)).counts["dial for degree"] ?? 0) > 0);
});
