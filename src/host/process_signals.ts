/**
 * The signals of the process as a command sees them: the first request to stop, an impatient second
 * one, and requests to read the configuration again.
 *
 * @module
 */
import { elapsed, type Instant, milliseconds } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { listenToSignals } from "./signals.ts";
import { SystemClock } from "./system_clock.ts";

/** Signals so far and to come. */
export interface StopSignals {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  /** Aborts at a second that comes later than an echo of the first. */
  readonly stopNow: AbortSignal;
  /** Calls the listener at every SIGHUP. */
  onReload(listener: () => void): void;
}

/**
 * Ctrl-C below a task runner arrives twice, from the terminal and passed on by the runner: what
 * comes this soon after the first is its echo, not impatience.
 */
const echoOfSignal = milliseconds(500);

/** Listens until the process ends. */
export function stopSignals(clock: Clock = new SystemClock()): StopSignals {
  const first = new AbortController();
  const second = new AbortController();
  const reloaders: (() => void)[] = [];
  let firstAt: Instant | undefined;
  listenToSignals({
    stop: () => {
      const now = clock.monotonic();
      firstAt ??= now;
      if (!first.signal.aborted) first.abort();
      else if (elapsed(firstAt, now) > echoOfSignal) second.abort();
    },
    reload: () => reloaders.forEach((reload) => reload()),
  });
  return {
    stop: first.signal,
    stopNow: second.signal,
    onReload: (listener) => void reloaders.push(listener),
  };
}
