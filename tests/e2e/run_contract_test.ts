/** The contract of `mesh run`: how it starts, what it says, where it listens, how it ends. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  alone,
  aloneWith,
  assertShape,
  errorOf,
  mesh,
  resultOf,
  RunningCommand,
  Scratch,
  unseen,
} from "./command_line.ts";
import { eventually } from "./eventually.ts";
import { NodeProcess } from "./node_process.ts";

const isLinux = Deno.build.os === "linux";

let scratch: Scratch;
Deno.test.beforeAll(() => {
  scratch = new Scratch();
});
Deno.test.afterAll(() => scratch[Symbol.asyncDispose]());

Deno.test("a stop ends within 5 s, though a neighbour does not answer", async () => {
  await using stack = new AsyncDisposableStack();
  const [host, guest] = ["stop-host", "stop-guest"].map((name) => scratch.state(name));
  const node = stack.use(
    await NodeProcess.start({ ...await aloneWith("host", []), state: host ?? "" }),
  );
  const deaf = stack.use(
    await NodeProcess.start({ ...await aloneWith("guest", [node]), state: guest ?? "" }),
  );
  await node.linkedWith(deaf);
  deaf.signal("SIGSTOP");
  let code: number | undefined;
  const ending = node.stop().then((ended) => code = ended);
  await eventually("ended", () => code !== undefined, 5_000);
  assertEquals(await ending, 0);
});

Deno.test("a key under a passphrase opens with a file, the environment, and nothing else", async () => {
  const state = scratch.state("passphrase");
  const file = `${scratch.path}/passphrase.txt`;
  await Deno.writeTextFile(file, "correct horse\n", { mode: 0o600 });
  const right = { MESH_PASSPHRASE: "correct horse" };
  const made = resultOf(await mesh(["id", "--json", "--state", state, "--passphrase-file", file]));
  assertEquals(resultOf(await mesh(["id", "--json", "--state", state], { env: right })), made);
  const shown = resultOf(
    await mesh(["identity", "show", "--json", "--state", state], { env: right }),
  );
  assertEquals([shown["id"], shown["protection"]], [made["id"], "passphrase"]);
  const run = ["run", ...alone, "--json", "-q", "--state", state];
  const none = errorOf(await mesh(run), 1);
  assertEquals(none.code, "passphrase");
  assertStringIncludes(none.message, "--passphrase-file");
  const wrong = errorOf(await mesh(run, { env: { MESH_PASSPHRASE: "wrong horse" } }), 1);
  assertStringIncludes(wrong.message, "passphrase is wrong");
  const missing = errorOf(await mesh([...run, "--passphrase-file", `${file}.not`]), 1);
  assertStringIncludes(missing.message, `${file}.not`);
  await using node = await NodeProcess.start({
    args: [...alone, "--passphrase-file", file],
    state,
  });
  assertEquals((await node.ready()).id, made["id"]);
  // A running node tells its id without the passphrase.
  assertEquals(resultOf(await mesh(["id", "--json", "--state", state])), made);
});

Deno.test("the ready line has a form for people and one for programs", async () => {
  await using stack = new AsyncDisposableStack();
  const state = scratch.state("ready");
  const node = stack.use(new RunningCommand(["run", ...alone, "--name", "reed", "--state", state]));
  const line = await eventually(
    "ready",
    () => node.errorLines.find((one) => one.startsWith("mesh is ready: ")),
  );
  const [, name, short, port] = /^mesh is ready: (\S+) ([a-z2-7]{10}) on (\d+)$/.exec(line) ?? [];
  assertEquals(name, "reed");
  const status = resultOf(await mesh(["status", "--json", "--state", state]));
  assertEquals([short, Number(port)], [String(status["id"]).slice(0, 10), status["port"]]);

  // SIGHUP is no end; SIGTERM is one, in order and in time.
  node.signal("SIGHUP");
  await eventually(
    "it read the signal",
    () => node.errorLines.some((one) => one.includes("SIGHUP")),
  );
  resultOf(await mesh(["status", "--json", "--state", state]));
  node.signal("SIGTERM");
  assertEquals(await node.ended, 0);
  assertEquals(node.lines, []);
  assertEquals(Deno.readDirSync(state).find(({ name }) => name === "control.sock"), undefined);

  const json = stack.use(
    new RunningCommand(["run", ...alone, "--name", "reed", "--state", state, "--log-format=json"]),
  );
  const said = await eventually(
    "ready",
    () => json.errorLines.find((one) => one.includes('"event":"ready"')),
  );
  assertShape(JSON.parse(said), {
    event: (value) => value === "ready",
    id: "id",
    name: (value) => value === "reed",
    port: (value) => value === Number(port),
  });
  for (const one of json.errorLines) JSON.parse(one);
  json.signal("SIGINT");
  assertEquals(await json.ended, 0);
});

Deno.test("a port that is asked for is kept, replaced or missed with a word", async () => {
  await using stack = new AsyncDisposableStack();
  const state = scratch.state("port");
  const first = stack.use(await NodeProcess.start({ args: alone, state }));
  const { port } = await first.ready();
  assertEquals(await first.stop(), 0);
  const second = stack.use(await NodeProcess.start({ args: alone, state }));
  assertEquals((await second.ready()).port, port);
  assertEquals(await second.stop(), 0);

  const takers = [
    () => Deno.listen({ hostname: "127.0.0.1", port }),
    // A node that has the port for connections alone would be deaf to datagrams.
    () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }),
  ];
  for (const take of takers) {
    const taken = take();
    const asked = [...unseen, "--listen", `${port}`];
    const { code, stdout, stderr } = await mesh(["run", ...asked, "--state", state]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`Cannot listen on port ${port}: .*taken.*--listen PORT`));
    assertEquals(
      errorOf(await mesh(["run", ...asked, "--state", state, "--json", "-q"]), 1).code,
      "port-taken",
    );
    taken.close();
  }
  for (const take of takers) {
    const taken = take();
    const replaced = stack.use(
      await NodeProcess.start({
        args: alone,
        state,
      }),
    );
    assertNotEquals((await replaced.ready()).port, port);
    assertMatch(replaced.log(), new RegExp(`port ${port}.*taken.*free port`));
    assertEquals(await replaced.stop(), 0);
    taken.close();
    // The next round begins with the first port kept again.
    await Deno.writeTextFile(`${state}/node.json`, JSON.stringify({ port, forgotten: {} }));
  }
});

Deno.test("--listen takes an address of this machine, or every one", async () => {
  await using stack = new AsyncDisposableStack();
  for (const [at, host] of ["0.0.0.0", "[::]", "127.0.0.1"].entries()) {
    const state = scratch.state(`listen-${at}`);
    const node = stack.use(
      await NodeProcess.start({ args: [...unseen, "--listen", `${host}:0`], state }),
    );
    const { port } = await node.ready();
    const guest = scratch.state(`listen-guest-${at}`);
    const once = ["run", ...alone, "--once", "--for", "15s", "--peer", `127.0.0.1:${port}`];
    assertEquals((await mesh([...once, "--state", guest])).code, 0, host);
    await node.stop();
  }
  // TEST-NET-3 (RFC 5737) is nobody's.
  const foreign = [
    "run",
    ...unseen,
    "--listen",
    "203.0.113.9:7411",
    "--state",
    scratch.state("l"),
  ];
  const { code, stderr } = await mesh(foreign);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "no interface of this machine has that address");
});

Deno.test("--peer finds one that starts later, passes over itself, and warns of a name of nobody", async () => {
  await using stack = new AsyncDisposableStack();
  const late = scratch.state("late");
  const lateArgs = [...alone, "--name", "late"];
  const first = stack.use(await NodeProcess.start({ args: lateArgs, state: late }));
  const { port } = await first.ready();
  await first.stop();
  const itself = scratch.state("itself");
  const own = stack.use(await NodeProcess.start({ args: alone, state: itself }));
  const { port: ownPort } = await own.ready();
  await own.stop();
  const args = [
    ...alone,
    ...["--name", "early"],
    ...["--peer", `127.0.0.1:${ownPort}`],
    ...["--peer", "no-such-host.invalid:7411"],
    ...["--peer", `localhost:${port}`],
  ];
  const node = stack.use(await NodeProcess.start({ args, state: itself }));
  assertEquals((await node.ready()).port, ownPort);
  await eventually(
    "the name is warned about",
    async () =>
      (await node.status()).warnings.some(({ code, message }) =>
        code === "peer-unresolved" && message.includes("no-such-host.invalid")
      ),
  );
  const second = stack.use(await NodeProcess.start({ args: lateArgs, state: late }));
  await node.linkedWith(second);
  const codes = (await node.status()).warnings.map(({ code }) => code);
  for (const code of codes) {
    assert(["open-mesh", "no-ipv6", "peer-unresolved"].includes(code), code);
  }
  assertEquals((await node.nodes()).length, 2);
});

Deno.test({ name: "systemd is told READY=1 and STOPPING=1", ignore: !isLinux }, async () => {
  await using stack = new AsyncDisposableStack();
  const path = `${scratch.path}/notify`;
  const manager = Deno.listenDatagram({ transport: "unixpacket", path });
  stack.defer(() => manager.close());
  const told = async () => new TextDecoder().decode((await manager.receive())[0]);
  const state = scratch.state("notified");
  const node = stack.use(NodeProcess.spawn({ args: alone, state, env: { NOTIFY_SOCKET: path } }));
  assertEquals(await told(), "READY=1");
  // Ready means that the control socket answers.
  resultOf(await mesh(["status", "--json", "--state", state]));
  node.signal("SIGTERM");
  assertEquals(await told(), "STOPPING=1");
  assertEquals(await node.stop(), 0);
});

Deno.test("the state directory is --state, $MESH_STATE, $STATE_DIRECTORY, then the usual place", async () => {
  const cwd = scratch.path;
  const where = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const none = { MESH_STATE: "", STATE_DIRECTORY: "" };
    const output = await mesh(["status", "--json", ...args], { cwd, env: { ...none, ...env } });
    return errorOf(output, 3).message;
  };
  const all = { MESH_STATE: `${cwd}/of-mesh`, STATE_DIRECTORY: `${cwd}/of-unit:${cwd}/second` };
  assertStringIncludes(await where(["--state", "told"], all), `(${cwd}/told)`);
  assertStringIncludes(await where([], all), `(${cwd}/of-mesh)`);
  assertStringIncludes(await where([], { ...all, MESH_STATE: "" }), `(${cwd}/of-unit)`);
  if (!isLinux || Deno.uid() === 0) return;
  const home = { HOME: `${cwd}/home` };
  assertStringIncludes(
    await where([], { ...home, XDG_STATE_HOME: "" }),
    "/home/.local/state/mesh)",
  );
  assertStringIncludes(await where([], { ...home, XDG_STATE_HOME: `${cwd}/x` }), `(${cwd}/x/mesh)`);
});
