import { assert, assertEquals } from "@std/assert";
import { instant, later, milliseconds } from "../base/instant.ts";
import { callAt, SystemClock } from "./system_clock.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

const clock = new SystemClock();

Deno.test("a wait is never over before its instant", async () => {
  for (const length of [0, 0.3, 1, 2.7, 11]) {
    const until = later(clock.monotonic(), milliseconds(length));
    await clock.wait(until, new AbortController().signal);
    assert(clock.monotonic() >= until, `${length} ms`);
  }
});

Deno.test("a wait ends when it is called off, before or meanwhile, and leaves no timer", async () => {
  const aborted = new AbortController();
  aborted.abort();
  await clock.wait(instant(Infinity), aborted.signal);
  const controller = new AbortController();
  const waiting = clock.wait(instant(Infinity), controller.signal);
  controller.abort();
  await waiting;
});

Deno.test("what is called off is not called, what is due is", async () => {
  const called: string[] = [];
  const callOff = callAt(clock, clock.monotonic(), () => called.push("called off"));
  callOff();
  await new Promise<void>((resolve) => {
    callAt(clock, later(clock.monotonic(), milliseconds(1)), () => {
      called.push("due");
      resolve();
    });
  });
  assertEquals(called, ["due"]);
});
