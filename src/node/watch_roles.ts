/**
 * Which links this node watches and which neighbours watch it, computed from records whenever one of
 * those that matter has changed. PROTOCOL §8.5. It decides nothing about anybody's life: the monitor
 * does, at the pace that these roles set.
 *
 * @module
 */
import { type Instant, later } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { type LinkRole, type VerifiedRecord, watchersOf } from "../sync/mod.ts";
import { type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { linksKind } from "../wire/record_key.ts";
import { rolesCoalesce } from "./limits.ts";
import type { Peer } from "./peer.ts";
import type { Timed } from "./pump.ts";

/** What the roles follow from, and who is told. */
export interface WatchRolesOwner {
  /** Peers with a link. */
  linked(): readonly Peer[];
  /** Whom the newest `links` of the node of that prefix names; `undefined` if there is none here. */
  neighboursOf(prefix: NodeIdPrefixHex): ReadonlySet<NodeIdPrefixHex> | undefined;
  /** The role is another one now; `undefined`: the records of both ends do not both name the link. */
  handleRole(id: NodeId, role: LinkRole | undefined): void;
}

/** Whom each author's `links` names; `undefined` where there is no such record here. */
type NeighboursByAuthor = Map<NodeIdPrefixHex, ReadonlySet<NodeIdPrefixHex> | undefined>;

/** Keeps the roles of all links. */
export class WatchRoles implements Timed {
  readonly #clock: Clock;
  readonly #self: NodeIdPrefixHex;
  readonly #owner: WatchRolesOwner;
  /**
   * What the `links` of authors that matter say, as far as it was read since they changed: of this
   * node, its neighbours, and whom they name. A few hundred, of which few change at a time.
   */
  #read: NeighboursByAuthor = new Map();
  /** What was told of each link last. */
  #told = new Map<NodeId, LinkRole>();
  /** Who watches each neighbour. */
  #watchers: ReadonlyMap<Peer, readonly NodeIdPrefixHex[]> = new Map();
  #due: Instant | undefined;

  constructor(clock: Clock, selfId: NodeId, owner: WatchRolesOwner) {
    this.#clock = clock;
    this.#self = prefixHexOf(selfId);
    this.#owner = owner;
  }

  /** Links have come or gone. */
  handleLinks(): void {
    this.#due ??= later(this.#clock.monotonic(), rolesCoalesce);
  }

  /** A record is new, or gone. */
  handleRecord({ kind, author }: VerifiedRecord): void {
    if (kind === linksKind && this.#read.delete(prefixHexOf(author))) this.handleLinks();
  }

  /** Neighbours that the node of this prefix watches: if it is gone, nobody may be looking at them. */
  watchedBy(watcher: NodeIdPrefixHex): Peer[] {
    return [...this.#watchers].flatMap(([peer, watchers]) =>
      peer.linked && watchers.includes(watcher) ? [peer] : []
    );
  }

  nextTimeout(): Instant | undefined {
    return this.#due;
  }

  handleTimeout(now: Instant): void {
    if (this.#due === undefined || this.#due > now) return;
    this.#due = undefined;
    this.#compute();
  }

  #compute(): void {
    const before = this.#read;
    const read: NeighboursByAuthor = new Map();
    const neighboursOf = (prefix: NodeIdPrefixHex) => {
      if (read.has(prefix)) return read.get(prefix);
      const neighbours = before.get(prefix) ?? this.#owner.neighboursOf(prefix);
      read.set(prefix, neighbours);
      return neighbours;
    };
    const watchersHere = (prefix: NodeIdPrefixHex) =>
      watchersOf(
        prefix,
        [...neighboursOf(prefix) ?? []],
        (neighbour) => neighboursOf(neighbour)?.has(prefix) ?? false,
      );
    const own = watchersHere(this.#self);
    const told = new Map<NodeId, LinkRole>();
    const watchers = new Map<Peer, readonly NodeIdPrefixHex[]>();
    for (const peer of this.#owner.linked()) {
      const { id, prefix } = peer;
      const theirs = watchersHere(prefix);
      watchers.set(peer, theirs);
      const isNamedByBoth = neighboursOf(this.#self)?.has(prefix) === true &&
        neighboursOf(prefix)?.has(this.#self) === true;
      const role = isNamedByBoth
        ? {
          watches: theirs.includes(this.#self),
          turn: Math.max(0, theirs.indexOf(this.#self)),
          isWatched: own.includes(prefix),
        }
        : undefined;
      const last = this.#told.get(id);
      if (role !== undefined) told.set(id, role);
      if (isSame(last, role)) continue;
      this.#owner.handleRole(id, role);
    }
    this.#told = told;
    this.#watchers = watchers;
    this.#read = read;
  }
}

function isSame(a: LinkRole | undefined, b: LinkRole | undefined): boolean {
  return a?.watches === b?.watches && a?.turn === b?.turn && a?.isWatched === b?.isWatched;
}
