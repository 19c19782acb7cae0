/**
 * What follows for the other parts of the node when one of them tells of something: interfaces and
 * the clock, this node's own records and those of others, links that come and go.
 *
 * @module
 */
import { unreachable } from "../base/invariant.ts";
import type { DuplicateEffect } from "../identity/mod.ts";
import type { NetworkInterface } from "../platform/network.ts";
import type { VerifiedRecord } from "../sync/mod.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind, linksKind } from "../wire/record_key.ts";
import type { CommonLater, CommonParts } from "./common_parts.ts";
import type { LinkLater, LinkParts } from "./link_parts.ts";
import { type LinkEnd, unlinkReason } from "./links.ts";
import { LossLooks } from "./loss_looks.ts";
import type { NetworkLater, NetworkParts } from "./network_parts.ts";
import { Overload } from "./overload.ts";
import type { Peer } from "./peer.ts";
import type { LossCertainty } from "./publisher.ts";
import type { Pump } from "./pump.ts";
import type { RecordLater, RecordParts } from "./record_parts.ts";
import { warnOfDuplicate } from "./troubles.ts";

/** The parts that are told. */
export interface ReactionsParts extends CommonParts, NetworkParts, RecordParts, LinkParts {
  readonly pump: Pump;
}

type Calls =
  & CommonLater["reactions"]
  & NetworkLater["reactions"]
  & RecordLater["reactions"]
  & LinkLater["reactions"];

/** Everything that concerns more parts than the one it happens in. */
export class Reactions implements Calls {
  readonly #parts: ReactionsParts;
  readonly #overload: Overload;
  readonly #lossLooks: LossLooks;
  #announces = true;

  constructor(parts: ReactionsParts) {
    this.#parts = parts;
    this.#overload = new Overload(parts.counters, parts.warnings);
    this.#lossLooks = new LossLooks(parts);
  }

  // What this node says of itself.

  get announces(): boolean {
    return this.#announces;
  }

  /** The node sends no beacons and publishes nothing any more. */
  fallSilent(): void {
    this.#announces = false;
    this.#parts.publisher.stop();
  }

  async handleInterfaces(served: readonly NetworkInterface[]): Promise<void> {
    const { finder, links, peers, publisher, pump, ways } = this.#parts;
    finder.handleInterfaces(served);
    for (const peer of peers.links()) {
      if (ways.socketTowards(peer) === undefined) links.handleNoSocket(peer);
    }
    if (publisher.info !== undefined) await publisher.publishInfo(true);
    pump.poke();
  }

  handleLook(): void {
    const { archive, calendar, links, outside: { clock }, pump } = this.#parts;
    this.#overload.look(clock.monotonic());
    if (calendar.wasSet()) {
      links.proveAnew(clock.monotonic());
      archive.store.lookAgain();
      pump.poke();
    }
    this.judgeClock();
  }

  /** More is known of the time now: own records may need a better one, the owner a warning. */
  judgeClock(): void {
    const { background, calendar, options, publisher } = this.#parts;
    background.own("sign anew", publisher.signAnew(options.builtAt));
    calendar.judge();
  }

  handleDuplicate(effect: DuplicateEffect): void {
    if (effect.kind === "duplicate") warnOfDuplicate(this.#parts.warnings);
    else if (effect.kind === "stop-announcing") this.fallSilent();
  }

  // Records.

  handlePublished(record: VerifiedRecord, urgent: boolean): void {
    const { archive, fleet, gossip, pump, roles, warnings } = this.#parts;
    warnings.clear("publishing");
    const previous = archive.store.get(record.key);
    archive.admitOwn(record);
    roles.handleRecord(record);
    gossip.tell(record, urgent);
    fleet.handleStored(record, previous);
    pump.poke();
  }

  handleStored(record: VerifiedRecord, previous: VerifiedRecord | undefined): void {
    const { finder, fleet, pump, readings, roles } = this.#parts;
    if (record.kind === infoKind) {
      readings.noteAddressesIn(record);
      finder.handleKnown(record.author);
    }
    if (record.kind === linksKind && previous !== undefined) {
      this.#lossLooks.handleLinks(record, previous);
    }
    roles.handleRecord(record);
    fleet.handleStored(record, previous);
    if (record.kind === linksKind) finder.handlePaths();
    pump.poke();
  }

  handleGone(records: readonly VerifiedRecord[]): void {
    const { archive, finder, fleet, pump, roles } = this.#parts;
    for (const record of records) {
      const { author } = record;
      if (archive.store.byAuthor(author).length === 0) finder.handleForgotten(author);
      roles.handleRecord(record);
    }
    fleet.handleChange();
    pump.poke();
  }

  // Nodes and links.

  handleMetAgain(id: NodeId): void {
    const { background, fleet, forgotten } = this.#parts;
    if (!forgotten.delete(id)) return;
    fleet.handleShown(id);
    background.own("remember who is back", forgotten.keep());
  }

  handleLinkUp(peer: Peer): void {
    const { degree, finder, fleet, gossip, news, publisher, pump, roles } = this.#parts;
    const { address } = peer;
    // Not only at the next look at the fleet: the link may be gone by then.
    this.handleMetAgain(peer.id);
    if (address !== undefined) finder.handleLinked(peer.id, address);
    const isNews = !fleet.isReachedOtherwise(peer.id);
    publisher.handleLink(peer.prefix, isNews, this.#parts.outside.clock.monotonic());
    gossip.handleLink(peer);
    degree.handleLink();
    roles.handleLinks();
    this.judgeClock();
    fleet.handleChange();
    news.tellOfLinkUp(peer);
    pump.poke();
  }

  handleLinkDown(peer: Peer, why: LinkEnd): void {
    const { finder, fleet, gossip, news, publisher, pump, roles } = this.#parts;
    const loss = lossBy(why);
    finder.handleUnlinked(peer.id, unlinkReason(why));
    gossip.handleUnlink(peer.id);
    publisher.handleUnlink(peer.prefix, loss, this.#parts.outside.clock.monotonic());
    if (loss !== "let go") this.#lossLooks.handleLost(peer.prefix);
    roles.handleLinks();
    fleet.handleChange();
    news.tellOfLinkDown(peer, why);
    pump.poke();
  }
}

/** A refusal by a host's kernel is no mistake of whoever runs late; what silence means may be one. */
function lossBy(why: LinkEnd): LossCertainty {
  switch (why) {
    case "refused":
      return "certain";
    case "silent":
    case "restart overdue":
      return "presumed";
    case "udp blocked":
    case "no direct path":
    case "good-bye":
    case "let go":
    case "no socket":
    case "stopped":
      return "let go";
    default:
      return unreachable(why);
  }
}
