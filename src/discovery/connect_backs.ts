/**
 * Connect-backs about to begin: each waits a random moment, so that two nodes that hear each other
 * rarely dial each other at once (crossing dials are harmless, they only cost twice). Held ids go
 * before strangers and take their places.
 *
 * @module
 */
import { earliest, elapsed, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { connectBackPatience, connectBacksMax, roomRetry, staggerMax } from "./limits.ts";

/** What is known about a connect-back when it is decided. */
export interface ConnectBackOptions {
  /** The id has a stored record or was linked before. */
  readonly held: boolean;
  /** It is made even with links enough. */
  readonly beyondDegree: boolean;
  /** It is made even though there is a link with the id. */
  readonly relink: boolean;
}

/** A connect-back that waits. */
export interface ConnectBack extends ConnectBackOptions {
  readonly id: NodeId;
  readonly since: Instant;
  readonly at: Instant;
}

/** The connect-backs that wait. */
export class ConnectBacks {
  readonly #prng: Prng;
  readonly #waiting = new Map<NodeId, ConnectBack>();

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Whether one waits for the id. */
  has(id: NodeId): boolean {
    return this.#waiting.has(id);
  }

  /** Adds one, or widens the one that waits; `false` if all places are taken. */
  add(id: NodeId, options: ConnectBackOptions, now: Instant): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined && this.#waiting.size >= connectBacksMax) {
      const stranger = [...this.#waiting.values()].find((one) => !one.held);
      if (!options.held || stranger === undefined) return false;
      this.#waiting.delete(stranger.id);
    }
    this.#waiting.set(id, {
      id,
      held: options.held,
      beyondDegree: options.beyondDegree || (waiting?.beyondDegree ?? false),
      relink: options.relink || (waiting?.relink ?? false),
      since: waiting?.since ?? now,
      at: waiting?.at ?? later(now, scaled(staggerMax, this.#prng.unit())),
    });
    return true;
  }

  /** Those that are due, held ids first, else in the order of their moments. */
  due(now: Instant): readonly ConnectBack[] {
    const due: ConnectBack[] = [];
    for (const one of this.#waiting.values()) if (now >= one.at) due.push(one);
    return due.sort((a, b) => a.held === b.held ? a.at - b.at : a.held ? -1 : 1);
  }

  /** It is made, or not wanted any more. */
  delete(id: NodeId): void {
    this.#waiting.delete(id);
  }

  /** There was no room: again soon; `false` if it has waited long enough and is given up. */
  postpone(id: NodeId, now: Instant): boolean {
    const one = this.#waiting.get(id);
    if (one === undefined) return false;
    if (elapsed(one.since, now) >= connectBackPatience) {
      this.#waiting.delete(id);
      return false;
    }
    this.#waiting.set(id, { ...one, at: later(now, roomRetry) });
    return true;
  }

  /** When the next is due. */
  nextTimeout(): Instant | undefined {
    let first: Instant | undefined;
    for (const one of this.#waiting.values()) first = earliest(first, one.at);
    return first;
  }
}
