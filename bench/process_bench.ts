/**
 * The program as a process: how long until it is ready, what its self test costs, how big it is.
 *
 * @module
 */
import { loopbackInterface } from "../scripts/local_fleet.ts";
import { meshCommand, MeshProcess } from "../scripts/mesh_process.ts";
import { type Bench, SkippedError } from "./frame.ts";

const readySource = { name: "start to ready, source", unit: "ms", goal: { below: 700 } } as const;
const readyCompiled = {
  name: "start to ready, compiled",
  unit: "ms",
  goal: { below: 400 },
} as const;
const selfTestCpu = {
  name: "self test, processor time",
  unit: "ms",
  goal: { below: 1_000 },
} as const;
const executableSize = { name: "executable", unit: "MB" } as const;

async function startToReady(binary: string | undefined, state: string): Promise<number> {
  const begun = performance.now();
  const node = new MeshProcess({
    state,
    args: ["--listen", "0", "--interface", loopbackInterface(), "--no-multicast"],
    logLevel: "warn",
    ...binary === undefined ? {} : { binary },
  });
  try {
    await node.ready();
    return performance.now() - begun;
  } finally {
    await node.end("SIGTERM");
  }
}

function readyBench(metric: Bench["metrics"][number], isCompiled: boolean): Bench {
  return {
    metrics: [metric],
    async run({ quick, record, executable }) {
      const binary = isCompiled ? await executable() : undefined;
      const state = await Deno.makeTempDir({ prefix: "mesh-bench-" });
      try {
        // The first start makes the identity and warms the caches of the system.
        await startToReady(binary, state);
        for (let run = 0; run < (quick ? 3 : 11); run++) {
          record(metric, await startToReady(binary, state));
        }
      } finally {
        await Deno.remove(state, { recursive: true });
      }
    },
  };
}

/** A node that has an identity starts again. */
export const readySourceBench: Bench = readyBench(readySource, false);
/** The same as the compiled executable. */
export const readyCompiledBench: Bench = readyBench(readyCompiled, true);

/** User and system time of a command that must succeed, in milliseconds. */
async function processorTime(words: readonly string[]): Promise<number> {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const { success, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", ...words],
    stdin: "null",
    // The shell writes numbers as its locale does.
    env: { LC_ALL: "C" },
  }).output();
  if (!success) throw new Error(`"${words.join(" ")}" failed`);
  const [user = NaN, system = NaN] = new TextDecoder().decode(stderr).trim().split(" ").map(Number);
  return (user + system) * 1_000;
}

/** What an update has to wait for on the smallest machine. */
export const selfTestBench: Bench = {
  metrics: [selfTestCpu],
  async run({ quick, record, executable }) {
    if (Deno.build.os === "windows") throw new SkippedError("no bash to take the time with");
    const words = [...meshCommand(await executable()), "--self-test"];
    await processorTime(words);
    for (let run = 0; run < (quick ? 3 : 11); run++) {
      record(selfTestCpu, await processorTime(words));
    }
  },
};

/** What an owner downloads. */
export const sizeBench: Bench = {
  metrics: [executableSize],
  async run({ record, executable }) {
    record(executableSize, (await Deno.stat(await executable())).size / 1_000_000);
  },
};
