/**
 * Who can be reached from here: breadth-first over links that both ends list (a node can invent
 * links only between identities of its own). Routes come with their own room; this answers
 * only whether a path exists, how long the shortest is and where it begins.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";

/** What a node's `links` record says, as far as a path needs it. */
export interface ListedLinks {
  /** The first 16 bytes, in hex, of each neighbour's id. */
  readonly neighbours: readonly string[];
}

/** How a node is reached. */
export interface Path {
  readonly hops: number;
  /** The neighbour through which the shortest path begins; the node itself when it is one. */
  readonly via: NodeId;
}

/**
 * Shortest paths from `self`, whose own links are `linked` (proven here, whatever is published).
 *
 * @param listed Per node, what its newest `links` record lists.
 * @param prefixOf The first 16 bytes of an id in hex.
 */
export function reachableFrom(
  self: NodeId,
  linked: Iterable<NodeId>,
  listed: ReadonlyMap<NodeId, ListedLinks>,
  prefixOf: (id: NodeId) => string,
): Map<NodeId, Path> {
  const byPrefix = new Map<string, NodeId>();
  for (const id of listed.keys()) byPrefix.set(prefixOf(id), id);
  const listsOf = new Map<NodeId, ReadonlySet<string>>();
  for (const [id, links] of listed) listsOf.set(id, new Set(links.neighbours));

  const paths = new Map<NodeId, Path>();
  let edge: NodeId[] = [];
  for (const id of linked) {
    if (id === self) continue;
    paths.set(id, { hops: 1, via: id });
    edge.push(id);
  }
  for (let hops = 2; edge.length > 0; hops++) {
    const beyond: NodeId[] = [];
    for (const from of edge) {
      const via = paths.get(from)?.via;
      if (via === undefined) continue;
      const fromPrefix = prefixOf(from);
      for (const prefix of listsOf.get(from) ?? []) {
        const to = byPrefix.get(prefix);
        if (to === undefined || to === self || paths.has(to)) continue;
        if (listsOf.get(to)?.has(fromPrefix) !== true) continue;
        paths.set(to, { hops, via });
        beyond.push(to);
      }
    }
    edge = beyond;
  }
  return paths;
}
