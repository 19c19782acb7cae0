/**
 * The signals of the process as a command sees them: the first request to stop, an impatient second
 * one, and requests to read the configuration again.
 *
 * @module
 */
import { listenToSignals } from "./signals.ts";

/** Signals so far and to come. */
export interface StopSignals {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  /** Aborts at the second. */
  readonly stopNow: AbortSignal;
  /** Calls the listener at every SIGHUP. */
  onReload(listener: () => void): void;
}

/** Listens until the process ends. */
export function stopSignals(): StopSignals {
  const first = new AbortController();
  const second = new AbortController();
  const reloaders: (() => void)[] = [];
  listenToSignals({
    stop: () => (first.signal.aborted ? second : first).abort(),
    reload: () => reloaders.forEach((reload) => reload()),
  });
  return {
    stop: first.signal,
    stopNow: second.signal,
    onReload: (listener) => void reloaders.push(listener),
  };
}
