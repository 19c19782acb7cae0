/**
 * Requests seen lately, so that a message that changes state is acted on once. PROTOCOL §5.2.
 *
 * What it promises: of two requests with the same handle and nonce in one epoch, the second is
 * recognised unless `limit` or more other requests were noted in between. What it does not promise:
 * anything about requests that were never noted, or beyond that number. With the window of ±30 s a
 * request can be replayed for 60 s at most, so the promise is complete up to `limit` noted requests
 * in 60 s. Beyond that a replay passes, which is bearable because messages that change state need the
 * cookie of their address, name what they end, and do nothing the second time.
 *
 * Handle and nonce together, so that a peer who copies another's nonce off the wire does not make
 * that other's request look like a replay.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { toHex } from "../base/bytes.ts";

/** The handles and nonces of the last `limit` requests that were noted. */
export class ReplayFilter {
  readonly #seen: BoundedMap<string, true>;

  /** @param limit The most requests remembered. */
  constructor(limit: number) {
    this.#seen = new BoundedMap(limit);
  }

  /** Notes the request; `false` if it had been noted before. */
  firstSight(handle: Uint8Array, nonce: Uint8Array): boolean {
    const name = `${toHex(handle)}${toHex(nonce)}`;
    if (this.#seen.has(name)) return false;
    this.#seen.set(name, true);
    return true;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#seen.size;
  }
}
