import { assert, assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { formatSocketAddress, socketAddress } from "../wire/socket_address.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import {
  at,
  b,
  beaconOf,
  c,
  dialsIn,
  eth0,
  eth1,
  learn,
  machineOn,
  run,
} from "../../tests/fixtures/lone_discovery.ts";
import {
  backoffMax,
  fillPause,
  heardBackoff,
  recordDialsPerSourceBurst,
  recordDialsPerSourceRate,
  roundAddressesMax,
} from "./limits.ts";

Deno.test("B's name with C's key is C: the address is C's, and B is looked for elsewhere", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  learn(machine, b, [at("10.0.0.20")]);
  run(machine, 501);
  machine.handleDialled(
    at("10.0.0.20"),
    { kind: "failed", reason: "timeout" },
    instant(502),
  );
  machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(6_000));
  assertEquals(dialsIn(run(machine, 6_020)), ["10.0.0.2:7411"]);
  const effects = machine.handleDialled(at("10.0.0.2"), { kind: "proved", id: c }, instant(6_030));
  assertEquals(dialsIn(effects), ["10.0.0.20:7411"]);
  machine.handleDialled(at("10.0.0.20"), { kind: "failed", reason: "timeout" }, instant(9_000));
  machine.handleLinked(c, at("10.0.0.2"), instant(9_000));
  machine.handleBeacon(beaconOf(b, true), at("10.0.0.2"), "eth0", false, instant(20_000));
  assert(!dialsIn(run(machine, 25_000)).includes("10.0.0.2:7411"), "an address with a link");
  assertEquals(machine.snapshot(instant(25_000)).counts["dial answered by another id"], 1);
});

Deno.test("an address where this node met itself is dialled again only after interfaces change", () => {
  const machine = machineOn([eth0], ["n"]);
  const resolve = () => machine.handlePeerResolved("n", [at("192.0.2.1")], instant(1));
  assertEquals(dialsIn(resolve()), ["192.0.2.1:7411"]);
  machine.handleDialled(at("192.0.2.1"), { kind: "self" }, instant(10));
  const dials: string[] = [];
  for (let now = 1_000; now < 200_000; now += 1_000) {
    const effects = run(machine, now);
    dials.push(...dialsIn(effects));
    if (effects.some(({ effect }) => effect.kind === "resolve")) {
      dials.push(...dialsIn(machine.handlePeerResolved("n", [at("192.0.2.1")], instant(now))));
    }
  }
  assertEquals(dials, []);
  const effects = machine.handleInterfaces([eth0, eth1], instant(200_000));
  assert(effects.some((effect) => effect.kind === "resolve"));
  const again = machine.handlePeerResolved("n", [at("192.0.2.1")], instant(200_001));
  assertEquals(dialsIn(again), ["192.0.2.1:7411"]);
});

Deno.test("link-local endpoints of a record are tried on each interface, own addresses never", () => {
  const machine = machineOn([eth0, eth1]);
  learn(machine, b, [at("fe80::b"), at("10.0.0.1"), at("127.0.0.1")]);
  const dialled: string[] = [];
  let effects = run(machine, 2_300).map(({ effect }) => effect);
  for (let i = 0; i < 5; i++) {
    for (const effect of effects) {
      if (effect.kind !== "dial") continue;
      dialled.push(formatSocketAddress(effect.to));
      const outcome = { kind: "failed", reason: "timeout" } as const;
      effects = machine.handleDialled(effect.to, outcome, instant(2_400 + i));
    }
  }
  assertEquals(dialled.sort(), ["[fe80::b%eth0]:7411", "[fe80::b%eth1]:7411"]);
});

Deno.test("a known unreachable id is dialled at start, again and again, and at once on a new interface", () => {
  const machine = machineOn([eth0]);
  machine.handleLinked(c, at("10.0.0.3"), instant(1));
  learn(machine, b, [at("10.0.0.2")]);
  const moments: number[] = [];
  for (let now = 0; now < 600_000; now += 100) {
    for (const { at: moment, effect } of run(machine, now)) {
      if (effect.kind !== "dial") continue;
      assertEquals(effect.why, "unreachable");
      moments.push(moment);
      machine.handleDialled(
        effect.to,
        { kind: "failed", reason: "unreachable" },
        instant(moment + 1),
      );
    }
  }
  const gaps = moments.slice(1).map((moment, i) => moment - (moments[i] ?? 0));
  assert(moments.length >= 6, `${moments.length} dials`);
  assert(gaps.every((gap) => gap >= 27_000), `${gaps}`);
  assert((gaps.at(-1) ?? 0) > 60_000, "the back-off grows");
  const effects = machine.handleInterfaces([eth0, eth1], instant(600_000));
  assertEquals(dialsIn(effects), ["10.0.0.2:7411"]);
  const beacons = effects.filter((effect) => effect.kind === "beacon");
  assertEquals(beacons, [{ kind: "beacon", interfaceName: "eth1", solicit: false }]);
});

Deno.test("an id that failed for hours is dialled seconds after it is heard, and not without end", () => {
  const machine = machineOn([eth0]);
  const where = at("10.0.0.2");
  machine.handleLinked(c, at("10.0.0.3"), instant(1));
  learn(machine, b, [where]);
  const moments: number[] = [];
  const fail = (until: number) => {
    for (const { at: moment, effect } of run(machine, until)) {
      if (effect.kind !== "dial") continue;
      moments.push(moment);
      machine.handleDialled(effect.to, { kind: "failed", reason: "timeout" }, instant(until));
    }
  };
  const begun = 12 * 3_600_000;
  for (let now = 0; now < begun; now += 5_000) fail(now);
  const restsUntil = (moments.at(-1) ?? 0) + 0.75 * backoffMax;
  const heardAt = Math.max(begun, restsUntil - 0.5 * backoffMax);
  fail(heardAt);
  const before = moments.length;
  machine.handleBeacon(beaconOf(b), where, "eth0", true, instant(heardAt));
  for (let now = heardAt; now < heardAt + heardBackoff + 2 * fillPause; now += 100) fail(now);
  const after = (moments[before] ?? Infinity) - heardAt;
  assert(after > 5_000 && after <= heardBackoff + fillPause, `dialled after ${after} ms`);
  // Where its port is closed it is heard one way, and has the times of such a peer.
  machine.handleLinked(b, where, instant(heardAt + 500_000));
  machine.handleUnlinked(b, "lost", instant(heardAt + 500_001));
  const beforeForgery = moments.length;
  // Beacons in its name from ever new addresses, four a second.
  for (let i = 0; i < 2_400; i++) {
    const now = heardAt + 600_000 + i * 250;
    const forged = at(`10.1.${i >> 8}.${i & 0xff}`);
    machine.handleBeacon(beaconOf(b), forged, "eth0", true, instant(now));
    fail(now);
  }
  const forgedFor = 600_000;
  const rounds = 1 + forgedFor / (0.75 * heardBackoff);
  assert(moments.length - beforeForgery <= rounds * roundAddressesMax);
});

Deno.test("--peer is resolved and dialled for ever, at most 30 s apart", () => {
  const machine = machineOn([eth0], ["gone.example:7411"]);
  const moments: number[] = [];
  machine.handlePeerResolved("gone.example:7411", [], instant(5));
  for (let now = 0; now < 400_000; now += 50) {
    for (const { at: moment, effect } of run(machine, now)) {
      if (effect.kind !== "resolve") continue;
      moments.push(moment);
      const dials = machine.handlePeerResolved(effect.peer, [at("192.0.2.9")], instant(now));
      assertEquals(dialsIn(dials), ["192.0.2.9:7411"]);
      machine.handleDialled(
        at("192.0.2.9"),
        { kind: "failed", reason: "refused" },
        instant(now),
      );
    }
  }
  const gaps = moments.slice(1).map((moment, i) => moment - (moments[i] ?? 0));
  assert((gaps[0] ?? 0) < 3_000);
  assert(gaps.every((gap) => gap <= 30_100), `${gaps}`);
  assert((gaps.at(-1) ?? 0) > 20_000);
});

Deno.test("a peer that is linked is left alone, and is back within seconds when the link goes", () => {
  const machine = machineOn([eth0], ["n"]);
  machine.handlePeerResolved("n", [at("192.0.2.2")], instant(1));
  machine.handleDialled(at("192.0.2.2"), { kind: "proved", id: b }, instant(20));
  machine.handleLinked(b, at("192.0.2.2"), instant(21));
  const quiet = run(machine, 300_000).filter(({ effect }) => effect.kind !== "beacon");
  assertEquals(quiet, []);
  machine.handleUnlinked(b, "lost", instant(300_000));
  const effects = run(machine, 302_000);
  assert(dialsIn(effects).includes("192.0.2.2:7411"));
  assert(effects.some(({ effect }) => effect.kind === "resolve"));
});

Deno.test("an address that many made-up records name is not knocked at without end", () => {
  const machine = machineOn([eth0]);
  const victim = ip("10.0.0.99");
  for (let i = 0; i < 200; i++) {
    const ports = Array.from({ length: 12 }, (_, n) => socketAddress(victim, 1_000 + 12 * i + n));
    learn(machine, idOf(100 + i), ports);
  }
  learn(machine, b, [at("10.0.0.2")]);
  let knocks = 0;
  let others = 0;
  const hour = 3_600_000;
  for (let now = 2_000; now < hour; now += 1_000) {
    const dialled = run(machine, now);
    for (let { effect } of dialled) {
      const refused = { kind: "failed", reason: "refused" } as const;
      while (effect.kind === "dial") {
        if (effect.to.ip === victim) knocks++;
        else others++;
        const [next] = machine.handleDialled(effect.to, refused, instant(now))
          .filter((one) => one.kind === "dial");
        if (next === undefined) break;
        effect = next;
      }
    }
  }
  assert(
    knocks <= recordDialsPerSourceBurst + hour / 1_000 * recordDialsPerSourceRate,
    `${knocks}`,
  );
  assert(knocks > recordDialsPerSourceBurst, "it is tried again all the same");
  assert(others > 0, "and others are not forgotten for it");
});
