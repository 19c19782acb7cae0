/**
 * Dials in flight: at most one to an address and one to an id, and so many of each sort.
 *
 * @module
 */
import { earliest, type Instant, later } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import {
  connectBackDialsMax,
  dialOutcomeMax,
  heldDialsReserve,
  oneWayDialsReserve,
  peerDialsMax,
  recordDialsMax,
} from "./limits.ts";

/**
 * Why an address is dialled: `beacon` connect-back to somebody heard · `one-way` again, because its
 * port did not open · `degree` links are missing · `unreachable` the random known unreachable node ·
 * `peer` an address of `--peer`.
 */
export type DialReason = "beacon" | "one-way" | "degree" | "unreachable" | "peer";

/** A dial whose outcome is awaited. */
export interface Flight {
  readonly to: SocketAddress;
  readonly why: DialReason;
  /** The id that is hoped for, where one is. */
  readonly expect?: NodeId;
  /** Whether that id has a stored record or was linked before. */
  readonly held: boolean;
  /** The text of `--peer` that it is for. */
  readonly peer?: string;
  readonly since: Instant;
}

/** The dials in flight. */
export class Flights {
  readonly #byAddress = new Map<string, Flight>();
  readonly #ids = new Set<NodeId>();

  /** How many. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** How many for this reason. */
  count(why: DialReason): number {
    let count = 0;
    for (const flight of this.#byAddress.values()) if (flight.why === why) count++;
    return count;
  }

  /**
   * How many may become links: one-way retries and the random unreachable one most likely do not.
   *
   * @param heldOnly Leave out dials to strangers, which anybody can cause.
   */
  countForLinks(heldOnly: boolean): number {
    let count = 0;
    for (const { why, held } of this.#byAddress.values()) {
      if (why !== "one-way" && why !== "unreachable" && (held || !heldOnly)) count++;
    }
    return count;
  }

  /** Whether an address, in text form, is being dialled. */
  hasAddress(text: string): boolean {
    return this.#byAddress.has(text);
  }

  /** Whether an id is being dialled at some address. */
  hasId(id: NodeId): boolean {
    return this.#ids.has(id);
  }

  /**
   * Whether one more of the sort may start.
   *
   * @param oneWayPeers How many one-way peers there are to retry: they keep their share of the
   * connect-backs.
   */
  hasRoom(why: DialReason, held: boolean, oneWayPeers: number): boolean {
    switch (why) {
      case "peer":
        return this.count("peer") < peerDialsMax;
      case "degree":
      case "unreachable":
        return this.count("degree") + this.count("unreachable") < recordDialsMax;
      case "one-way":
        return this.count("one-way") < oneWayDialsReserve;
      case "beacon": {
        const share = connectBackDialsMax - Math.min(oneWayDialsReserve, oneWayPeers);
        const room = share - this.count("beacon") -
          Math.max(0, this.count("one-way") - Math.min(oneWayDialsReserve, oneWayPeers));
        return room > (held ? 0 : heldDialsReserve);
      }
    }
  }

  /** Begins. The address and the id must not be in flight. */
  begin(flight: Flight): void {
    this.#byAddress.set(formatSocketAddress(flight.to), flight);
    if (flight.expect !== undefined) this.#ids.add(flight.expect);
  }

  /** Ends the flight to the address; `undefined` if there was none. */
  end(text: string): Flight | undefined {
    const flight = this.#byAddress.get(text);
    if (flight === undefined) return undefined;
    this.#byAddress.delete(text);
    if (flight.expect !== undefined) this.#ids.delete(flight.expect);
    return flight;
  }

  /** Ends and returns those without an outcome for too long. */
  expire(now: Instant): readonly Flight[] {
    const expired: Flight[] = [];
    for (const [text, flight] of this.#byAddress) {
      if (now < later(flight.since, dialOutcomeMax)) continue;
      this.end(text);
      expired.push(flight);
    }
    return expired;
  }

  /** When the oldest is written off. */
  nextTimeout(): Instant | undefined {
    let first: Instant | undefined;
    for (const flight of this.#byAddress.values()) {
      first = earliest(first, later(flight.since, dialOutcomeMax));
    }
    return first;
  }
}
