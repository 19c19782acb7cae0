/**
 * How fast a machine's process gets to do what it has to do: at once, late, or not at all while it is
 * stopped. The kernel below goes on: it takes connections and keeps datagrams.
 *
 * @module
 */
import { type Duration, milliseconds } from "../../../src/base/instant.ts";
import type { Prng } from "../../../src/base/prng.ts";
import type { Machine } from "../world.ts";

const atOnce = milliseconds(0);

/** Stops the machine's process for so long, as SIGSTOP and SIGCONT do. */
export function stopProcess(machine: Machine, length: Duration): void {
  const { time } = machine.world;
  const until = time.now + length;
  machine.host.lateness = () => milliseconds(Math.max(0, until - time.now));
}

/** From now on everything there happens late: by `mean` on the average, exponentially distributed. */
export function slowProcess(machine: Machine, mean: Duration, prng: Prng): void {
  machine.host.lateness = () => milliseconds(-mean * Math.log(1 - prng.unit()));
}

/** From now on everything there happens at once. */
export function freeProcess(machine: Machine): void {
  machine.host.lateness = () => atOnce;
}
