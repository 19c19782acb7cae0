import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { idOf } from "../../tests/sim/beacon_bus.ts";
import { type Instant, instant, later, minutes, seconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { degreeFor } from "./degree.ts";
import { surplusSlack, volunteerLinksMax } from "./limits.ts";
import { type HeldLink, LinkSurplus, type SurplusView } from "./link_surplus.ts";

const begin = instant(1_000_000);
const degree = 10;

function heldLinks(count: number, listed: number | undefined): HeldLink[] {
  return Array.from({ length: count }, (_, i) => ({ id: idOf(i + 1), listed }));
}

function viewOf(links: readonly HeldLink[]): SurplusView {
  return { links, degree, fleetSize: 20, isLate: false };
}

/** Asks at `begin`, then again whenever it wants to be asked, for five minutes: what it let go. */
function releasedFrom(links: readonly HeldLink[]): NodeId[] {
  const surplus = new LinkSurplus(new Prng([7]));
  const released: NodeId[] = [];
  let now: Instant | undefined = begin;
  while (now !== undefined && now < later(begin, minutes(5))) {
    const id = surplus.handleTimeout(viewOf(links), now);
    if (id !== undefined) released.push(id);
    now = surplus.nextTimeout();
  }
  return released;
}

Deno.test("nothing is let go at the degree, nor a little above it", () => {
  assertEquals(releasedFrom(heldLinks(degree + surplusSlack, 20)), []);
});

Deno.test("a link above that is let go, not at once and not all together", () => {
  const links = heldLinks(degree + surplusSlack + 1, 20);
  const surplus = new LinkSurplus(new Prng([7]));
  assertEquals(surplus.handleTimeout(viewOf(links), begin), undefined);
  const due = surplus.nextTimeout();
  assert(due !== undefined && due >= later(begin, seconds(30)));
  assert(surplus.handleTimeout(viewOf(links), due) !== undefined);
  assertEquals(surplus.handleTimeout(viewOf(links), due), undefined, "one at a time");
});

Deno.test("only a neighbour that can spare the link as well is let go", () => {
  const many = degree + surplusSlack + 2;
  const poor = heldLinks(many, degree + surplusSlack);
  assertEquals(releasedFrom(poor), []);
  assertEquals(releasedFrom(heldLinks(many, undefined)), [], "nor one that lists nothing yet");
  const rich = { id: idOf(99), listed: degree + surplusSlack + 1 };
  assertEquals(new Set(releasedFrom([...poor, rich])), new Set([rich.id]));
});

Deno.test("it is drawn by lot whom to let go", () => {
  assert(new Set(releasedFrom(heldLinks(20, 20))).size > 1);
});

Deno.test("a node that runs late lets nobody go for thrift, only to free a place", () => {
  const surplus = new LinkSurplus(new Prng([7]));
  const isLate = true;
  const many = { ...viewOf(heldLinks(degree + surplusSlack + 1, 20)), isLate };
  assertEquals(surplus.handleTimeout(many, begin), undefined);
  const due = surplus.nextTimeout();
  assert(due !== undefined);
  assertEquals(surplus.handleTimeout(many, due), undefined);
  const again = surplus.nextTimeout();
  assert(again !== undefined && again > due);
  assert(surplus.handleTimeout({ ...many, isLate: false }, again) !== undefined);
  const full = { ...viewOf(heldLinks(volunteerLinksMax + 1, 20)), isLate };
  assert(surplus.handleTimeout(full, again) !== undefined);
});

Deno.test("above the links that anybody gets the best-connected goes at once", () => {
  const links = [...heldLinks(volunteerLinksMax, 14), { id: idOf(99), listed: 20 }];
  const surplus = new LinkSurplus(new Prng([7]));
  assertEquals(surplus.handleTimeout(viewOf(links), begin), idOf(99));
  const needy = heldLinks(volunteerLinksMax + 1, 2);
  assertEquals(surplus.handleTimeout(viewOf(needy), begin), undefined, "nobody can spare it");
});

Deno.test("a surplus that went away by itself lets nothing go later", () => {
  const surplus = new LinkSurplus(new Prng([7]));
  surplus.handleTimeout(viewOf(heldLinks(degree + surplusSlack + 1, 20)), begin);
  assertNotEquals(surplus.nextTimeout(), undefined);
  surplus.handleTimeout(viewOf(heldLinks(degree, 20)), later(begin, seconds(1)));
  assertEquals(surplus.nextTimeout(), undefined);
});

Deno.test("a fleet with twice its degree sheds what it can spare and nobody falls below", () => {
  const size = 120;
  const wanted = degreeFor(size);
  const prng = new Prng([11]);
  const links = Array.from({ length: size }, () => new Set<number>());
  while (links.reduce((sum, each) => sum + each.size, 0) < size * 2 * wanted) {
    const [a, b] = [prng.below(size), prng.below(size)];
    if (a === b || (links[a]?.size ?? 0) >= volunteerLinksMax) continue;
    if ((links[b]?.size ?? 0) >= volunteerLinksMax) continue;
    links[a]?.add(b);
    links[b]?.add(a);
  }
  const ids = links.map((_, i) => idOf(i));
  const numbers = new Map(ids.map((id, i) => [id, i]));
  const machines = links.map((_, i) => new LinkSurplus(new Prng([12, i])));
  // What others know of a node's links is half a minute old, as links are published so often.
  let published = links.map((each) => each.size);
  for (let second = 0; second < 3_600; second++) {
    if (second % 30 === 0) published = links.map((each) => each.size);
    for (const [i, surplus] of machines.entries()) {
      const held = [...links[i] ?? []].flatMap((j) => {
        const id = ids[j];
        return id === undefined ? [] : [{ id, listed: published[j] }];
      });
      const view = { links: held, degree: wanted, fleetSize: size, isLate: false };
      const id = surplus.handleTimeout(view, later(begin, seconds(second)));
      const j = id === undefined ? -1 : numbers.get(id) ?? -1;
      links[i]?.delete(j);
      links[j]?.delete(i);
    }
  }
  const counts = links.map((each) => each.size);
  assert(Math.min(...counts) >= wanted, `nobody falls below ${wanted}: ${Math.min(...counts)}`);
  const mean = counts.reduce((a, b) => a + b) / size;
  assert(mean <= wanted + surplusSlack + 1, `${mean} links each in the end`);
});
