import { assert, assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { formatSocketAddress, socketAddress } from "../wire/socket_address.ts";
import { KnownBook } from "../../tests/fixtures/known_book.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import {
  at,
  b,
  beaconOf,
  books,
  dialsIn,
  eth0,
  learn,
  machineOn,
  port,
  run,
  runRefused,
  self,
} from "../../tests/fixtures/lone_discovery.ts";
import { Discovery } from "./discovery.ts";
import { hasteGap, lateLinks, unreachablePause, volunteerLinksMax } from "./limits.ts";

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
