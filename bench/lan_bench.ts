/**
 * Three hosts on one network, seen from outside: how fast they know, what they cost while idle.
 *
 * @module
 */
import { eventually, pause } from "../scripts/eventually.ts";
import type { NodeEntry } from "../src/control/mod.ts";
import { lanMissing, must } from "../tests/e2e/lan.ts";
import { type Bench, SkippedError } from "./frame.ts";
import { hostNames, lookEveryMs, ThreeHosts } from "./three_hosts.ts";

const firstLink = {
  name: "newcomer ready to first link",
  unit: "ms",
  goal: { below: 300 },
} as const;
const changeKnown = {
  name: "changed record known on 3 hosts",
  unit: "ms",
  goal: { below: 200 },
} as const;
const killKnown = {
  name: "killed process known on 2 hosts",
  unit: "ms",
  goal: { below: 5_000 },
} as const;
const idleMemory = { name: "memory of an idle node", unit: "MB", goal: { below: 85 } } as const;
const idleTraffic = { name: "traffic of an idle node", unit: "B/s", goal: { below: 400 } } as const;

/** Two nodes have settled, a third is new. */
export const firstLinkBench: Bench = {
  metrics: [firstLink],
  async run({ quick, record, executable }) {
    await using hosts = await ThreeHosts.createLinked(await executable());
    for (let run = 0; run < (quick ? 3 : 9); run++) {
      await hosts.node("c").end("SIGKILL");
      const newcomer = hosts.start("c", true);
      await newcomer.ready();
      const ready = performance.now();
      await eventually("the first link", async () => (await newcomer.links()).length > 0, {
        everyMs: lookEveryMs,
      });
      record(firstLink, performance.now() - ready);
      await hosts.linked();
    }
  },
};

/** A host gets another address, so its record changes; from its signature to the other hosts. */
export const changeBench: Bench = {
  metrics: [changeKnown],
  async run({ quick, record, executable }) {
    if (lanMissing !== undefined) throw new SkippedError(lanMissing);
    await using hosts = await ThreeHosts.createLinked(await executable());
    const { lan } = hosts;
    if (lan === undefined) throw new SkippedError("no network of their own");
    const { id } = await hosts.node("a").ready();
    const seen = async (host: typeof hostNames[number]): Promise<NodeEntry | undefined> =>
      (await hosts.node(host).nodes()).find((entry) => entry.id === id);
    for (let run = 0; run < (quick ? 3 : 9); run++) {
      const before = (await seen("a"))?.serial ?? 0;
      const address = `10.78.0.${run + 1}/32`;
      const word = run % 2 === 0 ? "add" : "del";
      await lan.on(
        "a",
        "ip",
        "addr",
        word,
        run % 2 === 0 ? address : `10.78.0.${run}/32`,
        "dev",
        "eth0",
      );
      await eventually("the change is known", async () => {
        const entries = await Promise.all([seen("b"), seen("c")]);
        return entries.every((entry) => (entry?.serial ?? 0) > before);
      }, { everyMs: lookEveryMs });
      const known = Date.now();
      const signedAt = Date.parse((await seen("a"))?.infoAt ?? "");
      record(changeKnown, known - signedAt);
    }
  },
};

/** A process is killed, its host stays: until both others say that it is unreachable. */
export const killBench: Bench = {
  metrics: [killKnown],
  async run({ quick, record, executable }) {
    await using hosts = await ThreeHosts.createLinked(await executable());
    const { id } = await hosts.node("c").ready();
    for (let run = 0; run < (quick ? 2 : 9); run++) {
      // Probes come at intervals of seconds: the kill must fall anywhere in between.
      await pause(1_000 + Math.random() * 6_000);
      await hosts.node("c").end("SIGKILL");
      const killed = performance.now();
      await eventually("the others know", async () => {
        const views = await Promise.all([hosts.node("a").nodes(), hosts.node("b").nodes()]);
        return views.every((nodes) => nodes.find((e) => e.id === id)?.state === "unreachable");
      }, { everyMs: lookEveryMs });
      record(killKnown, performance.now() - killed);
      await hosts.start("c").ready();
      await hosts.linked();
    }
  },
};

/** Resident memory of a process, in megabytes (10⁶). */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, kibibytes = "NaN"] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kibibytes) * 1_024 / 1_000_000;
}

/** Bytes that passed a host's interface in both directions, with Ethernet's headers. */
async function interfaceBytes(namespace: string): Promise<number> {
  const folder = "/sys/class/net/eth0/statistics";
  const files = [`${folder}/rx_bytes`, `${folder}/tx_bytes`];
  const counts = await must("ip", "netns", "exec", namespace, "cat", ...files);
  return counts.trim().split("\n").reduce((sum, count) => sum + Number(count), 0);
}

/** Three linked nodes are left alone. */
export const idleBench: Bench = {
  metrics: [idleMemory, idleTraffic],
  async run({ quick, record, executable }) {
    if (Deno.build.os !== "linux") throw new SkippedError("no /proc");
    await using hosts = await ThreeHosts.createLinked(await executable());
    await pause(quick ? 10_000 : 60_000);
    for (const host of hostNames) {
      record(idleMemory, await residentMegabytes((await hosts.node(host).status()).pid));
    }
    const { lan } = hosts;
    if (lan === undefined) return;
    const namespaces = hostNames.map((host) => lan.namespace(host));
    const before = await Promise.all(namespaces.map(interfaceBytes));
    const begun = performance.now();
    await pause(quick ? 15_000 : 180_000);
    const after = await Promise.all(namespaces.map(interfaceBytes));
    const seconds = (performance.now() - begun) / 1_000;
    for (const [at, bytes] of after.entries()) {
      record(idleTraffic, (bytes - (before[at] ?? NaN)) / seconds);
    }
  },
};
