import { assert, assertEquals } from "@std/assert";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { instant, later, milliseconds, type WallTime, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { DuplicateWatch } from "../identity/mod.ts";
import { OwnRecords, readLinks, type VerifiedRecord } from "../sync/mod.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { Background } from "./background.ts";
import {
  linksCoalesce,
  linksFirstCoalesce,
  linksGapMin,
  linksLatePatience,
  linksLateSpacing,
  linksNewsSpread,
  linksReachedLook,
  publishAgainAfter,
} from "./limits.ts";
import { Publisher } from "./publisher.ts";

const builtAt = wallTime(Date.UTC(2026, 10, 22));

/** A publisher on a disk that may refuse, under a clock that may be set. */
async function world() {
  const bootNonce = new Uint8Array(16).fill(1);
  const told: VerifiedRecord[] = [];
  const troubles: string[] = [];
  const linked: string[] = [];
  const reachedOtherwise = new Set<string>();
  const state = {
    /** What this process allows beyond the usual for running late, in ms. */
    allowed: 0,
    now: instant(0),
    wall: wallTime(builtAt + 5),
    isFull: false,
  };
  const background = new Background((what, error) => troubles.push(`${what}: ${error}`));
  const publisher = new Publisher({
    clock: {
      monotonic: () => state.now,
      wall: () => state.wall,
      wait: () => Promise.resolve(),
    },
    counters: new Counters(),
    background,
    prng: new Prng([2]),
    own: new OwnRecords({
      signer: await RecordAuthor.create(1),
      keep: () => state.isFull ? Promise.reject(new Error("No space left")) : Promise.resolve(),
      ownSerial: 0,
      prng: new Prng([1]),
    }),
    duplicates: new DuplicateWatch(bootNonce, []),
    bootNonce,
    earlierInfo: undefined,
    owner: {
      describe: () => plainInfo("test"),
      newsOf: (prefix) => reachedOtherwise.has(prefix) ? "reached" : "to be told",
      linkCosts: () => linked.map((peer) => ({ peer, costExponent: 0 })),
      allowance: () => milliseconds(state.allowed),
      signingTime: (): WallTime => state.wall,
      handlePublished: (record) => void told.push(record),
      handleUnpublished: (why) => void troubles.push(why),
      handleDuplicate: (effect) => void troubles.push(effect.kind),
    },
  });
  const pass = async (ms: number) => {
    state.now = later(state.now, milliseconds(ms));
    publisher.handleTimeout(state.now);
    await publisher.settled();
    await background.settled();
  };
  return { publisher, told, troubles, linked, reachedOtherwise, state, pass };
}

/** The same with neighbours that it has told of; it may publish again. */
async function linkedWorld(neighbours: readonly number[]) {
  const all = await world();
  for (const n of neighbours) {
    all.linked.push(prefixOf(n));
    all.publisher.handleLink(prefixOf(n), false, all.state.now);
  }
  await all.pass(linksFirstCoalesce);
  await all.pass(linksGapMin);
  assertEquals(linksIn(all.told).length, 1);
  return all;
}

Deno.test("what the disk refused is published as soon as the disk takes it", async () => {
  const { publisher, told, troubles, state, pass } = await world();
  state.isFull = true;
  await publisher.publishInfo(true);
  assertEquals([told.length, troubles.length, publisher.info], [0, 1, undefined]);
  const due = publisher.nextTimeout();
  assert(due !== undefined && due <= later(state.now, publishAgainAfter));
  await pass(publishAgainAfter);
  assertEquals([told.length, troubles.length], [0, 2]);
  state.isFull = false;
  await pass(publishAgainAfter);
  assertEquals(told.map(({ kind }) => kind), [0]);
  await pass(publishAgainAfter);
  assertEquals([told.length, troubles.length], [1, 2]);
});

Deno.test("links that the disk refused are published as soon as the disk takes them", async () => {
  const { publisher, told, state, pass } = await world();
  await publisher.publishInfo(true);
  state.isFull = true;
  publisher.handleUnlink("00".repeat(16), "presumed", state.now);
  await pass(0);
  state.isFull = false;
  await pass(publishAgainAfter);
  assertEquals(told.map(({ kind }) => kind), [0, 1]);
});

Deno.test("a refusal of the disk is over for whoever heard of it, though all is as it was before", async () => {
  const { publisher, told, linked, state, pass } = await world();
  linked.push(prefixOf(1));
  publisher.handleUnlink(prefixOf(2), "let go", state.now);
  await pass(60_000);
  const before = told.length;
  linked.push(prefixOf(3));
  state.isFull = true;
  publisher.handleUnlink(prefixOf(2), "let go", state.now);
  await pass(60_000);
  linked.pop();
  state.isFull = false;
  await pass(publishAgainAfter);
  assertEquals(told.length, before + 1);
  await pass(publishAgainAfter);
  assertEquals(told.length, before + 1);
});

Deno.test("what bears a date before the build is signed anew once there is a better one", async () => {
  const { publisher, told, state } = await world();
  state.wall = wallTime(86_400_000);
  await publisher.publishInfo(true);
  await publisher.signAnew(builtAt);
  assertEquals(told.length, 1);
  state.wall = wallTime(builtAt + 7);
  await Promise.all([publisher.signAnew(builtAt), publisher.signAnew(builtAt)]);
  assertEquals(told.map(({ signedAt }) => signedAt), [86_400_000, builtAt + 7]);
  const [first, second] = told;
  assert(first !== undefined && second !== undefined && second.serial > first.serial);
});

function prefixOf(number: number): string {
  return number.toString(16).padStart(32, "0");
}

/** What each `links` that was told says. */
function linksIn(told: readonly VerifiedRecord[]) {
  return told.flatMap((record) => {
    const links = readLinks(record);
    if (isDecodeError(links)) return [];
    return [{ listed: links.links.map(({ peer }) => peer), lost: [...links.lost] }];
  });
}

Deno.test("peers that come and fall silent, again and again, cost nobody a record", async () => {
  const { publisher, told, linked, state } = await world();
  for (let i = 0; i < 50; i++) {
    linked.push(prefixOf(i));
    publisher.handleLink(prefixOf(i), false, state.now);
    linked.pop();
    publisher.handleUnlink(prefixOf(i), "presumed", state.now);
    await publisher.settled();
  }
  assertEquals(linksIn(told), [{ listed: [], lost: [] }], "there are none, and nobody knew of any");
});

Deno.test("a listed neighbour that falls silent is told as lost at once", async () => {
  const { publisher, told, linked, state } = await linkedWorld([7]);
  linked.pop();
  publisher.handleUnlink(prefixOf(7), "presumed", state.now);
  await publisher.settled();
  assertEquals(linksIn(told), [
    { listed: [prefixOf(7)], lost: [] },
    { listed: [], lost: [prefixOf(7)] },
  ]);
});

Deno.test("a newcomer of whom another neighbour told first is told of with the next links", async () => {
  const { publisher, told, linked, reachedOtherwise, state, pass } = await linkedWorld([7]);
  linked.push(prefixOf(9));
  publisher.handleLink(prefixOf(9), true, state.now);
  reachedOtherwise.add(prefixOf(9));
  await pass(linksFirstCoalesce + linksNewsSpread);
  assertEquals(linksIn(told).length, 1);
  await pass(1.5 * linksCoalesce);
  assertEquals(linksIn(told).at(-1)?.listed.length, 2);
});

Deno.test("a neighbour to whom the path of before ends is told of, though it was no news", async () => {
  for (const wasNews of [false, true]) {
    const { publisher, told, linked, reachedOtherwise, state, pass } = await linkedWorld([7]);
    linked.push(prefixOf(9));
    reachedOtherwise.add(prefixOf(9));
    publisher.handleLink(prefixOf(9), wasNews, state.now);
    for (let i = 0; i < 3; i++) await pass(1.5 * linksReachedLook);
    assertEquals(linksIn(told).length, 1);
    reachedOtherwise.delete(prefixOf(9));
    await pass(1.5 * linksReachedLook);
    assertEquals(linksIn(told).at(-1)?.listed.length, 2);
    const due = publisher.nextTimeout();
    assert(due === undefined || due > later(state.now, milliseconds(1.5 * linksReachedLook)));
  }
});

Deno.test("a neighbour whom nobody reached before is told of within a second, another waits", async () => {
  const { publisher, told, linked, state, pass } = await world();
  linked.push(prefixOf(7));
  publisher.handleLink(prefixOf(7), true, state.now);
  await pass(linksFirstCoalesce);
  linked.push(prefixOf(8));
  publisher.handleLink(prefixOf(8), false, state.now);
  await pass(linksGapMin);
  assertEquals(linksIn(told).length, 1);
  linked.push(prefixOf(9));
  publisher.handleLink(prefixOf(9), true, state.now);
  await pass(linksFirstCoalesce + 2 * linksNewsSpread);
  assertEquals(linksIn(told).at(-1)?.listed.length, 3);
});

Deno.test("a node that runs late is in no haste to tell of silent neighbours", async () => {
  for (const [allowed, waited] of [[500, linksLateSpacing * 500], [60_000, linksCoalesce]]) {
    assert(allowed !== undefined && waited !== undefined);
    const { publisher, told, linked, state, pass } = await linkedWorld([7, 8]);
    state.allowed = allowed;
    linked.pop();
    publisher.handleUnlink(prefixOf(8), "presumed", state.now);
    await pass(waited - linksGapMin - 1);
    assertEquals(linksIn(told).length, 1);
    await pass(1);
    assertEquals(linksIn(told).at(-1)?.listed.length, 1);
  }
});

Deno.test("of a neighbour that is certainly dead a node tells as soon when it runs late", async () => {
  const { publisher, told, linked, state, pass } = await linkedWorld([7, 8]);
  state.allowed = 60_000;
  linked.pop();
  publisher.handleUnlink(prefixOf(8), "certain", state.now);
  await pass(linksGapMin);
  assertEquals(linksIn(told).at(-1)?.listed.length, 1);
});

Deno.test("a node that runs late tells of further links when it is in time again, or after minutes", async () => {
  const { publisher, told, linked, reachedOtherwise, state, pass } = await world();
  const link = (n: number, isNews: boolean) => {
    linked.push(prefixOf(n));
    if (!isNews) reachedOtherwise.add(prefixOf(n));
    publisher.handleLink(prefixOf(n), isNews, state.now);
  };
  link(7, false);
  state.allowed = 2_000;
  // What is said of the first links others wait for, and of a neighbour whom nobody else reaches.
  await pass(linksFirstCoalesce);
  assertEquals(linksIn(told).length, 1);
  link(8, true);
  await pass(linksFirstCoalesce + 2 * linksNewsSpread + 8_000);
  assertEquals(linksIn(told).at(-1)?.listed.length, 2);
  link(9, false);
  await pass(1.5 * linksCoalesce);
  await pass(3 * linksCoalesce);
  assertEquals(linksIn(told).length, 2);
  state.allowed = 0;
  await pass(3 * linksCoalesce);
  assertEquals(linksIn(told).at(-1)?.listed.length, 3);
  state.allowed = 2_000;
  link(10, false);
  await pass(1.5 * linksCoalesce);
  assertEquals(linksIn(told).length, 3);
  await pass(linksLatePatience);
  assertEquals(linksIn(told).at(-1)?.listed.length, 4);
});

Deno.test("where all run late the neighbours of a newcomer leave one another more time for the word", async () => {
  const firstWordOf = async (allowed: number) => {
    const { publisher, linked, state } = await linkedWorld([5, 6, 7]);
    state.allowed = allowed;
    linked.push(prefixOf(8));
    publisher.handleLink(prefixOf(8), true, state.now);
    return (publisher.nextTimeout() ?? Infinity) - state.now;
  };
  assert(await firstWordOf(2_000) > 2 * await firstWordOf(0));
});

Deno.test("neighbours that fall silent in a row are told together after the first", async () => {
  const { publisher, told, linked, state, pass } = await linkedWorld([7, 8, 9]);
  for (const n of [9, 8, 7]) {
    linked.pop();
    publisher.handleUnlink(prefixOf(n), "presumed", state.now);
    await publisher.settled();
  }
  assertEquals(linksIn(told).length, 2);
  await pass(linksGapMin);
  const last = linksIn(told).at(-1);
  assertEquals(last?.listed, []);
  assertEquals(last?.lost.length, 3);
  assertEquals(linksIn(told).length, 3);
});
