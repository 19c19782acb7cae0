/**
 * The parts that all others have in common, and that are made first: what is counted, warned of and
 * told, who the peers are, which records are held.
 *
 * @module
 */
import { Counters } from "../base/counters.ts";
import { hashKeyOf } from "../base/half_sip_hash.ts";
import { Prng } from "../base/prng.ts";
import type { VerifiedRecord } from "../sync/mod.ts";
import { Archive } from "./archive.ts";
import { Background } from "./background.ts";
import { judgeClock } from "./clock_judgement.ts";
import { EventFeed } from "./events.ts";
import type { FleetWatch } from "./fleet_watch.ts";
import { Forgotten } from "./forgotten.ts";
import { Lateness } from "./lateness.ts";
import { News } from "./news.ts";
import type { NodeOptions, NodeOutside } from "./node_options.ts";
import { PeerTable } from "./peer.ts";
import type { Pump } from "./pump.ts";
import { RecordReadings } from "./record_readings.ts";
import type { NodeEvent } from "../control/mod.ts";
import { clearUnwritten, warnOfUnwritten } from "./troubles.ts";
import { Warnings } from "./warnings.ts";

/** What every part may be given. */
export interface CommonParts {
  readonly options: NodeOptions;
  readonly outside: NodeOutside;
  readonly background: Background;
  readonly counters: Counters;
  readonly events: EventFeed<NodeEvent>;
  readonly news: News;
  readonly warnings: Warnings;
  readonly archive: Archive;
  readonly readings: RecordReadings;
  readonly peers: PeerTable;
  readonly forgotten: Forgotten;
  readonly prng: Prng;
  readonly lateness: Lateness;
  /** Settled when one comparison with a peer ended equal. */
  readonly inStep: PromiseWithResolvers<void>;
  /** Aborted when the node stops. */
  readonly stopping: AbortController;
}

/** What these parts call of those made later. */
export interface CommonLater {
  readonly fleet: FleetWatch;
  readonly pump: Pump;
  readonly reactions: {
    /** These records are held no longer. */
    handleGone(records: readonly VerifiedRecord[]): void;
  };
}

/** Makes them; resolves when the stored records are read. */
export async function makeCommonParts(
  options: NodeOptions,
  outside: NodeOutside,
  later: () => CommonLater,
): Promise<CommonParts> {
  const { clock, entropy, log, recordLog } = outside;
  const background = new Background((what, error) => {
    log.warn("{what} failed: {error}", { what, error });
  });
  const counters = new Counters();
  const events = new EventFeed<NodeEvent>(() => {
    later().fleet.handleWatched();
    later().pump.poke();
  });
  const news = new News({ clock, log, events, nameOf: (id) => later().fleet.view.nameOf(id) });
  const warnings = new Warnings((warning, cleared) => {
    if (!cleared) log.warn("{code}: {message}", { ...warning });
    news.tell({ event: "warning", ...warning, ...cleared ? { cleared } : {} });
  });
  const archive = await Archive.restore(recordLog, {
    clock,
    counters,
    background,
    store: {
      selfId: options.identity.id,
      builtAt: options.builtAt,
      sharing: outside.recordSharing ?? hashKeyOf(entropy.bytes(8)),
      keepsAuthor: (author) => later().fleet.view.reaches(author),
    },
    ...outside.breathe === undefined ? {} : { breathe: outside.breathe },
    clockSuspect: judgeClock(clock.wall(), options.builtAt, []).problem !== undefined,
    owner: {
      handleEquivocation: ({ author }) =>
        log.warn("{author} signed two records under one serial", { author }),
      handleGone: (records) => later().reactions.handleGone(records),
      handleLogFailure: (error) => warnOfUnwritten(warnings, error),
      handleLogWritten: () => clearUnwritten(warnings),
    },
  });
  return {
    options,
    outside,
    background,
    counters,
    events,
    news,
    warnings,
    archive,
    readings: new RecordReadings(archive.store),
    peers: new PeerTable(entropy),
    forgotten: new Forgotten(options.forgotten, outside.keepForgotten),
    prng: new Prng([...new Uint32Array(entropy.bytes(16).buffer)]),
    lateness: new Lateness(),
    inStep: Promise.withResolvers<void>(),
    stopping: new AbortController(),
  };
}
