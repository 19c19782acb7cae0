/**
 * What must come true once faults have stopped: all agree within a bound of virtual time, see one
 * another as they are, come to rest, and leave nothing behind.
 *
 * @module
 */
import { type Duration, minutes, seconds } from "../../../src/base/instant.ts";
import type { Machine, World } from "../world.ts";

/**
 * The bound: by then every link has been probed, watched or not. Nearly all worlds agree within
 * seconds, the slowest of many hundreds within a minute, when links with who said that he restarts,
 * and came back with links enough, are given up.
 */
export const agreementBound: Duration = minutes(5);
/** A peer that is heard one way is warned about until it was not heard for 400 s. */
export const warningsBound: Duration = minutes(7);
/** After agreement: comparisons, repeated exchanges and coalesced offers come to an end. */
export const restBound: Duration = minutes(5);

/** Why they do not agree, in words; empty if they do. */
export function disagreements(machines: readonly Machine[]): string[] {
  const problems = machines.filter((one) => !one.isRunning).map(({ name }) => `${name} is down`);
  if (problems.length > 0) return problems;
  const digests = new Set(machines.map((machine) => machine.recordDigest()));
  if (digests.size > 1) problems.push(`${digests.size} different stores`);
  for (const one of machines) {
    const { view } = one.node.fleet;
    if (view.reachable !== machines.length) {
      problems.push(`${one.name} reaches ${view.reachable} of ${machines.length}`);
    }
    for (const other of machines) {
      if (other === one) continue;
      if (one.isLinked(other) && !other.isLinked(one)) {
        problems.push(`${one.name} holds a link that ${other.name} does not`);
      }
    }
  }
  return problems;
}

/** What its owner is told though nothing is wrong any more. */
function falseWarnings(machines: readonly Machine[]): string[] {
  return machines.flatMap((one) => {
    // A disk that was found damaged after a power cut was: that stands until the next start.
    const wasDamaged = one.node.archive.damage !== undefined;
    return one.warningCodes().filter((code) => !wasDamaged || code !== "store-damaged")
      .map((code) => `${one.name} warns: ${code}`);
  });
}

/** Who was told last that somebody is gone who is there. */
export function staleNews(machines: readonly Machine[]): string[] {
  return machines.flatMap((one) => {
    const last = new Map<string, string>();
    for (const { event, id } of one.events.slice(one.eventsAtStart)) {
      if (id !== undefined && /^node-(un)?reachable$/.test(event)) last.set(id, event);
    }
    return machines.filter((other) => last.get(other.id) === "node-unreachable")
      .map((other) => `${one.name} was told last that ${other.name} is unreachable`);
  });
}

/** What still goes on that ends by itself. */
function unrest(machines: readonly Machine[]): string[] {
  return machines.flatMap((one) => {
    const { requests, datagrams, proving, lettingGo, pulls, offers, comparisons } = one.node
      .gauges();
    const busy = requests + datagrams + proving + lettingGo + pulls + offers + comparisons;
    return busy === 0 ? [] : [`${one.name} is busy with ${busy} things`];
  });
}

async function untilNone(
  world: World,
  what: string,
  problems: () => readonly string[],
  limit: Duration,
): Promise<void> {
  // Looking costs more than an event: ten times a virtual second is often enough.
  let lookAt = 0;
  const holds = await world.time.advanceUntil(() => {
    if (world.time.now < lookAt) return false;
    lookAt = world.time.now + 100;
    return problems().length === 0;
  }, limit);
  if (holds) return;
  const list = problems().slice(0, 6).join("; ");
  throw new Error(`Not within ${limit / 1_000} s: ${what} (${list})\n${world.picture()}`);
}

/** Waits until all is well; resolves to how long that took, in milliseconds of virtual time. */
export async function mustSettle(world: World, machines: readonly Machine[]): Promise<number> {
  const began = world.time.now;
  await untilNone(world, "all agree", () => disagreements(machines), agreementBound);
  const took = world.time.now - began;
  await untilNone(world, "no warnings", () => falseWarnings(machines), warningsBound);
  await untilNone(world, "news are right", () => staleNews(machines), seconds(30));
  await untilNone(world, "rest", () => unrest(machines), restBound);
  return took;
}

/** Stops everything: no work of any node has failed, and nothing is left to come due. */
export async function mustEndEmpty(world: World): Promise<void> {
  await world.end();
  // Datagrams under way arrive nowhere, dials give up.
  await world.run(seconds(90));
  if (world.time.pending === 0) return;
  throw new Error(`${world.time.pending} things would still come due when all nodes have stopped`);
}
