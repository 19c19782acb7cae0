/**
 * Random trouble: what goes wrong in a world, when, and for how long, all drawn before it begins, so
 * that it can be printed.
 *
 * @module
 */
import { milliseconds } from "../../../src/base/instant.ts";
import type { Prng } from "../../../src/base/prng.ts";
import { ip } from "../memory_network.ts";
import type { Machine } from "../world.ts";
import { freeProcess, slowProcess, stopProcess } from "./pace.ts";
import type { Stage } from "./stage.ts";
import { type Climate, climateText, type DelayKind } from "./weather.ts";

/** One thing that happens. */
export interface Step {
  /** Milliseconds after the trouble begins. */
  readonly atMs: number;
  readonly text: string;
  readonly act: (stage: Stage) => Promise<void> | void;
}

/** What a plan is drawn from. */
export interface PlanOptions {
  readonly prng: Prng;
  /** Indexes of machines are below this. */
  readonly machines: number;
  readonly lengthMs: number;
  readonly faults: number;
}

const delayKinds: readonly DelayKind[] = ["none", "even", "exponential", "heavy"];
const second = 1_000;
const hour = 3_600 * second;

function nameOf(index: number): string {
  return `n${index}`;
}

function pickClimate(prng: Prng): Climate {
  return {
    loss: prng.unit() < 0.3 ? 0 : prng.between(0, 0.4),
    doubling: prng.unit() < 0.5 ? 0 : prng.between(0, 0.3),
    delay: prng.pick(delayKinds) ?? "none",
    delayMs: Math.round(10 ** prng.between(0, 2.5)),
  };
}

/** A fault with its end: two steps, or one. */
type Draw = (prng: Prng, machines: number) => {
  readonly text: string;
  readonly begin: (stage: Stage) => Promise<void> | void;
  readonly end?: { readonly text: string; readonly act: (stage: Stage) => Promise<void> | void };
  /** Longest time between the two. */
  readonly lastsMs?: number;
};

function ofOne(
  name: string,
  begin: (machine: Machine, stage: Stage, prng: Prng) => Promise<void> | void,
  end?: readonly [string, (machine: Machine, stage: Stage) => Promise<void> | void, number],
): Draw {
  return (prng, machines) => {
    const index = prng.below(machines);
    return {
      text: `${name} ${nameOf(index)}`,
      begin: (stage) => begin(stage.machine(index), stage, prng),
      ...end === undefined ? {} : {
        end: {
          text: `${end[0]} ${nameOf(index)}`,
          act: (stage: Stage) => end[1](stage.machine(index), stage),
        },
        lastsMs: end[2],
      },
    };
  };
}

const start = (machine: Machine, stage: Stage) => stage.start(machine);

const draws: readonly Draw[] = [
  (prng) => {
    const climate = pickClimate(prng);
    return { text: climateText(climate), begin: (stage) => void (stage.climate = climate) };
  },
  (prng, machines) => {
    const [from = 0, to = 0] = prng.shuffled([...Array(machines).keys()]);
    const both = prng.unit() < 0.5;
    const ways = both ? [[from, to], [to, from]] : [[from, to]];
    const each = (act: "cut" | "mend") => (stage: Stage) => {
      for (const [a = 0, b = 0] of ways) stage.world.network[act](...stage.hosts(a, b));
    };
    const sign = both ? "–" : "→";
    const text = `${nameOf(from)}${sign}${nameOf(to)}`;
    return {
      text: `cut ${text}`,
      begin: each("cut"),
      end: { text: `mend ${text}`, act: each("mend") },
      lastsMs: 90 * second,
    };
  },
  (prng, machines) => {
    const order = prng.shuffled([...Array(machines).keys()]);
    const size = 1 + prng.below(Math.max(1, machines - 1));
    const [inside, outside] = [order.slice(0, size), order.slice(size)];
    const bothWays = prng.unit() < 0.6;
    const each = (act: "cut" | "mend") => (stage: Stage) => {
      for (const a of inside) {
        for (const b of outside) {
          stage.world.network[act](...stage.hosts(a, b));
          if (bothWays) stage.world.network[act](...stage.hosts(b, a));
        }
      }
    };
    const text = `${inside.map(nameOf).join(" ")} ${bothWays ? "from" : "towards"} the rest`;
    return {
      text: `part ${text}`,
      begin: each("cut"),
      end: { text: `join ${text}`, act: each("mend") },
      lastsMs: 90 * second,
    };
  },
  ofOne("kill", (machine) => machine.isRunning ? machine.kill() : undefined, [
    "start",
    start,
    40 * second,
  ]),
  ofOne("power off", (machine) => machine.isRunning ? machine.crash() : undefined, [
    "start",
    start,
    40 * second,
  ]),
  ofOne("stop", (machine, stage) => stage.stop(machine, "leaving"), [
    "start",
    start,
    40 * second,
  ]),
  ofOne("restart", async (machine, stage) => {
    await stage.stop(machine, "restarting");
    await stage.start(machine);
  }),
  ofOne("disk full on", (machine) => machine.storage.fill(), [
    "room on",
    (machine) => machine.storage.setBytesMax(Number.POSITIVE_INFINITY),
    60 * second,
  ]),
  ofOne(
    "SIGSTOP",
    (machine, _, prng) => stopProcess(machine, milliseconds(prng.between(500, 12_000))),
  ),
  ofOne(
    "slow",
    (machine, stage, prng) => {
      slowProcess(machine, milliseconds(prng.between(5, 400)), stage.world.prng);
    },
    ["quick", freeProcess, 60 * second],
  ),
  ofOne("calendar of", (machine, _, prng) => {
    const far = prng.unit() < 0.3 ? 24 * 365 * 30 : 3;
    machine.setWallAhead(prng.between(-far, far) * hour);
  }, ["right calendar of", (machine) => machine.setWallAhead(0), 60 * second]),
  ofOne("move", (machine, _, prng) => {
    machine.host.attach(
      "eth0",
      machine.lan,
      ip(`10.0.${200 + prng.below(50)}.${1 + prng.below(250)}`),
    );
  }),
  ofOne("unplug", (machine) => machine.host.detach("eth0"), [
    "plug in",
    (machine) => machine.plugIn(),
    40 * second,
  ]),
  ofOne("clone", (machine, stage) => stage.clone(machine), [
    "end the clone of",
    (machine, stage) => stage.endClone(machine),
    60 * second,
  ]),
];

/** Trouble for so long, in the order in which it happens. */
export function drawPlan({ prng, machines, lengthMs, faults }: PlanOptions): readonly Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < faults; i++) {
    const fault = prng.pick(draws)?.(prng, machines);
    if (fault === undefined) continue;
    const atMs = Math.round(prng.between(0, lengthMs));
    steps.push({ atMs, text: fault.text, act: fault.begin });
    const { end } = fault;
    if (end === undefined) continue;
    const endMs = atMs + Math.round(prng.between(0, fault.lastsMs ?? second));
    if (endMs < lengthMs) steps.push({ atMs: endMs, text: end.text, act: end.act });
  }
  return steps.sort((a, b) => a.atMs - b.atMs);
}

/** The plan on a few lines. */
export function planText(steps: readonly Step[]): string {
  return steps.map(({ atMs, text }) => `${(atMs / second).toFixed(1)} ${text}`).join("; ");
}
