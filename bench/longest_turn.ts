/**
 * How long others have to wait while something goes on: the longest turn of the event loop, by the
 * processor time that its thread used, so that other work on the machine does not count. Linux only;
 * the system counts in its ticks, of four milliseconds at most.
 *
 * @module
 */
import { SkippedError } from "./frame.ts";

/** Where the system says, in nanoseconds, how long this thread has run. */
const ranPath = "/proc/thread-self/schedstat";

/** Lets everything else have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function ranMilliseconds(): number {
  return Number(Deno.readTextFileSync(ranPath).split(" ")[0]) / 1_000_000;
}

/** The longest turn until `work` is done, in milliseconds; timers look a millisecond apart at least. */
export async function longestTurn(work: () => Promise<void>): Promise<number> {
  if (Deno.build.os !== "linux") throw new SkippedError(`no ${ranPath}`);
  let longest = 0;
  let isDone = false;
  const looking = (async () => {
    let before = ranMilliseconds();
    while (!isDone) {
      await nextTurn();
      const after = ranMilliseconds();
      longest = Math.max(longest, after - before);
      before = after;
    }
  })();
  // Not in the turn that began to look.
  await nextTurn();
  try {
    await work();
    await nextTurn();
  } finally {
    isDone = true;
    await looking;
  }
  return longest;
}
