import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { type Instant, instant, later, milliseconds } from "../base/instant.ts";
import { parseIp } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { Monitor } from "./monitor.ts";

const ip = parseIp("192.0.2.1");
assert(ip !== undefined);
const address = socketAddress(ip, 7_411);
const ids = [1, 2, 3].map((number) => fakeNodeId(number));

type Told = (monitor: Monitor, id: (typeof ids)[number], now: Instant) => void;

/** Everything that a monitor is told. */
const told: Readonly<Record<string, Told>> = {
  link: (monitor, id, now) => void monitor.handleLink(id, address, now),
  unlink: (monitor, id) => monitor.handleUnlink(id),
  "role with a turn": (monitor, id, now) =>
    monitor.handleRole(
      id,
      { watches: true, turn: 0, isWatched: true },
      later(now, milliseconds(700)),
      now,
    ),
  "role without": (monitor, id, now) =>
    monitor.handleRole(id, { watches: false, turn: 0, isWatched: true }, undefined, now),
  mapped: (monitor, id, now) => monitor.handleMapped(id, now),
  asked: (monitor, id, now) => monitor.handleAsked(id, now),
  answer: (monitor, id, now) => void monitor.handleAnswer(id, 1, now),
  relayed: (monitor, id, now) => void monitor.handleRelayed(id, now),
  heard: (monitor, id, now) => void monitor.handleHeard(id, now),
  connected: (monitor, id, now) => monitor.handleConnected(id, now),
  "exchange failed": (monitor, id, now) =>
    void monitor.handleAuthentication(id, { kind: "failed" }, now),
  "loss reported": (monitor, id, now) => monitor.handleReportedLoss(id, "another", now),
  restarting: (monitor, id, now) => void monitor.handleRestarting(id, now),
  leaving: (monitor, id) => void monitor.handleLeaving(id),
  "time passes": (monitor, _id, now) => void monitor.handleTimeout(now),
};

const anyStep = fc.record({
  what: fc.constantFrom(...Object.keys(told)),
  id: fc.constantFrom(...ids),
  after: fc.nat(7_000),
});

Deno.test("whatever a monitor is told, the deadline it is asked for is that of one never asked before", () => {
  fc.assert(fc.property(fc.array(anyStep, { maxLength: 14, size: "max" }), (steps) => {
    const fresh = () => new Monitor({ prng: new Prng([1, 2, 3, 4]) });
    const asked = fresh();
    for (const id of ids) asked.handleLink(id, address, instant(0));
    asked.nextTimeout();
    let now = instant(0);
    for (const [i, { what, id, after }] of steps.entries()) {
      now = later(now, milliseconds(after));
      told[what]?.(asked, id, now);
      const unasked = fresh();
      for (const each of ids) unasked.handleLink(each, address, instant(0));
      let then = instant(0);
      for (const step of steps.slice(0, i + 1)) {
        then = later(then, milliseconds(step.after));
        told[step.what]?.(unasked, step.id, then);
      }
      const [one, other] = [asked.nextTimeout(), unasked.nextTimeout()];
      // That a peer asked only moves its deadline away: the one that is kept may be early then.
      const isExact = !steps.slice(0, i + 1).some((step) => step.what === "asked");
      if (isExact) assertEquals(one, other);
      else assert((one ?? Infinity) <= (other ?? Infinity));
    }
  }));
});
