/** The command line's contract: names, types, exit codes, and what goes to which stream. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeBase64 } from "@std/encoding";
import { isFields } from "../../src/base/json_guard.ts";
import { verifyRecord } from "../../src/sync/verify_record.ts";
import { DecodeError } from "../../src/base/decode.ts";
import {
  alone,
  aloneWith,
  assertShape,
  errorOf,
  hasShape,
  isListOfShape,
  isTexts,
  mesh,
  objectsOf,
  resultOf,
  RunningCommand,
  Scratch,
  type Shape,
} from "./command_line.ts";
import { root } from "../../scripts/house.ts";
import { eventually } from "./eventually.ts";
import { has, Lan, lanMissing } from "./lan.ts";
import { meshCommand, NodeProcess } from "./node_process.ts";

const isLinux = Deno.build.os === "linux";
const hasScript = isLinux && await has("script");
const hasCurl = await has("curl");

const update: Shape = { seq: "count", state: "text", "reason?": "text" };

const statusShape: Shape = {
  id: "id",
  name: "text",
  version: "text",
  seq: "count",
  target: "text",
  pid: "count",
  upMs: "count",
  port: "count",
  membership: (value) => value === "open",
  interfaces: isListOfShape({ name: "text", "index?": "count", multicast: "boolean" }),
  links: "count",
  known: "count",
  reachable: "count",
  update: hasShape(update),
  warnings: isListOfShape({ code: "text", message: "text" }),
  counts: (value) =>
    typeof value === "object" && value !== null &&
    Object.values(value).every((count) => Number.isInteger(count) && count > 0),
};

const entryShape: Shape = {
  id: "id",
  name: "text",
  nameState: (value) => ["certified", "claimed", "conflict"].includes(String(value)),
  state: (value) => ["self", "linked", "reachable", "unreachable", "revoked"].includes(`${value}`),
  serial: "count",
  infoAt: "instant",
  "hops?": "count",
  "via?": "id",
  addresses: "words",
  version: "text",
  os: "text",
  arch: "text",
  labels: isTexts,
  roles: "words",
  update: hasShape(update),
};

const linkShape: Shape = {
  id: "id",
  name: "text",
  address: "text",
  "interface?": "text",
  direction: (value) => ["out", "in", "both"].includes(String(value)),
  provenAt: "instant",
  rttMs: "number",
  lastHeardMs: "number",
  loss: (value) => typeof value === "number" && value >= 0 && value <= 1,
  via: (value) => value === "udp" || value === "tcp",
};

/** Two linked nodes, two more under one name, and one that was met and is gone. */
class World implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly scratch = this.#stack.use(new Scratch());
  readonly ids = new Map<string, string>();
  readonly nodes = new Map<string, NodeProcess>();

  async start(name: string, place: string, ...more: readonly string[]): Promise<NodeProcess> {
    const peers = [...this.nodes.values()].slice(0, 1);
    const options = await aloneWith(name, peers, ...more);
    const state = this.scratch.state(place);
    const node = this.#stack.use(await NodeProcess.start({ ...options, state }));
    this.nodes.set(place, node);
    this.ids.set(place, (await node.ready()).id);
    return node;
  }

  node(place: string): NodeProcess {
    const node = this.nodes.get(place);
    assert(node !== undefined);
    return node;
  }

  id(place: string): string {
    return this.ids.get(place) ?? "";
  }

  /** Runs a command against the first node. */
  ask(...args: readonly string[]) {
    return mesh([...args, "--state", this.node("a").state]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

let world: World;

// The world's nodes are read from through all of the tests; what one test opens it closes itself.
Deno.test.sanitizer({ ops: false, resources: false });

Deno.test.beforeAll(async () => {
  world = new World();
  const a = await world.start("atlas", "a", "--label", "rack=b2", "--label", "empty-ish=-");
  await world.start("bor", "b");
  await world.start("twin", "c");
  await world.start("twin", "d");
  const gone = await world.start("gone", "e");
  await eventually("all are linked", async () => (await a.links()).length === 4);
  await gone.stop();
  await eventually("one is gone", async () => (await a.links()).length === 3);
});

Deno.test.afterAll(() => world[Symbol.asyncDispose]());

Deno.test("id prints the id, with a node and without", async () => {
  const ofNode = await world.ask("id");
  assertEquals([ofNode.code, ofNode.stdout, ofNode.stderr], [0, `${world.id("a")}\n`, ""]);
  assertEquals(resultOf(await world.ask("id", "--json")), { id: world.id("a") });
  const state = world.scratch.state("id-alone");
  const made = resultOf(await mesh(["id", "--json", "--state", state]));
  assertShape(made, { id: "id" });
  assertEquals(resultOf(await mesh(["--json", "--state", state, "id"])), made);
});

Deno.test("eight that ask for the id at once make one identity", async () => {
  for (let round = 1; round <= 3; round++) {
    const state = world.scratch.state(`id-race-${round}`);
    const asked = Array.from({ length: 8 }, () => mesh(["id", "--state", state]));
    const answers = await Promise.all(asked);
    const [first] = answers;
    for (const answer of answers) {
      assertEquals(answer, { code: 0, stdout: first?.stdout ?? "", stderr: "" });
    }
    assertEquals([...Deno.readDirSync(state)].map(({ name }) => name), ["identity.key"]);
    assertEquals((Deno.statSync(state).mode ?? 0) & 0o777, 0o700);
    assertEquals((Deno.statSync(`${state}/identity.key`).mode ?? 0) & 0o777, 0o600);
  }
});

Deno.test("identity show tells id, key, file and protection, and makes nothing", async () => {
  const shown = resultOf(await world.ask("identity", "show", "--json"));
  assertShape(shown, {
    id: "id",
    publicKey: (value) => /^[0-9a-f]{64}$/.test(String(value)),
    path: "text",
    protection: (value) => value === "plain",
  });
  assertEquals(shown["id"], world.id("a"));
  const state = world.scratch.state("show-none");
  const error = errorOf(await mesh(["identity", "show", "--json", "--state", state]), 1);
  assertEquals(error.code, "missing");
  assertEquals(
    [...Deno.readDirSync(world.scratch.path)].some(({ name }) => name === "show-none"),
    false,
  );
});

Deno.test("status has every field, and counts what nodes and links list", async () => {
  const status = resultOf(await world.ask("status", "--json"));
  assertShape(status, statusShape);
  const nodes = await world.node("a").nodes();
  const { pid, port } = { pid: status["pid"], port: (await world.node("a").ready()).port };
  assertEquals([status["id"], status["name"], status["port"]], [world.id("a"), "atlas", port]);
  assertEquals([status["known"], status["reachable"], status["links"]], [nodes.length, 4, 3]);
  assertEquals(nodes.length, 5);
  const { warnings } = status;
  assert(Array.isArray(warnings) && warnings.some(({ code }) => code === "open-mesh"));
  assert(warnings.some(({ code }) => code === "name-conflict"));
  // The process is the node's own, not the command's.
  if (isLinux) assertStringIncludes(await Deno.readTextFile(`/proc/${pid}/cmdline`), "run");
});

Deno.test("nodes lists every node with every field, by name, then id", async () => {
  const { nodes } = resultOf(await world.ask("nodes", "--json"));
  assert(Array.isArray(nodes));
  for (const node of nodes) assertShape(node, entryShape);
  const order = nodes.map(({ name, id }) => `${name} ${id}`);
  assertEquals(order, [...order].sort());
  assertEquals(nodes.map(({ name }) => name), ["atlas", "bor", "gone", "twin", "twin"]);
  const [self, linked, gone, twin] = nodes;
  assertEquals([self.state, self.hops, self.via], ["self", 0, undefined]);
  assertEquals(self.labels, { "rack": "b2", "empty-ish": "-" });
  assertEquals([linked.state, linked.hops, linked.via], ["linked", 1, world.id("b")]);
  const { port } = await world.node("b").ready();
  assert(linked.addresses.includes(`127.0.0.1:${port}`), linked.addresses.join());
  assertEquals([gone.state, gone.hops, gone.via], ["unreachable", undefined, undefined]);
  assertEquals([self.nameState, twin.nameState], ["claimed", "conflict"]);
});

Deno.test("node takes an id, a prefix of six, or a name, and shows the signed record", async () => {
  const id = world.id("b");
  for (const argument of [id, id.slice(0, 6), id.slice(0, 20), "bor"]) {
    const node = resultOf(await world.ask("node", argument, "--json"));
    assertEquals(node["id"], id, argument);
  }
  const node = resultOf(await world.ask("node", "bor", "--json"));
  assertShape(node, {
    ...entryShape,
    record: hasShape({ bytes: "text", author: "id", serial: "count", signedAt: "instant" }),
    links: isListOfShape({ id: "id", costMs: "number" }),
  });
  const { record } = node;
  assert(isFields(record));
  const verified = await verifyRecord(decodeBase64(String(record["bytes"])));
  assert(!(verified instanceof DecodeError));
  assertEquals([verified.author, verified.serial], [id, node["serial"]]);
  assertEquals([record["author"], record["serial"]], [id, node["serial"]]);
  await eventually("bor lists its link", async () => {
    const { links } = resultOf(await world.ask("node", "bor", "--json"));
    return Array.isArray(links) && links.some((link) => link.id === world.id("a"));
  });
});

Deno.test("links has one entry per neighbour with every field", async () => {
  const { links } = resultOf(await world.ask("links", "--json"));
  assert(Array.isArray(links));
  for (const link of links) assertShape(link, linkShape);
  const ids = links.map(({ id }) => id).sort();
  assertEquals(ids, ["b", "c", "d"].map((place) => world.id(place)).sort());
});

Deno.test("ping prints one object per reply, then the sum", async () => {
  const output = await world.ask("ping", "bor", "-c", "3", "-i", "0.02", "--json");
  assertEquals([output.code, output.stderr], [0, ""]);
  const [one, two, three, sum, ...more] = objectsOf(output);
  assertEquals(more, []);
  for (const reply of [one, two, three]) {
    assertShape(reply, { seq: "count", rttMs: "number", hops: "count", via: "id" });
    assertEquals([reply?.["hops"], reply?.["via"]], [1, world.id("b")]);
  }
  assertEquals([one?.["seq"], two?.["seq"], three?.["seq"]], [1, 2, 3]);
  assertShape(sum, {
    sent: "count",
    received: "count",
    lossPercent: "number",
    minMs: "number",
    avgMs: "number",
    maxMs: "number",
  });
  assertEquals([sum?.["sent"], sum?.["received"], sum?.["lossPercent"]], [3, 3, 0]);
  const text = await world.ask("ping", "bor", "-c1");
  assertEquals(text.code, 0);
  assertStringIncludes(text.stdout, "1 sent, 1 received");
});

Deno.test("ping to a known node without a link ends with 6: no route", async () => {
  const error = errorOf(await world.ask("ping", "gone", "-c", "1", "--json"), 6);
  assertEquals(error.code, "no-route");
  assertStringIncludes(error.message, "no route");
  const { code, stdout, stderr } = await world.ask("ping", "gone", "-c", "1");
  assertEquals([code, stdout], [6, ""]);
  assertStringIncludes(stderr, "no route");
});

Deno.test("a NODE that is none, or may be several, ends with 4 and lists them", async () => {
  for (const command of ["node", "ping", "forget"]) {
    assertEquals(errorOf(await world.ask(command, "nobody", "--json"), 4).code, "no-such-node");
    const { code, candidates } = errorOf(await world.ask(command, "twin", "--json"), 4);
    assertEquals(code, "ambiguous");
    assert(isListOfShape({ id: "id", name: "text" })(candidates));
    assertEquals(candidates?.length, 2);
  }
  const text = await world.ask("node", "twin");
  assertEquals([text.code, text.stdout], [4, ""]);
  for (const place of ["c", "d"]) assertStringIncludes(text.stderr, world.id(place));
  // Five characters are too few to stand for an id.
  assertEquals((await world.ask("node", world.id("b").slice(0, 5))).code, 4);
});

Deno.test("without a node the commands that need one end with 3", async () => {
  const state = world.scratch.state("none");
  const commands = [["status"], ["nodes"], ["node", "x"], ["links"], ["ping", "x"], ["watch"], [
    "forget",
    "x",
  ]];
  for (const words of commands) {
    const error = errorOf(await mesh([...words, "--json", "--state", state]), 3);
    assertEquals(error.code, "no-node", words.join(" "));
    assertStringIncludes(error.message, state);
  }
  const { code, stdout, stderr } = await mesh(["status", "--state", state]);
  assertEquals([code, stdout], [3, ""]);
  assertStringIncludes(stderr, "mesh run");
});

Deno.test("options stand before or after the arguments, joined or apart", async () => {
  const { state } = world.node("a");
  const forms = [
    ["--json", "--state", state, "node", "bor"],
    ["node", "bor", "--json", "--state", state],
    ["node", `--state=${state}`, "bor", "--json"],
    ["--state", state, "node", "--json", "--", "bor"],
  ];
  for (const form of forms) assertEquals(resultOf(await mesh(form))["id"], world.id("b"));
});

Deno.test("results go to stdout, and people get the same facts as programs", async () => {
  for (const words of [["status"], ["nodes"], ["node", "bor"], ["links"], ["id"]]) {
    const { code, stdout, stderr } = await world.ask(...words);
    assertEquals([code, stderr], [0, ""], words.join(" "));
    assert(!stdout.includes("\u001b"), "colour is for terminals");
  }
  const { stdout } = await world.ask("nodes");
  for (const word of ["atlas", "bor", world.id("b").slice(0, 10), "linked", "unreachable"]) {
    assertStringIncludes(stdout, word);
  }
});

Deno.test(
  { name: "on a terminal there is colour, unless NO_COLOR says no", ignore: !hasScript },
  async () => {
    const line = ["nodes", "--state", world.node("a").state];
    const [program = "", ...words] = meshCommand();
    const shown = async (env: Record<string, string>, ...more: readonly string[]) => {
      const command = [program, ...words, ...line, ...more].join(" ");
      const { stdout } = await new Deno.Command("script", {
        args: ["-qec", command, "/dev/null"],
        env: { TERM: "xterm", NO_COLOR: "", ...env },
        stdin: "null",
      }).output();
      return new TextDecoder().decode(stdout);
    };
    assertStringIncludes(await shown({}), "\u001b[");
    for (const plain of [await shown({ NO_COLOR: "1" }), await shown({}, "--no-color")]) {
      assert(plain.includes("atlas") && !plain.includes("\u001b["), plain);
    }
  },
);

Deno.test("the version and the self test say what this program is", async () => {
  const { code, stdout, stderr } = await mesh(["--version"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^mesh \d+\.\d+\.\d+\S* \(seq \d+, [\w-]+, deno \d+\.\d+\.\d+\)\n$/);
  const nonce = "00ff";
  const empty = Deno.makeTempDirSync({ dir: world.scratch.path });
  const report = resultOf(
    await mesh(["--self-test", "--json", "--nonce", nonce], {
      cwd: empty,
      env: { MESH_STATE: `${empty}/s` },
    }),
  );
  assertShape(report, {
    product: (value) => value === "mesh",
    version: "text",
    seq: "count",
    target: "text",
    runtime: "text",
    nonce: (value) => value === nonce,
    checks: isListOfShape({ name: "text", ok: "boolean", detail: "text", ms: "number" }),
    ok: (value) => value === true,
  });
  assertEquals([...Deno.readDirSync(empty)], []);
  const text = await mesh(["-t"]);
  assertEquals(text.code, 0);
  assertMatch(text.stdout, /\nself-test passed\n$/);
});

Deno.test("a second node on one state directory is refused with the first one's pid", async () => {
  const { state } = world.node("a");
  const { pid } = await world.node("a").status();
  const { code, stdout, stderr } = await mesh(["run", ...alone, "--state", state]);
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, `already running (pid ${pid})`);
  const error = errorOf(await mesh(["run", ...alone, "--state", state, "--json"]), 1);
  assertEquals(error.code, "already-running");
  assertEquals((await world.node("a").links()).length, 3);
});

Deno.test(
  { name: "hello answers any client, everything else is one refusal", ignore: !hasCurl },
  async () => {
    const { port } = await world.node("a").ready();
    const curl = async (...args: readonly string[]) => {
      const { stdout } = await new Deno.Command("curl", {
        args: ["-sk", "-w", " %{http_code}", ...args],
        stdin: "null",
      }).output();
      return new TextDecoder().decode(stdout);
    };
    const at = `https://127.0.0.1:${port}`;
    const [, body = "", status] = /^(.*) (\d+)$/s.exec(await curl(`${at}/mesh/v1/hello`)) ?? [];
    assertEquals(status, "200");
    assertShape(JSON.parse(body), {
      product: (value) => value === "mesh",
      protocols: "words",
      id: "id",
    });
    const refusal = await curl(`${at}/`);
    for (const other of ["/mesh/v1", "/mesh/v1/exchange", "/v1/status"]) {
      assertEquals(await curl(`${at}${other}`), refusal);
    }
    assertEquals(await curl("-X", "POST", "-d", "x", `${at}/mesh/v1/exchange`), refusal);
  },
);

Deno.test("watch tells one event a line: ready, links and nodes that come, change and go", async () => {
  await using stack = new AsyncDisposableStack();
  const { scratch } = world;
  const host = stack.use(
    await NodeProcess.start({ ...await aloneWith("host", []), state: scratch.state("watch-host") }),
  );
  const watch = stack.use(new RunningCommand(["watch", "--json", "--state", host.state]));
  const own = await host.ready();
  assertEquals(
    await watch.saw({ event: "ready" }),
    { at: watch.objects()[0]?.["at"], event: "ready", id: own.id, name: "host", port: own.port },
  );
  const state = scratch.state("watch-guest");
  const start = async (...more: readonly string[]) =>
    stack.use(await NodeProcess.start({ ...await aloneWith("guest", [host], ...more), state }));
  const guest = await start();
  const { id } = await guest.ready();
  const up = await watch.saw({ event: "link-up", id });
  assertShape(up, { at: "instant", name: "text", address: "text", direction: "text" });
  assertShape(await watch.saw({ event: "node-new", id }), {
    at: "instant",
    name: "text",
    serial: "count",
  });
  await watch.saw({ event: "node-reachable", id });

  // A good-bye is known at once: the link is not found to be silent, it is given up.
  const before = watch.lines.length;
  assertEquals(await guest.stop(), 0);
  assertShape(await watch.saw({ event: "link-down", id, reason: "good-bye" }, before), {
    at: "instant",
  });
  await watch.saw({ event: "node-unreachable", id }, before);

  const later = watch.lines.length;
  const again = await start("--label", "boot=2");
  await watch.saw({ event: "node-changed", id }, later);
  await watch.saw({ event: "node-reachable", id }, later);
  assertEquals((await host.nodes()).find((node) => node.id === id)?.labels, { boot: "2" });

  const last = watch.lines.length;
  await again.kill();
  await watch.saw({ event: "node-suspect", id }, last);
  await watch.saw({ event: "link-down", id }, last);
  await watch.saw({ event: "node-unreachable", id }, last);
  for (const event of watch.objects()) assertShape(event, { at: "instant", event: "text" });
  watch.signal("SIGINT");
  assertEquals(await watch.ended, 0);
  assertEquals(watch.errorLines, []);
});

Deno.test("forget drops an unreachable node until it is met again", async () => {
  await using stack = new AsyncDisposableStack();
  const { scratch } = world;
  const stateOfHost = scratch.state("forget-host");
  const startHost = async () =>
    stack.use(await NodeProcess.start({ ...await aloneWith("host", []), state: stateOfHost }));
  let host = await startHost();
  const guest = stack.use(
    await NodeProcess.start({
      ...await aloneWith("guest", [host]),
      state: scratch.state("forget-guest"),
    }),
  );
  const { id } = await guest.ready();
  const names = async () => (await host.nodes()).map(({ name }) => name);
  await eventually("linked", async () => (await host.links()).length === 1);
  assertEquals(errorOf(await host.mesh("forget", "guest", "--json"), 1).code, "not-unreachable");

  // Silent, and the same node with the same record when it is back.
  guest.signal("SIGSTOP");
  await eventually("gone", async () => (await host.links()).length === 0);
  assertEquals(resultOf(await host.mesh("forget", "guest", "--json"))["id"], id);
  assertEquals(await names(), ["host"]);
  assertEquals(errorOf(await host.mesh("node", id, "--json"), 4).code, "no-such-node");
  assertEquals((await host.status()).known, 1);
  assertEquals(await host.stop(), 0);
  host = await startHost();
  assertEquals(await names(), ["host"]);

  guest.signal("SIGCONT");
  await eventually("met again", async () => (await names()).length === 2);
  assertEquals(await guest.stop(), 0);
  await eventually("gone again", async () => (await host.links()).length === 0);
  assertEquals(await host.stop(), 0);
  host = await startHost();
  assertEquals(await names(), ["guest", "host"]);
});

Deno.test({
  name: "as a task of the project, relative paths count from where the person stands",
  ignore: Deno.env.get("MESH_BIN") !== undefined || Deno.build.os === "windows",
}, async () => {
  // The task that runs these tests has set the variable for itself, and it would be kept.
  const task = [Deno.execPath(), "task", "--quiet", "--config", `${root}/deno.json`];
  const { stdout } = await new Deno.Command("env", {
    args: ["-u", "INIT_CWD", ...task, "mesh", "id", "--state", "from-task"],
    cwd: world.scratch.path,
    stdin: "null",
  }).output();
  const asked = resultOf(await mesh(["id", "--json", "--state", world.scratch.state("from-task")]));
  assertEquals(new TextDecoder().decode(stdout), `${asked["id"]}\n`);
});

Deno.test("run --once ends with 0 in step with a peer and with 6 alone", async () => {
  const { port } = await world.node("a").ready();
  const state = world.scratch.state("once");
  const once = ["run", ...alone, "--name", "bor", "--once", "--state", state];
  const met = await mesh([...once, "--peer", `127.0.0.1:${port}`]);
  assertEquals([met.code, met.stdout], [0, ""], met.stderr);
  const nobody = await mesh([
    "run",
    ...alone,
    "--once",
    "--for",
    "1s",
    "--state",
    world.scratch.state("o"),
  ]);
  assertEquals([nobody.code, nobody.stdout], [6, ""]);
  const silent = ["run", ...alone, "--once", "--for=1s", "--json", "-q"];
  const told = await mesh([...silent, "--state", world.scratch.state("o")]);
  assertEquals(told.code, 6);
  assertEquals(objectsOf(told).length, 1);
});

Deno.test({
  name: "a node two links away is reachable with hops and via, and has no route yet",
  ignore: lanMissing !== undefined,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({ ipv4: true, ipv6: false }));
  for (const host of ["a", "b", "c"]) await lan.addHost(host);
  // a and c hear each other only through b.
  await lan.filterInput("a", `ip saddr ${lan.ipv4("c")} drop`);
  await lan.filterInput("c", `ip saddr ${lan.ipv4("a")} drop`);
  const [a, b, c] = ["a", "b", "c"].map((host) =>
    stack.use(NodeProcess.spawn({
      namespace: lan.namespace(host),
      state: world.scratch.state(`lan-${host}`),
      args: ["--name", host],
    }))
  );
  assert(a !== undefined && b !== undefined && c !== undefined);
  await a.linkedWith(b);
  await c.linkedWith(b);
  const entry = await eventually(
    "c is reachable",
    async () => (await a.nodes()).find(({ name, state }) => name === "c" && state === "reachable"),
  );
  assertShape(entry, entryShape);
  assertEquals([entry.hops, entry.via], [2, (await b.ready()).id]);
  assertEquals((await a.status()).reachable, 3);
  assertEquals(errorOf(await a.mesh("ping", "c", "-c", "1", "--json"), 6).code, "no-route");
});
