/**
 * What is measured of a fleet in virtual time: what it costs when nothing changes, how fast a change
 * and an end are known, and whether anybody is ever declared gone who is not.
 *
 * @module
 */
import { type Duration, milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import type { NodeId } from "../../src/wire/node_id.ts";
import { infoKind } from "../../src/wire/record_key.ts";
import type { Fleet } from "./fleet.ts";
import { ip } from "./memory_network.ts";
import type { TrafficKind } from "./traffic.ts";
import type { Machine } from "./world.ts";

/** Traffic of a fleet over a time. */
export interface TrafficReading {
  /** Bytes per second and node, in and out, with IP and UDP headers. */
  readonly rate: number;
  /** The same by kind of message, most first. */
  readonly byKind: readonly (readonly [TrafficKind, number])[];
  /** Bytes in all. */
  readonly bytes: number;
}

function countersOf(fleet: Fleet): Map<TrafficKind, number> {
  const sums = new Map<TrafficKind, number>();
  for (const { host } of fleet.machines) {
    for (const [kind, bytes] of host.traffic.byKind) {
      sums.set(kind, (sums.get(kind) ?? 0) + bytes);
    }
  }
  return sums;
}

/** What all have sent and received so far, with IP and UDP headers. */
export function bytesOf(fleet: Fleet): number {
  return fleet.machines.reduce((sum, { host }) => sum + host.traffic.bytes, 0);
}

/** Lets that time pass and says what it cost. */
export async function measureTraffic(fleet: Fleet, length: Duration): Promise<TrafficReading> {
  const before = countersOf(fleet);
  const bytesBefore = bytesOf(fleet);
  await fleet.world.run(length);
  const share = (length / 1_000) * fleet.machines.length;
  const byKind = [...countersOf(fleet)]
    .map(([kind, bytes]) => [kind, (bytes - (before.get(kind) ?? 0)) / share] as const)
    .filter(([, rate]) => rate > 0)
    .sort(([, a], [, b]) => b - a);
  const bytes = bytesOf(fleet) - bytesBefore;
  return { rate: bytes / share, byKind, bytes };
}

/** Waits until the fleet's traffic is that of rest: two minutes in a row that hardly differ. */
export async function settle(fleet: Fleet, limit: Duration): Promise<number> {
  let last = Number.POSITIVE_INFINITY;
  const end = fleet.world.time.now + limit;
  for (;;) {
    const { rate } = await measureTraffic(fleet, minutes(1));
    if (Math.abs(rate - last) < 0.02 * rate || fleet.world.time.now >= end) return rate;
    last = rate;
  }
}

/** A change that everybody learned of. */
export interface ChangeReading {
  /** From the moment at which it was signed until the last node holds it. */
  readonly knownAfter: Duration;
  /** Bytes per node, in and out, beyond those of rest. */
  readonly bytesPerNode: number;
}

/** Over how long what a change costs is counted. */
const changeCounted = seconds(20);

/**
 * A machine gets another address, or loses it again: the node publishes a new `info`. What it costs
 * includes what the machine itself does about its address.
 *
 * @param restRate Bytes per second and node where nothing changes.
 */
export async function measureChange(
  fleet: Fleet,
  restRate: number,
): Promise<ChangeReading | undefined> {
  const { world, prng } = fleet;
  const running = fleet.running();
  const author = prng.pick(running);
  const [at] = author?.host.attachments ?? [];
  if (author === undefined || at === undefined) return undefined;
  const [first, second] = at.ips;
  if (first === undefined) return undefined;
  const bytesBefore = bytesOf(fleet);
  const begun = world.time.now;
  const before = fleet.serialAt(author, author, infoKind);
  const more = second === undefined ? [ip(first.replace(/^10\.(\d+)\.0\./, "172.16.$1."))] : [];
  author.host.attach(at.name, at.lan, first, ...more.slice(0, 1));
  const signed = () => fleet.serialAt(author, author, infoKind) > before;
  if (await fleet.until(signed, seconds(10), milliseconds(5)) === undefined) return undefined;
  const serial = fleet.serialAt(author, author, infoKind);
  const waiting = [...running];
  const knownAfter = await fleet.until(
    () => {
      for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
        if (fleet.serialAt(last, author, infoKind) < serial) return false;
        waiting.pop();
      }
      return true;
    },
    seconds(60),
    milliseconds(5),
  );
  if (knownAfter === undefined) return undefined;
  await world.run(changeCounted);
  const rest = restRate * ((world.time.now - begun) / 1_000) * fleet.machines.length;
  return { knownAfter, bytesPerNode: (bytesOf(fleet) - bytesBefore - rest) / running.length };
}

/** When the first and the last survivor knew that a node is gone. */
export interface EndReading {
  /** Who ended. */
  readonly victim: Machine;
  readonly first: Duration;
  readonly last: Duration;
}

/**
 * A node's process is killed, so that its ports refuse, or its whole machine falls silent. The end is
 * known where the node is `unreachable`.
 */
export async function measureEnd(
  fleet: Fleet,
  how: "killed" | "silent",
): Promise<EndReading | undefined> {
  const { world, prng } = fleet;
  const victim = prng.pick(fleet.running());
  if (victim === undefined) return undefined;
  if (how === "silent") {
    for (const { name } of [...victim.host.attachments]) victim.host.detach(name);
  }
  victim.kill();
  const begun = world.time.now;
  const waiting = new Set<Machine>(fleet.running());
  let first: Duration | undefined;
  for (const machine of waiting) {
    machine.watch(({ event, id }) => {
      if (event !== "node-unreachable" || id !== victim.id) return;
      waiting.delete(machine);
      first ??= milliseconds(world.time.now - begun);
    });
  }
  const last = await fleet.until(() => waiting.size === 0, seconds(60), milliseconds(50));
  return first === undefined || last === undefined ? undefined : { victim, first, last };
}

/** Whoever ended is back where it was, so that the fleet stays as large as it is. */
export async function bringBack(
  fleet: Fleet,
  victim: Machine,
  alarms: AlarmWatch | undefined,
): Promise<void> {
  victim.plugIn();
  alarms?.noteEnd(victim);
  await fleet.startNode(victim);
  alarms?.follow(victim);
}

/** Alarms about nodes that were there all the time. */
export interface AlarmReading {
  /** Links given up, and nodes called unreachable, that were well. */
  readonly falseAlarms: number;
  /** Times somebody was suspected and cleared himself. */
  readonly suspicions: number;
  readonly nodeHours: number;
}

/** Counts alarms about nodes that run, from the construction on. */
export class AlarmWatch {
  readonly #fleet: Fleet;
  readonly #begun: number;
  /** Who was ended, or started again, and when. */
  readonly #ended = new Map<NodeId, number>();
  #falseAlarms = 0;
  #suspicions = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#begun = fleet.world.time.now;
    for (const machine of fleet.running()) this.follow(machine);
  }

  /** Follows what the node that runs there now tells. */
  follow(machine: Machine): void {
    machine.watch(({ event, id, reason }) => {
      if (id === undefined || this.#wasAway(id)) return;
      if (event === "node-suspect") this.#suspicions++;
      const isGivenUp = event === "link-down" && (reason === "silent" || reason === "refused");
      if (isGivenUp || event === "node-unreachable") this.#falseAlarms++;
    });
  }

  /** The machine's node ends or is back: what is said of it in the next two minutes may be old news. */
  noteEnd(machine: Machine): void {
    this.#ended.set(machine.id, this.#fleet.world.time.now);
  }

  #wasAway(id: NodeId): boolean {
    if (this.#fleet.world.machineOf(id)?.isRunning !== true) return true;
    const at = this.#ended.get(id);
    return at !== undefined && this.#fleet.world.time.now - at < minutes(2);
  }

  reading(): AlarmReading {
    const { world, machines } = this.#fleet;
    return {
      falseAlarms: this.#falseAlarms,
      suspicions: this.#suspicions,
      nodeHours: machines.length * (world.time.now - this.#begun) / 3_600_000,
    };
  }
}

/** How long a node that leaves is away. */
const awayFor = minutes(5);

/**
 * That share of the fleet leaves and returns per hour, evenly spread: every other one is stopped as
 * its owner would, the others are killed; each is back after five minutes. Returns the traffic.
 */
export async function measureChurn(
  fleet: Fleet,
  sharePerHour: number,
  length: Duration,
  alarms?: AlarmWatch,
): Promise<TrafficReading> {
  const { world, prng } = fleet;
  const between = 3_600_000 / (fleet.machines.length * sharePerHour);
  let leaves = 0;
  const end = world.time.now + length;
  const back = (machine: Machine) => {
    alarms?.noteEnd(machine);
    fleet.startNode(machine).then(
      () => alarms?.follow(machine),
      (error: unknown) => world.failures.push(`${machine.name}: ${String(error)}`),
    );
  };
  const leave = () => {
    if (world.time.now >= end) return;
    world.time.after(milliseconds(between), leave);
    const machine = prng.pick(fleet.running());
    if (machine === undefined) return;
    alarms?.noteEnd(machine);
    if (leaves++ % 2 === 0) machine.kill();
    else {
      machine.stop().catch((error: unknown) =>
        world.failures.push(`${machine.name}: ${String(error)}`)
      );
    }
    world.time.after(awayFor, () => back(machine));
  };
  world.time.after(milliseconds(between * prng.unit()), leave);
  return await measureTraffic(fleet, length);
}
