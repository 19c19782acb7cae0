/**
 * Waiting for what another process does, with a deadline: looks again and again until it is so.
 * The one place in the tests that knows time passes.
 *
 * @module
 */

/** From one look to the next, in milliseconds: long enough to leave the processor to the others. */
const lookEveryMs = 50;

/** How long anything may take unless said otherwise: generous, for a loaded machine. */
export const deadlineMs = 20_000;

/**
 * Resolves to the first value that `look` gives other than `undefined` and `false`. Throws past the
 * deadline, with what was awaited and what the last look threw.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs: number = deadlineMs,
): Promise<T> {
  const end = performance.now() + withinMs;
  let last: unknown;
  while (true) {
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
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
