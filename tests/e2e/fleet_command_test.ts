import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { root } from "../../scripts/house.ts";

/** The fleet command on a directory of its own. */
class FleetCommand implements AsyncDisposable {
  readonly directory = `${Deno.makeTempDirSync({ prefix: "mesh-test-" })}/fleet`;

  async run(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    const binary = Deno.env.get("MESH_BIN");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--cached-only", `${root}/scripts/fleet.ts`, ...words],
        ...["--directory", this.directory, ...binary === undefined ? [] : ["--bin", binary]],
      ],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("down");
    await Deno.remove(this.directory.slice(0, -"/fleet".length), { recursive: true });
  }
}

const ignore = Deno.build.os === "windows";

Deno.test(
  { name: "a fleet stands between commands, and nothing of it stays", ignore },
  async () => {
    await using fleet = new FleetCommand();
    assertEquals((await fleet.run("status")).code, 1);
    const up = await fleet.run("up", "5", "--wait-known");
    assertEquals(up.code, 0, up.err);
    const again = await fleet.run("up", "2");
    assertEquals(again.code, 1);
    assertStringIncludes(again.err, "fleet down");

    const status = JSON.parse((await fleet.run("status", "--json")).out);
    assertEquals(status.running, 5);
    assertEquals(status.reachable, [5, 5, 5, 5, 5]);

    const kill = await fleet.run("kill", "1");
    assertEquals(kill.code, 0, kill.err);
    assertStringIncludes(kill.out, "to all 4 after");
    assertEquals(JSON.parse((await fleet.run("status", "--json")).out).running, 4);

    const pids = [...Deno.readDirSync(fleet.directory)].filter(({ name }) => name.endsWith(".pid"))
      .map(({ name }) => Deno.readTextFileSync(`${fleet.directory}/${name}`).trim());
    assertEquals(pids.length, 5);
    assertStringIncludes((await fleet.run("down")).out, "4 nodes ended");
    await assertGone(fleet.directory);
    const still = await new Deno.Command("ps", { args: ["-o", "args=", "-p", pids.join(",")] })
      .output();
    assert(!new TextDecoder().decode(still.stdout).includes(fleet.directory));
  },
);

async function assertGone(path: string): Promise<void> {
  const found = await Deno.stat(path).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  assertEquals(found, undefined);
}

Deno.test({
  name: "what a crashed fleet left is cleaned, and whoever got its number is left alone",
  ignore,
}, async () => {
  await using fleet = new FleetCommand();
  const stranger = new Deno.Command("sleep", { args: ["600"] }).spawn();
  try {
    await Deno.mkdir(`${fleet.directory}/n0`, { mode: 0o700, recursive: true });
    await Deno.chmod(fleet.directory, 0o700);
    await Deno.writeTextFile(`${fleet.directory}/n0.pid`, `${stranger.pid}\n`);
    assertEquals((await fleet.run("status")).code, 1);
    assertStringIncludes((await fleet.run("down")).out, "0 nodes ended");
    await assertGone(fleet.directory);
    // Signal 0 only asks whether the process is there.
    const alive = await new Deno.Command("kill", { args: ["-0", `${stranger.pid}`] }).output();
    assertEquals(alive.code, 0);
  } finally {
    stranger.kill("SIGKILL");
    await stranger.status;
  }
});

Deno.test({ name: "a wrong word is told, with what to write", ignore }, async () => {
  await using fleet = new FleetCommand();
  for (const words of [["up"], ["up", "0"], ["up", "many"], ["kill"], ["rise"], []]) {
    const { code, err } = await fleet.run(...words);
    assertEquals(code, 2, words.join(" "));
    assertStringIncludes(err, "fleet: ");
  }
});

Deno.test(
  { name: "an executable that is not there is told at once, and nothing begun", ignore },
  async () => {
    await using fleet = new FleetCommand();
    const { code, err } = await fleet.run("up", "2", "--bin", `${fleet.directory}/mesh`);
    assertEquals(code, 1);
    assertStringIncludes(err, "deno task build");
    await assertGone(fleet.directory);
  },
);
