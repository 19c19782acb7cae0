/**
 * The fleet as this node sees it, in the words of the command line: entries, states, names, and
 * what a NODE argument means. Reads only; decides nothing about the mesh.
 *
 * Nothing is held per node: who is reached is a matter of the link graph at the moment of the view,
 * and everything else is read from the records when somebody asks.
 *
 * @module
 */
import { isDecodeError } from "../base/decode.ts";
import { formatWallTime } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import type { Prng } from "../base/prng.ts";
import { readInfo, readLinks, type RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import type { Endpoint, InfoBody } from "../wire/info.ts";
import type { NodeIdPrefixHex } from "../wire/links.ts";
import { type NodeId, parseNodeId, shortNodeId } from "../wire/node_id.ts";
import { infoKind, linksKind, recordKey } from "../wire/record_key.ts";
import { formatSocketAddress, socketAddress } from "../wire/socket_address.ts";
import { type ControlFailure, controlFailure, type NodeCandidate } from "../control/mod.ts";
import { candidatesMax, pickTries } from "./limits.ts";
import { linkGraphOf } from "./link_graph_making.ts";
import { type Path, Reach } from "./reach.ts";
import type { ListedLink, NodeEntry, NodeState } from "../control/mod.ts";

/** Least characters of an id that stand for it in an argument. */
const idPrefixMin = 6;
const noSubject = new Uint8Array(0);

/** What the view is of. */
export interface FleetSources {
  readonly selfId: NodeId;
  readonly store: RecordStore;
  /** Links held now. */
  linked(): Iterable<NodeId>;
  /** The zone in which this node reaches that link-local address of the node, if it does. */
  zoneOf(id: NodeId, ip: IpAddress): string | undefined;
  /** Nodes that were forgotten, each with the serial up to which it is not shown until it is met again. */
  readonly forgotten: ReadonlyMap<NodeId, number>;
}

/** A node that is known: it has an `info` record here. */
export interface KnownNode {
  readonly id: NodeId;
  readonly record: VerifiedRecord;
  readonly info: InfoBody;
  readonly state: NodeState;
  readonly path: Path | undefined;
}

/** One moment of the fleet. */
export class FleetView {
  readonly #sources: FleetSources;
  /** Where records are read. */
  readonly #records: Pick<RecordStore, "get" | "range">;
  #reach: Reach | undefined;
  #smallest: NodeId | undefined;

  /** @param still The reach of an earlier moment: records are those of that moment, too. */
  constructor(sources: FleetSources, still?: Reach) {
    this.#sources = sources;
    this.#records = still?.graph.content.tree ?? sources.store;
    this.#reach = still;
  }

  /** This moment, for whoever reads it over many turns: what comes meanwhile is not in it. */
  still(): FleetView {
    const forgotten = new Map(this.#sources.forgotten);
    return new FleetView({ ...this.#sources, forgotten }, this.reach);
  }

  /** Who is reached, found out when first somebody asks. */
  get reach(): Reach {
    const { store, selfId } = this.#sources;
    this.#reach ??= new Reach(linkGraphOf(store), selfId, this.#sources.linked());
    return this.#reach;
  }

  /** How many nodes are shown, this one included. */
  get known(): number {
    let hidden = 0;
    for (const id of this.#sources.forgotten.keys()) if (this.#isHidden(id)) hidden++;
    return this.reach.graph.nodes.length - hidden;
  }

  /** How many of them are this one, linked or reachable. */
  get reachable(): number {
    return this.reach.count();
  }

  /** How many of them are this one or linked. */
  get #near(): number {
    const { selfId, linked } = this.#sources;
    let near = 0;
    for (const id of new Set([selfId, ...linked()])) if (this.#infoRecord(id) !== undefined) near++;
    return near;
  }

  /** The smallest id of those that can be reached from here, this node included. */
  get smallestReachable(): NodeId {
    this.#smallest ??= this.reach.smallest();
    return this.#smallest;
  }

  /** Whether the id is this node's, or a path leads to it. */
  reaches(id: NodeId): boolean {
    return this.reach.reaches(id);
  }

  /** One of them. */
  get(id: NodeId): KnownNode | undefined {
    const record = this.#infoRecord(id);
    const info = record === undefined ? undefined : readInfo(record);
    if (record === undefined || info === undefined || isDecodeError(info)) return undefined;
    if (this.#isHidden(id)) return undefined;
    const path = this.reach.pathTo(id);
    const state = id === this.#sources.selfId
      ? "self"
      : path === undefined
      ? "unreachable"
      : path.hops === 1
      ? "linked"
      : "reachable";
    return { id, record, info, state, path };
  }

  #infoRecord(id: NodeId): VerifiedRecord | undefined {
    return this.#records.get(recordKey(infoKind, id, noSubject));
  }

  /** Whether the node was forgotten and is still what it was then. */
  #isHidden(id: NodeId): boolean {
    const upTo = this.#sources.forgotten.get(id);
    if (upTo === undefined || this.reaches(id)) return false;
    const record = this.#infoRecord(id);
    return record !== undefined && record.serial <= upTo;
  }

  /** The name a node gives itself, or its short id while it has given none. */
  nameOf(id: NodeId): string {
    const record = this.#isHidden(id) ? undefined : this.#infoRecord(id);
    const info = record === undefined ? undefined : readInfo(record);
    return info === undefined || isDecodeError(info) ? shortNodeId(id) : info.name;
  }

  /** Whether others claim the name, too. */
  #isShared(name: string): boolean {
    let shown = 0;
    // Not all of them: thousands may have made up the same name, and each is asked about.
    for (const id of this.reach.graph.sharedNames.get(name) ?? []) {
      if (!this.#isHidden(id) && ++shown > 1) return true;
    }
    return false;
  }

  /** Names that more than one node claims. */
  conflictingNames(): string[] {
    const names = [...this.reach.graph.sharedNames.keys()];
    return names.filter((name) => this.#isShared(name)).sort();
  }

  /**
   * A random node that passes, neither this one nor a neighbour: one that a path leads to, or one that
   * none leads to.
   */
  pick(reachable: boolean, prng: Prng, passes: (id: NodeId) => boolean): NodeId | undefined {
    const { reach } = this;
    const { nodes } = reach.graph;
    // Looking through all for what is not there would cost each new link a look at all known.
    const wanted = reachable ? this.reachable - this.#near : nodes.length - this.reachable;
    if (wanted <= 0) return undefined;
    const start = prng.below(nodes.length);
    let tries = 0;
    for (let i = 0; i < nodes.length && tries < pickTries; i++) {
      const node = nodes[(start + i) % nodes.length];
      if (node === undefined || node.id === this.#sources.selfId || reach.isLinked(node.id)) {
        continue;
      }
      if (reach.reachesNode(node) !== reachable || this.#isHidden(node.id)) continue;
      tries++;
      if (passes(node.id)) return node.id;
    }
    return undefined;
  }

  /** The entry of one node. */
  entry({ id, record, info, state, path }: KnownNode): NodeEntry {
    const way = state === "self"
      ? { hops: 0 }
      : path === undefined
      ? {}
      : { hops: path.hops, via: path.via };
    const update = info.update ?? { seq: info.software.seq, state: "none" };
    return {
      id,
      name: info.name,
      nameState: this.#isShared(info.name) ? "conflict" : "claimed",
      state,
      serial: record.serial,
      infoAt: formatWallTime(record.signedAt),
      ...way,
      addresses: this.#addresses(id, [...info.endpoints, ...info.observed]),
      version: info.software.version,
      os: info.platform.os,
      arch: info.platform.arch,
      labels: Object.fromEntries(info.labels),
      roles: [],
      update,
    };
  }

  #addresses(id: NodeId, endpoints: readonly Endpoint[]): string[] {
    const texts = new Set<string>();
    for (const { ip, port, scope } of endpoints) {
      const zoned = scope === "link-local" && ip.includes(":");
      const zone = zoned ? this.#sources.zoneOf(id, ip) : undefined;
      if (zoned && zone === undefined) continue;
      texts.add(formatSocketAddress(socketAddress(ip, port, zone)));
    }
    return [...texts];
  }

  /** The links that a node lists, as far as their ids are known here. */
  linksOf(id: NodeId): ListedLink[] {
    const record = this.#records.get(recordKey(linksKind, id, noSubject));
    const body = record === undefined ? undefined : readLinks(record);
    const listed: ListedLink[] = [];
    if (body === undefined || isDecodeError(body)) return listed;
    for (const { peer, costExponent } of body.links) {
      const neighbour = this.#idOf(peer);
      if (neighbour !== undefined) listed.push({ id: neighbour, costMs: 2 ** costExponent });
    }
    return listed;
  }

  #idOf(prefix: NodeIdPrefixHex): NodeId | undefined {
    const key = `00${prefix}`;
    for (const { author } of this.#records.range(key, `${key}g`)) {
      return this.get(author)?.id;
    }
    return undefined;
  }

  /** What a NODE argument means: an id, a unique prefix of six or more, or an unambiguous name. */
  resolve(argument: string): KnownNode | ControlFailure {
    const id = parseNodeId(argument.toLowerCase());
    const exact = id === undefined ? undefined : this.get(id);
    if (exact !== undefined) return exact;
    const prefix = argument.toLowerCase();
    const isPrefix = prefix.length >= idPrefixMin;
    const meant: NodeCandidate[] = [];
    let count = 0;
    for (const { id: each, name } of this.reach.graph.nodes) {
      if (name !== argument && !(isPrefix && each.startsWith(prefix))) continue;
      if (this.#infoRecord(each) === undefined || this.#isHidden(each)) continue;
      count++;
      if (meant.length < candidatesMax) meant.push({ id: each, name });
    }
    const [only] = meant;
    const node = only === undefined || count > 1 ? undefined : this.get(only.id);
    if (node !== undefined) return node;
    if (count < 2) {
      return controlFailure("no-such-node", `No node is known as "${argument}". See: mesh nodes`);
    }
    meant.sort((a, b) => a.id < b.id ? -1 : 1);
    const listed = count > meant.length ? `, of which ${meant.length} are listed` : "";
    return controlFailure("ambiguous", `"${argument}" may mean ${count} nodes${listed}`, meant);
  }
}
