/**
 * Whom this node looks at when others are lost: the neighbour that somebody reports as lost, and
 * those whom the lost one watched. A report accuses nobody; it has a probe go out sooner. PROTOCOL
 * §8.5.
 *
 * @module
 */
import type { Counters } from "../base/counters.ts";
import type { VerifiedRecord } from "../sync/mod.ts";
import { type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { Links } from "./links.ts";
import type { PeerTable } from "./peer.ts";
import type { RecordReadings } from "./record_readings.ts";
import type { WatchRoles } from "./watch_roles.ts";

/** What the looks follow from, and who takes them. */
export interface LossLooksOptions {
  readonly counters: Counters;
  readonly peers: Pick<PeerTable, "byPrefix">;
  readonly readings: Pick<RecordReadings, "reportedLosses">;
  readonly roles: Pick<WatchRoles, "watchedBy">;
  readonly links: Pick<Links, "handleReportedLoss" | "handleLostWatcher">;
}

/** Has lost ones looked at. */
export class LossLooks {
  readonly #options: LossLooksOptions;

  constructor(options: LossLooksOptions) {
    this.#options = options;
  }

  /** An author's newer `links` is held in the place of an earlier one. */
  handleLinks(record: VerifiedRecord, previous: VerifiedRecord): void {
    const { counters, links, peers, readings } = this.#options;
    const { heeded, unheeded } = readings.reportedLosses(record, previous);
    if (unheeded > 0) counters.count("loss reported of no neighbour", unheeded);
    for (const lost of heeded) {
      const peer = peers.byPrefix(lost);
      if (peer?.linked === true) links.handleReportedLoss(peer, prefixHexOf(record.author));
      this.handleLost(lost);
    }
  }

  /** The node is lost. Whom it watched may be lost with it, and nobody would notice. */
  handleLost(lost: NodeIdPrefixHex): void {
    const { links, roles } = this.#options;
    for (const peer of roles.watchedBy(lost)) links.handleLostWatcher(peer, lost);
  }
}
