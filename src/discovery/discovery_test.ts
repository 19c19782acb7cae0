import { assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { KnownBook } from "../../tests/fixtures/known_book.ts";
import {
  at,
  b,
  beaconOf,
  books,
  c,
  dialsIn,
  eth0,
  machineOn,
  port,
  run,
  self,
} from "../../tests/fixtures/lone_discovery.ts";
import { Discovery } from "./discovery.ts";

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

Deno.test("without multicast there are no beacons, and everything else works", () => {
  const prng = new Prng([5]);
  const options = { self, port, peers: ["n"], multicast: false, prng, known: new KnownBook(prng) };
  const machine = new Discovery(options, instant(0));
  const effects = machine.handleInterfaces([eth0], instant(0));
  assertEquals(effects, [{ kind: "resolve", peer: "n" }]);
});
