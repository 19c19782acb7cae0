import { assert, assertEquals } from "@std/assert";
import { type Instant, instant, later, milliseconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type Offer, offerOf } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { fakeEntry } from "../../tests/fixtures/record_ranges.ts";
import {
  crowdedOffers,
  lateAfter,
  latePullDelayMax,
  offerDelay,
  offerersMax,
  ownBodyLinks,
  pendingOffersMax,
  pendingOffersPerSource,
  plainLinksMax,
  promptTells,
  pullRetryDelay,
  pullsMax,
  pullsPerLinkMax,
  relayedBodyBytesMax,
  relayedBodyLinks,
} from "./limits.ts";
import { Push, type PushEffect, type RecordChange } from "./push.ts";
import type { OfferJudgement } from "./record_store.ts";

const start: Instant = instant(10_000);
const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(fakeNodeId);
assert(
  a !== undefined && b !== undefined && c !== undefined && d !== undefined && e !== undefined,
);

function after(ms: number): Instant {
  return later(start, milliseconds(ms));
}

function offerNumber(author: number, serial: number, variant = 0): Offer {
  return offerOf(fakeEntry(0, author, serial, variant));
}

/** A push machine over a store that is a plain map. */
function world(...links: readonly NodeId[]) {
  const held = new Map<RecordKey, Offer>();
  const refused = new Set<RecordKey>();
  const linkCounts = new Map<NodeId, number>();
  /** What this process allows beyond the usual for running late, in ms. */
  const late = { allowed: 0 };
  const judge = (offer: Offer): OfferJudgement => {
    if (refused.has(offer.key)) return "refused";
    const own = held.get(offer.key);
    if (own === undefined || own.serial < offer.serial) return "wanted";
    return own.serial === offer.serial ? "held" : "older";
  };
  const push = new Push({
    self: fakeNodeId(200),
    linksOf: (id) => linkCounts.get(id),
    judge,
    held: (key) => held.get(key),
    prng: new Prng([1, 2, 3, 4]),
    allowance: () => milliseconds(late.allowed),
  });
  for (const link of links) push.handleLink(link);
  const change = (
    offer: Offer,
    now: Instant,
    from?: NodeId,
    more: Partial<RecordChange> = {},
  ) => {
    held.set(offer.key, offer);
    const source = from === undefined ? {} : { from };
    return push.handleChange({ offer, size: 1_000, urgent: false, ...source, ...more }, now);
  };
  return { push, held, refused, linkCounts, late, change };
}

function receivers(effects: readonly PushEffect[], kind: "offer" | "push"): NodeId[] {
  return effects.flatMap((effect) => effect.kind === kind ? [effect.to] : []).sort();
}

/** Twelve links with nodes that have twelve each. */
function crowd() {
  const links = Array.from({ length: 12 }, (_, i) => fakeNodeId(i + 1));
  const { linkCounts, ...rest } = world(...links);
  for (const link of links) linkCounts.set(link, 12);
  return { links, linkCounts, ...rest };
}

Deno.test("an own change goes at once, with its body to four links, soon after to the rest", () => {
  const { push, change } = world(a, b, c, d, e);
  const effects = change(offerNumber(1, 1), start);
  assertEquals(receivers(effects, "push").length, ownBodyLinks);
  assertEquals(push.nextTimeout(), later(start, offerDelay));
  const offers = push.handleTimeout(later(start, offerDelay));
  const told = [...receivers(effects, "push"), ...receivers(offers, "offer")].sort();
  assertEquals(told, [a, b, c, d, e].sort());
  assertEquals(push.nextTimeout(), undefined);
});

Deno.test("a short record and an urgent one go on to two links with their body, a long one to none", () => {
  for (
    const [size, urgent, bodies] of [
      [relayedBodyBytesMax, false, relayedBodyLinks],
      [relayedBodyBytesMax + 1, false, 0],
      [relayedBodyBytesMax + 1, true, relayedBodyLinks],
    ] as const
  ) {
    const { push, change } = world(a, b, c, d, e);
    const effects = change(offerNumber(1, 1), start, e, { size, urgent });
    assertEquals(receivers(effects, "push").length, bodies);
    assertEquals(receivers(effects, "offer"), []);
    const rest = push.handleTimeout(after(20));
    assertEquals(receivers(rest, "offer").length, 4 - bodies);
    assert(!receivers([...effects, ...rest], "offer").includes(e), "not back to whom it came from");
  }
});

Deno.test("changes in a row go once a second after the first few, those of a second together", () => {
  const { push, change } = world(a, b);
  for (let i = 0; i < promptTells; i++) {
    change(offerNumber(i, 1), after(30 * i), b);
    assertEquals(receivers(push.handleTimeout(after(30 * i + 20)), "offer"), [a]);
  }
  change(offerNumber(11, 1), after(200), b);
  change(offerNumber(10, 1), after(800), b);
  assertEquals(push.nextTimeout(), after(1_020));
  assertEquals(push.handleTimeout(after(1_019)), []);
  assertEquals(push.handleTimeout(after(1_020)), [
    { kind: "offer", to: a, offers: [offerNumber(11, 1), offerNumber(10, 1)] },
  ]);
  change(offerNumber(12, 1), after(1_100), b);
  assertEquals(push.nextTimeout(), after(2_020));
  // A quiet while gives all of it back.
  push.handleTimeout(after(2_020));
  change(offerNumber(13, 1), after(7_000), b);
  assertEquals(receivers(push.handleTimeout(after(7_020)), "offer"), [a]);
});

Deno.test("a stream of one author's versions costs one offer a second, and nobody else more", () => {
  const { push, change } = world(a, b);
  let offers = 0;
  let ofOthers = 0;
  for (let at = 0; at < 10_000; at += 10) {
    const effects = change(offerNumber(1, at), after(at), b);
    if (at % 500 === 0) effects.push(...change(offerNumber(2, at), after(at), b));
    for (const effect of [...effects, ...push.handleTimeout(after(at))]) {
      assert(effect.kind === "offer");
      offers++;
      ofOthers += effect.offers.filter(({ key }) => key === offerNumber(2, 0).key).length;
    }
  }
  assert(offers <= promptTells + 10, `${offers}`);
  assert(ofOthers >= 10, `${ofOthers}`);
});

Deno.test("an urgent change waits for no second, and takes along what is ready", () => {
  const { push, change } = world(a, b);
  for (let i = 0; i < promptTells; i++) {
    change(offerNumber(i, 1), after(100 * i), b);
    push.handleTimeout(after(100 * i + 20));
  }
  change(offerNumber(70, 1), after(600), b);
  assertEquals(push.handleTimeout(after(700)), []);
  const effects = change(offerNumber(71, 1), after(700), b, { urgent: true });
  assertEquals(effects, [
    { kind: "push", to: a, keys: [offerNumber(71, 1).key] },
    { kind: "offer", to: a, offers: [offerNumber(70, 1)] },
  ]);
});

Deno.test("a newer change takes the place of the one that waits, and does not wait longer for it", () => {
  const { push, change } = world(a, b);
  change(offerNumber(1, 1), start, b);
  change(offerNumber(1, 2), after(15), b);
  change(offerNumber(1, 1), after(16), b);
  assertEquals(push.nextTimeout(), after(20));
  assertEquals(push.handleTimeout(after(20)), [
    { kind: "offer", to: a, offers: [offerNumber(1, 2)] },
  ]);
});

Deno.test("where both ends have many links, some sit a change out and some wait for the other end", () => {
  const { push, links, change } = crowd();
  const [first, second] = [new Set<NodeId>(), new Set<NodeId>()];
  let told = 0;
  for (let i = 0; i < 100; i++) {
    const at = 10_000 * i;
    change(offerNumber(i, 1), after(at), links[0]);
    for (const to of receivers(push.handleTimeout(after(at + 20)), "offer")) {
      first.add(to);
      told++;
    }
    for (const to of receivers(push.handleTimeout(after(at + 270)), "offer")) {
      second.add(to);
      told++;
    }
    assertEquals(push.nextTimeout(), undefined);
  }
  // Each of eleven links carries three changes of four, half of them at this end's first turn.
  assert(told > 700 && told < 950, `${told}`);
  assertEquals([first.size, second.size], [11, 11]);
});

Deno.test("the second end says nothing if the first does", () => {
  const { push, links, change } = crowd();
  const offer = offerNumber(1, 1);
  change(offer, start, links[0]);
  push.handleTimeout(after(20));
  // By name, or by a body that came too late.
  for (const link of links.slice(0, 6)) push.handleOffers(link, [offer], after(100));
  for (const link of links.slice(6)) push.handleShown(link, offer);
  assertEquals(push.handleTimeout(after(270)), []);
  assertEquals(push.nextTimeout(), undefined);
});

Deno.test("who has few links, or does not say, is told of everything at once", () => {
  const { push, links, linkCounts, change } = crowd();
  const [from, few, unknown] = links;
  assert(from !== undefined && few !== undefined && unknown !== undefined);
  linkCounts.set(few, plainLinksMax);
  linkCounts.delete(unknown);
  for (let i = 0; i < 30; i++) {
    change(offerNumber(i, 1), after(10_000 * i), from);
    const told = receivers(push.handleTimeout(after(10_000 * i + 20)), "offer");
    assert(told.includes(few) && told.includes(unknown));
    push.handleTimeout(after(10_000 * i + 500));
  }
});

Deno.test("who has few links itself tells everybody of everything at once", () => {
  const { push, linkCounts, change } = world(a, b, c, d, e);
  for (const link of [a, b, c, d, e]) linkCounts.set(link, 12);
  for (let i = 0; i < 30; i++) {
    change(offerNumber(i, 1), after(10_000 * i), a);
    const told = receivers(push.handleTimeout(after(10_000 * i + 20)), "offer");
    assertEquals(told, [b, c, d, e].sort());
  }
});

Deno.test("what a comparison brought goes only to links that are in step themselves", () => {
  const { push, change } = world(a, b, c);
  push.handleInStep(b);
  change(offerNumber(1, 1), start, a, { compared: true, size: 100 });
  assertEquals(push.handleTimeout(after(20)), [
    { kind: "offer", to: b, offers: [offerNumber(1, 1)] },
  ]);
  assertEquals(push.nextTimeout(), undefined);
});

Deno.test("nothing is offered to a link that has itself shown it", () => {
  const { push, change } = world(a, b, c);
  push.handleOffers(a, [offerNumber(1, 5)], start);
  push.handleOffers(b, [offerNumber(1, 4)], start);
  change(offerNumber(1, 5), after(50), a);
  const effects = push.handleTimeout(after(70));
  assertEquals(receivers(effects, "offer"), [b, c].sort());
  // One that shows it while the offer waits no longer gets it either.
  change(offerNumber(2, 1), after(2_000), a);
  push.handleOffers(c, [offerNumber(2, 1)], after(2_010));
  assertEquals(receivers(push.handleTimeout(after(2_020)), "offer"), [b]);
});

Deno.test("a body is pulled from the first offerer, after 200 ms from the next, then given up", () => {
  const { push } = world(a, b, c);
  const offer = offerNumber(1, 1);
  assertEquals(push.handleOffers(a, [offer], start), [
    { kind: "fetch", from: a, keys: [offer.key] },
  ]);
  assertEquals(push.handleOffers(b, [offer], after(10)), []);
  assertEquals(push.handleOffers(b, [offer], after(20)), []);
  assertEquals(push.nextTimeout(), later(start, pullRetryDelay));
  assertEquals(push.handleTimeout(after(199)), []);
  assertEquals(push.handleTimeout(after(200)), [{ kind: "fetch", from: b, keys: [offer.key] }]);
  assertEquals(push.handleTimeout(after(400)), []);
  assertEquals(push.nextTimeout(), undefined);
  assertEquals(push.snapshot().counts["no offerer left"], 1);
  // A new offer begins anew.
  assertEquals(push.handleOffers(c, [offer], after(500)).length, 1);
});

Deno.test("an offerer that does not have it, or goes, is followed by the next at once", () => {
  const { push } = world(a, b, c);
  const offer = offerNumber(1, 1);
  for (const link of [a, b, c]) push.handleOffers(link, [offer], start);
  assertEquals(push.handleNotFetched(b, [offer.key], after(5)), []);
  assertEquals(push.handleNotFetched(a, [offer.key], after(10)), [
    { kind: "fetch", from: b, keys: [offer.key] },
  ]);
  assertEquals(push.handleUnlink(b, after(20)), [{ kind: "fetch", from: c, keys: [offer.key] }]);
  assertEquals(push.handleUnlink(c, after(30)), []);
  assertEquals(push.snapshot().pulls, 0);
});

Deno.test("one who is not asked and goes is not asked later", () => {
  const { push } = world(a, b, c);
  const offer = offerNumber(1, 1);
  for (const link of [a, b, c]) push.handleOffers(link, [offer], start);
  assertEquals(push.handleUnlink(b, after(10)), []);
  assertEquals(push.handleTimeout(after(200)), [{ kind: "fetch", from: c, keys: [offer.key] }]);
});

Deno.test("a newer offer is pulled at once; an older one does not disturb", () => {
  const { push, change } = world(a, b, c);
  push.handleOffers(a, [offerNumber(1, 5)], start);
  assertEquals(push.handleOffers(b, [offerNumber(1, 4)], after(1)), []);
  assertEquals(push.handleOffers(b, [offerNumber(1, 6)], after(2)), [
    { kind: "fetch", from: b, keys: [offerNumber(1, 6).key] },
  ]);
  // The older body comes first: the newer one is still wanted.
  change(offerNumber(1, 5), after(3), a);
  assertEquals(push.snapshot().pulls, 1);
  change(offerNumber(1, 6), after(4), b);
  assertEquals(push.snapshot().pulls, 0);
});

Deno.test("all who offered what has arrived are left out when it is passed on", () => {
  const { push, change } = world(a, b, c);
  const offer = offerNumber(1, 1);
  push.handleOffers(a, [offer], start);
  push.handleOffers(b, [offer], start);
  change(offer, after(20), a);
  assertEquals(receivers(push.handleTimeout(after(40)), "offer"), [c]);
});

Deno.test("what arrives by another way is not asked for again", () => {
  const { push, held } = world(a, b);
  const offer = offerNumber(1, 1);
  push.handleOffers(a, [offer], start);
  push.handleOffers(b, [offer], start);
  held.set(offer.key, offer);
  assertEquals(push.handleTimeout(after(200)), []);
});

Deno.test("a link that offers something older is offered what is newer", () => {
  const { push, held } = world(a);
  held.set(offerNumber(1, 9).key, offerNumber(1, 9));
  assertEquals(push.handleOffers(a, [offerNumber(1, 3)], start), []);
  assertEquals(push.handleTimeout(after(20)), [
    { kind: "offer", to: a, offers: [offerNumber(1, 9)] },
  ]);
});

Deno.test("what the store refuses and what strangers offer is not fetched", () => {
  const { push, refused } = world(a);
  refused.add(offerNumber(1, 1).key);
  assertEquals(push.handleOffers(a, [offerNumber(1, 1)], start), []);
  assertEquals(push.handleOffers(b, [offerNumber(2, 1)], start), []);
  assertEquals(push.snapshot().counts, { "offer refused": 1, "offer without a link": 1 });
});

Deno.test("a link that comes back starts with nothing told and nothing shown", () => {
  const { push, change } = world(a, b);
  change(offerNumber(1, 1), start, b);
  push.handleUnlink(a, after(10));
  push.handleLink(a);
  assertEquals(push.nextTimeout(), undefined);
  change(offerNumber(2, 1), after(20), b);
  assertEquals(push.handleTimeout(after(40)), [
    { kind: "offer", to: a, offers: [offerNumber(2, 1)] },
  ]);
});

Deno.test("a flood of changes and of offers stays within the limits", () => {
  const { push, change } = world(a);
  for (let i = 0; i < promptTells; i++) change(offerNumber(i, 1), start);
  for (let i = 0; i < pendingOffersMax + 10; i++) change(offerNumber(i + 100, 1), start);
  assertEquals(push.snapshot().pending, pendingOffersMax);
  assertEquals(push.snapshot().counts["too many offers pending"], 10);
  for (let i = 0; i < pullsPerLinkMax + 10; i++) {
    push.handleOffers(a, [offerNumber(10_000 + i, 1)], start);
  }
  assertEquals(push.snapshot().pulls, pullsPerLinkMax);
  assertEquals(push.snapshot().counts["pulls over one neighbour's share"], 10);
  assert(offerersMax > 1 && pullsMax > 2 * pullsPerLinkMax);
});

Deno.test("many neighbours that offer without end are asked for so much in all", () => {
  const links = Array.from({ length: pullsMax / pullsPerLinkMax + 1 }, (_, i) => fakeNodeId(i + 1));
  const { push } = world(...links);
  for (const [i, link] of links.entries()) {
    const offers = Array.from(
      { length: pullsPerLinkMax },
      (_, j) => offerNumber(10_000 * i + j, 1),
    );
    push.handleOffers(link, offers, start);
  }
  assertEquals(push.snapshot().pulls, pullsMax);
  assertEquals(push.snapshot().counts, { "too many pulls": pullsPerLinkMax });
});

Deno.test("of many that offer one record so many are asked and no more", () => {
  const links = Array.from({ length: offerersMax + 3 }, (_, i) => fakeNodeId(i + 1));
  const { push } = world(...links);
  const offer = offerNumber(1, 1);
  const asked = links.flatMap((link) => push.handleOffers(link, [offer], start));
  for (let i = 1; i < links.length; i++) {
    asked.push(...push.handleTimeout(after(pullRetryDelay * i)));
  }
  assertEquals(asked.length, offerersMax);
  assertEquals(push.snapshot().pulls, 0);
});

Deno.test("one neighbour's flood leaves room for what others bring", () => {
  const { push, change } = world(a, b, c);
  for (let i = 0; i < 2_000; i++) change(offerNumber(i, 1), start, b);
  const flooded = push.snapshot().pending;
  assert(flooded <= 2 * crowdedOffers, `${flooded}`);
  assert(crowdedOffers + pendingOffersPerSource < pendingOffersMax);
  change(offerNumber(3_000, 1), start, c);
  change(offerNumber(3_001, 1), start);
  // To the two others, while the own one has gone with its body.
  assertEquals(push.snapshot().pending, flooded + 2);
});

Deno.test("what is not asked for any more makes room for what is", () => {
  const { push, change } = world(a, b);
  for (let i = 0; i < pullsPerLinkMax; i++) push.handleOffers(a, [offerNumber(i, 1)], start);
  assertEquals(push.handleOffers(a, [offerNumber(5_000, 1)], start), []);
  assertEquals(push.handleOffers(b, [offerNumber(5_000, 1)], start).length, 1);
  change(offerNumber(0, 1), after(1), a);
  assertEquals(push.handleOffers(a, [offerNumber(5_001, 1)], after(2)).length, 1);
  push.handleTimeout(after(300));
  assertEquals(push.snapshot().pulls, 0);
  assertEquals(push.handleOffers(a, [offerNumber(6_000, 1)], after(301)).length, 1);
});

Deno.test("a node that runs late waits longer before it asks the next offerer", () => {
  const { push, late } = world(a, b);
  const offer = offerNumber(50, 1);
  late.allowed = 2_000;
  push.handleOffers(a, [offer], start);
  push.handleOffers(b, [offer], start);
  const asked = after(2_000);
  assertEquals(push.handleTimeout(asked), [{ kind: "fetch", from: a, keys: [offer.key] }]);
  const next = later(asked, milliseconds(pullRetryDelay + 2_000));
  assertEquals(push.nextTimeout(), next);
  assertEquals(push.handleTimeout(later(asked, milliseconds(pullRetryDelay + 1_999))), []);
  assertEquals(push.handleTimeout(next), [{ kind: "fetch", from: b, keys: [offer.key] }]);
});

Deno.test("a node waits for bodies as long as it runs late, and three seconds at the longest", () => {
  for (const [allowed, waited] of [[lateAfter + 1, lateAfter + 1], [60_000, latePullDelayMax]]) {
    assert(allowed !== undefined && waited !== undefined);
    const { push, late } = world(a);
    late.allowed = allowed;
    const offer = offerNumber(50, 1);
    assertEquals(push.handleOffers(a, [offer], start), []);
    assertEquals(push.nextTimeout(), after(waited));
    assertEquals(
      push.handleTimeout(after(waited)),
      [{ kind: "fetch", from: a, keys: [offer.key] }],
    );
  }
});

Deno.test("a node that runs late asks for what was offered together, and not for what came unasked", () => {
  const { push, change, late } = world(a, b);
  late.allowed = 2_000;
  const offers = [50, 51, 52].map((author) => offerNumber(author, 1));
  const [first, second, third] = offers;
  assert(first !== undefined && second !== undefined && third !== undefined);
  assertEquals(push.handleOffers(a, [first], start), []);
  assertEquals(push.handleOffers(b, [first, second], after(100)), []);
  assertEquals(push.handleOffers(a, [third], after(200)), []);
  change(second, after(300), b);
  const asked = push.handleTimeout(after(200 + 2_000));
  assertEquals(
    asked.filter(({ kind }) => kind === "fetch"),
    [{ kind: "fetch", from: a, keys: [first.key, third.key] }],
  );
});

Deno.test("what was offered by a link that goes before it is asked is asked from the next", () => {
  const { push, late } = world(a, b);
  late.allowed = 2_000;
  const offer = offerNumber(50, 1);
  push.handleOffers(a, [offer], start);
  push.handleOffers(b, [offer], start);
  assertEquals(push.handleUnlink(a, after(1)), []);
  // Nobody was asked, so nobody has failed to deliver.
  assertEquals(push.handleNotFetched(b, [offer.key], after(2)), []);
  assertEquals(
    push.handleTimeout(after(2_000)),
    [{ kind: "fetch", from: b, keys: [offer.key] }],
  );
});

Deno.test("a node that runs late sends bodies where bodies wait, so that they share datagrams", () => {
  const links = Array.from({ length: 10 }, (_, i) => fakeNodeId(i + 1));
  const receiversOf = (allowed: number) => {
    const { push, change, late, linkCounts } = world(...links);
    for (const link of links) linkCounts.set(link, links.length);
    late.allowed = allowed;
    // From then on a stream waits its second.
    for (let i = 0; i < promptTells; i++) change(offerNumber(100 + i, 1), start);
    const sent = new Set<NodeId>();
    const note = (effects: readonly PushEffect[]) => {
      for (const effect of effects) if (effect.kind === "push") sent.add(effect.to);
    };
    const size = relayedBodyBytesMax;
    for (let i = 0; i < 8; i++) note(change(offerNumber(i + 1, 1), after(1), links[0], { size }));
    note(push.handleTimeout(after(60_000)));
    return sent.size;
  };
  assert(receiversOf(0) > 2 * relayedBodyLinks);
  assert(receiversOf(2_000) <= ownBodyLinks + relayedBodyLinks);
});

Deno.test("a node that runs late sends long bodies to two links, and offers once they have run ahead", () => {
  const { push, change, late } = world(a, b, c, d);
  late.allowed = 2_000;
  const size = relayedBodyBytesMax + 1;
  const effects = change(offerNumber(50, 1), start, a, { size });
  assertEquals(receivers(effects, "push").length, relayedBodyLinks);
  assertEquals(receivers(push.handleTimeout(after(offerDelay)), "offer"), []);
  assertEquals(receivers(push.handleTimeout(after(offerDelay + 2_000)), "offer").length, 1);
});

Deno.test("pulls stay in the order in which they are due when lateness passes", () => {
  const { push, late } = world(a, b);
  late.allowed = 2_000;
  push.handleOffers(a, [offerNumber(50, 1)], start);
  push.handleOffers(b, [offerNumber(50, 1)], start);
  late.allowed = 0;
  push.handleOffers(a, [offerNumber(51, 1)], start);
  push.handleOffers(b, [offerNumber(51, 1)], start);
  const asked = push.handleTimeout(after(Math.max(latePullDelayMax, pullRetryDelay)));
  assertEquals(asked.flatMap((effect) => effect.kind === "fetch" ? effect.keys : []).length, 2);
});

Deno.test("a node that runs late tells a stream of changes less often, and all of them", () => {
  const tellsOf = (allowed: number) => {
    const { push, change, late } = world(a);
    late.allowed = allowed;
    let tells = 0;
    const named = new Set<RecordKey>();
    const note = (effects: readonly PushEffect[]) => {
      for (const effect of effects) {
        if (effect.kind === "fetch") continue;
        tells++;
        const keys = effect.kind === "push" ? effect.keys : effect.offers.map(({ key }) => key);
        for (const key of keys) named.add(key);
      }
    };
    for (let ms = 0; ms < 60_000; ms += 100) {
      note(push.handleTimeout(after(ms)));
      if (ms < 30_000) note(change(offerNumber(ms, 1), after(ms)));
    }
    assertEquals(named.size, 300);
    return tells;
  };
  assert(tellsOf(4_000) * 3 < tellsOf(0), `${tellsOf(4_000)} and ${tellsOf(0)}`);
});
