/**
 * Peers that are heard but whose port does not open: their beacons arrive and a connection to where
 * they come from fails. Each is warned about once, within 5 s of its first beacon, and tried again
 * at least every 15 s while it is heard. The warning ends when the port opens, when there is a link
 * with the id or the address, or when the id was not heard for 400 s (`heardFor`: Trickle may be
 * silent nearly that long).
 *
 * @module
 */
import { type Duration, earliest, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import { type NodeId, shortNodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import {
  heardFor,
  oneWayPatience,
  oneWayPeersMax,
  oneWayRetryMax,
  oneWayRetryMin,
  roomRetry,
} from "./limits.ts";

/** Ways in which a port does not open: reset, no answer, no route. */
export type ClosedReason = "refused" | "timeout" | "unreachable";

/** Effects on the warnings shown. An `unwarn` names exactly an earlier `warn`. */
export type OneWayEffect =
  | {
    readonly kind: "warn";
    readonly code: "one-way";
    readonly id: NodeId;
    readonly address: SocketAddress;
    readonly message: string;
  }
  | {
    readonly kind: "unwarn";
    readonly code: "one-way";
    readonly id: NodeId;
    readonly address: SocketAddress;
  };

/** A dial that found a port closed. */
export interface ClosedPort {
  readonly id: NodeId;
  readonly address: SocketAddress;
  readonly reason: ClosedReason;
  /** The id has a stored record or was linked before. */
  readonly held: boolean;
  /** First and last beacon of the id at its present addresses. */
  readonly heard: { readonly first: Instant; readonly last: Instant };
  /** Another address at which the id is heard was not tried yet. */
  readonly othersLeft: boolean;
  /** When the dial began. */
  readonly triedAt: Instant;
}

interface Entry {
  readonly id: NodeId;
  readonly address: SocketAddress;
  reason: ClosedReason;
  readonly held: boolean;
  lastHeardAt: Instant;
  /** When to warn; `undefined` once done. */
  warnAt: Instant | undefined;
  retryAt: Instant;
  pause: Duration;
}

/** What is shown of a one-way peer. */
export interface OneWayPeer {
  readonly id: NodeId;
  readonly address: string;
  readonly reason: ClosedReason;
  readonly warned: boolean;
}

/** The one-way peers. */
export class OneWay {
  readonly #prng: Prng;
  readonly #entries = new Map<NodeId, Entry>();

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** How many. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether the id is one. */
  has(id: NodeId): boolean {
    return this.#entries.has(id);
  }

  /**
   * A port did not open. When all places are taken a held id takes a stranger's; one address stands
   * under one id, whatever ids are claimed there.
   */
  handleClosed(closed: ClosedPort, now: Instant): OneWayEffect[] {
    const known = this.#entries.get(closed.id);
    if (known !== undefined) {
      known.reason = closed.reason;
      known.lastHeardAt = closed.heard.last;
      this.#scheduleRetry(known, closed.triedAt, now);
      if (known.warnAt !== undefined && !closed.othersLeft) known.warnAt = now;
      return this.handleTimeout(now);
    }
    const text = formatSocketAddress(closed.address);
    for (const entry of this.#entries.values()) {
      if (formatSocketAddress(entry.address) === text) return [];
    }
    const effects: OneWayEffect[] = [];
    if (this.#entries.size >= oneWayPeersMax) {
      const stranger = [...this.#entries.values()].find((entry) => !entry.held);
      if (!closed.held || stranger === undefined) return [];
      effects.push(...this.#remove(stranger));
    }
    const patience = later(closed.heard.first, oneWayPatience);
    const entry: Entry = {
      id: closed.id,
      address: closed.address,
      reason: closed.reason,
      held: closed.held,
      lastHeardAt: closed.heard.last,
      warnAt: closed.othersLeft && patience > now ? patience : now,
      retryAt: now,
      pause: oneWayRetryMin,
    };
    this.#scheduleRetry(entry, closed.triedAt, now);
    this.#entries.set(closed.id, entry);
    effects.push(...this.handleTimeout(now));
    return effects;
  }

  /** The id was heard. */
  handleHeard(id: NodeId, now: Instant): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.lastHeardAt = now;
  }

  /** The id's port opened, it is linked, or it is forgotten. */
  handleOpened(id: NodeId): OneWayEffect[] {
    const entry = this.#entries.get(id);
    return entry === undefined ? [] : this.#remove(entry);
  }

  /** Something answered at the address, or the address has a link. */
  handleOpenedAddress(text: string): OneWayEffect[] {
    for (const entry of this.#entries.values()) {
      if (formatSocketAddress(entry.address) === text) return this.#remove(entry);
    }
    return [];
  }

  /** Ids to dial again now. */
  due(now: Instant): readonly NodeId[] {
    const due: NodeId[] = [];
    for (const entry of this.#entries.values()) if (now >= entry.retryAt) due.push(entry.id);
    return due;
  }

  /** A retry began, or (`began` false) found no room and is looked at again soon. */
  handleRetried(id: NodeId, began: boolean, now: Instant): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.retryAt = later(now, began ? oneWayRetryMax : roomRetry);
  }

  /** Raises warnings that are due, ends those of peers not heard any more. */
  handleTimeout(now: Instant): OneWayEffect[] {
    const effects: OneWayEffect[] = [];
    for (const entry of this.#entries.values()) {
      if (now >= later(entry.lastHeardAt, heardFor)) {
        effects.push(...this.#remove(entry));
      } else if (entry.warnAt !== undefined && now >= entry.warnAt) {
        entry.warnAt = undefined;
        effects.push({
          kind: "warn",
          code: "one-way",
          id: entry.id,
          address: entry.address,
          message: `Hearing ${shortNodeId(entry.id)} at ${
            formatSocketAddress(entry.address)
          }, but its port does not open (${entry.reason}): a firewall there or between?`,
        });
      }
    }
    return effects;
  }

  /** The next moment to look. */
  nextTimeout(): Instant | undefined {
    let first: Instant | undefined;
    for (const entry of this.#entries.values()) {
      first = earliest(first, entry.warnAt, entry.retryAt, later(entry.lastHeardAt, heardFor));
    }
    return first;
  }

  /** For status. */
  snapshot(): readonly OneWayPeer[] {
    return [...this.#entries.values()].map((entry) => ({
      id: entry.id,
      address: formatSocketAddress(entry.address),
      reason: entry.reason,
      warned: entry.warnAt === undefined,
    }));
  }

  #scheduleRetry(entry: Entry, triedAt: Instant, now: Instant): void {
    const at = later(triedAt, scaled(entry.pause, this.#prng.between(0.9, 1)));
    entry.retryAt = at > now ? at : now;
    entry.pause = scaled(entry.pause, 2) < oneWayRetryMax ? scaled(entry.pause, 2) : oneWayRetryMax;
  }

  #remove(entry: Entry): OneWayEffect[] {
    this.#entries.delete(entry.id);
    if (entry.warnAt !== undefined) return [];
    return [{ kind: "unwarn", code: "one-way", id: entry.id, address: entry.address }];
  }
}
