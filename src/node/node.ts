/**
 * The node: its life from the first socket to the good-bye, and what those who hold it may ask.
 * Everything it needs of the outside comes through `platform/`, so it runs on a machine and in a
 * simulated world alike.
 *
 * @module
 */
import type { Counters } from "../base/counters.ts";
import type { IpAddress } from "../base/ip.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Archive } from "./archive.ts";
import type { Asker } from "./asker.ts";
import type { Authenticator } from "./authenticator.ts";
import type { EventFeed } from "./events.ts";
import type { FleetWatch } from "./fleet_watch.ts";
import { countsOf, type Gauges, gaugesOf } from "./gauges.ts";
import type { Links } from "./links.ts";
import type { NodeOptions, NodeOutside } from "./node_options.ts";
import { makeParts, type NodeParts } from "./node_parts.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { InterfaceEntry, NodeEvent } from "../control/mod.ts";
import { warnOfDamage, warnOfOpenMesh } from "./troubles.ts";
import type { Warnings } from "./warnings.ts";

/** A running node. */
export class Node {
  readonly events: EventFeed<NodeEvent>;
  readonly warnings: Warnings;
  readonly counters: Counters;
  readonly peers: PeerTable;
  readonly archive: Archive;
  readonly links: Links;
  readonly authenticator: Authenticator;
  readonly asker: Asker;
  readonly fleet: FleetWatch;
  readonly #parts: NodeParts;
  #pumping: Promise<void> = Promise.resolve();

  /** Builds the node; nothing runs before `start`. */
  static async create(options: NodeOptions, outside: NodeOutside): Promise<Node> {
    return new Node(await makeParts(options, outside));
  }

  private constructor(parts: NodeParts) {
    this.#parts = parts;
    this.events = parts.events;
    this.warnings = parts.warnings;
    this.counters = parts.counters;
    this.peers = parts.peers;
    this.archive = parts.archive;
    this.links = parts.links;
    this.authenticator = parts.authenticator;
    this.asker = parts.asker;
    this.fleet = parts.fleet;
  }

  /** This node's id. */
  get id(): NodeId {
    return this.#parts.options.identity.id;
  }

  /** Lets everything else of the process have its turn. */
  async breathe(): Promise<void> {
    await this.#parts.outside.breathe?.();
  }

  /** Resolves when one comparison with a peer ended equal. */
  get inStep(): Promise<void> {
    return this.#parts.inStep.promise;
  }

  /** How often what was dropped, refused or found odd, by reason, in all parts of the node. */
  counts(): Readonly<Record<string, number>> {
    return countsOf(this.#parts);
  }

  /** How much of everything bounded is held now. */
  gauges(): Gauges {
    return gaugesOf(this.#parts);
  }

  /** The interfaces served, for status. */
  interfaceEntries(): InterfaceEntry[] {
    return this.#parts.interfaces.entries();
  }

  /** Whether a stored record names the address. */
  isKnownAddress(ip: IpAddress): boolean {
    return this.#parts.readings.isKnownAddress(ip);
  }

  /** Name of the interface over which the peer is reached. */
  interfaceTowards(peer: Peer): string | undefined {
    return this.#parts.ways.socketTowards(peer)?.interfaceName;
  }

  /** Work of the process that ends with the node. */
  own(work: Promise<void>): void {
    this.#parts.background.own("run", work);
  }

  /** Opens the sockets, publishes, begins to find. Resolves when the node can answer others. */
  async start(): Promise<void> {
    const { archive, background, beacons, finder, interfaces } = this.#parts;
    const { publisher, pump, reactions, stopping, warnings } = this.#parts;
    if (archive.damage !== undefined) warnOfDamage(warnings, archive.damage);
    warnOfOpenMesh(warnings);
    await interfaces.look();
    reactions.judgeClock();
    await publisher.publishInfo(true);
    if (publisher.shownInfo === undefined) {
      const { message } = warnings.all().find(({ code }) => code === "publishing") ?? {};
      throw new Error(message ?? "This node's own record could not be published");
    }
    if (beacons !== undefined) background.own("hear beacons", finder.hear());
    this.#pumping = pump.run(stopping.signal);
  }

  /**
   * Says good-bye to the links, or that this node will be back, and releases everything. What is
   * not said by the time `limit` aborts stays unsaid.
   */
  async stop(kind: "leaving" | "restarting", limit: AbortSignal): Promise<void> {
    const { archive, asker, background, beacons, fleet, options } = this.#parts;
    const { peers, reactions, sockets, stopping } = this.#parts;
    if (stopping.signal.aborted) return await this.#pumping;
    reactions.fallSilent();
    const { bootNonce } = options;
    const goodBye = Promise.all(
      peers.links().map((peer) => asker.ask(peer, { kind, bootNonce }, { tries: 3 })),
    );
    await Promise.race([goodBye, aborted(limit)]);
    stopping.abort();
    fleet.handleStopping();
    for (const peer of peers.links()) asker.abandon(peer.id);
    beacons?.close();
    sockets.close();
    await this.#pumping;
    await Promise.race([background.settled(), aborted(limit)]);
    await archive.close();
  }

  /** Hides an unreachable node until it is met again. Rejects if that could not be written down. */
  async forget(id: NodeId): Promise<void> {
    const { finder, fleet, forgotten, pump } = this.#parts;
    const node = fleet.view.get(id);
    if (node !== undefined) forgotten.add(id, node.record.serial);
    finder.handleForgotten(id);
    fleet.handleChange();
    pump.poke();
    await forgotten.keep();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
