/**
 * What worlds of many nodes have in common: their making, and what is asked of all of them.
 *
 * @module
 */
import { seconds } from "../../src/base/instant.ts";
import type { Rogue } from "../sim/rogue.ts";
import { type Machine, World } from "../sim/world.ts";

/** Names of machines. */
export function names(count: number, prefix = "n"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Whether all of them hold the same and see all of them. */
export function inStep(machines: readonly Machine[]): boolean {
  const [first, ...others] = machines;
  if (first === undefined) return true;
  const digest = first.recordDigest();
  return others.every((one) => one.recordDigest() === digest) &&
    machines.every((one) =>
      machines.every((other) => {
        const state = one.stateOf(other);
        return state === "self" || state === "linked" || state === "reachable";
      })
    );
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

/** A world in which these nodes run and agree. */
export async function settled(world: World, count: number): Promise<Machine[]> {
  const machines = await world.nodes(...names(count));
  await world.until("all in step", () => inStep(machines), seconds(60));
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
