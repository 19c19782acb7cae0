/**
 * What happened, for whoever watches: a bounded queue per watcher, the oldest dropped and counted.
 *
 * @module
 */

/** Events a slow watcher may fall behind by before it loses the oldest. */
const watcherQueueMax = 1_024;

interface Watcher<E> {
  readonly queue: E[];
  wake: () => void;
}

/** Hands every event to every watcher. */
export class EventFeed<E> {
  readonly #watchers = new Set<Watcher<E>>();
  readonly #onWatch: () => void;
  #lost = 0;

  /** @param onWatch Called when somebody begins to watch. */
  constructor(onWatch: () => void = () => {}) {
    this.#onWatch = onWatch;
  }

  /** Events that slow watchers lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** How many watch now. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** Hands the event to all who watch now. */
  emit(event: E): void {
    for (const watcher of this.#watchers) {
      watcher.queue.push(event);
      if (watcher.queue.length > watcherQueueMax) {
        watcher.queue.shift();
        this.#lost++;
      }
      watcher.wake();
    }
  }

  /** Events from the moment of the call on, until `signal` aborts. */
  watch(signal: AbortSignal): AsyncIterable<E> {
    const watcher: Watcher<E> = { queue: [], wake: () => {} };
    const watchers = this.#watchers;
    // Here and not in the reader: one that is never begun would be kept for ever.
    const stop = () => {
      watchers.delete(watcher);
      watcher.wake();
    };
    if (!signal.aborted) {
      watchers.add(watcher);
      this.#onWatch();
      signal.addEventListener("abort", stop, { once: true });
    }
    async function* events(): AsyncGenerator<E> {
      try {
        while (!signal.aborted) {
          const event = watcher.queue.shift();
          if (event !== undefined) yield event;
          else {
            await new Promise<void>((resolve) => {
              watcher.wake = resolve;
              if (signal.aborted) resolve();
            });
          }
        }
      } finally {
        signal.removeEventListener("abort", stop);
        watchers.delete(watcher);
      }
    }
    return events();
  }
}
