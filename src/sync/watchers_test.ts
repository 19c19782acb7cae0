import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { toHex, utf8 } from "../base/bytes.ts";
import { elapsed, instant } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { probeInterval, watchersPerNode } from "./limits.ts";
import { murmur3, nextTurn, watchersOf, watchRank } from "./watchers.ts";

Deno.test("the mix is MurmurHash3 as others compute it", () => {
  const text = (words: string) => toHex(utf8(words));
  // Vectors from SMHasher's descendants, those of whole words.
  assertEquals(murmur3(text(""), 1), 0x514e28b7);
  assertEquals(murmur3(text("test"), 0), 0xba6bd213);
  assertEquals(murmur3(text("aaaa"), 0x9747b28c), 0x5a97808a);
  assertEquals(murmur3("21436587", 0x5082edee), 0x2362f9de);
  assertEquals(murmur3("ffffffff", 0), 0x76293b50);
});

function prefixOf(prng: Prng): string {
  return Array.from({ length: 4 }, () => prng.below(0x1_0000_0000).toString(16).padStart(8, "0"))
    .join("");
}

/** Nodes with links at random, `degree` on the average, as everybody's records show them. */
function fleet(seed: number, size: number, degree: number): Map<string, Set<string>> {
  const prng = new Prng([seed, 7]);
  const ids = Array.from({ length: size }, () => prefixOf(prng));
  const links = new Map(ids.map((id) => [id, new Set<string>()]));
  for (const id of ids) {
    for (let i = 0; i < degree / 2; i++) {
      const other = prng.pick(ids);
      if (other === undefined || other === id) continue;
      links.get(id)?.add(other);
      links.get(other)?.add(id);
    }
  }
  return links;
}

function watchersIn(links: ReadonlyMap<string, ReadonlySet<string>>, id: string): string[] {
  return watchersOf(id, [...links.get(id) ?? []], (other) => links.get(other)?.has(id) ?? false);
}

Deno.test("who has two confirmed links or more has exactly two watchers, who has fewer all of them", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 2, max: 40 }), fc.nat({ max: 12 }), (seed, size, d) => {
      const links = fleet(seed, size, d);
      for (const [id, listed] of links) {
        const watchers = watchersIn(links, id);
        assertEquals(watchers.length, Math.min(watchersPerNode, listed.size));
        assertEquals(new Set(watchers).size, watchers.length);
        for (const watcher of watchers) assert(listed.has(watcher));
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("everybody computes the same, in whatever order records list their links", () => {
  const links = fleet(1, 60, 10);
  for (const id of links.keys()) {
    const listed = [...links.get(id) ?? []];
    const confirms = (other: string) => links.get(other)?.has(id) ?? false;
    assertEquals(watchersOf(id, listed, confirms), watchersOf(id, listed.toReversed(), confirms));
  }
});

Deno.test("a link that the other end does not list makes nobody a watcher", () => {
  const [x, y, z] = ["11".repeat(16), "22".repeat(16), "33".repeat(16)];
  assertEquals(watchersOf(x, [y, z], (other) => other === z), [z]);
  assertEquals(watchersOf(x, [y, z], () => false), []);
});

Deno.test("watching is spread evenly, and pairs do not watch each other more than chance has it", () => {
  const links = fleet(2, 1_000, 12);
  const load = new Map<string, number>();
  let mutual = 0;
  let watched = 0;
  for (const id of links.keys()) {
    for (const watcher of watchersIn(links, id)) {
      watched += 1;
      load.set(watcher, (load.get(watcher) ?? 0) + 1);
      if (watchersIn(links, watcher).includes(id)) mutual += 1;
    }
  }
  assert(Math.max(...load.values()) <= 10, `${Math.max(...load.values())} watched by one`);
  // By chance a watched node leads its watcher's order as often as any other link does: 2 of 12.
  assert(mutual / watched < 0.25, `${mutual} of ${watched} are mutual`);
});

Deno.test("the order of one node says nothing about that of another", () => {
  const [x, y] = ["11".repeat(16), "22".repeat(16)];
  assertNotEquals(watchRank(x, y), watchRank(y, x));
});

Deno.test("two watchers with clocks of their own take turns half an interval apart", () => {
  const [x] = ["11".repeat(16)];
  // The clock of the watched shows 1,000,123; those of its watchers something else each.
  const [first, second] = [instant(77), instant(5_000_000)];
  const waits = [
    elapsed(first, nextTurn(x, 0, instant(1_000_123), first)),
    elapsed(second, nextTurn(x, 1, instant(1_000_123), second)),
  ];
  for (const wait of waits) assert(wait >= 0 && wait < probeInterval);
  assertEquals(Math.abs((waits[0] ?? 0) - (waits[1] ?? 0)), probeInterval / watchersPerNode);
});

Deno.test("nodes whose clocks show the same are not all probed at the same time", () => {
  const now = instant(0);
  const sixths = [0, 0, 0, 0, 0, 0];
  for (const id of fleet(6, 600, 1).keys()) {
    const wait = elapsed(now, nextTurn(id, 0, instant(5), now));
    const sixth = Math.floor(6 * wait / probeInterval);
    sixths[sixth] = (sixths[sixth] ?? 0) + 1;
  }
  for (const count of sixths) assert(count > 60 && count < 140, sixths.join(" "));
});

Deno.test("watchers are those who lead by rank", () => {
  const links = fleet(5, 30, 8);
  for (const [id, listed] of links) {
    const ranked = [...listed].sort((x, y) => watchRank(id, x) - watchRank(id, y));
    assertEquals(watchersIn(links, id), ranked.slice(0, watchersPerNode));
  }
});
