import { assert, assertEquals } from "@std/assert";
import { type Instant, instant } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { NetworkInterface } from "../platform/network.ts";
import { formatSocketAddress, type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import { KnownBook } from "../../tests/fixtures/known_book.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { Discovery, type HeardBeacon } from "./discovery.ts";
import {
  backoffMax,
  fillPause,
  hasteGap,
  heardBackoff,
  lateLinks,
  recordDialsPerSourceBurst,
  recordDialsPerSourceRate,
  roundAddressesMax,
  unreachablePause,
  volunteerLinksMax,
} from "./limits.ts";
import type { DiscoveryEffect } from "./effects.ts";

const self = idOf(1);
const b = idOf(2);
const c = idOf(3);
const port = 7411;

const eth0: NetworkInterface = {
  name: "eth0",
  index: 2,
  addresses: [
    { ip: ip("10.0.0.1"), prefixLength: 24 },
    { ip: ip("fe80::1"), prefixLength: 64 },
  ],
};
const eth1: NetworkInterface = {
  name: "eth1",
  index: 3,
  addresses: [{ ip: ip("fe80::2"), prefixLength: 64 }],
};

function at(text: string, zone?: string): SocketAddress {
  return socketAddress(ip(text), port, zone);
}

function beaconOf(id: HeardBeacon["id"], solicitation = false): HeardBeacon {
  return { id, port, solicitation };
}

/** Runs the machine to `until`; every effect with its moment. */
function run(machine: Discovery, until: number): { at: Instant; effect: DiscoveryEffect }[] {
  const effects: { at: Instant; effect: DiscoveryEffect }[] = [];
  for (let next = machine.nextTimeout(); next !== undefined && next <= until;) {
    for (const effect of machine.handleTimeout(next)) effects.push({ at: next, effect });
    const after = machine.nextTimeout();
    assert(after === undefined || after > next, "the machine spins");
    next = after;
  }
  return effects;
}

function dialsIn(effects: readonly (DiscoveryEffect | { effect: DiscoveryEffect })[]): string[] {
  return effects
    .map((one) => "effect" in one ? one.effect : one)
    .flatMap((effect) => effect.kind === "dial" ? [formatSocketAddress(effect.to)] : []);
}

const books = new WeakMap<Discovery, KnownBook>();

/** A record comes that says where the node listens. */
function learn(
  machine: Discovery,
  id: HeardBeacon["id"],
  addresses: readonly SocketAddress[],
): void {
  books.get(machine)?.add(id, addresses);
  machine.handleKnown(id);
}

function machineOn(interfaces: readonly NetworkInterface[], peers: readonly string[] = []) {
  const known = new KnownBook(new Prng([6]));
  const machine = new Discovery({ self, port, peers, prng: new Prng([5]), known }, instant(0));
  machine.handleInterfaces(interfaces, instant(0));
  books.set(machine, known);
  return machine;
}

Deno.test("a beacon with this node's own id is counted and otherwise nothing", () => {
  const machine = machineOn([eth0]);
  const effects = machine.handleBeacon(
    beaconOf(self, true),
    at("10.0.0.9"),
    "eth0",
    false,
    instant(1),
  );
  assertEquals(effects, []);
  assertEquals(dialsIn(run(machine, 5_000)), []);
  assertEquals(machine.snapshot(instant(5_000)).counts["beacon with own id"], 1);
});

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

/** Runs the machine where nothing answers at any address; the warnings of that time. */
function runRefused(machine: Discovery, until: number): DiscoveryEffect[] {
  const warnings: DiscoveryEffect[] = [];
  for (let next = machine.nextTimeout(); next !== undefined && next <= until;) {
    const effects = [...machine.handleTimeout(next)];
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      if (effect.kind === "warn") warnings.push(effect);
      if (effect.kind !== "dial") continue;
      effects.push(
        ...machine.handleDialled(effect.to, { kind: "failed", reason: "refused" }, next),
      );
    }
    next = machine.nextTimeout();
  }
  return warnings;
}

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

Deno.test("who let go of this node or said good-bye is not dialled again at once", () => {
  for (const why of ["let-go", "left"] as const) {
    const machine = machineOn([eth0]);
    machine.handleLinked(b, at("10.0.0.2"), instant(1));
    machine.handleLinked(c, at("10.0.0.3"), instant(1));
    machine.handleUnlinked(b, why, instant(1_000));
    assertEquals(dialsIn(run(machine, 20_000)), [], why);
    assertEquals(dialsIn(run(machine, 70_000)).length > 0, true, why);
  }
});

Deno.test("who is forgotten is no way to a link any more, and nobody is warned of it", () => {
  const machine = machineOn([eth0]);
  run(machine, 500);
  machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", false, instant(600));
  assertEquals(dialsIn(run(machine, 700)), ["10.0.0.2:7411"]);
  const refused = { kind: "failed", reason: "refused" } as const;
  const warned = machine.handleDialled(at("10.0.0.2"), refused, instant(700));
  assertEquals(warned.map(({ kind }) => kind), ["warn"]);
  machine.handleLinked(c, at("10.0.0.3"), instant(800));
  machine.handleUnlinked(c, "lost", instant(900));
  const cleared = [b, c].flatMap((id) => machine.handleForgotten(id, instant(950)));
  assertEquals(cleared.map(({ kind }) => kind), ["unwarn"]);
  const { held, strangers, oneWay } = machine.snapshot(instant(950));
  assertEquals({ held, strangers, oneWay }, { held: 0, strangers: 0, oneWay: [] });
  assertEquals(dialsIn(run(machine, 60_000)), []);
});

Deno.test("who is forgotten while it is linked does not count among the linked ones", () => {
  const machine = machineOn([eth0]);
  machine.handleLinked(b, at("10.0.0.2"), instant(1));
  books.get(machine)?.add(c, [at("10.0.0.3")], true);
  assertEquals(dialsIn(run(machine, 10_000)), [], "all that are known are linked");
  const dials = dialsIn(machine.handleForgotten(b, instant(10_001)));
  assertEquals(dials.concat(dialsIn(run(machine, 20_000))), ["10.0.0.3:7411"]);
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

Deno.test("without multicast there are no beacons, and everything else works", () => {
  const prng = new Prng([5]);
  const options = { self, port, peers: ["n"], multicast: false, prng, known: new KnownBook(prng) };
  const machine = new Discovery(options, instant(0));
  const effects = machine.handleInterfaces([eth0], instant(0));
  assertEquals(effects, [{ kind: "resolve", peer: "n" }]);
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

Deno.test("links with one other machine's many identities do not end the search for others", () => {
  const heardAfter = (links: number, address: string) => {
    const machine = machineOn([eth0]);
    for (let i = 0; i < links; i++) {
      const to = socketAddress(ip(address), 9_000 + i);
      machine.handleLinked(idOf(100 + i), to, instant(100));
    }
    run(machine, 2_000);
    machine.handleBeacon(beaconOf(b), at("10.0.0.2"), "eth0", true, instant(2_000));
    return dialsIn(run(machine, 2_020));
  };
  assertEquals(heardAfter(20, "10.0.0.66"), ["10.0.0.2:7411"]);
  assertEquals(heardAfter(20, "10.0.0.1"), [], "this machine's own nodes are all counted");
  assertEquals(heardAfter(volunteerLinksMax, "10.0.0.66"), [], "nor does it go on for ever");
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

Deno.test("of links that come together none is dialled twice over: the next is looked for a second later", () => {
  const machine = machineOn([eth0]);
  run(machine, 1_000);
  /** Hears the node; whether it was dialled within 100 ms, after which it has its link. */
  const links = (n: number, when: number) => {
    const from = at(`10.0.0.${n}`);
    const begun = machine.handleBeacon(beaconOf(idOf(n)), from, "eth0", true, instant(when));
    const dialled = dialsIn([...begun, ...run(machine, when + 100)]);
    if (!dialled.includes(formatSocketAddress(from))) return false;
    machine.handleLinked(idOf(n), from, instant(when + 100));
    machine.handleDialled(from, { kind: "proved", id: idOf(n) }, instant(when + 100));
    return true;
  };
  assert(links(10, 1_000));
  assert(!links(11, 1_200), "volunteers are waited for");
  assert(!links(11, 1_099 + hasteGap - 100));
  assert(links(11, 1_100 + hasteGap));
  // Who has no link at all waits for nobody.
  for (const n of [10, 11]) machine.handleUnlinked(idOf(n), "left", instant(2_300));
  assert(links(12, 2_301));
});

Deno.test("who is heard once while volunteers are waited for is dialled back then", () => {
  const machine = machineOn([eth0]);
  run(machine, 1_000);
  machine.handleLinked(idOf(10), at("10.0.0.10"), instant(1_000));
  machine.handleBeacon(beaconOf(idOf(12)), at("10.0.0.12"), "eth0", true, instant(1_050));
  assertEquals(dialsIn(run(machine, 999 + hasteGap)), []);
  // Not found by a search, in which he would be one among all that somebody made up.
  const dials = run(machine, 1_300 + hasteGap).flatMap(({ effect }) =>
    effect.kind === "dial" ? [[formatSocketAddress(effect.to), effect.why]] : []
  );
  assertEquals(dials, [["10.0.0.12:7411", "beacon"]]);
});

Deno.test("a node that runs late contents itself with fewer links, and looks for no unreachable one", () => {
  const dialled = (isLate: boolean) => {
    const machine = machineOn([eth0]);
    learn(machine, idOf(40), [at("10.9.9.9")]);
    runRefused(machine, 1_000);
    for (let n = 10; n < 10 + lateLinks; n++) {
      machine.handleLinked(idOf(n), at(`10.0.0.${n}`), instant(1_000 + n));
    }
    machine.handleLateness(isLate);
    const when = 2_000 + hasteGap;
    machine.handleBeacon(beaconOf(idOf(30)), at("10.0.0.30"), "eth0", true, instant(when));
    const dials = dialsIn(run(machine, when + 4 * unreachablePause));
    const isDialled = (text: string) => dials.some((to) => to.startsWith(text));
    return [isDialled("10.0.0.30"), isDialled("10.9.9.9")];
  };
  assertEquals(dialled(false), [true, true]);
  assertEquals(dialled(true), [false, false]);
});

Deno.test("of a hundred that run late a few answer a newcomer by beacons", () => {
  const resets = (isLate: boolean) => {
    let count = 0;
    for (let seed = 0; seed < 20; seed++) {
      const known = new KnownBook(new Prng([seed]));
      const machine = new Discovery({ self, port, prng: new Prng([seed]), known }, instant(0));
      books.set(machine, known);
      machine.handleInterfaces([eth0], instant(0));
      for (let n = 10; n < 110; n++) {
        learn(machine, idOf(n), []);
        machine.handleBeacon(beaconOf(idOf(n)), at("10.0.0.7"), "eth0", true, instant(n));
      }
      machine.handleLinked(idOf(10), at("10.0.0.10"), instant(1_000));
      run(machine, 20_000);
      machine.handleLateness(isLate);
      const before = machine.snapshot(instant(20_000)).interfaces.eth0?.resets ?? 0;
      machine.handleBeacon(
        beaconOf(idOf(200), true),
        at("10.0.0.8"),
        "eth0",
        true,
        instant(20_000),
      );
      count += (machine.snapshot(instant(20_001)).interfaces.eth0?.resets ?? 0) - before;
    }
    return count;
  };
  assertEquals(resets(false), 20);
  assert(resets(true) < 5);
});
