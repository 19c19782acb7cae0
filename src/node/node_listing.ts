/**
 * The list of all known nodes, sorted by name, then id, made in slices: of a big fleet it takes a
 * quarter of a second, and whoever waits that long for an answer to a probe takes the node for dead.
 *
 * @module
 */
import type { NodeEntry } from "../control/mod.ts";
import type { FleetView } from "./fleet_view.ts";
import { listingRun, listingSlice, walkSlice } from "./limits.ts";
import type { NamedNode } from "./node_numbers.ts";

function byNameThenId(a: NamedNode, b: NamedNode): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/**
 * The entries of this moment, whatever changes meanwhile. Each step takes a millisecond or two;
 * those that only prepare give nothing.
 */
export function* entriesInSlices(view: FleetView): IterableIterator<readonly NodeEntry[]> {
  const still = view.still();
  const { nodes } = still.reach.graph;
  const runs: (readonly NamedNode[])[] = [];
  for (let from = 0; from < nodes.length; from += listingRun) {
    runs.push(nodes.slice(from, from + listingRun).sort(byNameThenId));
    yield [];
  }
  while (still.reach.walk(walkSlice)) yield [];
  let slice: NodeEntry[] = [];
  let looked = 0;
  for (const { id } of merged(runs)) {
    const node = still.get(id);
    if (node !== undefined) slice.push(still.entry(node));
    if (++looked % listingSlice !== 0) continue;
    yield slice;
    slice = [];
  }
  yield slice;
}

/** All of the sorted runs, in order. There are a hundred at most: looking at each is quick enough. */
function* merged(runs: readonly (readonly NamedNode[])[]): IterableIterator<NamedNode> {
  const at = runs.map(() => 0);
  for (;;) {
    let next: NamedNode | undefined;
    let from = 0;
    for (const [i, run] of runs.entries()) {
      const head = run[at[i] ?? 0];
      if (head === undefined || (next !== undefined && byNameThenId(next, head) < 0)) continue;
      next = head;
      from = i;
    }
    if (next === undefined) return;
    at[from] = (at[from] ?? 0) + 1;
    yield next;
  }
}
