import { assert, assertEquals } from "@std/assert";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { type Instant, instant, later, milliseconds, seconds, wallTime } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { Pump, type Timed } from "./pump.ts";

/** Wants to be called at certain times; notes when it was. */
class Alarm implements Timed {
  readonly called: number[] = [];
  due: Instant | undefined;
  readonly #time: VirtualTime;
  readonly #next: () => Instant | undefined;

  constructor(time: VirtualTime, due?: Instant, next: () => Instant | undefined = () => undefined) {
    this.#time = time;
    this.#next = next;
    this.due = due;
  }

  nextTimeout(): Instant | undefined {
    return this.due;
  }

  handleTimeout(): void {
    this.called.push(this.#time.now);
    this.due = this.#next();
  }
}

function world() {
  const time = new VirtualTime();
  const clock = new VirtualClock(time);
  const at = (ms: number) => later(clock.monotonic(), milliseconds(ms - time.now));
  const stopping = new AbortController();
  return { time, clock, at, stopping };
}

Deno.test("each part is called when its own time has come, and not before", async () => {
  const { time, clock, at, stopping } = world();
  const [early, late, never] = [new Alarm(time, at(10)), new Alarm(time, at(70)), new Alarm(time)];
  const running = new Pump(clock, [late, early, never]).run(stopping.signal);
  await time.advance(milliseconds(500));
  assertEquals([early.called, late.called, never.called], [[10], [70], []]);
  stopping.abort();
  await running;
});

Deno.test("a deadline that came nearer is met after a poke, and within three seconds without", async () => {
  const { time, clock, at, stopping } = world();
  const alarm: Alarm = new Alarm(time, at(60_000), () => at(60_000));
  const pump = new Pump(clock, [alarm]);
  const running = pump.run(stopping.signal);
  await time.advance(milliseconds(1_500));
  alarm.due = at(1_600);
  pump.poke();
  await time.advance(milliseconds(100));
  assertEquals(alarm.called, [1_600]);
  alarm.due = at(1_650);
  await time.advance(seconds(3));
  const [, second] = alarm.called;
  assert(second !== undefined && second <= 4_650);
  stopping.abort();
  await running;
});

Deno.test("a poke while the parts are being called is not lost", async () => {
  const { time, clock, at, stopping } = world();
  const second = new Alarm(time);
  const first: Timed = {
    nextTimeout: () => second.called.length === 0 ? at(100) : undefined,
    handleTimeout: () => {
      // As from a datagram that is handled meanwhile.
      second.due = at(110);
      pump.poke();
    },
  };
  const pump: Pump = new Pump(clock, [second, first]);
  const running = pump.run(stopping.signal);
  await time.advance(milliseconds(200));
  assertEquals(second.called, [110]);
  stopping.abort();
  await running;
});

Deno.test("a part that stays due starves neither the others nor the rest of the process", async () => {
  const { time, clock, at, stopping } = world();
  const greedy = new Alarm(time, at(0), () => at(0));
  const other = new Alarm(time, at(50));
  const running = new Pump(clock, [greedy, other]).run(stopping.signal);
  await time.advance(milliseconds(100));
  assertEquals(other.called, [50]);
  assert(greedy.called.length <= 102);
  stopping.abort();
  await running;
});

Deno.test("a part that stays due and takes its time lets the rest of the process have a turn each round", async () => {
  let now = 0;
  let turns = 0;
  let rounds = 0;
  const stopping = new AbortController();
  const clock: Clock = {
    monotonic: () => instant(now),
    wall: () => wallTime(now),
    wait: (until) => {
      // As the machine's: for what is past nobody waits.
      if (until > now) {
        turns++;
        now = until;
      }
      return Promise.resolve();
    },
  };
  const slow: Timed = {
    nextTimeout: () => instant(0),
    handleTimeout: () => {
      assertEquals(turns, rounds);
      rounds++;
      now += 5;
      if (rounds === 20) stopping.abort();
    },
  };
  await new Pump(clock, [slow]).run(stopping.signal);
  assertEquals(rounds, 20);
});

Deno.test("the pump ends with its signal, at once and without a further call", async () => {
  const { time, clock, at, stopping } = world();
  const alarm = new Alarm(time, at(10));
  const running = new Pump(clock, [alarm]).run(stopping.signal);
  stopping.abort();
  await running;
  await time.advance(seconds(1));
  assertEquals(alarm.called, []);
});
