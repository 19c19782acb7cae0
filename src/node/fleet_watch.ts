/**
 * Looks at the fleet whenever something changed, tells what is new since the last look, and keeps
 * the view that everybody else reads.
 *
 * A look costs time in proportion to the nodes known, and anybody who proves a key can bring changes
 * as fast as he can sign: so looking takes at most a tenth of the time, and between two looks the
 * view is that of the last one.
 *
 * @module
 */
import { elapsed, type Instant, later, milliseconds, scaled } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type FleetSources, FleetView, type KnownNode } from "./fleet_view.ts";
import type { Timed } from "./pump.ts";

/** Changes that come together are looked at together. */
const lookAfter = milliseconds(20);

/** The rest after a look, in lengths of the look. */
const restPerLook = 9;

/** What is new. */
export interface FleetWatchOwner {
  handleNodeNew(node: KnownNode): void;
  /** A newer `info` record. */
  handleNodeChanged(node: KnownNode): void;
  handleNodeReachable(node: KnownNode): void;
  handleNodeUnreachable(node: KnownNode): void;
  /** Names that more than one node claims; told when the list changes. */
  handleConflicts(names: readonly string[]): void;
}

interface Seen {
  readonly serial: number;
  readonly reachable: boolean;
}

/** The view of the fleet and its changes. */
export class FleetWatch implements Timed {
  readonly #clock: Clock;
  readonly #sources: FleetSources;
  readonly #owner: FleetWatchOwner;
  readonly #seen = new Map<NodeId, Seen>();
  #view: FleetView;
  #isStale = false;
  /** When the next look may be. */
  #restUntil: Instant;
  #lookAt: Instant | undefined;
  #conflicts = "";

  constructor(clock: Clock, sources: FleetSources, owner: FleetWatchOwner) {
    this.#clock = clock;
    this.#sources = sources;
    this.#owner = owner;
    this.#restUntil = clock.monotonic();
    this.#view = new FleetView(sources);
    // What the disk remembered is not news.
    this.#note();
  }

  /** The fleet now, or at the last look if the next one must wait. */
  get view(): FleetView {
    const begun = this.#clock.monotonic();
    if (this.#isStale && begun >= this.#restUntil) {
      this.#isStale = false;
      this.#view = new FleetView(this.#sources, this.#view);
      this.#restAfter(begun);
    }
    return this.#view;
  }

  #restAfter(begun: Instant): void {
    const ended = this.#clock.monotonic();
    const until = later(ended, scaled(elapsed(begun, ended), restPerLook));
    if (until > this.#restUntil) this.#restUntil = until;
  }

  /** Whether a path led to the node when the fleet was looked at last. */
  wasReachable(id: NodeId): boolean {
    return this.#seen.get(id)?.reachable ?? false;
  }

  /** Something changed: records, or links. */
  handleChange(): void {
    this.#isStale = true;
    this.#lookAt ??= later(this.#clock.monotonic(), lookAfter);
  }

  nextTimeout(): Instant | undefined {
    return this.#lookAt;
  }

  handleTimeout(now: Instant): void {
    if (this.#isStale && now < this.#restUntil) {
      this.#lookAt = this.#restUntil;
      return;
    }
    this.#lookAt = undefined;
    const begun = this.#clock.monotonic();
    const known = new Set<NodeId>();
    for (const node of this.view.nodes()) {
      known.add(node.id);
      const before = this.#seen.get(node.id);
      const reachable = node.state !== "unreachable";
      if (before === undefined) this.#owner.handleNodeNew(node);
      else if (before.serial !== node.record.serial) this.#owner.handleNodeChanged(node);
      if (reachable && before?.reachable !== true) this.#owner.handleNodeReachable(node);
      if (!reachable && before?.reachable === true) this.#owner.handleNodeUnreachable(node);
    }
    for (const id of this.#seen.keys()) if (!known.has(id)) this.#seen.delete(id);
    this.#note();
    this.#restAfter(begun);
  }

  #note(): void {
    for (const { id, record, state } of this.view.nodes()) {
      this.#seen.set(id, { serial: record.serial, reachable: state !== "unreachable" });
    }
    const names = this.view.conflictingNames();
    const text = names.join("\n");
    if (text === this.#conflicts) return;
    this.#conflicts = text;
    this.#owner.handleConflicts(names);
  }
}
