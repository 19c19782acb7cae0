import { assert, assertEquals } from "@std/assert";
import { type Instant, instant } from "../base/instant.ts";
import { type DuplicateEffect, DuplicateWatch } from "./duplicate.ts";

const low = new Uint8Array(16).fill(1);
const own = new Uint8Array(16).fill(5);
const high = new Uint8Array(16).fill(9);
const info = 0;
const links = 1;

function at(seconds: number): Instant {
  return instant(1_000_000 + seconds * 1_000);
}

function kinds(effects: readonly DuplicateEffect[]): string[] {
  return effects.map((effect) => effect.kind);
}

/** A watch that has met a higher serial (100), jumped, and published 101 at second 0. */
function afterJump(): DuplicateWatch {
  const watch = new DuplicateWatch(own);
  watch.handlePublished(info, 50, at(-5));
  watch.handleOwnRecord({ kind: info, serial: 100, bootNonce: low }, at(-1));
  watch.handlePublished(info, 101, at(0));
  return watch;
}

Deno.test("a higher serial of one's own is first answered by a jump above it", () => {
  const watch = new DuplicateWatch(own);
  watch.handlePublished(info, 50, at(0));
  const met = watch.handleOwnRecord({ kind: info, serial: 100, bootNonce: high }, at(1));
  assertEquals(met, [{ kind: "jump", recordKind: info, above: 100 }]);
  assertEquals(watch.handleOwnRecord({ kind: info, serial: 200, bootNonce: high }, at(2)), []);
  assertEquals(watch.snapshot(), { foreignNonces: [], stopped: false });
});

Deno.test("each kind has its own jump", () => {
  const watch = new DuplicateWatch(own);
  watch.handlePublished(info, 50, at(0));
  watch.handlePublished(links, 60, at(0));
  assertEquals(kinds(watch.handleOwnRecord({ kind: info, serial: 51 }, at(1))), ["jump"]);
  assertEquals(watch.handleOwnRecord({ kind: links, serial: 55 }, at(1)), []);
  assertEquals(kinds(watch.handleOwnRecord({ kind: links, serial: 61 }, at(1))), ["jump"]);
});

Deno.test("echoes of this and of earlier starts mean nothing", () => {
  const watch = new DuplicateWatch(own, [[info, 50]]);
  for (const serial of [1, 49, 50]) {
    assertEquals(watch.handleOwnRecord({ kind: info, serial, bootNonce: high }, at(0)), []);
  }
  watch.handlePublished(info, 70, at(1));
  for (const serial of [51, 70]) {
    assertEquals(watch.handleOwnRecord({ kind: info, serial, bootNonce: high }, at(3_600)), []);
  }
});

Deno.test("a higher serial at once after the jump is no duplicate, ten seconds later it is", () => {
  const record = { kind: info, serial: 102, bootNonce: high };
  assertEquals(afterJump().handleOwnRecord(record, at(0)), []);
  assertEquals(kinds(afterJump().handleOwnRecord(record, at(9.999))), ["jump"]);
  assertEquals(afterJump().handleOwnRecord(record, at(10)), [
    { kind: "duplicate", foreignNonce: high, seen: "record" },
    { kind: "jump", recordKind: info, above: 102 },
  ]);
});

Deno.test("a serial at or below the one published after the jump is no duplicate", () => {
  const watch = afterJump();
  for (const serial of [100, 101]) {
    assertEquals(watch.handleOwnRecord({ kind: info, serial, bootNonce: high }, at(60)), []);
  }
});

Deno.test("publishing again neither puts the finding off nor hides it", () => {
  const watch = afterJump();
  watch.handlePublished(info, 500, at(9));
  const record = { kind: info, serial: 300, bootNonce: high };
  assertEquals(kinds(watch.handleOwnRecord(record, at(10))), ["duplicate"]);
});

Deno.test("a record of this very start is never a duplicate", () => {
  const watch = afterJump();
  assertEquals(watch.handleOwnRecord({ kind: info, serial: 900, bootNonce: own }, at(60)), []);
});

Deno.test("a record without a boot nonce is never a duplicate", () => {
  const watch = afterJump();
  assertEquals(kinds(watch.handleOwnRecord({ kind: info, serial: 900 }, at(60))), ["jump"]);
});

Deno.test("the higher boot nonce stops announcing, the lower goes on", () => {
  const record = { kind: info, serial: 102 };
  const yielding = afterJump();
  assertEquals(kinds(yielding.handleOwnRecord({ ...record, bootNonce: low }, at(10))), [
    "duplicate",
    "jump",
    "stop-announcing",
  ]);
  const staying = afterJump();
  assertEquals(kinds(staying.handleOwnRecord({ ...record, bootNonce: high }, at(10))), [
    "duplicate",
    "jump",
  ]);
  assertEquals([yielding.snapshot().stopped, staying.snapshot().stopped], [true, false]);
});

Deno.test("own id with a foreign boot nonce in an exchange is a duplicate at once", () => {
  const watch = new DuplicateWatch(own);
  assertEquals(watch.handleOwnIdInExchange(low, at(0)), [
    { kind: "duplicate", foreignNonce: low, seen: "exchange" },
    { kind: "stop-announcing" },
  ]);
  assertEquals(kinds(new DuplicateWatch(own).handleOwnIdInExchange(high, at(0))), ["duplicate"]);
});

Deno.test("own id and own boot nonce in an exchange is this process itself", () => {
  const watch = new DuplicateWatch(own);
  assertEquals(watch.handleOwnIdInExchange(own.slice(), at(0)), [{ kind: "dialled-myself" }]);
  assertEquals(watch.snapshot(), { foreignNonces: [], stopped: false });
});

Deno.test("each foreign node is reported once, and stopping is said once", () => {
  const watch = afterJump();
  const other = new Uint8Array(16).fill(2);
  assertEquals(kinds(watch.handleOwnIdInExchange(low, at(0))), ["duplicate", "stop-announcing"]);
  assertEquals(watch.handleOwnIdInExchange(low, at(1)), []);
  assertEquals(watch.handleOwnRecord({ kind: info, serial: 900, bootNonce: low }, at(60)), []);
  assertEquals(kinds(watch.handleOwnIdInExchange(other, at(2))), ["duplicate"]);
  assertEquals(watch.snapshot().foreignNonces.length, 2);
});

Deno.test("a node that has stopped jumps no more", () => {
  const watch = new DuplicateWatch(own);
  watch.handleOwnIdInExchange(low, at(0));
  assertEquals(watch.handleOwnRecord({ kind: info, serial: 900, bootNonce: low }, at(1)), []);
});

Deno.test("two clones started from one disk find each other, and exactly one stops", () => {
  const nonces = [low, high] as const;
  const watches = nonces.map((nonce) => new DuplicateWatch(nonce, [[info, 100]]));
  const [a, b] = watches;
  if (a === undefined || b === undefined) throw new Error("two");
  // Both publish; each hears the other's, and neither ever publishes but for that.
  let serial = 1_000;
  const latest = [0, 0];
  const publish = (who: number, now: number) => {
    latest[who] = ++serial;
    watches[who]?.handlePublished(info, serial, at(now));
  };
  const hear = (who: number, now: number): readonly DuplicateEffect[] =>
    watches[who]?.handleOwnRecord(
      { kind: info, serial: latest[1 - who] ?? 0, bootNonce: nonces[1 - who] ?? low },
      at(now),
    ) ?? [];
  publish(0, 0);
  publish(1, 0);
  const told: string[][] = [[], []];
  const run = (who: number, effects: readonly DuplicateEffect[], now: number) => {
    if (effects.some((effect) => effect.kind === "jump")) publish(who, now);
    told[who]?.push(...kinds(effects));
  };
  for (let now = 1; now < 60; now++) {
    for (const [who, watch] of watches.entries()) {
      run(who, hear(who, now), now);
      run(who, watch.handleTimeout(at(now)), now);
    }
  }
  assertEquals(a.snapshot().stopped, false);
  assertEquals(b.snapshot().stopped, true);
  for (const each of told) assertEquals(each.filter((kind) => kind === "duplicate").length, 1);
  assert((latest[0] ?? 0) > (latest[1] ?? 0), "whoever goes on has the last word");
  assertEquals([a.nextTimeout(), b.nextTimeout()], [undefined, undefined]);
});

Deno.test("what is met too soon after a jump is answered when ten seconds are over", () => {
  const watch = afterJump();
  assertEquals(watch.nextTimeout(), undefined);
  for (const serial of [300, 200]) {
    assertEquals(watch.handleOwnRecord({ kind: info, serial, bootNonce: low }, at(3)), []);
  }
  assertEquals(watch.nextTimeout(), at(9));
  assertEquals(watch.handleTimeout(at(8.9)), []);
  assertEquals(watch.handleTimeout(at(9)), [{ kind: "jump", recordKind: info, above: 300 }]);
  assertEquals(watch.nextTimeout(), undefined);
  assertEquals(watch.snapshot().foreignNonces, []);
});

Deno.test("what was met too soon needs no answer once something newer was published", () => {
  const watch = afterJump();
  watch.handleOwnRecord({ kind: info, serial: 300, bootNonce: low }, at(3));
  watch.handlePublished(info, 301, at(4));
  assertEquals(watch.handleTimeout(at(9)), []);
  assertEquals(watch.nextTimeout(), undefined);
});

Deno.test("a restored backup among peers that remember its old life is no duplicate", () => {
  const watch = new DuplicateWatch(own, [[info, 10]]);
  watch.handlePublished(info, 11, at(0));
  assertEquals(kinds(watch.handleOwnRecord({ kind: info, serial: 40, bootNonce: low }, at(1))), [
    "jump",
  ]);
  watch.handlePublished(info, 41, at(1));
  for (let now = 2; now < 3_600; now += 7) {
    for (const serial of [20, 30, 40]) {
      assertEquals(watch.handleOwnRecord({ kind: info, serial, bootNonce: low }, at(now)), []);
    }
  }
});
