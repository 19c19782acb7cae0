/** What an administrator gets wrong, and what a bad disk or clock does: a node says so and goes on. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Prng } from "../../src/base/prng.ts";
import { DirectoryStorage, SystemClock, SystemEntropy } from "../../src/host/mod.ts";
import { openRecordLog, readLog, recordLogName } from "../../src/sync/mod.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import { plainInfo, RecordAuthor } from "../sim/record_author.ts";
import {
  alone,
  aloneWith,
  errorOf,
  mesh,
  resultOf,
  RunningCommand,
  Scratch,
} from "./command_line.ts";
import { eventually } from "./eventually.ts";
import { has, Lan, lanMissing, must } from "./lan.ts";
import { NodeProcess } from "./node_process.ts";

const isRoot = Deno.uid() === 0;
const isLinux = Deno.build.os === "linux";
const hasSetpriv = isLinux && isRoot && await has("setpriv");
const canMount = lanMissing === undefined && await has("mount");

/** The library that shows a process another time of day; its monotonic clock stays right. */
function fakeTimeLibrary(): string | undefined {
  if (!isLinux) return undefined;
  for (const { name } of Deno.readDirSync("/usr/lib")) {
    const path = `/usr/lib/${name}/faketime/libfaketimeMT.so.1`;
    try {
      Deno.statSync(path);
      return path;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
const fakeTime = fakeTimeLibrary();

let scratch: Scratch;
Deno.test.beforeAll(() => {
  scratch = new Scratch();
});
Deno.test.afterAll(() => scratch[Symbol.asyncDispose]());

/** Runs the work for each, four at a time. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

const long = "x".repeat(65);
const wrongLines: readonly (readonly [line: string, hint: RegExp])[] = [
  ["", /mesh --help/],
  ["rnu", /Did you mean run\?/],
  ["node", /needs NODE/],
  ["node a b", /word too many: "b"/],
  ["status now", /word too many/],
  ["identity reste", /Did you mean identity show|mesh --help/],
  ["status --jsno", /Did you mean --json\?/],
  ["status --json=yes", /takes no value/],
  ["status --state", /needs a value: --state DIR/],
  ["status --state=", /needs a value/],
  ["status --log-level loud", /debug, info, warn or error/],
  ["status --log-level inf", /Did you mean info\?/],
  ["status --log-format xml", /text or json/],
  ["status -x", /no option -x/],
  ["status --name x", /no option --name/],
  ["run --name", /needs a value/],
  ["run --name=", /must not be empty/],
  [`run --name ${long}`, /64 bytes/],
  ["run --name \u001b[31mred", /control/],
  ["run --listen", /needs a value/],
  ["run --listen x", /PORT or ADDRESS:PORT/],
  ["run --listen 70000", /0 to 65535/],
  ["run --listen -1", /PORT/],
  ["run --listen 127.0.0.1", /lacks the port: 127.0.0.1:7411/],
  ["run --listen ::1", /lacks the port: \[::1\]:7411/],
  ["run --listen 7411x", /not "7411x"/],
  ["run --listen localhost:7411", /ADDRESS:PORT/],
  ["run --peer host", /lacks the port: host:7411/],
  ["run --peer host:0", /1 to 65535/],
  ["run --peer host:99999", /1 to 65535/],
  ["run --peer ::1", /\[::1\]:7411/],
  ["run --peer 2001:db8::7:7411", /\[2001:db8::7\]:7411/],
  ["run --peer https://host:1", /host/],
  ["run --peer ho_st!:1", /no host/],
  ["run --peer 1.2.3:7411", /no host/],
  ["run --peer 1.2.3.4:7411x", /HOST:PORT/],
  ["run --rendezvous http://x", /https:\/\/HOST:PORT/],
  ["run --rendezvous https://x:1#short", /52 characters/],
  ["run --interface", /needs a value/],
  ["run --interface a/b", /no name of an interface/],
  ["run --interface=", /must not be empty/],
  ["run --label", /needs a value/],
  ["run --label x", /K=V/],
  ["run --label =x", /key must not be empty/],
  ["run --label k=", /value must not be empty/],
  [`run --label k=${long}`, /64 bytes/],
  ["run --label k=1 --label k=2", /"k" twice/],
  [`run ${Array.from({ length: 17 }, (_, i) => `--label k${i}=v`).join(" ")}`, /16 times, not 17/],
  [`run ${Array.from({ length: 64 }, (_, i) => `--label k${i}=v`).join(" ")}`, /16 times, not 64/],
  ["run --dashboard x", /PORT or ADDRESS:PORT/],
  ["run --metrics 70000", /0 to 65535/],
  ["run --for 30s", /--for goes with --once/],
  ["run --once --for 30", /30s or 2m/],
  ["run --once --for 0s", /up to a day/],
  ["run --once --for 25h", /up to a day/],
  ["run --once=1", /takes no value/],
  ["run --no-multicast=no", /takes no value/],
  ["run --allow-open-streams yes", /word too many/],
  ["run now", /word too many/],
  ["ping", /needs NODE/],
  ["ping x -c 0", /from 1 to/],
  ["ping x -c -1", /from 1 to/],
  ["ping x -c many", /from 1 to/],
  ["ping x -i 0", /from 0.01 to 3600/],
  ["ping x -i 2s", /from 0.01 to 3600/],
  ["ping x -i", /needs a value/],
  ["--self-test --nonce xyz", /hexadecimal/],
  ["--nonce 00", /goes with --self-test/],
];

Deno.test("what cannot be meant is wrong usage: exit code 2, and a word on how it is meant", async () => {
  const state = scratch.state("never-made");
  await forEach(wrongLines, async ([line, hint]) => {
    const words = line.split(" ").filter((word) => word !== "");
    const output = await mesh(words, { env: { MESH_STATE: state } });
    assertEquals([output.code, output.stdout], [2, ""], `${line}\n${output.stderr}`);
    assertMatch(output.stderr, /^mesh: /);
    assertMatch(output.stderr, hint, line);
    // A sentence about what is wrong, and one about what to do.
    assert(output.stderr.trim().split("\n").length >= 2, output.stderr);
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u0009\u000b-\u001f]/.test(output.stderr), output.stderr);
  });
  assertEquals(errorOf(await mesh(["--json", "run", "--label", "x"]), 2).code, "usage");
  assertEquals(
    [...Deno.readDirSync(scratch.path)].some(({ name }) => name === "never-made"),
    false,
  );
});

/** A state directory with an identity and settled records. */
async function settled(name: string): Promise<string> {
  const state = scratch.state(name);
  await using node = await NodeProcess.start({ args: [...alone, "--name", name], state });
  assertEquals(await node.stop(), 0);
  return state;
}

/** What `mesh run` says that does not start. */
async function refusal(state: string, ...before: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await mesh(["run", ...alone, "--state", state], { before });
  assertEquals([code, stdout], [1, ""], stderr);
  const shown = errorOf(
    await mesh(["run", ...alone, "--json", "-q", "--state", state], { before }),
    1,
  );
  assertStringIncludes(stderr, shown.message);
  return shown.message;
}

/** Types the command that a message ends with. */
async function typeWhatItSays(message: string): Promise<void> {
  const command = /; type: (.+)$/.exec(message)?.[1];
  assert(command !== undefined, message);
  await must("sh", "-c", command);
}

async function startsAndStops(state: string): Promise<string> {
  await using node = await NodeProcess.start({ args: alone, state });
  const { id } = await node.ready();
  assertEquals(await node.stop(), 0);
  return id;
}

Deno.test("a state directory or a key that others can read is refused with the cure", async () => {
  const state = await settled("it's open to \u00e4ll");
  const id = resultOf(await mesh(["id", "--json", "--state", state]))["id"];
  for (const mode of [0o750, 0o701, 0o777]) {
    await Deno.chmod(state, mode);
    errorOf(await mesh(["id", "--json", "--state", state]), 1);
    await typeWhatItSays(await refusal(state));
  }
  for (const mode of [0o640, 0o604, 0o666]) {
    await Deno.chmod(`${state}/identity.key`, mode);
    errorOf(await mesh(["id", "--json", "--state", state]), 1);
    await typeWhatItSays(await refusal(state));
  }
  assertEquals(await startsAndStops(state), id);
});

Deno.test({
  name: "a state directory that may not be entered is named, with what is wrong (setpriv)",
  ignore: !hasSetpriv,
}, async () => {
  const state = await settled("foreign");
  // Root without its privileges over files is a user like any other, who may still read the program.
  const plain = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
  await must("chown", "-R", "65534:65534", state);
  const message = await refusal(state, ...plain);
  assertStringIncludes(message, state);
  assertMatch(message, /belongs to another user; type: chown 0 |[Pp]ermission denied/);
  const status = errorOf(await mesh(["status", "--json", "--state", state], { before: plain }), 1);
  assertEquals(status.code, "denied");
  await must("chown", "-R", "0:0", state);
  await Deno.chmod(`${state}/identity.key`, 0o000);
  assertMatch(await refusal(state, ...plain), /identity\.key.*permission denied/i);
  await Deno.chmod(`${state}/identity.key`, 0o600);
  await startsAndStops(state);
});

Deno.test("a damaged key is refused, said, and left as it is", async () => {
  const state = await settled("key");
  const path = `${state}/identity.key`;
  const whole = await Deno.readFile(path);
  const prng = new Prng([1]);
  const noise = Uint8Array.from({ length: 300 }, () => prng.below(256));
  for (const bytes of [new Uint8Array(0), new Uint8Array(119), whole.slice(0, 60), noise]) {
    await Deno.writeFile(path, bytes);
    const message = await refusal(state);
    assertMatch(message, /Cannot use key file .*damaged.*backup/);
    for (const words of [["id"], ["identity", "show"]]) {
      errorOf(await mesh([...words, "--json", "--state", state]), 1);
    }
    assertEquals(await Deno.readFile(path), bytes);
  }
  await Deno.remove(path);
  await Deno.mkdir(path);
  assertMatch(await refusal(state), /identity\.key.*not a file/);
  await Deno.remove(path);
  await Deno.writeFile(path, whole, { mode: 0o600 });
  await startsAndStops(state);
});

Deno.test("what stands where the state directory or the lock should be is named", async () => {
  const state = await settled("things-in-the-way");
  await Deno.remove(`${state}/lock`);
  await Deno.mkdir(`${state}/lock`);
  assertStringIncludes(await refusal(state), `${state}/lock`);
  await Deno.remove(`${state}/lock`);
  await Deno.mkdir(`${state}/control.sock/full`, { recursive: true });
  assertStringIncludes(await refusal(state), `${state}/control.sock`);
  await Deno.remove(`${state}/control.sock`, { recursive: true });
  await startsAndStops(state);
  assertMatch(await refusal(`${state}/node.json`), /it is not a directory.*--state DIR/);
  assertMatch(await refusal(`${state}/node.json/below`), /not a directory.*--state DIR/);
});

Deno.test("settings that cannot be read are set aside, and the node starts", async () => {
  const state = await settled("settings");
  const path = `${state}/node.json`;
  const spoil: readonly (() => Promise<void>)[] = [
    () => Deno.writeTextFile(path, '{"port":'),
    () => Deno.writeFile(path, new Uint8Array(0)),
    () => Deno.writeFile(path, new Uint8Array(64)),
    () => Deno.writeTextFile(path, "[1]"),
    () => Deno.remove(path).then(() => Deno.mkdir(path)),
    () => Deno.remove(path).then(() => Deno.symlink("/etc/hostname", path)),
  ];
  for (const [at, spoilIt] of spoil.entries()) {
    await spoilIt();
    await using node = await NodeProcess.start({ args: alone, state });
    assertStringIncludes(node.log(), `node.json.damaged-${at + 1}`);
    assertEquals(await node.stop(), 0);
    const { port } = JSON.parse(await Deno.readTextFile(path));
    assertEquals(port, (await node.ready()).port);
  }
  // What is readable and senseless is passed over.
  await Deno.writeTextFile(path, '{"port":"x","forgotten":{"me":"you"}}');
  await startsAndStops(state);
});

/** Puts `count` nodes' records into a state's store; a node that starts there knows them. */
async function fillStore(state: string, count: number): Promise<void> {
  const clock = new SystemClock();
  const { log } = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
  for (let number = 1; number <= count; number++) {
    const author = await RecordAuthor.create(number);
    const wall = clock.wall();
    const body = encodeInfo(plainInfo(`n${number}`));
    await log.appendRecord(await author.record({ serial: wall, signedAt: wall, body }), wall);
  }
  await log.sync();
  await log.close();
}

Deno.test("a damaged store starts, keeps what is readable, says so, and heals from a peer", async () => {
  const others = 20;
  const source = await settled("healthy");
  await fillStore(source, others);
  await using healthy = await NodeProcess.start({
    ...await aloneWith("healthy", []),
    state: source,
  });
  const { id: healthyId } = await healthy.ready();
  const state = await settled("damaged");
  const id = resultOf(await mesh(["id", "--json", "--state", state]))["id"];
  await fillStore(state, others);
  const path = `${state}/${recordLogName}`;
  const whole = await Deno.readFile(path);
  const prng = new Prng([2]);
  const noise = (length: number) => Uint8Array.from({ length }, () => prng.below(256));
  const garbled = whole.slice();
  garbled.set(noise(64), Math.floor(whole.length / 2));
  const cases: readonly {
    readonly what: string;
    readonly spoil: () => Promise<void>;
    /** Whether something readable is left. */
    readonly keeps: boolean;
    readonly warns: boolean;
  }[] = [
    { what: "garbled", spoil: () => Deno.writeFile(path, garbled), keeps: true, warns: true },
    {
      what: "cut off",
      spoil: () => Deno.writeFile(path, whole.slice(0, Math.floor(whole.length * 0.7))),
      keeps: true,
      // As a crash leaves it: what was torn was never promised to anybody.
      warns: false,
    },
    {
      what: "zeroed",
      spoil: () => Deno.writeFile(path, new Uint8Array(whole.length)),
      keeps: false,
      warns: true,
    },
    { what: "noise", spoil: () => Deno.writeFile(path, noise(9_000)), keeps: false, warns: true },
    {
      what: "empty",
      spoil: () => Deno.writeFile(path, new Uint8Array(0)),
      keeps: false,
      warns: true,
    },
    {
      what: "a directory",
      spoil: async () => {
        await Deno.remove(path);
        await Deno.mkdir(path);
      },
      keeps: false,
      warns: true,
    },
  ];
  for (const { what, spoil, keeps, warns } of cases) {
    await Deno.writeFile(path, whole);
    await spoil();
    const before = new Set([...Deno.readDirSync(state)].map(({ name }) => name));
    await using stack = new AsyncDisposableStack();
    const hurt = stack.use(
      await NodeProcess.start({ args: [...alone, "--name", "damaged"], state }),
    );
    assertEquals((await hurt.ready()).id, id);
    const { known, warnings } = await hurt.status();
    assert(keeps ? known > 2 && known < others + 1 : known === 1, `${what}: ${known} known`);
    const warning = warnings.find(({ code }) => code === "store-damaged");
    assertEquals(warning !== undefined, warns, what);
    const aside = [...Deno.readDirSync(state)].map(({ name }) => name).filter((name) =>
      !before.has(name)
    )
      .filter((name) => name.startsWith(`${recordLogName}.damaged-`));
    assertEquals(aside.length, warns ? 1 : 0, what);
    assertStringIncludes(warning?.message ?? aside.join(), aside.join());
    assertEquals(await hurt.stop(), 0);

    const healing = stack.use(
      await NodeProcess.start({ ...await aloneWith("damaged", [healthy]), state }),
    );
    // The twenty, the peer and itself.
    await eventually(`${what}: healed`, async () => (await healing.status()).known === others + 2);
    assertEquals((await healing.links()).map((link) => link.id), [healthyId]);
    const codes = (await healing.status()).warnings.map(({ code }) => code);
    assert(!codes.includes("store-damaged") && !codes.includes("duplicate-identity"), codes.join());
    assertEquals(await healing.stop(), 0);
    assertEquals(readLog(await Deno.readFile(path)).damagedBytes, 0, what);
  }
});

/** Fills a small file system up, its log's last page included, so that nothing more can be written. */
async function fillUp(mountPoint: string, state: string): Promise<void> {
  const { log } = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
  const path = `${state}/${recordLogName}`;
  const roomInPage = async () => 4_096 - (await Deno.stat(path)).size % 4_096;
  // Each of these takes a few dozen bytes.
  while (await roomInPage() > 48) await log.sync();
  await log.close();
  await using stack = new AsyncDisposableStack();
  const fill = stack.adopt(
    await Deno.create(`${mountPoint}/fill`),
    (file) => Promise.resolve(file.close()),
  );
  try {
    while (true) await fill.write(new Uint8Array(1_024));
  } catch (error) {
    assert(error instanceof Error && "code" in error && error.code === "ENOSPC", `${error}`);
  }
}

Deno.test({
  name: "a full disk and one that cannot be written are said, and what can be done is (tmpfs)",
  ignore: !canMount,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const disk = Deno.makeTempDirSync({ dir: scratch.path });
  await must("mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "mesh-test", disk);
  stack.defer(() => must("umount", "-l", disk).then(() => undefined));
  const state = `${disk}/state`;
  const id = await startsAndStops(state);
  await using witness = await NodeProcess.start({
    ...await aloneWith("witness", []),
    state: scratch.state("w"),
  });

  await fillUp(disk, state);
  const full = stack.use(await NodeProcess.start({ ...await aloneWith("full", [witness]), state }));
  await full.linkedWith(witness);
  await witness.linkedWith(full);
  const warned = async () => (await full.status()).warnings.map(({ code }) => code);
  await eventually(
    "it says that it cannot write",
    async () => (await warned()).includes("publishing"),
  );
  assertEquals((await full.mesh("ping", "witness", "-c", "1")).code, 0);
  // The record of the start before is shown meanwhile; the new one follows as soon as there is room.
  const nameOf = async () => (await witness.nodes()).find((node) => node.id === id)?.name;
  assert(await nameOf() !== undefined && await nameOf() !== "full");
  await Deno.remove(`${disk}/fill`);
  await eventually("published after all", async () => await nameOf() === "full");
  await eventually("the warning is gone", async () => !(await warned()).includes("publishing"));
  assertEquals(await full.stop(), 0);
  assertEquals(readLog(await Deno.readFile(`${state}/${recordLogName}`)).damagedBytes, 0);

  await fillUp(disk, state);
  assertMatch(await refusal(`${disk}/new`), /[Nn]o space left/);
  await Deno.remove(`${disk}/fill`);
  await must("mount", "-o", "remount,ro", disk);
  assertMatch(await refusal(state), /state directory, which it must be able to write: Read-only/);
  assertMatch(await refusal(`${disk}/other`), /other".*Read-only/);
  assertEquals(resultOf(await mesh(["id", "--json", "--state", state]))["id"], id);
  resultOf(await mesh(["identity", "show", "--json", "--state", state]));
});

Deno.test("a path too long for a socket, with spaces and letters of the world, is a state directory", async () => {
  const state = scratch.state(
    `two words/${"\u00fcberlang-\u6f22\u5b57-".repeat(9)}/'quoted' $HOME`,
  );
  assert(new TextEncoder().encode(`${state}/control.sock`).length > 107);
  await using node = await NodeProcess.start({ args: [...alone, "--name", "l\u00e4ng"], state });
  assertEquals(resultOf(await node.mesh("status", "--json"))["name"], "l\u00e4ng");
  const watch = new RunningCommand(["watch", "--json", "--state", state]);
  await watch.saw({ event: "ready", name: "l\u00e4ng" });
  watch.signal("SIGTERM");
  assertEquals(await watch.ended, 0);
  const { stderr } = await mesh(["run", ...alone, "--state", state]);
  assertStringIncludes(stderr, `already running (pid ${(await node.status()).pid})`);
  assertEquals(await node.stop(), 0);
  assertEquals((await node.mesh("status")).code, 3);
});

Deno.test({
  name: "without any network, even loopback, a node runs and waits for one",
  ignore: lanMissing !== undefined,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({}));
  for (const host of ["a", "b"]) await lan.addHost(host, { plugged: false });
  await lan.on("a", "ip", "addr", "flush", "dev", "lo");
  await lan.on("a", "ip", "link", "set", "lo", "down");
  const [a, b] = ["a", "b"].map((host) =>
    stack.use(
      NodeProcess.spawn({
        namespace: lan.namespace(host),
        state: scratch.state(`net-${host}`),
        args: ["--name", host],
      }),
    )
  );
  assert(a !== undefined && b !== undefined);
  await Promise.all([a.ready(), b.ready()]);
  assertEquals((await a.status()).interfaces, []);
  assertEquals((await b.status()).interfaces.map(({ name }) => name), ["lo"]);
  for (const host of ["a", "b"]) await lan.plug(host);
  await a.linkedWith(b);
  await b.linkedWith(a);
  assertEquals((await a.status()).interfaces.some(({ name }) => name === "eth0"), true);
});

for (const [year, direction] of [[1970, "in"], [1970, "out"], [2100, "out"]] as const) {
  Deno.test({
    name:
      `a clock in ${year} is warned about once, and its node is linked and known (${direction}, faketime)`,
    ignore: fakeTime === undefined,
  }, async () => {
    await using stack = new AsyncDisposableStack();
    const env = {
      LD_PRELOAD: fakeTime ?? "",
      FAKETIME: `@${year}-01-02 00:00:00`,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    const start = async (name: string, peers: readonly NodeProcess[], more = {}) =>
      stack.use(
        await NodeProcess.start({
          ...await aloneWith(name, peers),
          state: scratch.state(`${name}-${year}-${direction}`),
          ...more,
        }),
      );
    const first = await start(
      direction === "in" ? "off" : "right",
      [],
      direction === "in" ? { env } : {},
    );
    const second = await start(
      direction === "in" ? "right" : "off",
      [first],
      direction === "in" ? {} : { env },
    );
    const [off, right] = direction === "in" ? [first, second] : [second, first];
    const { id } = await off.ready();
    await off.linkedWith(right);
    await right.linkedWith(off);
    const entry = await eventually(
      "the right one knows it",
      async () => (await right.nodes()).find((node) => node.id === id),
    );
    assertEquals([entry.name, entry.state], ["off", "linked"]);
    if (year === 1970) {
      // What was signed in 1970 expired long ago: a neighbour's clock is signed with instead.
      await eventually(
        "signed with a neighbour's time",
        async () =>
          (await right.nodes()).some((node) =>
            node.id === id && Math.abs(Date.parse(node.infoAt) - Date.now()) < 3_600_000
          ),
      );
    }
    await eventually("off knows right", async () => (await off.nodes()).length === 2);
    const warning = (await off.status()).warnings.find(({ code }) => code === "clock");
    assertStringIncludes(warning?.message ?? "", String(year));
    assertEquals((await right.status()).warnings.some(({ code }) => code === "clock"), false);
    // Several looks at the clock are one warning in the log.
    await eventually("it looked again", async () => (await off.status()).upMs > 4_500);
    const said = off.log().split("\n").filter((line) => line.includes('"code":"clock"'));
    assertEquals(said.length, 1, said.join("\n"));
    assertEquals((await off.mesh("ping", "right", "-c", "1")).code, 0);
  });
}

Deno.test({
  name: "a clock that is set right while a node runs is signed with at once (faketime)",
  ignore: fakeTime === undefined,
}, async () => {
  const dial = `${scratch.path}/clock`;
  await Deno.writeTextFile(dial, "@1970-01-02 00:00:00\n");
  const env = {
    LD_PRELOAD: fakeTime ?? "",
    FAKETIME_TIMESTAMP_FILE: dial,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  await using node = await NodeProcess.start({
    args: alone,
    state: scratch.state("set-right"),
    env,
  });
  const infoAt = async () => Date.parse((await node.nodes())[0]?.infoAt ?? "");
  assert(await infoAt() < Date.UTC(1971, 0));
  await Deno.writeTextFile(dial, "+0d\n");
  await eventually("signed anew", async () => Math.abs(await infoAt() - Date.now()) < 3_600_000);
  await eventually(
    "no warning",
    async () => !(await node.status()).warnings.some(({ code }) => code === "clock"),
  );
  assertEquals((await node.nodes()).length, 1);
});
