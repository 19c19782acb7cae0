/**
 * Time that passes when a test says so, and clocks that show it.
 *
 * @module
 */
import {
  type Duration,
  type Instant,
  instant,
  milliseconds,
  type WallTime,
  wallTime,
} from "../../src/base/instant.ts";
import type { Clock } from "../../src/platform/clock.ts";
import { turn } from "./crypto_gate.ts";

interface Due {
  action: (() => void) | undefined;
}

/** Children of an entry of the heap: four lie side by side in memory, and it is half as high as by two. */
const branches = 4;

/**
 * What is to happen, soonest first: a heap. Times and orders lie in arrays of their own, so that
 * finding a place reads neighbouring numbers and not objects all over the memory of a large world.
 */
class Agenda {
  readonly #at: number[] = [];
  /** Among those due at one time the first come is the first served. */
  readonly #order: number[] = [];
  readonly #due: Due[] = [];

  /** When the first is due; infinite if there is none. */
  get firstAt(): number {
    return this.#at[0] ?? Infinity;
  }

  add(at: number, order: number, due: Due): void {
    let hole = this.#at.length;
    this.#put(hole, at, order, due);
    while (hole > 0) {
      const above = Math.floor((hole - 1) / branches);
      if (!this.#isLater(above, at, order)) break;
      this.#move(above, hole);
      hole = above;
    }
    this.#put(hole, at, order, due);
  }

  /** Takes the first away. */
  take(): Due | undefined {
    const first = this.#due[0];
    const [at, order, due] = [this.#at.pop(), this.#order.pop(), this.#due.pop()];
    if (at === undefined || order === undefined || due === undefined) return undefined;
    const length = this.#at.length;
    if (length === 0) return first;
    let hole = 0;
    for (;;) {
      const below = branches * hole + 1;
      if (below >= length) break;
      let least = below;
      const end = Math.min(below + branches, length);
      for (let child = below + 1; child < end; child++) {
        if (this.#isLater(least, this.#at[child] ?? 0, this.#order[child] ?? 0)) least = child;
      }
      if (this.#isLater(least, at, order)) break;
      this.#move(least, hole);
      hole = least;
    }
    this.#put(hole, at, order, due);
    return first;
  }

  /** Whether the entry in that place comes after one of that time and order. */
  #isLater(place: number, at: number, order: number): boolean {
    const placed = this.#at[place] ?? 0;
    return placed > at || (placed === at && (this.#order[place] ?? 0) > order);
  }

  #put(place: number, at: number, order: number, due: Due): void {
    this.#at[place] = at;
    this.#order[place] = order;
    this.#due[place] = due;
  }

  #move(from: number, to: number): void {
    const due = this.#due[from];
    if (due !== undefined) this.#put(to, this.#at[from] ?? 0, this.#order[from] ?? 0, due);
  }
}

/** The time of one world. */
export class VirtualTime {
  readonly #quiet: () => Promise<void>;
  readonly #agenda = new Agenda();
  #now = 0;
  #order = 0;
  #happened = 0;
  #pending = 0;
  /** Called when everything that followed from one event has happened; what it throws ends the run. */
  afterEach: () => void = () => {};

  /**
   * @param quiet Resolves when nothing can happen any more before time moves: `CryptoGate.quiet`, or
   *   one turn of the event loop where no cryptography is under way.
   */
  constructor(quiet: () => Promise<void> = turn) {
    this.#quiet = quiet;
  }

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#now;
  }

  /** Things that came due so far. */
  get happened(): number {
    return this.#happened;
  }

  /** Things that will come due and were not called off. */
  get pending(): number {
    return this.#pending;
  }

  /** Does it after this long; the result calls it off. */
  after(length: Duration, action: () => void): () => void {
    const due: Due = { action };
    this.#agenda.add(this.#now + Math.max(0, length), this.#order++, due);
    this.#pending++;
    return () => {
      if (due.action !== undefined) this.#pending--;
      due.action = undefined;
    };
  }

  /** Resolves when this much has passed. */
  passed(length: Duration): Promise<void> {
    return new Promise((resolve) => {
      this.after(length, resolve);
    });
  }

  /**
   * Lets time pass. It moves only while the world is quiet, from one thing that is due to the next;
   * everything that follows from one has happened before the next comes due.
   */
  async advance(length: Duration): Promise<void> {
    await this.advanceUntil(() => false, length);
  }

  /** The same, until `holds` does or `limit` has passed; whether it held. */
  async advanceUntil(holds: () => boolean, limit: Duration): Promise<boolean> {
    const end = this.#now + limit;
    for (;;) {
      await this.#quiet();
      this.afterEach();
      if (holds()) return true;
      const at = this.#agenda.firstAt;
      if (at > end) break;
      const next = this.#agenda.take();
      const action = next?.action;
      if (next === undefined || action === undefined) continue;
      next.action = undefined;
      this.#pending--;
      this.#now = Math.max(this.#now, at);
      this.#happened++;
      action();
    }
    this.#now = end;
    return false;
  }
}

/**
 * Who waits until one signal aborts: one listener, however often it is waited on. A world waits for
 * every datagram, and listeners come dear.
 */
class Waiters {
  /** Nearly always there is one. */
  #only: Wait | undefined;
  readonly #others = new Set<Wait>();

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => {
      this.#only?.end();
      for (const wait of this.#others) wait.end();
    }, { once: true });
  }

  add(wait: Wait): void {
    if (this.#only === undefined) this.#only = wait;
    else this.#others.add(wait);
  }

  delete(wait: Wait): void {
    if (this.#only === wait) this.#only = undefined;
    else this.#others.delete(wait);
  }
}

const waitersOf = new WeakMap<AbortSignal, Waiters>();

/** One wait on a clock. */
class Wait {
  readonly #waiters: Waiters;
  readonly #isHalted: () => boolean;
  readonly #resolve: () => void;
  callOff: () => void = () => {};

  constructor(signal: AbortSignal, isHalted: () => boolean, resolve: () => void) {
    this.#isHalted = isHalted;
    this.#resolve = resolve;
    const known = waitersOf.get(signal);
    this.#waiters = known ?? new Waiters(signal);
    if (known === undefined) waitersOf.set(signal, this.#waiters);
    this.#waiters.add(this);
  }

  /** It is time, or the signal aborted. */
  end(): void {
    this.#waiters.delete(this);
    this.callOff();
    if (!this.#isHalted()) this.#resolve();
  }
}

/** Where a clock begins. */
export interface VirtualClockOptions {
  /** What the monotonic clock shows when the world begins. */
  readonly monotonicOrigin?: Instant;
  /** What the calendar shows when the world begins. */
  readonly wallOrigin?: WallTime;
  /** How many of its seconds pass in a second: the drift of its quartz. Default 1. */
  readonly rate?: number;
  /** How much later than asked its waits end: the process is slow, or stopped. */
  readonly lateness?: () => Duration;
}

/** A machine's clocks: a view of the world's time, each with an origin of its own. */
export class VirtualClock implements Clock {
  readonly #time: VirtualTime;
  #monotonicOrigin: number;
  readonly #rate: number;
  readonly #lateness: () => Duration;
  #wallOrigin: number;
  #isHalted = false;
  readonly #halted = () => this.#isHalted;

  constructor(time: VirtualTime, options: VirtualClockOptions = {}) {
    this.#time = time;
    this.#monotonicOrigin = options.monotonicOrigin ?? 1_000;
    this.#wallOrigin = options.wallOrigin ?? Date.UTC(2026, 6, 1);
    this.#rate = options.rate ?? 1;
    this.#lateness = options.lateness ?? (() => milliseconds(0));
  }

  get #elapsed(): number {
    return this.#time.now * this.#rate;
  }

  /** Whether the process is gone. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  monotonic(): Instant {
    return instant(this.#monotonicOrigin + this.#elapsed);
  }

  wall(): WallTime {
    return wallTime(this.#wallOrigin + this.#elapsed);
  }

  /** Somebody sets the calendar. */
  setWall(wall: WallTime): void {
    this.#wallOrigin = wall - this.#elapsed;
  }

  /**
   * From now on it shows so much more: the machine was moved, or restored from a snapshot. Less only
   * while its process is stopped for as long: it stood still with the machine.
   */
  jump(by: Duration): void {
    this.#monotonicOrigin += by;
  }

  /** The process is gone: whoever waits on this clock waits for ever. */
  halt(): void {
    this.#isHalted = true;
  }

  wait(until: Instant, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wait = new Wait(signal, this.#halted, resolve);
      const length = milliseconds((until - this.monotonic()) / this.#rate);
      wait.callOff = this.#time.after(length, () => {
        const late = this.#lateness();
        if (late > 0) wait.callOff = this.#time.after(late, () => wait.end());
        else wait.end();
      });
    });
  }
}
