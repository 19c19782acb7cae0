import { assert, assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import {
  at,
  b,
  beaconOf,
  c,
  dialsIn,
  eth0,
  machineOn,
  run,
} from "../../tests/fixtures/lone_discovery.ts";

Deno.test("a solicitation from an unlinked id is dialled within 20 ms, once, where it was heard last", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  machine.handleBeacon(beaconOf(b, true), at("fe80::b", "eth0"), "eth0", false, instant(600));
  machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(600));
  assertEquals(dialsIn(run(machine, 620)), ["10.0.0.2:7411"]);
  machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(700));
  machine.handleBeacon(beaconOf(c, true), at("10.0.0.2"), "eth0", false, instant(700));
  assertEquals(dialsIn(run(machine, 900)), [], "the id and the address are in flight");
});

Deno.test("a dial whose outcome never comes is written off, and its place is free", () => {
  const machine = machineOn([eth0]);
  machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(1));
  run(machine, 25);
  assertEquals(machine.snapshot(instant(25)).dialsInFlight.beacon, 1);
  run(machine, 31_000);
  const shown = machine.snapshot(instant(31_000));
  assertEquals(shown.counts["dial without an outcome"], 1);
});

Deno.test("at most sixteen connect-backs are in flight, and known ids find room among strangers", () => {
  const machine = machineOn([eth0]);
  const known = idOf(999);
  machine.handleLinked(known, at("10.0.7.7"), instant(1));
  machine.handleUnlinked(known, "let-go", instant(2));
  for (let i = 0; i < 200; i++) {
    const from = at(`10.0.${1 + (i >> 7)}.${1 + (i & 127)}`);
    machine.admitBeacon(from, instant(100));
    machine.handleBeacon(beaconOf(idOf(1_000 + i), true), from, "eth0", false, instant(100));
  }
  run(machine, 200);
  assert(machine.snapshot(instant(200)).dialsInFlight.beacon <= 12);
  machine.handleBeacon(beaconOf(known, true), at("10.0.7.7"), "eth0", false, instant(6_000));
  const dials = dialsIn(run(machine, 6_021));
  assert(dials.includes("10.0.7.7:7411"), `${dials}`);
  for (let now = 6_100; now < 29_000; now += 100) {
    run(machine, now);
    const { dialsInFlight } = machine.snapshot(instant(now));
    assert(dialsInFlight.beacon + dialsInFlight["one-way"] <= 16);
  }
});

Deno.test("a linked id that solicits is dialled again, not at once after linking, and every 30 s at most", () => {
  const machine = machineOn([eth0]);
  machine.handleLinked(b, at("10.0.0.2"), instant(0));
  const dials: number[] = [];
  for (let now = 1_000; now <= 60_000; now += 1_000) {
    machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(now));
    for (const { at: moment, effect } of run(machine, now + 100)) {
      if (effect.kind !== "dial") continue;
      dials.push(moment);
      machine.handleDialled(effect.to, { kind: "proved", id: b }, instant(now + 100));
    }
  }
  assertEquals(dials.map((moment) => Math.floor(moment / 1_000)), [5, 35]);
});

Deno.test("one source causes three dials to strangers at once, then one in ten seconds", () => {
  const machine = machineOn([eth0]);
  const from = socketAddress(ip("10.0.0.66"), 7410);
  let dials = 0;
  for (let i = 0; i < 50; i++) {
    const now = 1_000 + i * 1_000;
    const claimed = { id: idOf(500 + i), port: 9_000 + i, solicitation: true };
    machine.handleBeacon(claimed, from, "eth0", false, instant(now));
    for (const { effect } of run(machine, now + 900)) {
      if (effect.kind !== "dial" || effect.why === "one-way") continue;
      dials++;
      machine.handleDialled(effect.to, { kind: "failed", reason: "exchange" }, instant(now + 900));
    }
  }
  assert(dials >= 3 && dials <= 8, `${dials} dials`);
});
