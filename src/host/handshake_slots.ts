/**
 * Who may use the TLS port now: the limits on connections that have not finished their exchange.
 * A machine without I/O; `tls_listener.ts` does what it says. PROTOCOL §3.4.
 *
 * A connection arrives, waits its turn if its source has all the handshakes it may have, starts,
 * finishes TLS, finishes its exchange, and is closed. Each step has its time.
 *
 * @module
 */
import { type Duration, earliest, type Instant, later } from "../base/instant.ts";
import { type IpAddress, ipScope } from "../base/ip.ts";
import { givesMoreTime } from "./late_timer.ts";
import * as limits from "./limits.ts";

/** One connection, as the listener numbers them. */
export type ConnectionNumber = number;

/** Why a connection was closed: a fixed phrase, for counting. */
export type ShedReason =
  | "made room for a newer handshake"
  | "made room for a newer transfer"
  | "queue full"
  | "waited too long for a turn"
  | "TLS took too long"
  | "exchange took too long"
  | "idle";

/** What is to be done. */
export type SlotEffect =
  | { readonly kind: "start"; readonly connection: ConnectionNumber }
  | { readonly kind: "close"; readonly connection: ConnectionNumber; readonly reason: ShedReason };

/** The limits; the defaults are `limits.ts`'s. */
export interface SlotLimits {
  readonly handshakesMax: number;
  readonly keptForKnown: number;
  readonly perSourceMax: number;
  readonly queuedMax: number;
  readonly queuedPerSourceMax: number;
  readonly finishedMax: number;
  readonly tlsLimit: Duration;
  readonly exchangeLimit: Duration;
  readonly queueLimit: Duration;
  readonly finishedIdleLimit: Duration;
  /** Sources without a limit of their own. */
  readonly isExempt: (source: IpAddress) => boolean;
}

/** Loopback has no limit per source: there, all nodes of a machine are one source. */
const defaultSlotLimits: SlotLimits = {
  handshakesMax: limits.HANDSHAKES_MAX,
  keptForKnown: limits.HANDSHAKES_KEPT_FOR_KNOWN,
  perSourceMax: limits.HANDSHAKES_PER_SOURCE_MAX,
  queuedMax: limits.QUEUED_MAX,
  queuedPerSourceMax: limits.QUEUED_PER_SOURCE_MAX,
  finishedMax: limits.FINISHED_MAX,
  tlsLimit: limits.TLS_LIMIT,
  exchangeLimit: limits.EXCHANGE_LIMIT,
  queueLimit: limits.QUEUE_LIMIT,
  finishedIdleLimit: limits.FINISHED_IDLE_LIMIT,
  isExempt: (source) => ipScope(source) === "loopback",
};

interface Entry {
  readonly source: IpAddress;
  /** Whether a stored record names the source. */
  readonly known: boolean;
  readonly deadline: Instant;
  readonly startedAt: Instant;
  readonly stage: "TLS" | "exchange";
  /** How often it got more time, for this machine was late. */
  readonly extensions: number;
}

interface Waiting {
  readonly source: IpAddress;
  readonly known: boolean;
  readonly deadline: Instant;
}

/** How many connections stand where. */
export interface SlotCounts {
  readonly unfinished: number;
  readonly queued: number;
  readonly finished: number;
}

/** The turns of the TLS port. */
export class HandshakeSlots {
  readonly #limits: SlotLimits;
  /** In order of start, so the first is the oldest. */
  readonly #unfinished = new Map<ConnectionNumber, Entry>();
  /** In order of arrival. */
  readonly #queued = new Map<ConnectionNumber, Waiting>();
  /** Deadline of each connection whose exchange is done, the longest idle first. */
  readonly #finished = new Map<ConnectionNumber, Instant>();

  constructor(slotLimits: Partial<SlotLimits> = {}) {
    this.#limits = { ...defaultSlotLimits, ...slotLimits };
  }

  /** How many connections stand where. */
  counts(): SlotCounts {
    return {
      unfinished: this.#unfinished.size,
      queued: this.#queued.size,
      finished: this.#finished.size,
    };
  }

  /** A connection was accepted. `known`: a stored record names its source address. */
  handleArrival(
    connection: ConnectionNumber,
    source: IpAddress,
    known: boolean,
    now: Instant,
  ): readonly SlotEffect[] {
    if (!this.#sourceIsFull(source)) return this.#makeRoomAndStart(connection, source, known, now);
    let ofSource = 0;
    for (const waiting of this.#queued.values()) ofSource += waiting.source === source ? 1 : 0;
    const full = this.#queued.size >= this.#limits.queuedMax ||
      ofSource >= this.#limits.queuedPerSourceMax;
    if (full) return [{ kind: "close", connection, reason: "queue full" }];
    const deadline = later(now, this.#limits.queueLimit);
    this.#queued.set(connection, { source, known, deadline });
    return [];
  }

  /** TLS is done; the exchange has what is left of its time. */
  handleSecure(connection: ConnectionNumber): void {
    const entry = this.#unfinished.get(connection);
    if (entry === undefined) return;
    const whole = later(entry.startedAt, this.#limits.exchangeLimit);
    const deadline = whole > entry.deadline ? whole : entry.deadline;
    this.#unfinished.set(connection, { ...entry, deadline, stage: "exchange" });
  }

  /** The exchange is done: its slot is free, the connection may stay for transfers. */
  handleFinished(connection: ConnectionNumber, now: Instant): readonly SlotEffect[] {
    if (!this.#unfinished.delete(connection)) return [];
    const effects: SlotEffect[] = [];
    if (this.#finished.size >= this.#limits.finishedMax) {
      const idlest = this.#finished.keys().next().value;
      if (idlest !== undefined) {
        this.#finished.delete(idlest);
        effects.push({
          kind: "close",
          connection: idlest,
          reason: "made room for a newer transfer",
        });
      }
    }
    this.#finished.set(connection, later(now, this.#limits.finishedIdleLimit));
    return [...effects, ...this.#startWaiting(now)];
  }

  /** A request came on a connection; only one whose exchange is done gets more time for it. */
  handleRequest(connection: ConnectionNumber, now: Instant): void {
    if (!this.#finished.delete(connection)) return;
    this.#finished.set(connection, later(now, this.#limits.finishedIdleLimit));
  }

  /** The connection is gone, whoever closed it. */
  handleClosed(connection: ConnectionNumber, now: Instant): readonly SlotEffect[] {
    const held = this.#unfinished.delete(connection);
    this.#queued.delete(connection);
    this.#finished.delete(connection);
    return held ? this.#startWaiting(now) : [];
  }

  /** Closes what has had its time. */
  handleTimeout(now: Instant): readonly SlotEffect[] {
    const effects: SlotEffect[] = [];
    const close = (connection: ConnectionNumber, reason: ShedReason) => {
      effects.push({ kind: "close", connection, reason });
    };
    for (const [connection, entry] of this.#unfinished) {
      const { deadline, stage, extensions } = entry;
      if (deadline > now) continue;
      if (givesMoreTime(deadline, extensions, now)) {
        const longer = later(now, this.#limits.exchangeLimit);
        this.#unfinished.set(connection, {
          ...entry,
          deadline: longer,
          extensions: extensions + 1,
        });
        continue;
      }
      this.#unfinished.delete(connection);
      close(connection, stage === "TLS" ? "TLS took too long" : "exchange took too long");
    }
    for (const [connection, { deadline }] of this.#queued) {
      if (deadline > now) continue;
      this.#queued.delete(connection);
      close(connection, "waited too long for a turn");
    }
    for (const [connection, deadline] of this.#finished) {
      if (deadline > now) continue;
      this.#finished.delete(connection);
      close(connection, "idle");
    }
    return [...effects, ...this.#startWaiting(now)];
  }

  /** When `handleTimeout` is next needed. */
  nextTimeout(): Instant | undefined {
    let next: Instant | undefined;
    for (const { deadline } of this.#unfinished.values()) next = earliest(next, deadline);
    for (const { deadline } of this.#queued.values()) next = earliest(next, deadline);
    for (const deadline of this.#finished.values()) next = earliest(next, deadline);
    return next;
  }

  #sourceIsFull(source: IpAddress): boolean {
    if (this.#limits.isExempt(source)) return false;
    let ofSource = 0;
    for (const entry of this.#unfinished.values()) ofSource += entry.source === source ? 1 : 0;
    return ofSource >= this.#limits.perSourceMax;
  }

  #strangers(): number {
    let count = 0;
    for (const entry of this.#unfinished.values()) count += entry.known ? 0 : 1;
    return count;
  }

  /** Whether one more can start without closing another. */
  #hasRoom(known: boolean): boolean {
    if (this.#unfinished.size >= this.#limits.handshakesMax) return false;
    return known || this.#strangers() < this.#limits.handshakesMax - this.#limits.keptForKnown;
  }

  #start(
    connection: ConnectionNumber,
    source: IpAddress,
    known: boolean,
    now: Instant,
  ): SlotEffect {
    const deadline = later(now, this.#limits.tlsLimit);
    this.#unfinished.set(connection, {
      source,
      known,
      deadline,
      startedAt: now,
      stage: "TLS",
      extensions: 0,
    });
    return { kind: "start", connection };
  }

  #makeRoomAndStart(
    connection: ConnectionNumber,
    source: IpAddress,
    known: boolean,
    now: Instant,
  ): readonly SlotEffect[] {
    const effects: SlotEffect[] = [];
    if (!this.#hasRoom(known)) {
      // A stranger goes before somebody known does.
      const entries = [...this.#unfinished];
      const victim = entries.find(([, entry]) => !entry.known) ?? entries[0];
      if (victim !== undefined) {
        this.#unfinished.delete(victim[0]);
        effects.push({
          kind: "close",
          connection: victim[0],
          reason: "made room for a newer handshake",
        });
      }
    }
    return [...effects, this.#start(connection, source, known, now)];
  }

  /**
   * Starts those that waited and whose turn has come. They close nobody: else a flood that keeps
   * queues long would close every handshake there is, each one the next one's victim.
   */
  #startWaiting(now: Instant): readonly SlotEffect[] {
    const effects: SlotEffect[] = [];
    for (const [connection, { source, known }] of this.#queued) {
      if (!this.#hasRoom(known) || this.#sourceIsFull(source)) continue;
      this.#queued.delete(connection);
      effects.push(this.#start(connection, source, known, now));
    }
    return effects;
  }
}
