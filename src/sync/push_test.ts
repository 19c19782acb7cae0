import { assert, assertEquals } from "@std/assert";
import { type Instant, instant, later, milliseconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type Offer, offerOf } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { fakeEntry } from "../../tests/fixtures/record_ranges.ts";
import {
  coalesceDelay,
  offerersMax,
  pendingOffersMax,
  pullRetryDelay,
  pullsMax,
} from "./limits.ts";
import { Push, type PushEffect } from "./push.ts";
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
  const judge = (offer: Offer): OfferJudgement => {
    if (refused.has(offer.key)) return "refused";
    const own = held.get(offer.key);
    if (own === undefined || own.serial < offer.serial) return "wanted";
    return own.serial === offer.serial ? "held" : "older";
  };
  const push = new Push({ judge, held: (key) => held.get(key), prng: new Prng([1, 2, 3, 4]) });
  for (const link of links) push.handleLink(link);
  const change = (offer: Offer, urgent: boolean, now: Instant, from?: NodeId) => {
    held.set(offer.key, offer);
    return push.handleChange({ offer, urgent, ...(from === undefined ? {} : { from }) }, now);
  };
  return { push, held, refused, change };
}

function receivers(effects: readonly PushEffect[], kind: "offer" | "push"): NodeId[] {
  return effects.flatMap((effect) => effect.kind === kind ? [effect.to] : []).sort();
}

Deno.test("changes within a second are offered together, at the second's end", () => {
  const { push, change } = world(a, b);
  assertEquals(change(offerNumber(2, 1), false, start), []);
  assertEquals(change(offerNumber(1, 1), false, after(900)), []);
  assertEquals(push.nextTimeout(), later(start, coalesceDelay));
  assertEquals(push.handleTimeout(after(999)), []);
  const effects = push.handleTimeout(after(1_000));
  assertEquals(receivers(effects, "offer"), [a, b].sort());
  for (const effect of effects) {
    assert(effect.kind === "offer");
    const keys = effect.offers.map((offer) => offer.key);
    assertEquals(keys, [offerNumber(1, 1).key, offerNumber(2, 1).key].sort());
  }
  assertEquals(push.nextTimeout(), undefined);
});

Deno.test("a newer change takes the place of the one that waits", () => {
  const { push, change } = world(a);
  change(offerNumber(1, 1), false, start);
  change(offerNumber(1, 2), false, after(500));
  change(offerNumber(1, 1), false, after(600));
  assertEquals(push.handleTimeout(after(1_000)), [
    { kind: "offer", to: a, offers: [offerNumber(1, 2)] },
  ]);
});

Deno.test("an urgent change goes at once: with its body to two links, as an offer to the rest", () => {
  const { push, change } = world(a, b, c, d, e);
  const effects = change(offerNumber(1, 1), true, start, e);
  assertEquals(receivers(effects, "push").length, 2);
  assertEquals(receivers(effects, "offer").length, 2);
  const told = [...receivers(effects, "push"), ...receivers(effects, "offer")].sort();
  assertEquals(told, [a, b, c, d].sort());
  assertEquals(push.nextTimeout(), undefined);
});

Deno.test("an urgent change overtakes the older one that waits", () => {
  const { push, change } = world(a);
  change(offerNumber(1, 1), false, start);
  assertEquals(change(offerNumber(1, 2), true, after(10)).length, 1);
  assertEquals(push.nextTimeout(), undefined);
});

Deno.test("nothing is offered to a link that has itself shown it", () => {
  const { push, change } = world(a, b, c);
  push.handleOffers(a, [offerNumber(1, 5)], start);
  push.handleOffers(b, [offerNumber(1, 4)], start);
  change(offerNumber(1, 5), false, after(50), a);
  const effects = push.handleTimeout(after(1_050));
  assertEquals(receivers(effects, "offer"), [b, c].sort());
  // One that shows it while the offer waits no longer gets it either.
  change(offerNumber(2, 1), false, after(2_000));
  push.handleOffers(c, [offerNumber(2, 1)], after(2_100));
  assertEquals(receivers(push.handleTimeout(after(3_000)), "offer"), [a, b].sort());
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
  change(offerNumber(1, 5), false, after(3), a);
  assertEquals(push.snapshot().pulls, 1);
  change(offerNumber(1, 6), false, after(4), b);
  assertEquals(push.snapshot().pulls, 0);
});

Deno.test("all who offered what has arrived are left out when it is passed on", () => {
  const { push, change } = world(a, b, c);
  const offer = offerNumber(1, 1);
  push.handleOffers(a, [offer], start);
  push.handleOffers(b, [offer], start);
  change(offer, false, after(20), a);
  assertEquals(receivers(push.handleTimeout(after(1_020)), "offer"), [c]);
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
  assertEquals(push.handleTimeout(after(1_000)), [
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
  const { push, change } = world(a);
  change(offerNumber(1, 1), false, start);
  push.handleUnlink(a, after(10));
  push.handleLink(a);
  assertEquals(push.nextTimeout(), undefined);
  change(offerNumber(2, 1), false, after(20));
  assertEquals(push.handleTimeout(after(1_020)), [
    { kind: "offer", to: a, offers: [offerNumber(2, 1)] },
  ]);
});

Deno.test("a flood of changes and of offers stays within the limits", () => {
  const { push, change } = world(a, b);
  for (let i = 0; i < pendingOffersMax + 10; i++) change(offerNumber(i, 1), false, start);
  assertEquals(push.snapshot().pending, 2 * pendingOffersMax);
  assertEquals(push.snapshot().counts["too many offers pending"], 20);
  for (let i = 0; i < pullsMax + 10; i++) push.handleOffers(a, [offerNumber(10_000 + i, 1)], start);
  assertEquals(push.snapshot().pulls, pullsMax);
  assertEquals(push.snapshot().counts["too many pulls"], 10);
  assert(offerersMax > 1);
});
