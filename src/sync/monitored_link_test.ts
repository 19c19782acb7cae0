import { assert, assertEquals } from "@std/assert";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { elapsed, type Instant, instant, later, milliseconds, minutes } from "../base/instant.ts";
import { parseIp } from "../base/ip.ts";
import { socketAddress } from "../wire/socket_address.ts";
import {
  indirectRoundsMax,
  missAfterMax,
  missAfterUnmeasured,
  probeInterval,
  probeTriesMin,
  selfDoubtMax,
  tryInterval,
  watcherSilence,
} from "./limits.ts";
import type { LinkRole, MonitorEffect } from "./monitor_effects.ts";
import { MonitoredLink } from "./monitored_link.ts";
import { SelfTrust } from "./self_trust.ts";

const begin = instant(1_000_000);
const id = fakeNodeId(1);
const ip = parseIp("192.0.2.1");
assert(ip !== undefined);
const address = socketAddress(ip, 7_411);
const watching: LinkRole = { watches: true, turn: 0, isWatched: false };
const watchedOnly: LinkRole = { watches: false, turn: 0, isWatched: true };

/** A link that is probed first a second from `begin`. */
function linked(trust = new SelfTrust()): MonitoredLink {
  return new MonitoredLink(id, trust, later(begin, milliseconds(1_000)), begin);
}

/** Runs the link to its next deadline. */
function step(link: MonitoredLink): { now: Instant; effects: MonitorEffect[] } {
  const now = link.nextTimeout();
  assert(now !== undefined);
  return { now, effects: link.handleTimeout([link], now) };
}

/** Runs it to its next probe, which is answered at once, or not at all. */
function probe(link: MonitoredLink, isAnswered = true): Instant {
  for (;;) {
    const { now, effects } = step(link);
    for (const effect of effects) {
      if (effect.kind !== "probe") continue;
      if (isAnswered) link.handleAnswer(effect.attempt, now);
      return now;
    }
  }
}

Deno.test("a watcher that is new has its time from when it is one", () => {
  const link = linked();
  probe(link);
  link.handleRole({ ...watchedOnly, isWatched: false }, undefined, begin);
  link.probeAt(later(begin, minutes(5)));
  const at = later(begin, minutes(2));
  link.handleRole(watchedOnly, undefined, at);
  assertEquals(link.nextTimeout(), later(at, watcherSilence));
  // That it goes on being one gives it no more.
  link.handleRole(watchedOnly, undefined, later(at, milliseconds(9_000)));
  assertEquals(link.nextTimeout(), later(at, watcherSilence));
});

Deno.test("a watcher that answers anything else is not asked whether it is there", () => {
  const link = linked();
  probe(link);
  link.handleRole(watchedOnly, undefined, begin);
  link.probeAt(later(begin, minutes(5)));
  const at = later(begin, minutes(1));
  link.handleHeard(at);
  assertEquals(link.nextTimeout(), later(at, watcherSilence));
});

Deno.test("who probed a little before its turn does not probe at that turn again", () => {
  const link = linked();
  const turn = later(begin, milliseconds(5_000));
  link.handleRole(watching, turn, begin);
  link.probeBy(later(turn, milliseconds(-400)));
  assertEquals(elapsed(probe(link), turn), 400);
  assertEquals(link.nextProbe, later(turn, probeInterval));
});

Deno.test("who answers through others only, round for round, is given up for want of a path", () => {
  const link = linked();
  const drops: MonitorEffect[] = [];
  for (let steps = 0; drops.length === 0 && steps < 1_000; steps++) {
    const { now, effects } = step(link);
    for (const { kind } of effects) {
      if (kind === "relay") link.handleRelayed(now);
      if (kind === "authenticate") link.handleAuthentication({ kind: "failed" }, now);
    }
    drops.push(...effects.filter(({ kind }) => kind === "drop"));
  }
  assertEquals(drops, [{ kind: "drop", id, why: "no direct path" }]);
  assert(link.lastProbe > later(begin, milliseconds((indirectRoundsMax - 1) * probeInterval)));
});

Deno.test("however much a node doubts itself, an answer counts as missing after two seconds", () => {
  const trust = new SelfTrust();
  const link = linked(trust);
  const { now: askedAt, effects: [slow] } = step(link);
  assert(slow?.kind === "probe");
  link.handleAnswer(slow.attempt, later(askedAt, milliseconds(200)));
  for (let i = 0; i < 2 * selfDoubtMax; i++) trust.handleLate();
  // The probe, its repetition, the suspicion.
  const times = [probe(link, false), step(link).now, step(link).now];
  const [first, second, third] = times;
  assert(first !== undefined && second !== undefined && third !== undefined);
  assertEquals(link.snapshot().state, "suspect");
  assertEquals([elapsed(first, second), elapsed(second, third)], [missAfterMax, missAfterMax]);
});

Deno.test("who learns that it runs late while it waits does not even repeat the probe", () => {
  let allowed = milliseconds(0);
  const link = linked(new SelfTrust(() => allowed));
  const sentAt = probe(link, false);
  allowed = milliseconds(4_000);
  assertEquals(step(link).effects, []);
  assertEquals(link.nextTimeout(), later(sentAt, milliseconds(missAfterUnmeasured + 4_000)));
});

Deno.test("a gap after the repetition is no reason for a third probe", () => {
  const link = linked();
  probe(link, false);
  assertEquals(step(link).effects.map(({ kind }) => kind), ["probe"]);
  const due = link.nextTimeout();
  assert(due !== undefined);
  const awake = later(due, milliseconds(1_000));
  link.forgive(milliseconds(1_000), awake);
  assertEquals(link.nextTimeout(), later(awake, milliseconds(missAfterUnmeasured)));
  assertEquals(step(link).effects[0]?.kind, "suspect");
});

Deno.test("on a lossy link the repetition is one of the tries made alone", () => {
  const link = linked();
  let probes = 0;
  const counts: number[] = [];
  for (let steps = 0; counts.length < indirectRoundsMax && steps < 1_000; steps++) {
    const { now, effects } = step(link);
    for (const { kind } of effects) {
      if (kind === "probe") probes++;
      if (kind !== "authenticate") continue;
      counts.push(probes);
      link.handleAuthentication({ kind: "finished", address }, now);
    }
    if (link.snapshot().state === "steady" && !link.isWaiting) probes = 0;
  }
  // The regular one and as many as may be made alone at most.
  assertEquals(counts.at(-1), 1 + (probeTriesMin - 1));
});

Deno.test("an answer that comes after it was counted as missing does not mend the loss", () => {
  const link = linked();
  const { now, effects: [first] } = step(link);
  assert(first?.kind === "probe");
  while (link.snapshot().state !== "suspect") step(link);
  const { loss } = link.snapshot();
  assert(loss > 0);
  link.handleAnswer(first.attempt, later(now, milliseconds(missAfterUnmeasured + tryInterval)));
  assertEquals([link.snapshot().state, link.snapshot().loss], ["steady", loss]);
});
