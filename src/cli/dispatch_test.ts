import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FakeSurroundings } from "../../tests/fixtures/surroundings.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import * as reports from "../../tests/fixtures/reports.ts";
import { formatWallTime, wallTime } from "../base/instant.ts";
import { product, productBuiltAt, productSeq, productVersion } from "../version.ts";
import { commands, rootOptions } from "./commands.ts";
import { commonOptions } from "./options.ts";
import { plannedCommands } from "./planned.ts";

function assertHarmless(text: string): void {
  assert(!text.includes("\u001b") && !text.includes("\u202e"), JSON.stringify(text));
}

Deno.test("with --json the reports are printed as the node gave them, one object on one line", async () => {
  const world = new FakeSurroundings();
  const expected = {
    status: reports.status,
    nodes: reports.nodes,
    links: reports.links,
    "node bor": reports.detail,
  };
  for (const [words, report] of Object.entries(expected)) {
    assertEquals(await world.mesh(...words.split(" "), "--json"), 0);
    assertEquals(world.json(), report);
    assertMatch(world.stdout.text, /^[^\n]+\n$/);
    assertEquals(world.stderr.text, "");
  }
});

Deno.test("options stand before or after the command and its arguments", async () => {
  for (
    const args of [
      ["--json", "--state", "/s", "ping", "-c", "3", "-i", "0.2", "bor"],
      ["ping", "bor", "-c3", "-i0.2", "--state=/s", "--json"],
      ["ping", "--json", "--count=3", "bor", "--interval", ".2", "--state", "/s"],
      ["-c", "3", "-i", "0.2", "--state", "/s", "ping", "--json", "--", "bor"],
    ]
  ) {
    const world = new FakeSurroundings();
    assertEquals(await world.mesh(...args), 0, args.join(" "));
    assertEquals(world.control.asked, ["ping bor 3 200"]);
    assertEquals(world.directories, ["/s"]);
  }
});

Deno.test("a ping prints each answer and then what it comes to", async () => {
  const world = new FakeSurroundings();
  assertEquals(await world.mesh("ping", "bor", "-c", "3", "--json"), 0);
  const via = fakeNodeId(2);
  assertEquals(world.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line)), [
    { seq: 1, rttMs: 0.5, hops: 1, via },
    { seq: 3, rttMs: 1.5, hops: 1, via },
    { sent: 3, received: 2, lossPercent: 33.333, minMs: 0.5, avgMs: 1, maxMs: 1.5 },
  ]);
});

Deno.test("a ping that nobody answers exits 6 after its summary", async () => {
  const world = new FakeSurroundings();
  world.control.ping = async function* () {
    await Promise.resolve();
    yield { seq: 1, lost: true };
  };
  assertEquals(await world.mesh("ping", "bor", "-c", "1", "--json"), 6);
  assertEquals(world.json(), {
    sent: 1,
    received: 0,
    lossPercent: 100,
    minMs: null,
    avgMs: null,
    maxMs: null,
  });
});

Deno.test("Ctrl-C ends a ping with its summary", async () => {
  const world = new FakeSurroundings();
  world.stdout.write = (text) => {
    world.stdout.text += text;
    if (world.stdout.text.split("\n").length === 3) world.sent.first.abort();
    return true;
  };
  assertEquals(await world.mesh("ping", "bor"), 0);
  assertStringIncludes(world.stdout.text, "bor: 2 sent, 1 received, 50% lost");
});

Deno.test("what the node refuses has its exit code, and candidates are listed", async () => {
  const world = new FakeSurroundings();
  assertEquals(await world.mesh("node", "nobody"), 4);
  assertStringIncludes(world.stderr.text, 'There is no node "nobody"');
  assertEquals(world.stdout.text, "");
  assertEquals(await world.mesh("node", "twins"), 4);
  assertStringIncludes(world.stderr.text, fakeNodeId(2));
  assert(!world.stderr.text.includes("\u001b"));
  assertEquals(await world.mesh("ping", "gone"), 6);
  assertStringIncludes(world.stderr.text, "no route");
  assertEquals(await world.mesh("forget", "bor"), 1);
  assertEquals(await world.mesh("node", "twins", "--json"), 4);
  assertEquals(world.json(), {
    error: {
      code: "ambiguous",
      message: 'There are several nodes for "twins"',
      candidates: [
        { id: fakeNodeId(2), name: "twins" },
        { id: fakeNodeId(3), name: reports.hostileName },
      ],
    },
  });
  assertEquals(world.stderr.text, "");
});

Deno.test("without a running node every question exits 3 and says how to start one", async () => {
  const world = new FakeSurroundings();
  world.isRunning = false;
  for (const words of ["status", "nodes", "node bor", "links", "ping bor", "watch", "forget x"]) {
    assertEquals(await world.mesh(...words.split(" "), "--state", "/s"), 3, words);
    assertEquals(
      world.stderr.text,
      "mesh: No node is running on this state directory (/s). Start one: mesh run\n",
    );
    assertEquals(await world.mesh(...words.split(" "), "--json"), 3);
    assertMatch(world.stdout.text, /^\{"error":\{"code":"no-node","message":"No node is running/);
  }
});

Deno.test("wrong words are wrong usage and get the nearest right ones", async () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["nods", "Did you mean node or nodes?"],
    ["statsu", "Did you mean status?"],
    ["xyzzy", "mesh --help"],
    ["status --jsn", "Did you mean --json?"],
    ["status --frobnicate", "mesh status --help"],
    ["status --count 3", "mesh status --help"],
    ["status -x", "There is no option -x here"],
    ["status extra", 'There is a word too many: "extra"'],
    ["node", "`mesh node` needs NODE"],
    ["ping bor -c 0", '-c takes a number from 1 to 1000000, not "0"'],
    ["ping bor -c x", "-c takes"],
    ["ping bor -i 0", "-i takes"],
    ["status --state", "--state needs a value: --state DIR"],
    ["status --state --quiet", "--state needs a value"],
    ["status --json=yes", "--json takes no value"],
    ["status --log-level loud", "--log-level is"],
    ["status --log-format xml", "--log-format is"],
    ["identity shw", "Did you mean identity show?"],
    ["--nonce ab", "--nonce goes with --self-test"],
    ["--self-test --nonce xyz", "--nonce takes"],
    ["", "There is no command"],
  ];
  for (const [line, said] of wrong) {
    const world = new FakeSurroundings();
    const args = line.split(" ").filter((word) => word !== "");
    assertEquals(await world.mesh(...args), 2, line);
    assertStringIncludes(world.stderr.text, said);
    assertEquals(world.stdout.text, "");
    assertEquals(world.control.asked, []);
  }
});

Deno.test("with --json wrong usage is an error object on stdout", async () => {
  const world = new FakeSurroundings();
  assertEquals(await world.mesh("status", "--jsn", "--json"), 2);
  assertEquals(world.json(), {
    error: { code: "usage", message: "There is no option --jsn here. Did you mean --json?" },
  });
});

Deno.test("commands of later versions say so and do nothing", async () => {
  for (const name of plannedCommands) {
    const world = new FakeSurroundings();
    assertEquals(await world.mesh(...name.split(" "), "--key", "x", "y", "--json"), 1, name);
    assertEquals(world.json(), {
      error: { code: "not-implemented", message: `mesh ${name} is not in this version` },
    });
    assertEquals(world.control.asked, []);
  }
  const world = new FakeSurroundings();
  await world.mesh("--help");
  for (const name of plannedCommands) {
    assert(!new RegExp(`^  ${name}\\b`, "m").test(world.stdout.text), name);
  }
  assertEquals(await world.mesh("status", "--config", "mesh.toml"), 1);
});

Deno.test("every command has a help with one line per option and an example at its end", async () => {
  const world = new FakeSurroundings();
  for (const command of commands) {
    assertEquals(await world.mesh(...command.name.split(" "), "--help"), 0);
    const help = world.stdout.text;
    assertEquals(world.stderr.text, "");
    for (const { name } of [...command.options, ...commonOptions]) {
      assertEquals(help.match(new RegExp(`^  (?:-., |    )--${name}\\b.*  \\S`, "gm"))?.length, 1);
    }
    assertMatch(
      help,
      new RegExp(`\nExample:\n  ${command.example.replace(/[[\]|()*+?.]/g, "\\$&")}\n$`),
    );
    for (const line of help.split("\n")) assert(line.length <= 100, line);
    assertEquals(await world.mesh("help", ...command.name.split(" ")), 0);
    assertEquals(world.stdout.text, help);
  }
  assertEquals(await world.mesh("-h"), 0);
  assertEquals(await world.mesh("help"), 0);
  for (const { name } of commands) assertStringIncludes(world.stdout.text, `\n  ${name}`);
  assertEquals(world.control.asked, []);
});

Deno.test("an option means the same everywhere", () => {
  const forms = new Map<string, string>();
  const all = [...commonOptions, ...rootOptions, ...commands.flatMap(({ options }) => options)];
  for (const { name, short, value } of all) {
    const form = `${short} ${value}`;
    assertEquals(forms.get(name) ?? form, form, name);
    forms.set(name, form);
    if (short !== undefined) {
      assertEquals(forms.get(`-${short}`) ?? name, name, short);
      forms.set(`-${short}`, name);
    }
  }
});

Deno.test("the version names program, release, target and runtime", async () => {
  const world = new FakeSurroundings();
  for (const args of [["--version"], ["-V"], ["status", "--version"]]) {
    assertEquals(await world.mesh(...args), 0);
    assertEquals(
      world.stdout.text,
      `mesh ${productVersion} (seq ${productSeq}, x86_64-unknown-linux-gnu, deno 2.9.4)\n`,
    );
  }
  await world.mesh("--version", "--json");
  assertEquals(world.json(), {
    product,
    version: productVersion,
    seq: productSeq,
    target: "x86_64-unknown-linux-gnu",
    runtime: "deno 2.9.4",
    builtAt: formatWallTime(wallTime(productBuiltAt)),
  });
});

Deno.test("the self test prints a line per check, then the verdict", async () => {
  const world = new FakeSurroundings();
  assertEquals(await world.mesh("--self-test"), 0);
  assertEquals(world.stdout.text, "ok      sums  1 + 1 = 2 (0 ms)\nself-test passed\n");
  assertEquals(await world.mesh("-t", "--json", "--nonce", "c0ffee"), 0);
  assertStringIncludes(world.stdout.text, '"nonce":"c0ffee"');
  const passed = world.selfTest;
  world.selfTest = async (options) => ({
    ...await passed(options),
    checks: [
      { name: "sums", ok: false, detail: "1 + 1 = 3", ms: 0 },
      { name: "keys", ok: false, detail: "none", ms: 0 },
    ],
    ok: false,
  });
  assertEquals(await world.mesh("--self-test"), 1);
  assertMatch(world.stdout.text, /\nself-test failed: sums, keys\n$/);
});

Deno.test("a node without others gets a friendly word beside its table", async () => {
  const world = new FakeSurroundings();
  const [self] = reports.nodes.nodes;
  assert(self !== undefined);
  world.control.nodesReport = { nodes: [self] };
  world.control.linksReport = { links: [] };
  assertEquals(await world.mesh("nodes"), 0);
  assertStringIncludes(world.stdout.text, "atlas");
  assertStringIncludes(world.stderr.text, "No other nodes yet.");
  assertEquals(await world.mesh("links"), 0);
  assertStringIncludes(world.stderr.text, "No links yet.");
  await world.mesh("nodes", "--quiet");
  assertEquals(world.stderr.text, "");
});

Deno.test("a table may have more rows than a call may have arguments", async () => {
  const world = new FakeSurroundings();
  const [self] = reports.nodes.nodes;
  assert(self !== undefined);
  world.control.nodesReport = { nodes: new Array(200_000).fill(self) };
  assertEquals(await world.mesh("nodes"), 0);
});

Deno.test("tables are aligned, ages are told, and nobody's name steers the terminal", async () => {
  const world = new FakeSurroundings();
  assertEquals(await world.mesh("nodes"), 0);
  const [head = "", ...rows] = world.stdout.text.trimEnd().split("\n");
  assertEquals(rows.length, 3);
  const column = head.indexOf("STATE");
  for (const [at, state] of ["self", "linked", "unreachable"].entries()) {
    assertEquals(rows[at]?.slice(column, column + state.length), state);
  }
  assertStringIncludes(world.stdout.text, "3s ago");
  assertStringIncludes(world.stdout.text, "c\\u{1b}[2J\\u{202e}evil");
  assertHarmless(world.stdout.text);
  assertEquals(await world.mesh("links"), 0);
  assertStringIncludes(world.stdout.text, "0.42 ms");
  assertEquals(await world.mesh("node", "bor"), 0);
  assertEquals(await world.mesh("status"), 0);
  assertStringIncludes(world.stdout.text, "eth0, wg0 (no multicast)");
});

Deno.test("colour is for terminals, and for those who want it", async () => {
  const world = new FakeSurroundings();
  world.stdout.isTerminal = true;
  await world.mesh("nodes");
  assertStringIncludes(world.stdout.text, "\u001b[32mlinked\u001b[0m");
  await world.mesh("nodes", "--no-color");
  assert(!world.stdout.text.includes("\u001b"));
  world.variables.set("NO_COLOR", "1");
  await world.mesh("nodes");
  assert(!world.stdout.text.includes("\u001b"));
  world.variables.set("NO_COLOR", "");
  await world.mesh("nodes", "--json");
  assert(!world.stdout.text.includes("\u001b"));
});

Deno.test("watch prints events until it is stopped, or nobody reads", async () => {
  const world = new FakeSurroundings();
  const at = "2026-01-01T00:00:00.000Z";
  world.control.events = [
    { at, event: "link-up", id: fakeNodeId(2), name: "bor", direction: "out" },
    { at, event: "node-new", id: fakeNodeId(3), name: reports.hostileName },
  ];
  world.stdout.write = (text) => {
    world.stdout.text += text;
    if (text.includes("node-new")) world.sent.first.abort();
    return true;
  };
  assertEquals(await world.mesh("watch", "--json"), 0);
  assertEquals(
    world.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line)),
    [...world.control.events],
  );
  const other = new FakeSurroundings();
  other.control.events = world.control.events;
  other.stdout.isOpen = false;
  assertEquals(await other.mesh("watch"), 0);
  const people = new FakeSurroundings();
  people.control.events = world.control.events;
  people.stdout.write = (text) => {
    people.stdout.text += text;
    return !text.includes("node-new");
  };
  await people.mesh("watch");
  assertStringIncludes(people.stdout.text, "link-up");
  assertStringIncludes(people.stdout.text, "direction=out");
  assertHarmless(people.stdout.text);
});

Deno.test("the id is printed without a running node, and a locked key asks the node, then a person", async () => {
  const world = new FakeSurroundings();
  world.isRunning = false;
  assertEquals(await world.mesh("id", "--state", "/s"), 0);
  assertEquals(world.stdout.text, `${fakeNodeId(1)}\n`);
  await world.mesh("id", "--json");
  assertEquals(world.json(), { id: fakeNodeId(1) });

  const open = world.openIdentity;
  world.openIdentity = async (directory, options) =>
    await options.passphrase.ask() === "open sesame"
      ? await open(directory, options)
      : { trouble: "locked", message: "The key is locked" };
  assertEquals(await world.mesh("id"), 1);
  world.secret = "open sesame";
  assertEquals(await world.mesh("id"), 0);
  world.secret = undefined;
  world.isRunning = true;
  assertEquals(await world.mesh("id"), 0);
});

Deno.test("a passphrase comes from the file that is named, else from the environment", async () => {
  const world = new FakeSurroundings();
  const told: (string | undefined)[] = [];
  const open = world.openIdentity;
  world.openIdentity = (directory, options) => {
    told.push(options.passphrase.told);
    return open(directory, options);
  };
  world.variables.set("MESH_PASSPHRASE", "from the environment");
  world.files.set("/home/ann/secret", "from the file\n");
  await world.mesh("id");
  await world.mesh("id", "--passphrase-file", "secret");
  assertEquals(told, ["from the environment", "from the file"]);
  assertEquals(await world.mesh("id", "--passphrase-file", "none"), 1);
  assertStringIncludes(world.stderr.text, 'Cannot read passphrase file "none"');
});

Deno.test("the identity is shown with the protection of its key", async () => {
  const world = new FakeSurroundings();
  for (const words of [["identity", "show"], ["identity"]]) {
    assertEquals(await world.mesh(...words, "--json", "--state", "/s"), 0);
    assertEquals(world.json(), {
      id: fakeNodeId(1),
      publicKey: "ab".repeat(32),
      path: "/s/identity.key",
      protection: "plain",
    });
  }
  await world.mesh("identity", "show");
  assertStringIncludes(world.stdout.text, "/var/lib/mesh/identity.key");
});

Deno.test("an exception in a command is a failure with its reason", async () => {
  const world = new FakeSurroundings();
  world.connect = () => Promise.reject(new Error("disk on fire"));
  assertEquals(await world.mesh("status"), 1);
  assertStringIncludes(world.stderr.text, "disk on fire");
});
