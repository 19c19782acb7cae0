import { assertEquals, assertThrows } from "@std/assert";
import { root } from "../../scripts/house.ts";
import { eventually } from "./eventually.ts";
import { lanMissing, must } from "./lan.ts";

const ignore = lanMissing !== undefined;
/** So many nodes are started at a time. */
const startingMax = 4;

async function linesOf(...words: readonly string[]): Promise<string[]> {
  return (await must(...words)).split("\n").filter((line) => line !== "");
}

/** The namespaces that a process has made. */
async function namespacesOf(pid: number): Promise<string[]> {
  const names = (await linesOf("ip", "netns", "list")).flatMap((line) => line.split(" ")[0] ?? []);
  return names.filter((name) => name.startsWith(`mesh${pid}-`));
}

/** What runs in the namespaces that a process has made. */
async function runningIn(pid: number): Promise<string[]> {
  const names = await namespacesOf(pid);
  return (await Promise.all(names.map((name) => linesOf("ip", "netns", "pids", name)))).flat();
}

/** Interrupts a bench of ten nodes at that point and sees that nothing is left. */
async function interrupted(
  signal: Deno.Signal,
  point: string,
  isThere: (running: readonly string[]) => boolean,
): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "mesh-test-" });
  // In the place of nodes: the bench waits for these to be ready.
  const binary = `${directory}/never-ready`;
  await Deno.writeTextFile(binary, "#!/bin/sh\nexec sleep 600\n", { mode: 0o700 });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--cached-only", `${root}/bench/main.ts`],
      ...["--bin", binary, "fleet: 10 know all"],
    ],
    env: { TMPDIR: directory },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const pids = await eventually(point, async () => {
    const running = await runningIn(child.pid);
    return (await namespacesOf(child.pid)).length > 1 && isThere(running) && running;
  });
  child.kill(signal);
  assertEquals((await child.status).code, 130);
  assertEquals(await namespacesOf(child.pid), []);
  for (const pid of pids) {
    assertThrows(() => Deno.kill(Number(pid), "SIGCONT"), Deno.errors.NotFound);
  }
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["never-ready"]);
  await Deno.remove(directory, { recursive: true });
}

Deno.test(
  { name: "a fleet bench that is interrupted leaves no host, no process and no file", ignore },
  () => interrupted("SIGINT", "nodes run", (running) => running.length >= startingMax),
);

Deno.test(
  { name: "a fleet bench that is ended while it makes its hosts takes them down", ignore },
  () => interrupted("SIGTERM", "hosts are made", () => true),
);
