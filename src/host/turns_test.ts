import { assert, assertEquals } from "@std/assert";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { milliseconds, seconds } from "../base/instant.ts";
import { SystemClock } from "./system_clock.ts";
import { Turns } from "./turns.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const never = new AbortController().signal;

Deno.test("no more turns are taken than there are, and the first in line goes next", async () => {
  const turns = new Turns(new SystemClock(), 2, seconds(10));
  const [first, second] = [await turns.take(never), await turns.take(never)];
  const order: number[] = [];
  const waiting = [3, 4].map(async (number) => {
    const give = await turns.take(never);
    order.push(number);
    return give;
  });
  await Promise.resolve();
  assertEquals(order, []);
  first?.();
  // Giving back twice gives one turn.
  first?.();
  const third = await waiting[0];
  assertEquals(order, [3]);
  second?.();
  third?.();
  (await waiting[1])?.();
  assertEquals(order, [3, 4]);
  assert(await turns.take(never) !== undefined);
});

Deno.test("who waits too long or is called off leaves the line", async () => {
  const turns = new Turns(new SystemClock(), 1, milliseconds(1));
  const give = await turns.take(never);
  assertEquals(await turns.take(never), undefined);
  assertEquals(await turns.take(AbortSignal.abort()), undefined);
  give?.();
  assert(await turns.take(never) !== undefined);
});

Deno.test("turns that run into their limits become fewer, and those in time more again", async () => {
  const turns = new Turns(new SystemClock(), 4, milliseconds(1));
  const taken = async () => {
    const gives = [];
    for (let give = await turns.take(never); give !== undefined; give = await turns.take(never)) {
      gives.push(give);
    }
    for (const give of gives) give();
    return gives.length;
  };
  assertEquals(await taken(), 4);
  turns.handleLate();
  assertEquals(await taken(), 2);
  for (let late = 0; late < 3; late++) turns.handleLate();
  assertEquals(await taken(), 1);
  for (let inTime = 0; inTime < 5; inTime++) turns.handleInTime();
  assertEquals(await taken(), 4);
});

Deno.test("a turn that there is again goes to the first in line", async () => {
  const turns = new Turns(new SystemClock(), 2, seconds(10));
  turns.handleLate();
  const give = await turns.take(never);
  const waiting = turns.take(never);
  turns.handleInTime();
  // Not by the first one's going, which comes later, nor because its patience is over.
  const second = await waiting;
  assert(second !== undefined);
  second();
  give?.();
});

Deno.test("a turn given back while there are too many is nobody's", async () => {
  const time = new VirtualTime();
  const turns = new Turns(new VirtualClock(time), 4, seconds(10));
  const [first, second, third] = await Promise.all([1, 2, 3, 4].map(() => turns.take(never)));
  for (let late = 0; late < 2; late++) turns.handleLate();
  let isTurn = false;
  const waiting = turns.take(never).then((give) => {
    isTurn = true;
    return give;
  });
  const wasGiven = async () => {
    await time.advance(milliseconds(1));
    return isTurn;
  };
  first?.();
  assert(!await wasGiven(), "three are taken, of one");
  second?.();
  turns.handleInTime();
  assert(!await wasGiven(), "two are taken, of two");
  third?.();
  assert(await wasGiven());
  (await waiting)?.();
});
