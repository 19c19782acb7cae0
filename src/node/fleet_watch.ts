/**
 * Keeps the view of the fleet that everybody reads, and tells what is new to whoever watches.
 *
 * A look at the fleet costs time in proportion to the nodes known (less than a microsecond each),
 * and anybody who proves a key can bring changes as fast as he can sign. So between two looks there
 * is a time in proportion to the nodes known too; until then the view is that of the last look. A
 * node whom nobody asks anything looks rarely, and holds nothing per node.
 *
 * The first look takes every record apart, which later ones need not. After a start with many it is
 * prepared in slices. Whoever cannot wait for that gets what follows from the links alone; commands
 * wait.
 *
 * @module
 */
import { type Duration, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import type { VerifiedRecord } from "../sync/mod.ts";
import { keyBound } from "../wire/key_range.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind } from "../wire/record_key.ts";
import { type FleetSources, FleetView, type KnownNode } from "./fleet_view.ts";
import {
  looksGap,
  pickTries,
  quietLookPerNode,
  readAheadAwaitedSlice,
  readAheadFrom,
  readAheadSlice,
  viewPerNode,
  watchedLookPerNode,
} from "./limits.ts";
import { GraphAhead, type GraphSource, linkGraphOf } from "./link_graph_making.ts";
import type { Timed } from "./pump.ts";
import { Reach, smallestOf } from "./reach.ts";

/** What is new. The first four are told only while somebody watches. */
export interface FleetWatchOwner {
  /** Whether somebody watches. */
  isWatched(): boolean;
  handleNodeNew(node: KnownNode): void;
  /** A newer `info` record. */
  handleNodeChanged(node: KnownNode): void;
  handleNodeReachable(node: KnownNode): void;
  handleNodeUnreachable(node: KnownNode): void;
  /** A path leads to a node that was forgotten. */
  handleMetAgain(id: NodeId): void;
  /** Names that more than one node claims; told when the list changes. */
  handleConflicts(names: readonly string[]): void;
}

/** The view of the fleet and its changes. */
export class FleetWatch implements Timed {
  readonly #clock: Clock;
  readonly #sources: FleetSources;
  readonly #owner: FleetWatchOwner;
  #view: FleetView | undefined;
  #isStale = false;
  /** When the view may be made anew. */
  #freshFrom: Instant;
  /** When it is time to tell what is new. */
  #lookAt: Instant | undefined;
  #lookedAt: Instant | undefined;
  /** Who was reached when what is new was told last; absent while nobody watches. */
  #told: Reach | undefined;
  /** Records told of since, while somebody watches. */
  readonly #news = new Map<NodeId, "new" | "changed">();
  #conflicts = "";
  /** While records are being taken apart for the first look. */
  #ahead: GraphAhead | undefined;
  /** What there was when somebody began to watch before that was done. */
  #watchedFrom: { readonly records: GraphSource; readonly linked: readonly NodeId[] } | undefined;
  readonly #wasRead = Promise.withResolvers<void>();
  /** Whether somebody waits for that. */
  #isAwaited = false;
  /** Since when that is due: always, as long as it lasts. */
  readonly #readFrom: Instant;

  constructor(clock: Clock, sources: FleetSources, owner: FleetWatchOwner) {
    this.#clock = clock;
    this.#sources = sources;
    this.#owner = owner;
    this.#freshFrom = clock.monotonic();
    this.#readFrom = this.#freshFrom;
    if (sources.store.size >= readAheadFrom) this.#ahead = new GraphAhead(sources.store);
    else this.#wasRead.resolve();
    this.handleChange();
  }

  /** Resolves when the view takes no long time to make, or the node stops: who can wait, waits. */
  whenRead(): Promise<void> {
    this.#isAwaited = true;
    return this.#wasRead.promise;
  }

  /** No more deadlines come. */
  handleStopping(): void {
    this.#wasRead.resolve();
  }

  /** The fleet now, or at the last look if the next one must wait. */
  get view(): FleetView {
    const now = this.#clock.monotonic();
    if (this.#view === undefined || (this.#isStale && now >= this.#freshFrom)) {
      this.#isStale = false;
      this.#view = new FleetView(this.#sources);
      this.#freshFrom = later(now, this.#perNode(viewPerNode));
    }
    return this.#view;
  }

  /** The smallest id of those that can be reached from here, as far as that is known yet. */
  get smallestReachable(): NodeId {
    if (this.#ahead === undefined) return this.view.smallestReachable;
    return smallestOf(this.#sources.linked(), this.#sources.selfId);
  }

  /** Whether a path leads to the node, as far as that is known yet. */
  reaches(id: NodeId): boolean {
    return this.#ahead === undefined && this.view.reaches(id);
  }

  /** As `FleetView.pick`, as far as that is known yet. */
  pick(reachable: boolean, prng: Prng, passes: (id: NodeId) => boolean): NodeId | undefined {
    if (this.#ahead === undefined) return this.view.pick(reachable, prng, passes);
    return reachable ? undefined : this.#pickUnlinked(prng, passes);
  }

  /** Who has no link: to hardly anybody does a path lead so soon after the start. */
  #pickUnlinked(prng: Prng, passes: (id: NodeId) => boolean): NodeId | undefined {
    const { selfId, store: { tree }, forgotten } = this.#sources;
    const infos = tree.countBelow(keyBound(new Uint8Array([infoKind + 1])));
    const linked = new Set(this.#sources.linked());
    const start = prng.below(Math.max(1, infos));
    for (let i = 0; i < Math.min(infos, pickTries); i++) {
      const id = tree.at((start + i) % infos)?.author;
      if (id === undefined || id === selfId || linked.has(id) || forgotten.has(id)) continue;
      if (passes(id)) return id;
    }
    return undefined;
  }

  #perNode(time: Duration): Duration {
    return scaled(time, this.#sources.store.authorCount);
  }

  /**
   * Whether a path leads to the node beside its link with this one.
   *
   * @param counts Which of this node's links count: others know of those alone that were told.
   */
  isReachedOtherwise(id: NodeId, counts: (other: NodeId) => boolean = () => true): boolean {
    // What is not known yet is as good as news.
    if (this.#ahead !== undefined) return false;
    const graph = linkGraphOf(this.#sources.store);
    const others = [...this.#sources.linked()].filter((other) => other !== id && counts(other));
    return new Reach(graph, this.#sources.selfId, others).reaches(id);
  }

  /** Somebody begins to watch: what is new from now on is told. */
  handleWatched(): void {
    const { store, selfId } = this.#sources;
    // Not from the view, which may be a little old: what happened since is not news to them.
    if (this.#ahead === undefined) {
      this.#told ??= new Reach(linkGraphOf(store), selfId, this.#sources.linked());
    } else if (this.#watchedFrom === undefined) {
      const records = { tree: store.tree, authorCount: store.authorCount };
      this.#watchedFrom = { records, linked: [...this.#sources.linked()] };
    }
    // A look that can wait while nobody watches is due now.
    this.#lookAt = undefined;
    this.handleChange();
  }

  /** A record is held now, in the place of another or of none. */
  handleStored(record: VerifiedRecord, previous: VerifiedRecord | undefined): void {
    this.handleChange();
    if (record.kind !== infoKind || !this.#owner.isWatched()) return;
    const { author } = record;
    if (previous === undefined) this.#news.set(author, "new");
    else if (this.#isHidden(author, previous)) this.handleShown(author);
    else if (!this.#news.has(author)) this.#news.set(author, "changed");
  }

  #isHidden(id: NodeId, record: VerifiedRecord): boolean {
    return record.serial <= (this.#sources.forgotten.get(id) ?? -1);
  }

  /** The node was forgotten and is no longer. */
  handleShown(id: NodeId): void {
    if (this.#owner.isWatched()) this.#news.set(id, "new");
    this.handleChange();
  }

  /** Something changed: records, or links. */
  handleChange(): void {
    const now = this.#clock.monotonic();
    this.#isStale = true;
    // Whoever asks next gets another one: nobody needs this one's graph any more.
    if (now >= this.#freshFrom) this.#view = undefined;
    if (this.#lookAt !== undefined) return;
    const rest = this.#perNode(this.#owner.isWatched() ? watchedLookPerNode : quietLookPerNode);
    const soonest = later(now, looksGap);
    const rested = this.#lookedAt === undefined ? soonest : later(this.#lookedAt, rest);
    this.#lookAt = rested > soonest ? rested : soonest;
  }

  nextTimeout(): Instant | undefined {
    return this.#ahead === undefined ? this.#lookAt : this.#readFrom;
  }

  handleTimeout(now: Instant): void {
    if (this.#ahead !== undefined) {
      const slice = this.#isAwaited ? readAheadAwaitedSlice : readAheadSlice;
      if (!this.#ahead.read(slice)) this.#finishReading();
      return;
    }
    if (this.#lookAt === undefined || now < this.#lookAt) return;
    if (this.#isStale && now < this.#freshFrom) {
      this.#lookAt = this.#freshFrom;
      return;
    }
    this.#lookAt = undefined;
    this.#lookedAt = now;
    const { view } = this;
    for (const id of [...this.#sources.forgotten.keys()]) {
      if (view.reaches(id) && view.get(id) !== undefined) this.#owner.handleMetAgain(id);
    }
    if (this.#owner.isWatched()) this.#tell(view);
    else {
      this.#told = undefined;
      this.#news.clear();
    }
    this.#tellConflicts(view);
  }

  #finishReading(): void {
    this.#ahead = undefined;
    this.#wasRead.resolve();
    if (this.#watchedFrom === undefined) return;
    const { records, linked } = this.#watchedFrom;
    this.#watchedFrom = undefined;
    this.#told = new Reach(linkGraphOf(records), this.#sources.selfId, linked);
  }

  #tell(view: FleetView): void {
    const before = this.#told;
    const after = view.reach;
    this.#told = after;
    for (const [id, news] of this.#news) {
      const node = view.get(id);
      if (node === undefined) continue;
      if (news === "new") this.#owner.handleNodeNew(node);
      else this.#owner.handleNodeChanged(node);
    }
    if (before !== undefined) this.#tellReached(view, before);
    this.#news.clear();
  }

  #tellReached(view: FleetView, before: Reach): void {
    const after = view.reach;
    const sameNumbers = after.graph.numbersAsIn(before.graph);
    for (const known of after.graph.nodes) {
      const wasReached = this.#news.get(known.id) !== "new" &&
        (sameNumbers ? before.reachesNode(known) : before.reaches(known.id));
      const reached = after.reachesNode(known);
      if (reached === wasReached) continue;
      const node = view.get(known.id);
      if (node === undefined) continue;
      if (reached) this.#owner.handleNodeReachable(node);
      else this.#owner.handleNodeUnreachable(node);
    }
  }

  #tellConflicts(view: FleetView): void {
    const names = view.conflictingNames();
    const text = names.join("\n");
    if (text === this.#conflicts) return;
    this.#conflicts = text;
    this.#owner.handleConflicts(names);
  }
}
