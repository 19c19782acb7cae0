import { assert, assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { BeaconBus, type BusNode, idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { degreeFor } from "./degree.ts";
import { eagerLinks } from "./limits.ts";
import { trickleMax } from "./limits.ts";

function total(nodes: readonly BusNode[], value: (node: BusNode) => number): number {
  return nodes.reduce((sum, node) => sum + value(node), 0);
}

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`three nodes that start one after the other link each other fully, seed ${seed}`, () => {
    const bus = new BeaconBus({ seed, ipv6: seed % 2 === 0 });
    const nodes = [bus.start("lan")];
    for (const startAt of [5_000, 9_000]) {
      bus.run(startAt);
      const node = bus.start("lan");
      nodes.push(node);
      bus.run(startAt + 300);
      assert(node.firstLinkAt !== undefined, "a newcomer has no link after 300 ms");
    }
    bus.run(20_000);
    for (const node of nodes) assertEquals(node.links.size, 2);
  });
}

Deno.test("fifty nodes that start together have half their degree within seconds, all in minutes", () => {
  const bus = new BeaconBus({ seed: 11 });
  for (let i = 0; i < 50; i++) bus.start("lan");
  bus.run(1_300);
  for (const node of bus.nodes) assert((node.firstLinkAt ?? Infinity) < 1_300);
  bus.run(10_000);
  assertEquals(bus.islands, 1);
  for (const node of bus.nodes) {
    assert(node.links.size >= eagerLinks, `${node.links.size} links`);
    assert(node.links.size <= 24, `${node.links.size} links`);
  }
  const mean = total(bus.nodes, (node) => node.links.size) / 50;
  assert(mean <= degreeFor(50) + 3, `${mean} links on the average`);
  bus.run(300_000);
  for (const node of bus.nodes) {
    assert(node.links.size >= degreeFor(50), `${node.links.size} links in the end`);
  }
});

Deno.test("a newcomer to a settled fleet of fifty is dialled within 300 ms, seldom later, and by few", () => {
  const bus = new BeaconBus({ seed: 12 });
  for (let i = 0; i < 50; i++) bus.start("lan");
  const settledAt = 3_600_000;
  bus.run(settledAt);
  let late = 0;
  for (let i = 0; i < 10; i++) {
    const at = settledAt + i * 600_000;
    bus.run(at);
    const before = total(bus.nodes, (node) => total([node], () => sumOf(node.dialsTo)));
    const newcomer = bus.start("lan");
    bus.run(at + 300);
    if (newcomer.firstLinkAt === undefined) late++;
    // One in twenty draws no volunteer, and solicits again.
    bus.run(at + 3_000);
    assert(newcomer.firstLinkAt !== undefined);
    bus.run(at + 10_000);
    assert(newcomer.links.size >= eagerLinks, `${newcomer.links.size} links`);
    const dials = total(bus.nodes, (node) => sumOf(node.dialsTo)) - before;
    assert(dials < 20, `${dials} dials for one newcomer`);
  }
  assert(late <= 2, `${late} of 10 waited longer`);
});

Deno.test("five hundred nodes become one island, and their beacons fall silent", () => {
  const bus = new BeaconBus({ seed: 13 });
  for (let i = 0; i < 500; i++) {
    bus.at(1_000 + i * 20, () => bus.start("lan"));
  }
  bus.run(60_000);
  assertEquals(bus.nodes.length, 500);
  assertEquals(bus.islands, 1);
  for (const node of bus.nodes) {
    assert(node.links.size >= eagerLinks, `${node.links.size} links`);
  }
  // From the first full interval on.
  bus.run(1_000_000);
  for (const node of bus.nodes) {
    assert(node.links.size >= degreeFor(500), `${node.links.size} links in the end`);
  }
  const sent = total(bus.nodes, (node) => node.beaconsSent);
  const intervals = 4;
  bus.run(1_000_000 + intervals * trickleMax);
  const perInterval = (total(bus.nodes, (node) => node.beaconsSent) - sent) / intervals;
  assert(perInterval >= 1, `${perInterval} beacons an interval`);
  assert(perInterval <= 9, `${perInterval} beacons an interval`);
});

Deno.test("two islands that are joined by a cable find each other within 400 s", () => {
  for (const seed of [21, 22, 23]) {
    const bus = new BeaconBus({ seed });
    for (let i = 0; i < 30; i++) bus.start(i < 20 ? "east" : "west");
    bus.run(2_000_000);
    assertEquals(bus.islands, 2);
    for (const node of bus.nodes) node.network = "one";
    bus.run(2_000_000 + 400_000);
    assertEquals(bus.islands, 1, `seed ${seed}`);
  }
});

Deno.test("a node that restarts is linked again within 300 ms, though its neighbours think it is", () => {
  const bus = new BeaconBus({ seed: 31 });
  for (let i = 0; i < 3; i++) bus.start("lan");
  bus.run(60_000);
  const [, , third] = bus.nodes;
  assert(third !== undefined);
  bus.restart(third);
  bus.run(60_300);
  assert(third.firstLinkAt !== undefined);
});

Deno.test("--peer joins networks without multicast between them, and is tried until it is there", () => {
  const bus = new BeaconBus({ seed: 41 });
  const far = bus.start("far", "open", ["n1"]);
  bus.run(100_000);
  assertEquals(far.links.size, 0);
  const peer = bus.start("near");
  peer.network = "far";
  bus.run(100_000 + 31_000);
  assertEquals(far.links.size, 1);
});

Deno.test("a lost link comes back by itself", () => {
  const bus = new BeaconBus({ seed: 51 });
  const a = bus.start("lan");
  const b = bus.start("lan");
  bus.run(60_000);
  assertEquals(a.links.size, 1);
  bus.cut(a, b, "lost");
  const beacons = a.beaconsSent + b.beaconsSent;
  bus.run(63_000);
  assertEquals(a.links.size, 1);
  assert(a.beaconsSent + b.beaconsSent - beacons <= 2, "a lost link is no reason to shout");
});

Deno.test("a peer whose port does not open is warned about within 5 s, tried every 15 s, cleared when it opens", () => {
  for (const portState of ["refused", "timeout"] as const) {
    const bus = new BeaconBus({ seed: 61, ipv6: true });
    const ear = bus.start("lan");
    bus.run(10_000);
    ear.dialLog = [];
    const deaf = bus.start("lan", portState);
    // It cannot dial either, or there would be a link.
    ear.portState = "timeout";
    bus.run(15_000);
    const warning = ear.warnings.get(deaf.id);
    assert(warning !== undefined, portState);
    bus.run(200_000);
    const moments = ear.dialLog.map((dial) => dial.at);
    for (const [i, at] of moments.entries()) {
      const next = moments[i + 1] ?? instant(200_000);
      assert(next - at <= 15_000, `${portState}: ${next - at} ms between tries`);
    }
    assert(ear.warnings.has(deaf.id));
    deaf.portState = "open";
    bus.run(220_000);
    assertEquals(ear.links.size, 1);
    assertEquals(ear.warnings.size, 0);
  }
});

Deno.test("the warning ends 400 s after the last beacon", () => {
  const bus = new BeaconBus({ seed: 62 });
  const ear = bus.start("lan");
  const deaf = bus.start("lan", "refused");
  ear.portState = "refused";
  bus.run(10_000);
  assertEquals(ear.warnings.size, 1);
  deaf.alive = false;
  bus.run(10_000 + 401_000);
  assertEquals(ear.warnings.size, 0);
  const dials = sumOf(ear.dialsTo);
  bus.run(600_000);
  assertEquals(sumOf(ear.dialsTo), dials, "a stranger heard no more is dialled no more");
});

Deno.test("a node that cannot be linked does not keep the others chattering", () => {
  const bus = new BeaconBus({ seed: 63 });
  for (let i = 0; i < 20; i++) bus.start("lan");
  const mute = bus.start("lan", "refused");
  for (const node of bus.nodes) if (node !== mute) node.portState = "open";
  // Its own dials fail: it is on the network for beacons only.
  mute.machine.handleInterfaces([], bus.now);
  const forged = () => {
    bus.forge(
      "lan",
      { id: mute.id, port: 7411, solicitation: true },
      socketAddress(mute.ip, 7410),
      false,
    );
  };
  for (let at = 20_000; at < 2_000_000; at += 10_000) bus.at(at, forged);
  bus.run(1_000_000);
  const sent = total(bus.nodes, (node) => node.beaconsSent);
  bus.run(2_000_000);
  const perSecond = (total(bus.nodes, (node) => node.beaconsSent) - sent) / 1_000;
  assert(perSecond < 0.5, `${perSecond} beacons a second on the network`);
});

Deno.test("a storm from made-up ids and addresses neither runs away with dials nor hides known nodes", () => {
  const bus = new BeaconBus({ seed: 71 });
  for (let i = 0; i < 5; i++) bus.start("lan");
  bus.run(60_000);
  const before = bus.nodes.map((node) => sumOf(node.dialsTo));
  let made = 0;
  for (let at = 60_000; at < 90_000; at += 10) {
    bus.at(at, () => {
      for (let i = 0; i < 10; i++) {
        made++;
        const from = socketAddress(ip(`10.9.${made % 200}.${1 + made % 250}`), 7410);
        bus.forge("lan", { id: idOf(100_000 + made), port: 9, solicitation: true }, from, false);
      }
    });
  }
  bus.run(75_000);
  const [first, second, third] = bus.nodes;
  assert(first !== undefined && second !== undefined && third !== undefined);
  bus.restart(third);
  bus.run(75_300);
  assert(third.firstLinkAt !== undefined, "a known node that restarts drowned");
  bus.cut(first, second, "lost");
  bus.run(79_000);
  assert(first.links.has(second.id), "a lost link drowned");
  bus.run(90_000);
  for (const node of bus.nodes.slice(0, 5)) {
    const dials = sumOf(node.dialsTo) - (before[node.index] ?? 0);
    // 16 at once and 2 a second for strangers, the retries of 16 one-way peers, a few honest ones.
    assert(dials <= 16 + 2 * 30 + 16 * 4 + 12, `${dials} dials in 30 s`);
    const shown = node.machine.snapshot(bus.now);
    assert(shown.strangers <= 256);
    assert(shown.oneWay.length <= 16);
    assert((shown.counts["beacon over the total budget"] ?? 0) > 1_000);
  }
});

Deno.test("made-up ids that solicit without end make a newcomer solicit twice, and do not silence its hearers", () => {
  const bus = new BeaconBus({ seed: 73 });
  for (let i = 0; i < 20; i++) bus.start("lan");
  bus.run(60_000);
  for (let made = 0; made < 5_000; made++) {
    bus.at(60_000 + 40 * made, () => {
      const from = socketAddress(ip(`10.9.${made % 200}.${1 + made % 250}`), 7410);
      bus.forge("lan", { id: idOf(300_000 + made), port: 9, solicitation: true }, from, false);
    });
  }
  for (let i = 0; i < 4; i++) {
    // As many are heard in a minute as are told apart.
    const at = 130_000 + i * 30_000;
    bus.run(at);
    const newcomer = bus.start("lan");
    // A node without a link beacons a second time after one to two seconds.
    bus.run(at + 2_500);
    assert(newcomer.links.size > 0, `newcomer ${i} has no link after 2.5 s`);
    bus.run(at + 10_000);
    assert(newcomer.links.size >= eagerLinks, `${newcomer.links.size} links`);
  }
});

Deno.test("a storm from one address costs that address only", () => {
  const bus = new BeaconBus({ seed: 72 });
  for (let i = 0; i < 3; i++) bus.start("lan");
  bus.run(60_000);
  const from = socketAddress(ip("10.9.9.9"), 7410);
  for (let n = 0; n < 5_000; n++) {
    bus.at(60_000 + n * 2, () => {
      bus.forge("lan", { id: idOf(200_000 + n), port: 9, solicitation: true }, from, false);
    });
  }
  bus.run(70_000);
  for (const node of bus.nodes) {
    assert((node.dialsTo.get("10.9.9.9:9") ?? 0) <= 8);
    assert(node.machine.snapshot(bus.now).strangers <= 8);
  }
  const newcomer = bus.start("lan");
  bus.run(70_300);
  assertEquals(newcomer.firstLinkAt !== undefined, true);
});

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
