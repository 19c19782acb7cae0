import { assert, assertEquals } from "@std/assert";
import { type Instant, instant, later, milliseconds } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import { ip } from "../../tests/fixtures/addresses.ts";
import { HandshakeSlots, type SlotEffect } from "./handshake_slots.ts";
import {
  EXCHANGE_LIMIT,
  FINISHED_IDLE_LIMIT,
  FINISHED_MAX,
  HANDSHAKES_KEPT_FOR_KNOWN,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_SOURCE_MAX,
  LATE_EXTENSIONS_MAX,
  LATE_TIMER,
  QUEUE_LIMIT,
  QUEUED_MAX,
  QUEUED_PER_SOURCE_MAX,
  TLS_LIMIT,
} from "./limits.ts";

const t0 = instant(1_000);

/** The n-th stranger's address. */
function stranger(n: number): IpAddress {
  return ip(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`);
}

function started(effects: readonly SlotEffect[]): number[] {
  return effects.flatMap((effect) => effect.kind === "start" ? [effect.connection] : []);
}

function closed(effects: readonly SlotEffect[]): [number, string][] {
  return effects.flatMap((effect) =>
    effect.kind === "close" ? [[effect.connection, effect.reason] satisfies [number, string]] : []
  );
}

Deno.test("the fifth handshake of one source waits until one of the four is finished or gone", () => {
  const slots = new HandshakeSlots();
  const source = ip("192.0.2.7");
  for (let n = 0; n < HANDSHAKES_PER_SOURCE_MAX; n++) {
    assertEquals(started(slots.handleArrival(n, source, false, t0)), [n]);
  }
  assertEquals(slots.handleArrival(10, source, false, t0), []);
  assertEquals(slots.handleArrival(11, source, false, t0), []);
  assertEquals(started(slots.handleArrival(12, ip("192.0.2.8"), false, t0)), [12]);
  slots.handleSecure(2);
  assertEquals(started(slots.handleFinished(2, t0)), [10]);
  assertEquals(started(slots.handleClosed(0, t0)), [11]);
  assertEquals(slots.handleClosed(1, t0), []);
});

Deno.test("loopback has no limit of its own but counts in the whole", () => {
  const slots = new HandshakeSlots({ keptForKnown: 0 });
  for (let n = 0; n < HANDSHAKES_MAX; n++) {
    assertEquals(slots.handleArrival(n, ip(n % 2 === 0 ? "127.0.0.1" : "::1"), false, t0), [
      { kind: "start", connection: n },
    ]);
  }
  assertEquals(closed(slots.handleArrival(99, ip("127.0.0.1"), false, t0)), [
    [0, "made room for a newer handshake"],
  ]);
});

Deno.test("a flood of strangers closes the oldest stranger and leaves the slots kept for the known", () => {
  const slots = new HandshakeSlots();
  const open = HANDSHAKES_MAX - HANDSHAKES_KEPT_FOR_KNOWN;
  for (let n = 0; n < open; n++) slots.handleArrival(n, stranger(n), false, t0);
  assertEquals(slots.handleArrival(1_000, stranger(1_000), false, t0), [
    { kind: "close", connection: 0, reason: "made room for a newer handshake" },
    { kind: "start", connection: 1_000 },
  ]);
  for (let n = 0; n < HANDSHAKES_KEPT_FOR_KNOWN; n++) {
    assertEquals(closed(slots.handleArrival(2_000 + n, stranger(2_000 + n), true, t0)), []);
  }
  assertEquals(slots.counts().unfinished, HANDSHAKES_MAX);
  // Full: a stranger goes for one known, the oldest; no known one goes for a stranger.
  assertEquals(closed(slots.handleArrival(3_000, stranger(3_000), true, t0))[0]?.[0], 1);
  for (let n = 0; n < 500; n++) {
    const gone = closed(slots.handleArrival(4_000 + n, stranger(4_000 + n), false, t0));
    assert(gone.every(([connection]) => connection < 2_000 || connection >= 4_000));
  }
});

Deno.test("if everybody is known, the oldest of them goes", () => {
  const slots = new HandshakeSlots();
  for (let n = 0; n < HANDSHAKES_MAX; n++) slots.handleArrival(n, stranger(n), true, t0);
  assertEquals(closed(slots.handleArrival(100, stranger(100), true, t0))[0]?.[0], 0);
  assertEquals(closed(slots.handleArrival(101, stranger(101), false, t0))[0]?.[0], 1);
});

Deno.test("TLS has three seconds, the whole exchange ten, counted from the start", () => {
  const slots = new HandshakeSlots();
  slots.handleArrival(1, stranger(1), false, t0);
  slots.handleArrival(2, stranger(2), false, t0);
  slots.handleSecure(2);
  assertEquals(slots.nextTimeout(), later(t0, TLS_LIMIT));
  assertEquals(slots.handleTimeout(instant(t0 + TLS_LIMIT - 1)), []);
  assertEquals(closed(slots.handleTimeout(later(t0, TLS_LIMIT))), [[1, "TLS took too long"]]);
  assertEquals(slots.nextTimeout(), later(t0, EXCHANGE_LIMIT));
  // Requests give an unfinished exchange no more time.
  slots.handleRequest(2, later(t0, milliseconds(9_000)));
  assertEquals(closed(slots.handleTimeout(later(t0, EXCHANGE_LIMIT))), [[
    2,
    "exchange took too long",
  ]]);
  assertEquals(slots.nextTimeout(), undefined);
});

Deno.test("a machine that notices late that a time is over gives it the exchange's, three times", () => {
  const slots = new HandshakeSlots();
  slots.handleArrival(1, stranger(1), false, t0);
  let due = later(t0, TLS_LIMIT);
  for (let i = 0; i < LATE_EXTENSIONS_MAX; i++) {
    const noticed = later(due, LATE_TIMER);
    assertEquals(slots.handleTimeout(noticed), []);
    due = later(noticed, EXCHANGE_LIMIT);
    assertEquals(slots.nextTimeout(), due);
  }
  assertEquals(closed(slots.handleTimeout(later(due, LATE_TIMER))), [[1, "TLS took too long"]]);
});

Deno.test("time that was given for lateness is not taken back when TLS is done", () => {
  const slots = new HandshakeSlots();
  slots.handleArrival(1, stranger(1), false, t0);
  const noticed = later(later(t0, TLS_LIMIT), LATE_TIMER);
  slots.handleTimeout(noticed);
  slots.handleSecure(1);
  assertEquals(slots.nextTimeout(), later(noticed, EXCHANGE_LIMIT));
});

Deno.test("who waits has ten seconds for a turn, and TLS's time runs from the turn", () => {
  const slots = new HandshakeSlots({ perSourceMax: 1 });
  slots.handleArrival(1, stranger(1), false, t0);
  slots.handleArrival(2, stranger(1), false, t0);
  slots.handleArrival(3, stranger(1), false, t0);
  const turn = later(t0, TLS_LIMIT);
  const effects = slots.handleTimeout(turn);
  assertEquals(closed(effects), [[1, "TLS took too long"]]);
  assertEquals(started(effects), [2]);
  slots.handleSecure(2);
  assertEquals(slots.handleTimeout(later(turn, TLS_LIMIT)), []);
  assertEquals(closed(slots.handleTimeout(later(t0, QUEUE_LIMIT))), [
    [3, "waited too long for a turn"],
  ]);
});

Deno.test("queues have limits, per source and in all", () => {
  const slots = new HandshakeSlots();
  const source = ip("192.0.2.7");
  const room = HANDSHAKES_PER_SOURCE_MAX + QUEUED_PER_SOURCE_MAX;
  for (let n = 0; n < room; n++) {
    assertEquals(closed(slots.handleArrival(n, source, false, t0)), []);
  }
  assertEquals(closed(slots.handleArrival(999, source, false, t0)), [[999, "queue full"]]);
  let connection = 1_000;
  for (let other = 0; other < 8; other++) {
    for (let n = 0; n < room; n++) slots.handleArrival(connection++, stranger(other), false, t0);
  }
  assertEquals(slots.counts().queued, QUEUED_MAX);
});

Deno.test("those who wait close nobody when another's slot is taken from them", () => {
  const slots = new HandshakeSlots({ handshakesMax: 4, keptForKnown: 0, perSourceMax: 2 });
  for (let n = 0; n < 20; n++) slots.handleArrival(n, stranger(n % 2), false, t0);
  assertEquals(slots.counts(), { unfinished: 4, queued: 16, finished: 0 });
  const effects = slots.handleArrival(50, stranger(7), false, t0);
  assertEquals(closed(effects).length, 1);
  assertEquals(started(effects), [50]);
});

Deno.test("a finished connection lives on while requests come, and the idlest makes room", () => {
  const slots = new HandshakeSlots();
  for (let n = 0; n < FINISHED_MAX; n++) {
    slots.handleArrival(n, stranger(n), false, t0);
    slots.handleSecure(n);
    assertEquals(slots.handleFinished(n, t0), []);
  }
  slots.handleRequest(0, later(t0, milliseconds(5)));
  slots.handleArrival(500, stranger(500), false, t0);
  assertEquals(closed(slots.handleFinished(500, later(t0, milliseconds(6)))), [
    [1, "made room for a newer transfer"],
  ]);
  const idle = closed(slots.handleTimeout(later(t0, FINISHED_IDLE_LIMIT)));
  assertEquals(idle.length, FINISHED_MAX - 2);
  assertEquals(slots.counts().finished, 2);
});

Deno.test("any sequence of events stays inside the limits and forgets nobody (seeded)", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng([seed, 77]);
    const slots = new HandshakeSlots({ handshakesMax: 8, keptForKnown: 3, queuedMax: 10 });
    const alive = new Set<number>();
    const running = new Set<number>();
    let now: Instant = t0;
    const perform = (effects: readonly SlotEffect[]) => {
      for (const effect of effects) {
        assert(alive.has(effect.connection), `seed ${seed}: an effect on one that is gone`);
        if (effect.kind === "start") {
          assert(!running.has(effect.connection), `seed ${seed}: started twice`);
          running.add(effect.connection);
        } else {
          alive.delete(effect.connection);
          running.delete(effect.connection);
          perform(slots.handleClosed(effect.connection, now));
        }
      }
    };
    for (let n = 0; n < 2_000; n++) {
      now = later(now, milliseconds(prng.below(400)));
      const one = prng.pick([...alive]) ?? 0;
      const choice = prng.below(6);
      if (choice <= 1) {
        alive.add(n);
        perform(slots.handleArrival(n, stranger(prng.below(6)), prng.below(3) === 0, now));
      } else if (choice === 2) slots.handleSecure(one);
      else if (choice === 3 && running.has(one)) perform(slots.handleFinished(one, now));
      else if (choice === 4) {
        alive.delete(one);
        running.delete(one);
        perform(slots.handleClosed(one, now));
      } else perform(slots.handleTimeout(now));
      const counts = slots.counts();
      assert(counts.unfinished <= 8 && counts.queued <= 10, `seed ${seed}: a limit is passed`);
      assertEquals(counts.unfinished + counts.queued + counts.finished, alive.size, `seed ${seed}`);
    }
    // Liveness: when time passes, everybody is closed, so nothing is kept for ever.
    for (let i = 0; i < 100 && slots.nextTimeout() !== undefined; i++) {
      now = slots.nextTimeout() ?? now;
      perform(slots.handleTimeout(now));
    }
    assertEquals(alive.size, 0, `seed ${seed}`);
  }
});
