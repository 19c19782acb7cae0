/**
 * A random world from one number: some nodes, trouble for some minutes, then none. It fails with the
 * plan of its faults and the command that runs it again.
 *
 * @module
 */
import { milliseconds, seconds } from "../../../src/base/instant.ts";
import { Prng } from "../../../src/base/prng.ts";
import { ip } from "../memory_network.ts";
import { type Machine, World } from "../world.ts";
import { drawPlan, planText, type Step } from "./fault_plan.ts";
import { mustEndEmpty, mustSettle } from "./liveness.ts";
import { Safety } from "./safety.ts";
import { Stage } from "./stage.ts";
import { Trace } from "./trace.ts";

/** What became of a world that stood its trouble. */
export interface RandomWorldOutcome {
  readonly nodes: number;
  readonly faults: number;
  /** Virtual time in all, and until all agreed once faults had stopped; in milliseconds. */
  readonly virtualMs: number;
  readonly agreedAfterMs: number;
  readonly events: number;
  readonly storeChecks: number;
  /** The same for every run of the seed. */
  readonly trace: string;
}

/** What a test does to the world, to see that it is noticed. */
export interface Sabotage {
  /** Before anything runs. */
  readonly before?: (world: World) => void;
  /** When faults have stopped. */
  readonly healed?: (world: World) => void;
}

/** A world that did not stand it. */
export class RandomWorldFailure extends Error {
  override readonly name = "RandomWorldFailure";
}

/** How a seed is run again. */
export function replayCommand(seed: number): string {
  return `deno task soak --seed ${seed} --worlds 1`;
}

interface Draft {
  readonly prng: Prng;
  readonly nodes: number;
  readonly lans: number;
  readonly plan: readonly Step[];
  readonly lengthMs: number;
}

function draft(seed: number): Draft {
  const prng = new Prng([seed, 9]);
  const nodes = 3 + prng.below(10);
  const lans = prng.unit() < 0.6 ? 1 : 1 + prng.below(Math.min(3, nodes));
  const lengthMs = Math.round(prng.between(30_000, 150_000));
  const faults = 3 + prng.below(18);
  return {
    prng,
    nodes,
    lans,
    lengthMs,
    plan: drawPlan({ prng, machines: nodes, lengthMs, faults }),
  };
}

/** Nodes spread over the networks; the first of each network also stands in the one before. */
async function settle(world: World, { prng, nodes, lans }: Draft): Promise<Machine[]> {
  const machines: Machine[] = [];
  for (let i = 0; i < nodes; i++) {
    const lan = i % lans;
    const machine = await world.machine(`n${i}`, {
      lan: `lan${lan}`,
      // A quartz is off by some ten in a million; a bad one by more.
      clockRate: 1 + prng.between(-1, 1) * (prng.unit() < 0.2 ? 0.01 : 0.000_05),
      diskGarbles: prng.unit() < 0.5,
    });
    if (i === lan && lan > 0) machine.host.attach("eth1", `lan${lan - 1}`, ip(`10.1.${lan}.9`));
    machines.push(machine);
  }
  return machines;
}

/** Runs the world of the seed. Rejects with `RandomWorldFailure`. */
export async function runRandomWorld(
  seed: number,
  sabotage: Sabotage = {},
): Promise<RandomWorldOutcome> {
  using world = new World(seed);
  const trace = new Trace();
  const safety = new Safety(world, { trace });
  const drawn = draft(seed);
  try {
    sabotage.before?.(world);
    const machines = await settle(world, drawn);
    const stage = new Stage(world, machines);
    for (const machine of machines) {
      await stage.start(machine);
      await world.run(milliseconds(drawn.prng.between(0, 300)));
    }
    await world.run(seconds(drawn.prng.between(0, 20)));
    const began = world.time.now;
    for (const { atMs, act } of drawn.plan) {
      await world.run(milliseconds(Math.max(0, began + atMs - world.time.now)));
      await act(stage);
    }
    await world.run(milliseconds(Math.max(0, began + drawn.lengthMs - world.time.now)));
    await stage.heal();
    sabotage.healed?.(world);
    const agreedAfterMs = await mustSettle(world, machines);
    await mustEndEmpty(world);
    return {
      nodes: drawn.nodes,
      faults: drawn.plan.length,
      virtualMs: world.time.now,
      agreedAfterMs,
      events: world.time.happened,
      storeChecks: safety.checks,
      trace: trace.toString(),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = error instanceof TypeError ? `\n${error.stack}` : "";
    throw new RandomWorldFailure(
      `The world of seed ${seed} failed: ${why}${detail}\n` +
        `  ${drawn.nodes} nodes on ${drawn.lans} networks, trace ${trace} after ` +
        `${(world.time.now / 1_000).toFixed(1)} s of virtual time\n` +
        `  faults (s): ${planText(drawn.plan)}\n` +
        `  run it again: ${replayCommand(seed)}`,
      { cause: error },
    );
  }
}
