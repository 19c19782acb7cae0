/**
 * Fleets of real processes, each on a host of its own, and memberlist's agents on the same hosts in
 * the same run. Long: `deno task bench fleet`.
 *
 * @module
 */
import { useOf } from "../scripts/fleet/own_process.ts";
import { pause } from "../scripts/eventually.ts";
import { lanMissing } from "../tests/e2e/lan.ts";
import { FleetHosts } from "./fleet/fleet_hosts.ts";
import type { FleetSide } from "./fleet/fleet_side.ts";
import { buildPeers, MemberlistSide } from "./fleet/memberlist_side.ts";
import { MeshSide } from "./fleet/mesh_side.ts";
import { type Bench, type BenchContext, type Metric, SkippedError } from "./frame.ts";

const formWithinMs = 300_000;
const vanishWithinMs = 120_000;

function metric(name: string, unit: string, below?: number): Metric {
  return { name: `fleet: ${name}`, unit, ...below === undefined ? {} : { goal: { below } } };
}

/** Notes a measurement of either side. */
type Note = (metric: Metric, value: number) => void;

/** How a fleet of so many forms and what it costs when nothing happens. */
function fleetMetrics(count: number, knowBelow?: number) {
  return {
    staggered: metric(`${count} know all, started four at a time`, "s", knowBelow),
    together: metric(`${count} know all, started at once`, "s", knowBelow),
    traffic: metric(`traffic of an idle node of ${count}`, "B/s", 250),
    memory: metric(`memory of an idle node of ${count}`, "MB", 90),
    processor: metric(`processor of an idle node of ${count}`, "%"),
  };
}

const ten = fleetMetrics(10);
const thirty = fleetMetrics(30, 3);
const hundred = fleetMetrics(100, 15);

/** What happens to a fleet of so many, and how soon it is known. */
function happeningMetrics(count: number) {
  return {
    change: metric(`changed record known by all ${count}`, "ms", 500),
    killFirst: metric(`killed process known by the first of ${count}`, "ms", 2_500),
    killLast: metric(`killed process known by the last of ${count}`, "ms", 5_000),
    silentFirst: metric(`silent host known by the first of ${count}`, "ms", 6_000),
    silentLast: metric(`silent host known by the last of ${count}`, "ms", 10_000),
    stoppedFirst: metric(`stopped process known by the first of ${count}`, "ms"),
    stoppedLast: metric(`stopped process known by the last of ${count}`, "ms"),
  };
}

type Metrics = ReturnType<typeof fleetMetrics>;
type Happenings = ReturnType<typeof happeningMetrics>;

/** Starts a fleet and notes how long after the last was ready all knew all. */
async function form(
  side: FleetSide,
  hosts: FleetHosts,
  metrics: Metrics,
  together: boolean,
  note: Note,
): Promise<void> {
  const readyAt = await side.start(hosts.names, together);
  const knownAt = await side.allKnowAll(formWithinMs);
  note(together ? metrics.together : metrics.staggered, Math.max(0, knownAt - readyAt) / 1_000);
}

/** Leaves a fleet alone and notes what it uses. */
async function rest(
  side: FleetSide,
  hosts: FleetHosts,
  metrics: Metrics,
  { settleMs, lengthMs }: { readonly settleMs: number; readonly lengthMs: number },
  note: Note,
): Promise<void> {
  await pause(settleMs);
  const pids = hosts.names.map((host) => side.pid(host));
  const bytesBefore = await hosts.bytes();
  const before = await Promise.all(pids.map(useOf));
  const begun = performance.now();
  await pause(lengthMs);
  const after = await Promise.all(pids.map(useOf));
  const bytes = await hosts.bytes() - bytesBefore;
  const elapsedMs = performance.now() - begun;
  note(metrics.traffic, bytes / hosts.names.length / (elapsedMs / 1_000));
  for (const [at, use] of after.entries()) {
    const earlier = before[at];
    if (use === undefined || earlier === undefined) throw new Error("A node ended while it idled");
    note(metrics.memory, use.residentBytes / 1_000_000);
    note(metrics.processor, (use.cpuMs - earlier.cpuMs) / elapsedMs * 100);
  }
}

function anyOf(hosts: FleetHosts): string {
  // Not the first: memberlist's agents join through it.
  const at = 1 + Math.floor(Math.random() * (hosts.names.length - 1));
  return hosts.names[at] ?? "";
}

/** Things happen to a fleet that has formed: until all know. */
async function disturb(
  side: FleetSide,
  hosts: FleetHosts,
  { change, ...ends }: Happenings,
  runs: number,
  note: Note,
): Promise<void> {
  for (let run = 0; run < runs * 2; run++) note(change, (await side.change(anyOf(hosts))).last);
  const vanish = async (
    metrics: readonly [Metric, Metric],
    how: (host: string) => Promise<void>,
    mend: (host: string) => Promise<void>,
  ) => {
    // Probes come at intervals of seconds: it must happen anywhere in between.
    await pause(Math.random() * 5_000);
    const host = anyOf(hosts);
    const { first, last } = await side.vanish(host, () => how(host), vanishWithinMs);
    note(metrics[0], first);
    note(metrics[1], last);
    await mend(host);
    await side.allKnowAll(formWithinMs);
  };
  const signal = (host: string, name: Deno.Signal) => {
    Deno.kill(side.pid(host), name);
    return Promise.resolve();
  };
  for (let run = 0; run < runs; run++) {
    await vanish(
      [ends.killFirst, ends.killLast],
      (host) => signal(host, "SIGKILL"),
      (host) => side.restart(host),
    );
  }
  for (let run = 0; run < runs; run++) {
    await vanish(
      [ends.silentFirst, ends.silentLast],
      (host) => hosts.lan.cut(host),
      (host) => hosts.lan.mend(host),
    );
  }
  for (let run = 0; run < Math.ceil(runs / 2); run++) {
    await vanish(
      [ends.stoppedFirst, ends.stoppedLast],
      (host) => signal(host, "SIGSTOP"),
      (host) => signal(host, "SIGCONT"),
    );
  }
}

async function withSide(side: FleetSide, use: () => Promise<void>): Promise<void> {
  await using _ = side;
  await use();
}

/** A bench of one size of fleet, this project's and then memberlist's. */
function fleetBench(count: number, metrics: Metrics, happenings?: Happenings): Bench {
  const { staggered, together, ...atRest } = metrics;
  return {
    metrics: [staggered, together, ...Object.values(happenings ?? {}), ...Object.values(atRest)],
    isLong: true,
    async run({ quick, record, recordPeer, remark, executable }: BenchContext) {
      if (lanMissing !== undefined) throw new SkippedError(lanMissing);
      const binary = await executable();
      await using hosts = await FleetHosts.create(count);
      // For some minutes a fleet that has formed lets go of links that nobody needs.
      const idle = quick
        ? { settleMs: 60_000, lengthMs: 20_000 }
        : { settleMs: 300_000, lengthMs: 120_000 };
      const measure = async (make: () => FleetSide, note: Note, settleMs = idle.settleMs) => {
        const side = make();
        await withSide(side, async () => {
          await form(side, hosts, metrics, false, note);
          await rest(side, hosts, metrics, { ...idle, settleMs }, note);
          if (happenings !== undefined) {
            await disturb(side, hosts, happenings, quick ? 2 : 5, note);
          }
        });
        const again = make();
        await withSide(again, () => form(again, hosts, metrics, true, note));
      };
      await measure(() => new MeshSide(hosts, binary), record);
      const peers = `${hosts.directory}/peers`;
      try {
        await buildPeers(peers);
        // It has no links to let go, and rests once it has formed.
        await measure(() => new MemberlistSide(hosts, peers), recordPeer, 60_000);
      } catch (error) {
        if (!(error instanceof SkippedError)) throw error;
        remark(error.message);
      }
    },
  };
}

/** Fleets of 10, 30 and 100. */
export const fleetBenches: readonly Bench[] = [
  fleetBench(10, ten),
  fleetBench(30, thirty, happeningMetrics(30)),
  fleetBench(100, hundred, happeningMetrics(100)),
];
