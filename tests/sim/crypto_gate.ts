/**
 * Makes a world with real cryptography repeatable, and tells when it is quiet.
 *
 * While the gate stands, every operation of `crypto.subtle` runs at once and in parallel as always,
 * but its result is let out in the order in which the operations were begun, one per turn of the
 * event loop: whatever follows from one result has run to its end before the next one is seen. So
 * the order of everything that happens does not depend on threads.
 *
 * `quiet` promises: every microtask has run, and no operation is under way. In a world whose outside
 * (clock, network, streams, storage) lives in memory nothing can then happen before virtual time
 * moves. What it does not see: real timers, files, sockets, dynamic imports; such a world has none.
 *
 * @module
 */
import { setImmediate } from "node:timers";

interface UnderWay {
  /** Resolves, when the operation is done, to what hands its outcome to whoever waits. */
  readonly release: Promise<() => void>;
}

/** One turn of the event loop: all microtasks run before it resolves. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Stands before `crypto.subtle` from `install` to its disposal; one at a time. */
export class CryptoGate implements Disposable {
  static #installed = false;
  readonly #queue: UnderWay[] = [];
  readonly #undo: (() => void)[] = [];
  #driving: Promise<void> | undefined;
  #operations = 0;

  private constructor() {}

  /** Puts the gate up. */
  static install(): CryptoGate {
    if (CryptoGate.#installed) throw new Error("There is one gate at a time");
    CryptoGate.#installed = true;
    const gate = new CryptoGate();
    const prototype = SubtleCrypto.prototype;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      const original: unknown = descriptor?.value;
      if (descriptor === undefined || name === "constructor" || typeof original !== "function") {
        continue;
      }
      const gated = function (this: unknown, ...args: unknown[]): Promise<unknown> {
        const real: Promise<unknown> = Reflect.apply(original, this, args);
        return gate.#enter(real);
      };
      Object.defineProperty(prototype, name, { ...descriptor, value: gated });
      gate.#undo.push(() => Object.defineProperty(prototype, name, descriptor));
    }
    return gate;
  }

  /** Operations begun so far: what a scenario costs. */
  get operations(): number {
    return this.#operations;
  }

  #enter(real: Promise<unknown>): Promise<unknown> {
    this.#operations++;
    const shown = Promise.withResolvers<unknown>();
    const release = real.then(
      (value) => () => shown.resolve(value),
      (error: unknown) => () => shown.reject(error),
    );
    this.#queue.push({ release });
    this.#driving ??= this.#drive();
    return shown.promise;
  }

  async #drive(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const release = await next.release;
      release();
      await turn();
    }
    this.#driving = undefined;
  }

  /** Resolves when every microtask has run and no operation is under way. */
  async quiet(): Promise<void> {
    await turn();
    while (this.#driving !== undefined) {
      await this.#driving;
      await turn();
    }
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
    CryptoGate.#installed = false;
  }
}
