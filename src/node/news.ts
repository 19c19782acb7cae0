/**
 * What is told to whoever watches: links and nodes that come and go, each by id and name.
 *
 * @module
 */
import { formatWallTime } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress } from "../wire/socket_address.ts";
import type { EventFeed } from "./events.ts";
import type { KnownNode } from "./fleet_view.ts";
import type { LinkEnd } from "./links.ts";
import type { NodeOutside } from "./node_options.ts";
import type { Peer } from "./peer.ts";
import type { NodeEvent } from "../control/mod.ts";

/** What news are made from. */
export interface NewsOptions {
  readonly clock: Clock;
  readonly log: NodeOutside["log"];
  readonly events: EventFeed<NodeEvent>;
  readonly nameOf: (id: NodeId) => string;
}

/** The news of one node. */
export class News {
  readonly #options: NewsOptions;

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** Tells the event, if anybody watches. */
  tell(event: Omit<NodeEvent, "at">): void {
    const { events, clock } = this.#options;
    if (events.watchers === 0) return;
    events.emit({ at: formatWallTime(clock.wall()), ...event });
  }

  /** Something about a node of which records are held. */
  tellOfNode(
    event: "node-new" | "node-changed" | "node-reachable" | "node-unreachable",
    { id, info, record, state }: KnownNode,
  ): void {
    this.tell({ event, id, name: info.name, serial: record.serial, state });
  }

  /** A neighbour is suspected, or is none any more. */
  tellOfSuspicion(event: "node-suspect" | "node-reachable", peer: Peer): void {
    this.tell({ event, ...this.#naming(peer.id) });
  }

  /** There is a link. */
  tellOfLinkUp(peer: Peer): void {
    const { address, direction } = peer;
    const naming = this.#naming(peer.id);
    const at = address === undefined ? {} : { address: formatSocketAddress(address) };
    this.tell({ event: "link-up", ...naming, ...at, direction });
    this.#options.log.info("Link with {name} ({id})", naming);
  }

  /** The link is over. */
  tellOfLinkDown(peer: Peer, why: LinkEnd): void {
    const naming = this.#naming(peer.id);
    this.tell({ event: "link-down", ...naming, reason: why });
    this.#options.log.info("Link with {name} ({id}) is over: {why}", { ...naming, why });
  }

  #naming(id: NodeId) {
    return { id, name: this.#options.nameOf(id) };
  }
}
