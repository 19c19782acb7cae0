import { assert, assertEquals } from "@std/assert";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { fakeEntry } from "../../tests/fixtures/record_ranges.ts";
import { type Instant, instant, later, milliseconds } from "../base/instant.ts";
import { offerOf } from "../wire/offer.ts";
import { coalesceDelay, crowdedOffers, pendingOffersPerSource, promptTells } from "./limits.ts";
import { linkEnd } from "./link_turn.ts";
import { ToldLink } from "./told_link.ts";

const begin = instant(10_000);
const [busy, other] = [fakeNodeId(1), fakeNodeId(2)];

function link(): ToldLink {
  return new ToldLink(linkEnd(fakeNodeId(200), fakeNodeId(3)));
}

/** A change of that number by way of `source`, ready at once. */
function change(number: number, readyAt: Instant, source = busy, urgent = false) {
  return { offer: offerOf(fakeEntry(0, number, 1)), withBody: false, urgent, readyAt, source };
}

Deno.test("one neighbour may fill a quiet link to the half, and has its share of the rest", () => {
  const told = link();
  // Nothing goes before that: what is put here waits.
  const ready = later(begin, milliseconds(60_000));
  for (let i = 0; i < crowdedOffers; i++) assertEquals(told.put(change(i, ready)), undefined);
  assertEquals(told.put(change(5_000, ready)), "offers over one neighbour's share");
  for (let i = 0; i < pendingOffersPerSource; i++) {
    assertEquals(told.put(change(1_000 + i, ready, other)), undefined);
  }
  assertEquals(told.put(change(5_001, ready, other)), "offers over one neighbour's share");
});

Deno.test("what has gone is no part of a neighbour's share any more", () => {
  const told = link();
  const ready = later(begin, milliseconds(60_000));
  for (let i = 0; i < crowdedOffers; i++) told.put(change(i, begin));
  assertEquals(told.take(begin)?.offers.length, crowdedOffers);
  for (let i = 0; i < crowdedOffers; i++) told.put(change(i, ready, other));
  for (let i = 0; i < pendingOffersPerSource; i++) {
    assertEquals(told.put(change(1_000 + i, ready)), undefined);
  }
});

Deno.test("urgent changes without end do not put off what can wait for ever", () => {
  const told = link();
  let now = begin;
  for (let i = 0; i < 200; i++) {
    told.put(change(i, now, busy, true));
    assert(told.take(now) !== undefined);
    now = later(now, milliseconds(10));
  }
  told.put(change(1_000, now));
  assertEquals(told.take(now), undefined);
  const due = told.due;
  assert(due !== undefined && due <= later(now, milliseconds(promptTells * coalesceDelay)));
  assertEquals(told.take(due)?.offers.length, 1);
});
