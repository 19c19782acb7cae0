/**
 * Waiting for what another process does, with a deadline: looks again and again until it is so.
 *
 * @module
 */

/** From one look to the next, in milliseconds: long enough to leave the processor to the others. */
const lookEveryMs = 50;

/** How long anything may take unless said otherwise: generous, for a loaded machine. */
export const deadlineMs = 20_000;

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export function pause(lengthMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, lengthMs);
    signal?.addEventListener("abort", done);
    if (signal?.aborted === true) done();
  });
}

/** How to wait. */
export interface WaitOptions {
  readonly withinMs?: number;
  readonly everyMs?: number;
  /** Aborted: the wait ends at once, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Resolves to the first value that `look` gives other than `undefined` and `false`. Throws past the
 * deadline, with what was awaited and what the last look threw.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: number | WaitOptions = {},
): Promise<T> {
  const { withinMs = deadlineMs, everyMs = lookEveryMs, signal } = typeof options === "number"
    ? { withinMs: options }
    : options;
  const end = performance.now() + withinMs;
  let last: unknown;
  while (true) {
    signal?.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`Not within ${withinMs} ms: ${what}`, { cause: last });
    }
    await pause(everyMs, signal);
  }
}
