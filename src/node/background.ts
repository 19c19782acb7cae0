/**
 * Work that goes on while its starter goes on: every such promise is owned here, its failure is
 * reported, and stopping waits for it.
 *
 * @module
 */

/** Owns the promises that nobody awaits on the spot. */
export class Background {
  readonly #running = new Set<Promise<void>>();
  readonly #report: (what: string, error: unknown) => void;

  /** @param report Told of every failure; must not throw. */
  constructor(report: (what: string, error: unknown) => void) {
    this.#report = report;
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Takes the work over. `what` names it in the report of a failure.
   *
   * @param ended Called when it is over, however it ended; must not throw.
   */
  own(what: string, work: Promise<unknown>, ended?: () => void): void {
    const owned: Promise<void> = work.then(
      () => {
        this.#running.delete(owned);
        ended?.();
      },
      (error: unknown) => {
        this.#running.delete(owned);
        ended?.();
        this.#report(what, error);
      },
    );
    this.#running.add(owned);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
