import { assert, assertEquals } from "@std/assert";
import { fakeAuthor, fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { type Instant, instant, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import { RecordStore } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { encodeLinks, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { FleetWatch } from "./fleet_watch.ts";
import {
  looksGap,
  quietLookPerNode,
  readAheadAwaitedSlice,
  readAheadFrom,
  readAheadSlice,
  viewPerNode,
  watchedLookPerNode,
} from "./limits.ts";

/** A clock that stands still but for what the test spends. */
class SpentTime implements Clock {
  #now = 1_000;

  spend(ms: number): void {
    this.#now += ms;
  }

  monotonic(): Instant {
    return instant(this.#now);
  }

  wall() {
    return wallTime(1_700_000_000_000);
  }

  wait(): Promise<void> {
    return Promise.resolve();
  }
}

/** A fleet of which `watch` keeps the picture, and what it told. */
async function fleet(strangers = 0) {
  const clock = new SpentTime();
  const self = await RecordAuthor.create(1);
  const store = new RecordStore({ selfId: self.id });
  let looks = 0;
  const told: string[] = [];
  const names = new Map<NodeId, string>();
  const linked = new Set<NodeId>();
  const forgotten = new Map<NodeId, number>();
  const state = { watched: true };
  const watch = new FleetWatch(clock, {
    selfId: self.id,
    store,
    linked: () => {
      looks++;
      return linked;
    },
    zoneOf: () => undefined,
    forgotten,
  }, {
    isWatched: () => state.watched,
    handleNodeNew: (node) => void told.push(`${node.info.name} new`),
    handleNodeChanged: (node) => void told.push(`${node.info.name} changed`),
    handleNodeReachable: (node) => void told.push(`${node.info.name} reachable`),
    handleNodeUnreachable: (node) => void told.push(`${node.info.name} unreachable`),
    handleMetAgain: (id) => {
      told.push(`${names.get(id)} met again`);
      forgotten.delete(id);
      watch.handleShown(id);
    },
    handleConflicts: (conflicts) => void told.push(`conflicts ${conflicts.join(" ")}`),
  });
  let serial = 1;
  const admit = async (author: RecordAuthor, kind: number, body: ReturnType<typeof encodeInfo>) => {
    const record = await author.record({ kind, serial: serial++, body });
    const previous = store.get(record.key);
    store.admit(record, clock.monotonic(), clock.wall());
    watch.handleStored(record, previous);
    return record;
  };
  const say = async (number: number, name: string) => {
    const author = await RecordAuthor.create(number);
    names.set(author.id, name);
    return await admit(author, 0, encodeInfo(plainInfo(name)));
  };
  const list = async (number: number, ...others: readonly number[]) => {
    const authors = await Promise.all(others.map((other) => RecordAuthor.create(other)));
    const links = authors.map(({ id }) => ({ peer: prefixHexOf(id), costExponent: 1 }));
    const bootNonce = new Uint8Array(16);
    await admit(await RecordAuthor.create(number), 1, encodeLinks({ bootNonce, links, lost: [] }));
  };
  /** Lets the watch do what is due, until it waits for nothing. */
  const settle = () => {
    for (let due = watch.nextTimeout(); due !== undefined; due = watch.nextTimeout()) {
      clock.spend(Math.max(0, due - clock.monotonic()));
      watch.handleTimeout(clock.monotonic());
    }
    return told.splice(0);
  };
  for (let i = 0; i < strangers; i++) await say(1_000 + i, `stranger ${i}`);
  settle();
  clock.spend(60_000);
  return { clock, watch, told, say, list, linked, forgotten, state, settle, looks: () => looks };
}

Deno.test("however fast changes come, looks at the fleet are as far apart as it is large", async () => {
  const strangers = 100;
  const { clock, watch, say, looks } = await fleet(strangers);
  const begun = clock.monotonic();
  const before = looks();
  for (let i = 0; i < 200; i++) {
    await say(2, `flood ${i}`);
    watch.view.reachable; // As each beacon, each eviction and each question does.
    const due = watch.nextTimeout();
    if (due !== undefined && due <= clock.monotonic()) watch.handleTimeout(clock.monotonic());
    clock.spend(1);
  }
  const most = (clock.monotonic() - begun) / (strangers * viewPerNode);
  assert(looks() - before <= most + 1, `${looks() - before} looks`);
  assert(looks() - before > 10, "it looks all the same");
});

Deno.test("while nobody asks or watches, changes are looked at rarely", async () => {
  const strangers = 100;
  const { clock, watch, say, state, looks } = await fleet(strangers);
  const looksIn = async (watched: boolean) => {
    state.watched = watched;
    const before = looks();
    for (let i = 0; i < 400; i++) {
      await say(2, `change ${i} ${watched}`);
      const due = watch.nextTimeout();
      if (due !== undefined && due <= clock.monotonic()) watch.handleTimeout(clock.monotonic());
      clock.spend(10);
    }
    return looks() - before;
  };
  const often = await looksIn(true);
  const seldom = await looksIn(false);
  assert(often <= 4_000 / Math.max(looksGap, watchedLookPerNode * strangers) + 1, `${often}`);
  assert(seldom <= 4_000 / (quietLookPerNode * strangers) + 2, `${seldom}`);
  assert(seldom > 2, `${seldom}`);
});

Deno.test("what is new, changed, reachable and unreachable is told once, after the changes", async () => {
  const { watch, say, list, linked, settle } = await fleet();
  watch.handleWatched();
  const near = await say(2, "near");
  await say(3, "far");
  assertEquals(settle(), ["near new", "far new"]);
  linked.add(near.author);
  await list(2, 3);
  await list(3, 2);
  assertEquals(settle().sort(), ["far reachable", "near reachable"]);
  await say(3, "farther");
  assertEquals(settle(), ["farther changed"]);
  await list(2);
  assertEquals(settle(), ["farther unreachable"]);
  assertEquals(watch.nextTimeout(), undefined);
  assertEquals(watch.view.known, 2);
  assertEquals(watch.view.reachable, 1);
});

Deno.test("who is new and changes before it is told of is new, once", async () => {
  const { watch, say, settle } = await fleet();
  watch.handleWatched();
  await say(2, "first");
  await say(2, "then");
  assertEquals(settle(), ["then new"]);
});

Deno.test("a node that is linked before anything is known of it is told of as new and reachable", async () => {
  const { watch, say, linked, settle } = await fleet();
  const { id } = await RecordAuthor.create(2);
  linked.add(id);
  watch.handleWatched();
  await say(2, "near");
  assertEquals(settle(), ["near new", "near reachable"]);
});

Deno.test("whoever begins to watch is told what comes after, not what was", async () => {
  const { watch, say, linked, state, settle } = await fleet();
  state.watched = false;
  const before = await say(2, "before");
  assertEquals(settle(), []);
  linked.add(before.author);
  watch.handleChange();
  state.watched = true;
  watch.handleWatched();
  await say(3, "after");
  assertEquals(settle(), ["after new"]);
});

Deno.test("a forgotten node is new when a path leads to it again, and when it says something new", async () => {
  const { watch, say, linked, forgotten, settle } = await fleet();
  watch.handleWatched();
  const one = await say(2, "one");
  settle();
  forgotten.set(one.author, one.serial);
  watch.handleChange();
  assertEquals(settle(), []);
  assertEquals(watch.view.known, 0);
  await say(2, "one anew");
  assertEquals(settle(), ["one anew new"]);
  const held = watch.view.get(one.author);
  assert(held !== undefined);
  forgotten.set(one.author, held.record.serial);
  linked.add(one.author);
  watch.handleChange();
  assertEquals(settle(), ["one anew met again", "one anew new", "one anew reachable"]);
});

Deno.test("a forgotten node of which nothing is held is met again when it says something", async () => {
  const { watch, say, linked, forgotten, settle } = await fleet();
  watch.handleWatched();
  const { id } = await RecordAuthor.create(2);
  forgotten.set(id, 0);
  linked.add(id);
  watch.handleChange();
  assertEquals([settle(), [...forgotten.keys()]], [[], [id]]);
  await say(2, "one");
  assertEquals(settle(), ["one met again", "one new", "one reachable"]);
});

Deno.test("names that two nodes claim are told, and when it is over", async () => {
  const { say, state, settle } = await fleet();
  state.watched = false;
  await say(2, "twin");
  await say(3, "twin");
  assertEquals(settle(), ["conflicts twin"]);
  await say(3, "single");
  assertEquals(settle(), ["conflicts "]);
});

Deno.test("whether a node is reached otherwise does not count the link with it", async () => {
  const { watch, say, list, linked, settle } = await fleet();
  const near = await say(2, "near");
  const far = await say(3, "far");
  linked.add(near.author);
  linked.add(far.author);
  watch.handleChange();
  settle();
  assertEquals(watch.isReachedOtherwise(far.author), false);
  await list(2, 3);
  await list(3, 2);
  settle();
  assertEquals(watch.isReachedOtherwise(far.author), true);
});

/** The watch of a store that holds so many from the start, and how many of them were taken apart. */
function startWithMany(count: number, told: string[] = []) {
  const clock = new SpentTime();
  const self = fakeAuthor(1);
  const store = new RecordStore({ selfId: self });
  const counted = { reads: 0 };
  const say = (author: number, name: string, serial = 1) => {
    const record = Object.defineProperty(fakeRecord({ author, serial }), "body", {
      get: () => {
        counted.reads++;
        return encodeInfo(plainInfo(name));
      },
    });
    const previous = store.get(record.key);
    assertEquals(store.admit(record, clock.monotonic(), clock.wall()).kind, "stored");
    return { record, previous };
  };
  for (let author = 1; author <= count; author++) say(author, `node ${author}`);
  const linked = new Set([fakeAuthor(2)]);
  const forgotten = new Map([[fakeAuthor(3), 1]]);
  const state = { watched: false };
  const silent = () => undefined;
  const watch = new FleetWatch(
    clock,
    { selfId: self, store, linked: () => linked, zoneOf: silent, forgotten },
    {
      isWatched: () => state.watched,
      handleNodeNew: (node) => void told.push(`${node.info.name} new`),
      handleNodeChanged: (node) => void told.push(`${node.info.name} changed`),
      handleNodeReachable: (node) => void told.push(`${node.info.name} reachable`),
      handleNodeUnreachable: (node) => void told.push(`${node.info.name} unreachable`),
      handleMetAgain: silent,
      handleConflicts: silent,
    },
  );
  return { clock, self, say, counted, linked, forgotten, state, watch };
}

Deno.test("after a start with many records the first look is prepared in slices, and nobody waits", () => {
  const count = readAheadFrom + readAheadSlice / 2;
  const { clock, self, counted, linked, forgotten, watch } = startWithMany(count);
  const prng = new Prng([7]);
  const picked = new Set<NodeId>();
  const ask = () => {
    const before = counted.reads;
    const id = watch.pick(false, prng, (one) => one !== fakeAuthor(4));
    assert(id !== undefined);
    picked.add(id);
    assertEquals(watch.pick(true, prng, (one) => !linked.has(one)), undefined);
    const smallest = watch.smallestReachable;
    assert(smallest === self || linked.has(smallest));
    watch.isReachedOtherwise(fakeAuthor(2));
    assertEquals(watch.view.nameOf(fakeAuthor(5)), "node 5");
    assert(counted.reads - before < 3, "asking takes no records apart");
    return smallest;
  };
  const smallest = ask();
  for (let slices = 1; counted.reads < count; slices++) {
    const before = counted.reads;
    const due = watch.nextTimeout();
    assert(due !== undefined && due <= clock.monotonic());
    watch.handleTimeout(clock.monotonic());
    assert(
      counted.reads > before && counted.reads - before <= readAheadSlice,
      `${counted.reads - before} in one turn`,
    );
    if (counted.reads < count) assertEquals(ask(), smallest);
  }
  clock.spend(60_000);
  watch.handleTimeout(clock.monotonic());
  assertEquals(ask(), smallest);
  assertEquals(watch.view.known, count - 1);
  for (const id of [self, ...linked, ...forgotten.keys(), fakeAuthor(4)]) assert(!picked.has(id));
});

Deno.test("who can wait is told when the first look is prepared, and is not kept by a node that stops", async () => {
  const count = readAheadFrom + 1;
  const { clock, counted, watch } = startWithMany(count);
  let wasRead = false;
  const waiting = watch.whenRead().then(() => wasRead = true);
  while (counted.reads < count) {
    await Promise.resolve();
    assertEquals(wasRead, false);
    const before = counted.reads;
    watch.handleTimeout(clock.monotonic());
    const most = Math.min(readAheadAwaitedSlice, count - before);
    assertEquals(counted.reads - before, most, "in larger slices than when nobody waits");
  }
  for (let i = 0; i < count; i++) watch.handleTimeout(clock.monotonic());
  await waiting;
  const before = counted.reads;
  assertEquals(watch.view.known, count - 1);
  assertEquals(counted.reads, before, "nothing is left to be taken apart");
  const { watch: other } = startWithMany(count);
  other.handleStopping();
  await other.whenRead();
});

Deno.test("whoever watches while the first look is prepared is told what comes after, in slices", () => {
  const count = readAheadFrom + 1;
  const told: string[] = [];
  const { clock, say, counted, linked, state, watch } = startWithMany(count, told);
  linked.add(fakeAuthor(4));
  const turn = () => {
    const before = counted.reads;
    clock.spend(1);
    watch.handleTimeout(clock.monotonic());
    assert(counted.reads - before <= readAheadSlice + 3, `${counted.reads - before} in one turn`);
  };
  turn();
  state.watched = true;
  const before = counted.reads;
  watch.handleWatched();
  assertEquals(counted.reads, before);
  linked.add(fakeAuthor(5));
  linked.delete(fakeAuthor(4));
  const { record, previous } = say(6, "renamed", 2);
  watch.handleStored(record, previous);
  while (counted.reads < count) turn();
  clock.spend(60_000);
  for (let i = 0; i < 100; i++) turn();
  assertEquals(told.sort(), ["node 4 unreachable", "node 5 reachable", "renamed changed"]);
});
