import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { aborted, FakeControl } from "../../tests/fixtures/fake_control.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { FakeSurroundings } from "../../tests/fixtures/surroundings.ts";
import type { RunEnd, RunningNode, RunOptions } from "../node/mod.ts";
import { endLog } from "./logging.ts";

/** A world that starts a fake node, whose end the test decides. */
class RunWorld extends FakeSurroundings {
  options: RunOptions | undefined;
  readonly begun = Promise.withResolvers<void>();
  readonly end = Promise.withResolvers<RunEnd>();
  readonly happened: string[] = [];
  stopsLate = false;

  override start = (options: RunOptions): Promise<RunningNode> => {
    this.options = options;
    return Promise.resolve({
      id: fakeNodeId(1),
      name: options.name ?? "host\u001b[2J",
      port: 7411,
      control: new FakeControl(),
      ended: this.end.promise,
      stop: () => {
        this.happened.push("node stopped");
        return this.stopsLate ? aborted(new AbortController().signal) : Promise.resolve();
      },
    });
  };

  override serve = () => {
    this.happened.push("control open");
    return Promise.resolve({
      close: () => {
        this.happened.push("control closed");
        return Promise.resolve();
      },
    });
  };

  override notify(state: string): Promise<string | undefined> {
    this.happened.push(state);
    if (state === "READY=1") this.begun.resolve();
    return Promise.resolve(undefined);
  }
}

Deno.test("a node is ready once its control socket answers, and stops in order", async () => {
  const world = new RunWorld();
  const running = world.mesh("run", "--name", "atlas", "--state", "/s");
  await world.begun.promise;
  assertEquals(world.stderr.text, `mesh is ready: atlas ${fakeNodeId(1).slice(0, 10)} on 7411\n`);
  world.sent.first.abort();
  assertEquals(await running, 0);
  assertEquals(world.happened, [
    "control open",
    "READY=1",
    "STOPPING=1",
    "control closed",
    "node stopped",
  ]);
  assertEquals(world.stdout.text, "");
  endLog();
});

Deno.test("with --log-format json the ready line is an event with the full id", async () => {
  const world = new RunWorld();
  const running = world.mesh("run", "--log-format", "json", "--log-level", "error");
  await world.begun.promise;
  const line = JSON.parse(world.stderr.text);
  assertEquals(line.event, "ready");
  assertEquals(line.id, fakeNodeId(1));
  assertEquals(line.name, "host\u001b[2J");
  assertEquals(line.port, 7411);
  assertMatch(line.at, /^2026-01-01T00:00:03/);
  world.end.resolve({ end: "stopped" });
  assertEquals(await running, 0);
  endLog();
});

Deno.test("a hostile host name cannot steer the terminal from the ready line", async () => {
  const world = new RunWorld();
  const running = world.mesh("run");
  await world.begun.promise;
  assert(!world.stderr.text.includes("\u001b"));
  world.end.resolve({ end: "stopped" });
  await running;
  endLog();
});

Deno.test("how a node ends by itself is its exit code", async () => {
  const ends: readonly (readonly [RunEnd, number])[] = [
    [{ end: "stopped" }, 0],
    [{ end: "once", inStep: true }, 0],
    [{ end: "once", inStep: false }, 6],
    [{ end: "restart" }, 75],
    [{ end: "failed", message: "The disk is full" }, 1],
  ];
  for (const [end, code] of ends) {
    const world = new RunWorld();
    world.end.resolve(end);
    assertEquals(await world.mesh("run"), code);
    assertEquals(world.happened.slice(-2), ["control closed", "node stopped"]);
  }
  endLog();
});

Deno.test("a second signal does not wait for a stop that hangs", async () => {
  const world = new RunWorld();
  world.stopsLate = true;
  const running = world.mesh("run");
  await world.begun.promise;
  world.sent.first.abort();
  world.sent.second.abort();
  assertEquals(await running, 0);
  assertStringIncludes(world.stderr.text, "cut short");
  endLog();
});

Deno.test("a signal while the node starts lets it start, then stops it", async () => {
  const world = new RunWorld();
  const started = Promise.withResolvers<void>();
  const start = world.start;
  world.start = async (options) => {
    await started.promise;
    return await start(options);
  };
  const running = world.mesh("run");
  world.sent.first.abort();
  started.resolve();
  assertEquals(await running, 0);
  assertEquals(world.happened, ["node stopped"]);
  endLog();
});

Deno.test("a node that does not start says why", async () => {
  const world = new FakeSurroundings();
  assertEquals(await world.mesh("run"), 1);
  assertEquals(world.stderr.text, "mesh: already running (pid 7)\n");
  endLog();
});

Deno.test("a control socket that does not open stops the node again", async () => {
  const world = new RunWorld();
  world.serve = () => Promise.reject(new Error("no space left on device"));
  assertEquals(await world.mesh("run"), 1);
  assertEquals(world.happened, ["node stopped"]);
  assertStringIncludes(world.stderr.text, "Cannot open the control socket: no space left");
  endLog();
});

Deno.test("the options of run arrive at the node, checked", async () => {
  const world = new RunWorld();
  world.end.resolve({ end: "stopped" });
  const line = "run --state s --name atlas --listen 0 --peer a:1 --peer [::1]:2 --peer a:1 " +
    "--no-multicast --interface eth0 --interface wg0 --label rack=b2 --label exit=north " +
    "--allow-open-streams --once --for 2m";
  assertEquals(await world.mesh(...line.split(" ")), 0, world.stderr.text);
  const { passphrase: _passphrase, ...options } = world.options ?? {};
  assertEquals<object>(options, {
    stateDirectory: "/home/ann/s",
    name: "atlas",
    listen: { port: 0 },
    peers: ["a:1", "[::1]:2"],
    rendezvous: [],
    multicast: false,
    interfaces: ["eth0", "wg0"],
    labels: { rack: "b2", exit: "north" },
    allowOpenStreams: true,
    once: { forMs: 120_000 },
  });
  const plain = new RunWorld();
  plain.end.resolve({ end: "stopped" });
  await plain.mesh("run");
  const { passphrase: _other, ...defaults } = plain.options ?? {};
  assertEquals<object>(defaults, {
    stateDirectory: "/var/lib/mesh",
    listen: {},
    peers: [],
    rendezvous: [],
    multicast: true,
    interfaces: [],
    labels: {},
    allowOpenStreams: false,
  });
  endLog();
});

Deno.test("options that make no sense are wrong usage before anything is started", async () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["--listen 99999", "--listen"],
    ["--listen host:7411", "--listen is PORT or ADDRESS:PORT"],
    ["--peer atlas", "--peer"],
    ["--label rack", "--label is K=V"],
    ["--label a=1 --label a=2", '--label gives "a" twice'],
    [Array.from({ length: 17 }, (_, i) => `--label k${i}=v`).join(" "), "16 times"],
    ["--name=", "--name must not be empty"],
    ["--interface a/b", "--interface"],
    ["--rendezvous http://x", "--rendezvous is https"],
    ["--for 30s", "--for goes with --once"],
    ["--once --for 30", "--for is a length of time"],
    ["--once --for 0s", "--for is a length of time"],
    ["--metrics x", "--metrics"],
    ["--log-level loud", "--log-level"],
    ["--peers a:1", "Did you mean --peer?"],
    ["atlas", "a word too many"],
  ];
  for (const [options, said] of wrong) {
    const world = new RunWorld();
    assertEquals(await world.mesh("run", ...options.split(" ")), 2, options);
    assertStringIncludes(world.stderr.text, said);
    assertEquals(world.options, undefined);
  }
  for (const option of ["--metrics 9100", "--dashboard 8080", "--rendezvous https://r:1"]) {
    const world = new RunWorld();
    assertEquals(await world.mesh("run", ...option.split(" ")), 1, option);
    assertStringIncludes(world.stderr.text, "is not in this version");
    assertEquals(world.options, undefined);
  }
});

Deno.test("the log is lines for people or for programs, at the level that was asked for", async () => {
  const world = new RunWorld();
  const running = world.mesh("run", "--log-level", "warn");
  await world.begun.promise;
  world.stderr.text = "";
  const log = getLogger(["mesh", "discovery"]);
  log.info("not shown");
  log.warn("{name} does not answer", { name: "bor\u001b[2J" });
  assertMatch(
    world.stderr.text,
    /^\d{4}-[^ ]+Z warn {2}discovery: bor\\u\{1b\}\[2J does not answer\n$/,
  );
  world.end.resolve({ end: "stopped" });
  await running;

  const programs = new RunWorld();
  const other = programs.mesh("run", "--log-format", "json");
  await programs.begun.promise;
  programs.stderr.text = "";
  log.error("{name} is {level}", { name: "bor", level: "down", error: new Error("x"), big: 1n });
  programs.sent.reload();
  const [first = "", second = ""] = programs.stderr.text.split("\n");
  const { at, ...line } = JSON.parse(first);
  assertMatch(at, /^\d{4}-.*Z$/);
  assertEquals(line, {
    name: "bor",
    level: "error",
    error: "x",
    big: "1",
    part: "discovery",
    message: "bor is down",
  });
  assertStringIncludes(second, "SIGHUP");
  programs.stderr.text = "";
  const steering = "\u009b2J\u202ebor";
  log.error("{name} is up", { name: steering });
  assertEquals(JSON.parse(programs.stderr.text).name, steering);
  assert(!/[\u009b\u202e]/.test(programs.stderr.text), "a terminal sees neither");
  programs.end.resolve({ end: "stopped" });
  await other;
  endLog();
});
