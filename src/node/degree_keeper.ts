/**
 * Keeps the number of links near the degree from above; discovery keeps it from below.
 *
 * @module
 */
import type { LinkSurplus, SurplusView } from "../discovery/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Instant } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { Timed } from "./pump.ts";

/** What the keeper rests on. */
export interface DegreeKeeperOptions {
  readonly clock: Clock;
  readonly surplus: LinkSurplus;
  readonly peers: PeerTable;
  /** How many links the node lists; `undefined` while it lists none. */
  readonly listedBy: (id: NodeId) => number | undefined;
  /** The links striven for, and the nodes known. */
  readonly fleet: () => { readonly degree: number; readonly fleetSize: number };
  /** Whether this process runs late. */
  readonly isLate: (now: Instant) => boolean;
  /** Ends the link and tells the peer why. */
  readonly release: (peer: Peer) => void;
}

/** The surplus at work. */
export class DegreeKeeper implements Timed {
  readonly #options: DegreeKeeperOptions;

  constructor(options: DegreeKeeperOptions) {
    this.#options = options;
  }

  /** A link has come: with it there may be too many. */
  handleLink(): void {
    this.handleTimeout(this.#options.clock.monotonic());
  }

  #view(now: Instant): SurplusView {
    const { peers, listedBy, fleet, isLate } = this.#options;
    const links = peers.links().map(({ id }) => ({
      id,
      // Read from the records only where there are too many.
      get listed() {
        return listedBy(id);
      },
    }));
    const { degree, fleetSize } = fleet();
    return { links, degree, fleetSize, isLate: isLate(now) };
  }

  nextTimeout(): Instant | undefined {
    return this.#options.surplus.nextTimeout();
  }

  handleTimeout(now: Instant): void {
    const { surplus, peers, release } = this.#options;
    const id = surplus.handleTimeout(this.#view(now), now);
    const peer = id === undefined ? undefined : peers.get(id);
    if (peer !== undefined) release(peer);
  }
}
