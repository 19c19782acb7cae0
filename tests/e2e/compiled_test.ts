import { assert, assertEquals, assertMatch } from "@std/assert";
import { build } from "../../build/compile.ts";
import { agree, NodeProcess } from "./node_process.ts";
import { eventually } from "./eventually.ts";
import { command, Lan, lanMissing } from "./lan.ts";
import { root } from "../../scripts/house.ts";

/** Builds the executable once; says why it cannot be built here. */
async function buildOnce(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const directory = await Deno.makeTempDir({ prefix: "mesh-compiled-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  try {
    const path = await build({ version: "9.8.7", seq: 65, output: `${directory}/mesh` });
    return { path };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

const built = await buildOnce();
if ("missing" in built) {
  console.warn(`Tests of the compiled executable are skipped: ${built.missing}`);
}
const binary = "path" in built ? built.path : "";
const ignore = binary === "";

Deno.test(
  { name: "the compiled executable passes its self test and says what it is", ignore },
  async () => {
    const test = await command(binary, "--self-test", "--json", "--nonce", "00ff");
    assertEquals(test.code, 0, test.stdout);
    const report = JSON.parse(test.stdout);
    assertEquals(
      [report.product, report.version, report.seq, report.nonce, report.ok],
      ["mesh", "9.8.7", 65, "00ff", true],
    );
    const version = await command(binary, "--version");
    assertMatch(version.stdout, /^mesh 9\.8\.7 \(seq 65, \S+, deno 2\.9\.4\)\n$/);
  },
);

Deno.test({
  name: "three hosts with the compiled executable find each other, lose one and get it back",
  ignore: ignore || lanMissing !== undefined,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({ ipv4: true }));
  const nodes: NodeProcess[] = [];
  for (const host of ["a", "b", "c"]) {
    await lan.addHost(host);
    nodes.push(stack.use(NodeProcess.spawn({
      binary,
      namespace: lan.namespace(host),
      args: ["--name", host],
    })));
  }
  const [a, b, c] = nodes;
  assert(a !== undefined && b !== undefined && c !== undefined);
  await Promise.all(nodes.map((node) => node.ready()));
  for (const node of nodes) await node.linkedWith(...nodes.filter((other) => other !== node));
  await eventually("all agree", () => agree(nodes));
  const { version, seq } = await a.status();
  assertEquals([version, seq], ["9.8.7", 65]);
  await c.kill();
  await a.linkedWith(b);
  await b.linkedWith(a);
  const again = stack.use(
    await NodeProcess.start({ binary, namespace: lan.namespace("c"), state: c.state }),
  );
  await a.linkedWith(b, again);
});

Deno.test({ name: "the demo runs with the compiled executable", ignore }, async () => {
  const demo = await command(
    Deno.execPath(),
    "run",
    "-A",
    "--cached-only",
    `${root}/scripts/demo.ts`,
    "--bin",
    binary,
  );
  assertEquals(demo.code, 0, demo.stdout + demo.stderr);
});

Deno.test({ name: "two builds of the same sources are the same bytes", ignore }, async () => {
  const hash = async () =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(binary)));
  const first = await hash();
  // Path and name are written into the executable: the second build takes the first one's place.
  await build({ version: "9.8.7", seq: 65, output: binary });
  assertEquals(await hash(), first);
});
