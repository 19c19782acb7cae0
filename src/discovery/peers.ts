/**
 * The addresses a person gave with `--peer`: tried for ever. Names are resolved outside; each round
 * resolves anew and dials what came back, one address after the other, until somebody answers.
 *
 * @module
 */
import { type Duration, earliest, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import {
  peerAddressesMax,
  peerBackoffMax,
  peerBackoffMin,
  peerDeclinedBackoffMax,
  peersMax,
  resolveMax,
  roomRetry,
} from "./limits.ts";

interface Entry {
  readonly text: string;
  state: "waiting" | "resolving" | "dialling";
  /** When the state is looked at. */
  at: Instant;
  /** What is left to dial. */
  addresses: readonly SocketAddress[];
  /** Who answered last. */
  id: NodeId | undefined;
  failures: number;
}

/** What is shown of a peer. */
export interface PeerSnapshot {
  readonly peer: string;
  readonly state: "waiting" | "resolving" | "dialling";
  /** Who answered there last. */
  readonly id?: NodeId;
  readonly failures: number;
}

/** The peers of the command line. */
export class Peers {
  readonly #prng: Prng;
  readonly #entries = new Map<string, Entry>();

  constructor(texts: readonly string[], prng: Prng, now: Instant) {
    this.#prng = prng;
    for (const text of texts.slice(0, peersMax)) {
      this.#entries.set(text, {
        text,
        state: "waiting",
        at: now,
        addresses: [],
        id: undefined,
        failures: 0,
      });
    }
  }

  /**
   * Texts to resolve now. A peer whose id is linked is only looked at again later.
   *
   * @param isLinked Whether there is a link with the id.
   */
  resolutionsDue(isLinked: (id: NodeId) => boolean, now: Instant): readonly string[] {
    const due: string[] = [];
    for (const entry of this.#entries.values()) {
      if (now < entry.at) continue;
      if (entry.state === "resolving") {
        this.#fail(entry, peerBackoffMax, now);
      } else if (entry.state === "waiting") {
        if (entry.id !== undefined && isLinked(entry.id)) {
          entry.at = later(now, peerBackoffMax);
        } else {
          entry.state = "resolving";
          entry.at = later(now, resolveMax);
          due.push(entry.text);
        }
      }
    }
    return due;
  }

  /** What a text resolved to; nothing counts as a failure. Ignored if it was not asked for. */
  handleResolved(text: string, addresses: readonly SocketAddress[], now: Instant): void {
    const entry = this.#entries.get(text);
    if (entry?.state !== "resolving") return;
    entry.state = "dialling";
    entry.at = now;
    entry.addresses = addresses.slice(0, peerAddressesMax);
    if (addresses.length === 0) this.#fail(entry, peerBackoffMax, now);
  }

  /** Peers with something to dial now. */
  dialsDue(now: Instant): readonly string[] {
    const due: string[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.state === "dialling" && now >= entry.at) due.push(entry.text);
    }
    return due;
  }

  /** The next address to dial that passes; with none left the round has failed. */
  nextAddress(
    text: string,
    passes: (address: SocketAddress) => boolean,
    now: Instant,
  ): SocketAddress | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    const left = entry.addresses.filter(passes);
    const next = left[0];
    entry.addresses = left.slice(1);
    // The outcome moves it on; should none come, the dial's own time limit does.
    if (next === undefined) this.#fail(entry, peerBackoffMax, now);
    else entry.at = later(now, peerDeclinedBackoffMax);
    return next;
  }

  /** There was no room to dial: again soon. */
  postpone(text: string, now: Instant): void {
    const entry = this.#entries.get(text);
    if (entry !== undefined) entry.at = later(now, roomRetry);
  }

  /** A dial failed: the next address, or a rest. */
  handleFailed(text: string, now: Instant): void {
    const entry = this.#entries.get(text);
    if (entry?.state !== "dialling") return;
    if (entry.addresses.length > 0) entry.at = now;
    else this.#fail(entry, peerBackoffMax, now);
  }

  /**
   * Somebody answered. If no link comes of it (it has enough) and this node has other links, it is
   * asked less and less often: fleets share their `--peer`.
   */
  handleAnswered(text: string, id: NodeId, hasOtherLinks: boolean, now: Instant): void {
    const entry = this.#entries.get(text);
    if (entry === undefined) return;
    if (entry.id !== id) entry.failures = 0;
    entry.id = id;
    this.#fail(entry, hasOtherLinks ? peerDeclinedBackoffMax : peerBackoffMax, now);
  }

  /** A link with the id. */
  handleLinked(id: NodeId): void {
    for (const entry of this.#entries.values()) if (entry.id === id) entry.failures = 0;
  }

  /** The link with the id is gone: its peer is due again shortly. */
  handleUnlinked(id: NodeId, now: Instant): void {
    for (const entry of this.#entries.values()) {
      if (entry.id === id && entry.state === "waiting") {
        entry.failures = 0;
        entry.at = later(now, scaled(peerBackoffMin, this.#prng.between(0.5, 1)));
      }
    }
  }

  /** Networks changed: every waiting peer is due. */
  handleInterfaces(now: Instant): void {
    for (const entry of this.#entries.values()) {
      if (entry.state !== "waiting") continue;
      entry.failures = 0;
      entry.at = now;
    }
  }

  /** The next moment to look. */
  nextTimeout(): Instant | undefined {
    let first: Instant | undefined;
    for (const entry of this.#entries.values()) first = earliest(first, entry.at);
    return first;
  }

  /** For status. */
  snapshot(): readonly PeerSnapshot[] {
    return [...this.#entries.values()].map((entry) => ({
      peer: entry.text,
      state: entry.state,
      ...(entry.id === undefined ? {} : { id: entry.id }),
      failures: entry.failures,
    }));
  }

  /** The round is over: rests 1 s doubling to `longest`. */
  #fail(entry: Entry, longest: Duration, now: Instant): void {
    const doubled = scaled(peerBackoffMin, 2 ** Math.min(entry.failures, 20));
    const rest = doubled < longest ? doubled : longest;
    entry.failures++;
    entry.state = "waiting";
    entry.addresses = [];
    entry.at = later(now, scaled(rest, this.#prng.between(0.75, 1)));
  }
}
