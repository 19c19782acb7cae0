/**
 * The turns in which long answers are made: a slice of one of them in each, however many are made at
 * once, and everything else of the process between two.
 *
 * @module
 */

/** Gives them, in the order in which they were asked for. */
export class AnswerTurns {
  readonly #breathe: () => Promise<void>;
  #last = Promise.resolve();

  /** @param breathe Lets everything else of the process have its turn; never rejects. */
  constructor(breathe: () => Promise<void>) {
    this.#breathe = breathe;
  }

  /** Resolves in a turn that nobody else was given. */
  next(): Promise<void> {
    this.#last = this.#last.then(this.#breathe);
    return this.#last;
  }
}
