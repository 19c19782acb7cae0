import { assert, assertEquals } from "@std/assert";
import { type Instant, instant } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { KnownBook } from "../../tests/fixtures/known_book.ts";
import {
  at,
  beaconOf,
  books,
  eth0,
  learn,
  port,
  run,
  self,
} from "../../tests/fixtures/lone_discovery.ts";
import { idOf } from "../../tests/sim/beacon_bus.ts";
import { Discovery, type HeardBeacon } from "./discovery.ts";
import { eagerLinks, islandConfirmation, solicitationMemory, solicitationTwin } from "./limits.ts";
import { type Audience, Volunteering } from "./volunteering.ts";

/** Twenty hearers with links enough; how many of them dial who beacons. */
function hearers() {
  const machines = Array.from({ length: 20 }, (_, seed) => {
    const known = new KnownBook(new Prng([seed]));
    const machine = new Discovery({ self, port, prng: new Prng([seed]), known }, instant(0));
    books.set(machine, known);
    machine.handleInterfaces([eth0], instant(0));
    for (let n = 10; n < 10 + eagerLinks; n++) {
      machine.handleLinked(idOf(n), at(`10.0.0.${n}`), instant(n));
    }
    run(machine, 9_999);
    return machine;
  });
  const answers = (beacon: HeardBeacon, islandAgrees: boolean, when: number) => {
    const from = at("10.0.0.99");
    return machines.filter((machine) => {
      machine.handleBeacon(beacon, from, "eth0", islandAgrees, instant(when));
      // A search at leisure may find somebody too.
      return run(machine, when + 100)
        .some(({ effect }) => effect.kind === "dial" && effect.why === "beacon");
    }).length;
  };
  return { machines, answers };
}

Deno.test("another island is dialled for once in some seconds, by lot", () => {
  const { answers } = hearers();
  const answersTo = (n: number, islandAgrees: boolean, when: number) =>
    answers(beaconOf(idOf(n)), islandAgrees, when);
  assertEquals(answersTo(50, true, 10_000), 0, "this island asks nothing");
  const answered = answersTo(51, false, 10_500);
  assert(answered > 10 && answered < 20, `${answered} of 20, where three of four are to`);
  assertEquals(answersTo(52, false, 10_499 + islandConfirmation), 0, "many carry another mark now");
});

Deno.test("who was only heard counts as hearer too, and on when there is a record of him", () => {
  const { machines, answers } = hearers();
  const crowd = Array.from({ length: 200 }, (_, i) => idOf(1_000 + i));
  const audiences = () =>
    machines.map((machine) => machine.snapshot(instant(10_100)).interfaces.eth0?.audience);
  for (const machine of machines) {
    for (const id of crowd) {
      machine.handleBeacon(beaconOf(id), at("10.0.0.77"), "eth0", true, instant(10_000));
    }
  }
  assertEquals(new Set(audiences()), new Set([0]));
  const answered = answers(beaconOf(idOf(60), true), false, 10_100);
  assert(answered < 4, `${answered} of 20, where one in seventy is to`);
  for (const machine of machines) for (const id of crowd) learn(machine, id, []);
  assertEquals(new Set(audiences()), new Set([crowd.length]));
});

/** How many of so many hearers with that picture answer at each of these moments. */
function answersOf(hearers: number, audience: Audience, moments: readonly Instant[]): number[] {
  const lots = Array.from({ length: hearers }, (_, seed) => new Volunteering(new Prng([seed])));
  return moments.map((now) => lots.filter((lot) => lot.draw(idOf(1), audience, now)).length);
}

const second = instant(1_000 + solicitationTwin);

Deno.test("strangers count when a newcomer solicits first, and made-up ones not when it does again", () => {
  const forming = { heard: 4, strangers: 296, held: 4 };
  const [first = 0] = answersOf(300, forming, [instant(1_000)]);
  assert(first > 0 && first < 9, `${first} of 300 who are mostly strangers to one another`);
  const moments = [instant(1_000), second];
  const [silenced = 0, again] = answersOf(
    300,
    { heard: 300, strangers: 1_000_000, held: 300 },
    moments,
  );
  assertEquals(silenced, 0);
  assertEquals([again], answersOf(300, { heard: 300, strangers: 0, held: 300 }, moments).slice(1));
  assert(again !== undefined && again > 1, `${again} answer a second solicitation`);
});

Deno.test("a solicitation within a second is the same one, and each later one within a minute doubles the odds", () => {
  const audience = { heard: 300, strangers: 0, held: 300 };
  const [first, twin] = answersOf(300, audience, [instant(1_000), instant(999 + solicitationTwin)]);
  assertEquals(first, twin);
  const apart = (gap: number) => Array.from({ length: 6 }, (_, i) => instant(1_000 + i * gap));
  const [once = 0, , , , , sixth = 0] = answersOf(300, audience, apart(solicitationMemory));
  assert(once < 9 && sixth > 60, `${once} and ${sixth} of 300, where 3 and 96 are to`);
  for (const answered of answersOf(300, audience, apart(solicitationMemory + 1))) {
    assert(answered < 9, `${answered} of 300`);
  }
});
