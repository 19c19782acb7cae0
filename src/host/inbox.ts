/** A bounded queue between those who receive and the one who takes. @module */

/** Holds at most `limit` items; the oldest makes room for a new one. One taker at a time. */
export class Inbox<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many items had to make room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds an item; after `end` it is forgotten. */
  put(item: T): void {
    if (this.#ended) return;
    if (this.#items.length >= this.#limit) {
      this.#items.shift();
      this.#dropped += 1;
    }
    this.#items.push(item);
    this.#wake?.();
  }

  /** Ends the iteration once what is queued was taken. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    while (true) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
