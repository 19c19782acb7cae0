import { assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { machine } from "./machine.ts";
import { listenToSignals } from "./signals.ts";
import { SystemClock } from "./system_clock.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("signals reach their handlers until nobody listens", {
  ignore: machine.os === "windows",
}, async () => {
  const seen: string[] = [];
  let wake = () => {};
  const saw = (what: string) => {
    seen.push(what);
    wake();
  };
  // Listening to signals alone keeps no program running.
  const stay = new AbortController();
  const staying = new SystemClock().wait(instant(Infinity), stay.signal);
  const stopListening = listenToSignals({ stop: saw, reload: () => saw("reload") });
  // Not SIGINT: the test runner ends on it.
  for (const signal of ["SIGHUP", "SIGTERM"] satisfies Deno.Signal[]) {
    const arrived = new Promise<void>((resolve) => wake = resolve);
    Deno.kill(machine.pid, signal);
    await arrived;
  }
  stopListening();
  stay.abort();
  await staying;
  assertEquals(seen, ["reload", "SIGTERM"]);
});
