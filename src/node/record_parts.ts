/**
 * The parts that deal with records: this node's own, those of others as they travel, and the picture
 * of the fleet that follows from them.
 *
 * @module
 */
import { type DuplicateEffect, DuplicateWatch } from "../identity/mod.ts";
import { OwnRecords, type VerifiedRecord } from "../sync/mod.ts";
import { costExponentOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind, recordKey } from "../wire/record_key.ts";
import { Bulk } from "./bulk.ts";
import { Calendar } from "./calendar.ts";
import type { CommonParts } from "./common_parts.ts";
import { FleetWatch } from "./fleet_watch.ts";
import { Gossip } from "./gossip.ts";
import { bulkNewAuthorsBurst, newAuthorsRate } from "./limits.ts";
import type { Links } from "./links.ts";
import { judgeNews } from "./neighbour_news.ts";
import type { NetworkParts } from "./network_parts.ts";
import { Publisher } from "./publisher.ts";
import type { Pump } from "./pump.ts";
import { describeSelf } from "./self_description.ts";
import { warnOfConflicts, warnOfUnpublished } from "./troubles.ts";
import { WorkBudget } from "./work_budget.ts";

/** Records at work. */
export interface RecordParts {
  readonly calendar: Calendar;
  readonly fleet: FleetWatch;
  readonly publisher: Publisher;
  readonly gossip: Gossip;
  readonly bulk: Bulk;
}

/** What these parts call of those made later. */
export interface RecordLater {
  readonly links: Links;
  readonly pump: Pump;
  readonly reactions: {
    /** This node's own record is on disk. */
    handlePublished(record: VerifiedRecord, urgent: boolean): void;
    /** Another node's record is held now, in the place of another or of none. */
    handleStored(record: VerifiedRecord, previous: VerifiedRecord | undefined): void;
    /** A second node lives under this node's key. */
    handleDuplicate(effect: DuplicateEffect): void;
    /** A path leads to a node that was forgotten. */
    handleMetAgain(id: NodeId): void;
  };
}

/** Makes them. */
export function makeRecordParts(
  common: CommonParts,
  network: NetworkParts,
  later: () => RecordLater,
): RecordParts {
  const { options, archive, background, counters, peers, prng, readings, warnings } = common;
  const { events, lateness, news, forgotten } = common;
  const { asker, authenticator, interfaces } = network;
  const { identity, bootNonce, builtAt } = options;
  const { clock, recordLog } = common.outside;
  const { store } = archive;
  const selfId = identity.id;

  const calendar = new Calendar({ clock, builtAt, peers, store, warnings });
  const fleet = new FleetWatch(clock, {
    selfId,
    store,
    linked: () => peers.links().map((peer) => peer.id),
    zoneOf: (id, ip) => {
      const address = peers.get(id)?.address;
      if (id === selfId) return interfaces.zoneOf(ip);
      return address?.ip === ip ? address.zone : undefined;
    },
    forgotten: forgotten.serials,
  }, {
    isWatched: () => events.watchers > 0,
    handleNodeNew: (node) => {
      if (node.id !== selfId) news.tellOfNode("node-new", node);
    },
    handleNodeChanged: (node) => news.tellOfNode("node-changed", node),
    handleNodeReachable: (node) => {
      if (node.id !== selfId) news.tellOfNode("node-reachable", node);
    },
    handleNodeUnreachable: (node) => news.tellOfNode("node-unreachable", node),
    handleMetAgain: (id) => later().reactions.handleMetAgain(id),
    handleConflicts: (names) => warnOfConflicts(warnings, names),
  });
  const publisher = new Publisher({
    clock,
    counters,
    background,
    own: new OwnRecords({
      signer: identity,
      keep: (record) => recordLog.log.appendOwn(record, clock.wall()),
      ownSerial: recordLog.ownSerial,
      prng,
    }),
    duplicates: new DuplicateWatch(
      bootNonce,
      store.byAuthor(selfId).map(({ kind, serial }) => [kind, serial] as const),
    ),
    prng,
    bootNonce,
    earlierInfo: store.get(recordKey(infoKind, selfId, new Uint8Array(0))),
    owner: {
      describe: () => describeSelf(options, interfaces.addresses()),
      linkCosts: () =>
        peers.links().map(({ id, prefix }) => ({
          peer: prefix,
          costExponent: costExponentOf(later().links.healthOf(id)?.rtt ?? 1),
        })),
      newsOf: (prefix, told) => judgeNews(prefix, told, { selfId, peers, fleet, readings }),
      allowance: (now) => lateness.allowance(now),
      signingTime: () => calendar.signingTime(),
      handlePublished: (record, urgent) => later().reactions.handlePublished(record, urgent),
      handleUnpublished: (why) => warnOfUnpublished(warnings, why),
      handleDuplicate: (effect) => later().reactions.handleDuplicate(effect),
    },
  });
  const gossip: Gossip = new Gossip({
    selfId,
    clock,
    counters,
    background,
    prng,
    archive,
    asker,
    peers,
    allowance: (now) => lateness.allowance(now),
    owner: {
      handleOwnRecord: (record) => publisher.handleOwnRecord(record),
      handleStored: (record, previous) => later().reactions.handleStored(record, previous),
      isUrgent: (record) => readings.isUrgent(record, clock.monotonic()),
      handleInStep: () => common.inStep.resolve(),
      handleMuchMissing: (peer, wish) => {
        bulk.want(peer, wish);
        later().pump.poke();
      },
      mayTakeInBulk: (peer) => bulk.mayTake(peer),
      defersComparison: (peer) => bulk.defers(peer),
    },
  });
  const bulk: Bulk = new Bulk({
    clock,
    counters,
    background,
    prng,
    peers,
    authenticator,
    newAuthors: new WorkBudget(bulkNewAuthorsBurst, newAuthorsRate),
    stopping: common.stopping.signal,
    owner: {
      addressesOf: (id) => readings.dialAddressesOf(id),
      handleDialled: (result, place) => later().links.handleProven(result, place),
      isKnown: (author) => archive.store.hasAuthor(author),
      takePage: (records) => gossip.takePage(records),
      compareWith: (peer) => {
        gossip.compareWith(peer);
        later().pump.poke();
      },
    },
  });
  return { calendar, fleet, publisher, gossip, bulk };
}
