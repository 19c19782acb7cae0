/**
 * Where trouble plays: a world, its climate, and what can be done to its machines whatever state they
 * are in.
 *
 * @module
 */
import { Prng } from "../../../src/base/prng.ts";
import { invariant } from "../../../src/base/invariant.ts";
import type { MemoryHost } from "../memory_network.ts";
import type { Machine, World } from "../world.ts";
import { freeProcess } from "./pace.ts";
import { type Climate, fairClimate, weatherOf } from "./weather.ts";

/** The stage of one world. */
export class Stage {
  readonly world: World;
  /** Machines that take part, clones apart. */
  readonly machines: readonly Machine[];
  climate: Climate = fairClimate;
  readonly #clones = new Map<Machine, Machine>();
  readonly #cloned = new Set<Machine>();

  constructor(world: World, machines: readonly Machine[]) {
    this.world = world;
    this.machines = machines;
    const prng = new Prng([world.seed, 8]);
    world.network.weather = weatherOf(() => this.climate, prng);
  }

  /** The machine of this number. */
  machine(index: number): Machine {
    const machine = this.machines[index];
    invariant(machine !== undefined, "a plan names machines that there are");
    return machine;
  }

  /** Their places in the network. */
  hosts(from: number, to: number): [MemoryHost, MemoryHost] {
    return [this.machine(from).host, this.machine(to).host];
  }

  /** Starts a node if none runs; one that cannot start is tried again later, as services are. */
  async start(machine: Machine): Promise<void> {
    if (machine.isRunning) return;
    try {
      await this.world.done(`${machine.name} starts`, machine.start());
    } catch (error) {
      if (!isDiskProblem(error)) throw error;
      if (machine.isRunning) machine.kill();
    }
  }

  /** Stops a node politely, if one runs. */
  async stop(machine: Machine, kind: "leaving" | "restarting"): Promise<void> {
    await this.world.done(`${machine.name} stops`, machine.stop(kind));
  }

  /** Starts a node under the machine's key on another machine. */
  async clone(machine: Machine): Promise<void> {
    let clone = this.#clones.get(machine);
    if (clone === undefined) {
      clone = await this.world.machine(`${machine.name}'`, { lan: machine.lan, cloneOf: machine });
      this.#clones.set(machine, clone);
    }
    this.#cloned.add(machine);
    await this.start(clone);
  }

  /** The clone is found and ended. */
  async endClone(machine: Machine): Promise<void> {
    const clone = this.#clones.get(machine);
    if (clone !== undefined) await this.stop(clone, "leaving");
  }

  /** Everything works again, and every node runs. */
  async heal(): Promise<void> {
    const { world } = this;
    this.climate = fairClimate;
    world.network.loss = 0;
    for (const one of world.machines) {
      for (const other of world.machines) world.network.mend(one.host, other.host);
      one.storage.setBytesMax(Number.POSITIVE_INFINITY);
      one.setWallAhead(0);
      one.plugIn();
      freeProcess(one);
    }
    for (const clone of this.#clones.values()) await this.stop(clone, "leaving");
    // Of two nodes with one key both may have fallen silent: their owner was told to start one again.
    for (const machine of this.#cloned) await this.stop(machine, "restarting");
    for (const machine of this.machines) await this.start(machine);
  }
}

function isDiskProblem(error: unknown): boolean {
  const text = error instanceof Error ? `${error.name} ${error.message}` : "";
  return /DiskFull|No space left|could not be (published|written)|not published/.test(text);
}
