/** What the service manager and the terminal ask for. @module */
import { machine } from "./machine.ts";

/** What to do on signals. */
export interface SignalHandlers {
  /** SIGTERM, SIGINT (Windows: also SIGBREAK): stop in order. May be called more than once. */
  readonly stop: (signal: string) => void;
  /** SIGHUP: read the configuration again. */
  readonly reload: () => void;
}

/** Listens to signals until the function returned is called. */
export function listenToSignals(handlers: SignalHandlers): () => void {
  // Windows knows no SIGTERM; asking for it there throws.
  const stops: Deno.Signal[] = machine.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGTERM", "SIGINT"];
  const listeners: [Deno.Signal, () => void][] = stops.map((
    signal,
  ) => [signal, () => handlers.stop(signal)]);
  listeners.push(["SIGHUP", handlers.reload]);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}
