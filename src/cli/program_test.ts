import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FakeControl } from "../../tests/fixtures/fake_control.ts";
import * as reports from "../../tests/fixtures/reports.ts";
import { serveControl } from "../host/mod.ts";
import { answerControl } from "../control/mod.ts";
import { productVersion } from "../version.ts";

const project = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program from source in a process of its own. */
async function mesh(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const words = ["run", "-A", "--no-check", "--cached-only", "-c", `${project}/deno.json`];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...words, `${project}/src/main.ts`, ...args],
    stdin: "null",
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("the program names its version, this machine's target and the runtime", async () => {
  const { code, stdout, stderr } = await mesh(["--version"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(
    stdout,
    `mesh ${productVersion} (seq 0, ${Deno.build.target}, deno ${Deno.version.deno})\n`,
  );
});

Deno.test("the program asks a node over its real socket", async () => {
  const directory = await Deno.makeTempDir();
  const control = new FakeControl();
  const server = await serveControl(
    directory,
    (request, closing) => answerControl(request, control, closing),
  );
  const nodes = await mesh(["nodes", "--json", "--state", directory]);
  assertEquals(nodes, { code: 0, stdout: `${JSON.stringify(reports.nodes)}\n`, stderr: "" });
  const ping = await mesh(["--state", directory, "ping", "bor", "-c", "3", "--json"]);
  assertEquals(ping.code, 0);
  assertEquals(ping.stdout.trimEnd().split("\n").length, 3);
  assertEquals((await mesh(["node", "twins", "--state", directory])).code, 4);
  await server.close();
  const gone = await mesh(["nodes", "--state", directory]);
  assertEquals(gone.code, 3);
  assertStringIncludes(gone.stderr, `(${directory}). Start one: mesh run`);
  await Deno.remove(directory, { recursive: true });
});

/** `mesh watch` of a node that has these events, reading its first lines. */
async function watching(events: FakeControl["events"]) {
  const directory = await Deno.makeTempDir();
  const control = new FakeControl();
  control.events = events;
  const server = await serveControl(
    directory,
    (request, closing) => answerControl(request, control, closing),
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${project}/src/main.ts`, "watch", "--state", directory],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const said = new Response(child.stderr).text();
  /** How the program ends, and what it said on stderr. */
  const ended = async () => {
    const { code } = await child.status;
    await reader.cancel();
    await server.close();
    await Deno.remove(directory, { recursive: true });
    return { code, stderr: await said };
  };
  return { child, reader, ended };
}

Deno.test("a reader that has enough ends the program in peace", async () => {
  const event = { at: "2026-01-01T00:00:00.000Z", event: "node-changed" as const };
  const { reader, ended } = await watching(Array.from({ length: 5_000 }, () => event));
  await reader.cancel();
  assertEquals(await ended(), { code: 0, stderr: "" });
});

Deno.test("Ctrl-C ends a watch with 0", async () => {
  const { child, ended } = await watching([{ at: "2026-01-01T00:00:00.000Z", event: "ready" }]);
  child.kill("SIGINT");
  assertEquals(await ended(), { code: 0, stderr: "" });
});

Deno.test("the id is made once, kept privately, and shown from where the person stands", async () => {
  const home = await Deno.makeTempDir();
  const first = await mesh(["id", "--state", "s"], {
    cwd: home,
    env: { INIT_CWD: "/nonexistent" },
  });
  assertEquals(first.stderr, "");
  assertEquals(first.code, 0);
  assertMatch(first.stdout, /^[a-z2-7]{52}\n$/);
  const again = await mesh(["id", "--json", "--state", "s"], {
    cwd: project,
    env: { INIT_CWD: home },
  });
  assertEquals(again.stdout, `{"id":"${first.stdout.trim()}"}\n`);
  const shown = await mesh(["identity", "show", "--json"], { env: { MESH_STATE: `${home}/s` } });
  const { id, path, protection } = JSON.parse(shown.stdout);
  assertEquals({ id, path, protection }, {
    id: first.stdout.trim(),
    path: `${home}/s/identity.key`,
    protection: "plain",
  });
  assertEquals(((await Deno.stat(`${home}/s`)).mode ?? 0) & 0o777, 0o700);
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  const none = await mesh(["identity", "show", "--state", `${home}/none`]);
  assertEquals(none.code, 1);
  assertStringIncludes(none.stderr, "`mesh id` makes one");
  assertEquals(await Array.fromAsync(Deno.readDir(home), ({ name }) => name), ["s"]);
  await Deno.remove(home, { recursive: true });
});

Deno.test("the self test passes here and echoes its nonce", async () => {
  const { code, stdout } = await mesh(["--self-test", "--json", "--nonce", "c0ffee"]);
  assertEquals(code, 0, stdout);
  const { product, nonce, ok } = JSON.parse(stdout);
  assertEquals({ product, nonce, ok }, { product: "mesh", nonce: "c0ffee", ok: true });
});
