/**
 * The fleet as this node sees it, in the words of the command line: entries, states, names, and
 * what a NODE argument means. Reads only; decides nothing about the mesh.
 *
 * @module
 */
import { compareBytes } from "../base/bytes.ts";
import { isDecodeError } from "../base/decode.ts";
import { formatWallTime } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import { readInfo, readLinks, type RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import type { Endpoint, InfoBody } from "../wire/info.ts";
import { type LinksBody, prefixHexOf } from "../wire/links.ts";
import { type NodeId, nodeIdToBytes, parseNodeId, shortNodeId } from "../wire/node_id.ts";
import { infoKind, linksKind, recordKey } from "../wire/record_key.ts";
import { formatSocketAddress, socketAddress } from "../wire/socket_address.ts";
import { type ControlFailure, controlFailure, type NodeCandidate } from "./control.ts";
import { type ListedLinks, type Path, reachableFrom } from "./reachability.ts";
import type { ListedLink, NodeEntry, NodeState } from "./report.ts";

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
  /** The serial up to which a node was forgotten: not shown until it is met again. */
  forgottenUpTo(id: NodeId): number | undefined;
}

/** A node that is known: it has an `info` record here. */
export interface KnownNode {
  readonly id: NodeId;
  readonly record: VerifiedRecord;
  readonly info: InfoBody;
  readonly state: NodeState;
  readonly path: Path | undefined;
}

/** What a node lists, and the record that says so. */
interface ListingNode {
  readonly record: VerifiedRecord;
  readonly body: LinksBody;
}

/** One moment of the fleet. */
export class FleetView {
  readonly #sources: FleetSources;
  readonly #nodes = new Map<NodeId, KnownNode>();
  readonly #names = new Map<string, NodeId[]>();
  readonly #links = new Map<NodeId, ListingNode>();

  /** @param before An earlier view of the same sources: records it has read are not read again. */
  constructor(sources: FleetSources, before?: FleetView) {
    this.#sources = sources;
    const { store, selfId } = sources;
    const infosRead = before === undefined ? this.#nodes : before.#nodes;
    const linksRead = before === undefined ? this.#links : before.#links;
    const infos = new Map<NodeId, { record: VerifiedRecord; info: InfoBody }>();
    for (const author of store.authors()) {
      const record = store.get(recordKey(infoKind, author, noSubject));
      if (record !== undefined) {
        const known = infosRead.get(author);
        const info = known?.record === record ? known.info : readInfo(record);
        if (!isDecodeError(info)) infos.set(author, { record, info });
      }
      const links = store.get(recordKey(linksKind, author, noSubject));
      if (links === undefined) continue;
      const known = linksRead.get(author);
      const body = known?.record === links ? known.body : readLinks(links);
      if (!isDecodeError(body)) this.#links.set(author, { record: links, body });
    }
    const listed = new Map<NodeId, ListedLinks>();
    for (const [id, { body: { links } }] of this.#links) {
      listed.set(id, { neighbours: links.map((link) => link.peer) });
    }
    const paths = reachableFrom(selfId, sources.linked(), listed, prefixHexOf);
    for (const [id, { record, info }] of infos) {
      const path = paths.get(id);
      const state = id === selfId
        ? "self"
        : path === undefined
        ? "unreachable"
        : path.hops === 1
        ? "linked"
        : "reachable";
      const forgotten = sources.forgottenUpTo(id);
      if (state === "unreachable" && forgotten !== undefined && record.serial <= forgotten) {
        continue;
      }
      this.#nodes.set(id, { id, record, info, state, path });
      const sameName = this.#names.get(info.name);
      if (sameName === undefined) this.#names.set(info.name, [id]);
      else sameName.push(id);
    }
  }

  /** How many nodes are shown, this one included. */
  get known(): number {
    return this.#nodes.size;
  }

  /** How many of them are this one, linked or reachable. */
  get reachable(): number {
    let count = 0;
    for (const { state } of this.#nodes.values()) if (state !== "unreachable") count++;
    return count;
  }

  /** The smallest id of those that can be reached from here, this node included. */
  get smallestReachable(): NodeId {
    let smallest = this.#sources.selfId;
    let smallestBytes = nodeIdToBytes(smallest);
    for (const { id, state } of this.#nodes.values()) {
      if (state === "unreachable") continue;
      // By bytes, as everybody orders ids: the text's alphabet sorts otherwise.
      const bytes = nodeIdToBytes(id);
      if (compareBytes(bytes, smallestBytes) >= 0) continue;
      smallest = id;
      smallestBytes = bytes;
    }
    return smallest;
  }

  /** Every node shown. */
  nodes(): IterableIterator<KnownNode> {
    return this.#nodes.values();
  }

  /** One of them. */
  get(id: NodeId): KnownNode | undefined {
    return this.#nodes.get(id);
  }

  /** The name a node gives itself, or its short id while it has given none. */
  nameOf(id: NodeId): string {
    return this.#nodes.get(id)?.info.name ?? shortNodeId(id);
  }

  /** Names that more than one node claims. */
  conflictingNames(): string[] {
    return [...this.#names].filter(([, ids]) => ids.length > 1).map(([name]) => name).sort();
  }

  /** Entries sorted by name, then id. */
  entries(): NodeEntry[] {
    return [...this.#nodes.values()].map((node) => this.entry(node)).sort((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1
    );
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
      nameState: (this.#names.get(info.name)?.length ?? 0) > 1 ? "conflict" : "claimed",
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
    const byPrefix = new Map([...this.#nodes.keys()].map((known) => [prefixHexOf(known), known]));
    const listed: ListedLink[] = [];
    for (const { peer, costExponent } of this.#links.get(id)?.body.links ?? []) {
      const neighbour = byPrefix.get(peer);
      if (neighbour !== undefined) listed.push({ id: neighbour, costMs: 2 ** costExponent });
    }
    return listed;
  }

  /** What a NODE argument means: an id, a unique prefix of six or more, or an unambiguous name. */
  resolve(argument: string): KnownNode | ControlFailure {
    const id = parseNodeId(argument.toLowerCase());
    const exact = id === undefined ? undefined : this.#nodes.get(id);
    if (exact !== undefined) return exact;
    const named = this.#names.get(argument) ?? [];
    const prefix = argument.toLowerCase();
    const prefixed = prefix.length < idPrefixMin
      ? []
      : [...this.#nodes.keys()].filter((known) => known.startsWith(prefix));
    const meant = [...new Set([...named, ...prefixed])];
    const [only] = meant;
    const node = only === undefined ? undefined : this.#nodes.get(only);
    if (node !== undefined && meant.length === 1) return node;
    if (meant.length === 0) {
      return controlFailure("no-such-node", `No node is known as "${argument}". See: mesh nodes`);
    }
    const candidates: NodeCandidate[] = meant.sort().map((each) => ({
      id: each,
      name: this.nameOf(each),
    }));
    return controlFailure("ambiguous", `"${argument}" may mean ${meant.length} nodes`, candidates);
  }
}
