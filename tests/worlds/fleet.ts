/**
 * What worlds of many nodes have in common: their making, and what is asked of all of them.
 *
 * @module
 */
import { seconds } from "../../src/base/instant.ts";
import type { Rogue } from "../sim/rogue.ts";
import type { Machine, World } from "../sim/world.ts";

/** Names of machines. */
export function names(count: number, prefix = "n"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Whether all of them hold the same and see as many as they are. */
export function inStep(machines: readonly Machine[], count = machines.length): boolean {
  // The stores of one world share their trees: the same root, the same records.
  const root = machines[0]?.node.archive.store.tree.root;
  return machines.every(({ node }) => node.archive.store.tree.root === root) &&
    machines.every(({ node }) => node.fleet.view.reachable >= count);
}

/** Link ends that were not meant, of all of them, in words. */
export function lostLinks(machines: readonly Machine[]): string[] {
  return machines.flatMap((one) =>
    one.events.slice(one.eventsAtStart).flatMap(({ event, id, reason }) =>
      event === "link-down" && reason !== "let go" && id !== undefined
        ? [`${one.name} lost ${one.world.nameOf(id)}: ${reason}`]
        : []
    )
  );
}

/** Looking at all of many nodes costs more than an event: a few times a virtual second. */
export function nowAndThen(world: World, holds: () => boolean): () => boolean {
  let lookAt = 0;
  return () => {
    if (world.time.now < lookAt) return false;
    lookAt = world.time.now + 250;
    return holds();
  };
}

/** A world in which these nodes run and agree. */
export async function settled(world: World, count: number): Promise<Machine[]> {
  const machines = await world.nodes(...names(count));
  await world.until("all in step", nowAndThen(world, () => inStep(machines)), seconds(60));
  return machines;
}

/** The rogue becomes everybody's neighbour. */
export async function befriendAll(rogue: Rogue, victims: readonly Machine[]): Promise<void> {
  const { world } = rogue.machine;
  for (const victim of victims) await world.done("the exchange", rogue.befriend(victim));
  const isNeighbour = () => victims.every((victim) => victim.isLinked(rogue.machine));
  await world.until("all are linked with the rogue", isNeighbour, seconds(30));
}

/** How often something was counted by each of them. */
export function countsOf(machines: readonly Machine[], reason: string): number[] {
  return machines.map((machine) => machine.node.counts()[reason] ?? 0);
}

/** Into how many pieces their links part them. */
export function islandsOf(machines: readonly Machine[]): number {
  const byId = new Map(machines.map((machine) => [machine.id, machine]));
  const seen = new Set<Machine>();
  let islands = 0;
  for (const first of machines) {
    if (seen.has(first)) continue;
    islands++;
    const edge = [first];
    for (let one = edge.pop(); one !== undefined; one = edge.pop()) {
      if (seen.has(one)) continue;
      seen.add(one);
      for (const { id } of one.node.peers.links()) {
        const other = byId.get(id);
        if (other !== undefined) edge.push(other);
      }
    }
  }
  return islands;
}
