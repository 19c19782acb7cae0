import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeControl } from "../../tests/fixtures/fake_control.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import * as reports from "../../tests/fixtures/reports.ts";
import {
  answerControl,
  isControlFailure,
  type NodeControl,
  RemoteControl,
  type ServedControl,
} from "../control/mod.ts";
import { connectControl } from "./control_client.ts";
import { findControlSocket, socketPathBytesMax } from "./control_place.ts";
import { type ControlServer, serveControl } from "./control_server.ts";

const onlyUnix = { ignore: Deno.build.os === "windows" };

function serve(directory: string, control: ServedControl): Promise<ControlServer> {
  return serveControl(directory, (request, closing) => answerControl(request, control, closing));
}

interface Connected {
  readonly client: NodeControl;
  readonly close: () => void;
}

async function connected(directory: string): Promise<Connected> {
  const connection = await connectControl(directory);
  if ("unreachable" in connection) throw new Error(connection.detail);
  return { client: new RemoteControl(connection.request), close: connection.close };
}

/** A fake node that serves its control in a fresh directory, and a client. */
async function withNode(
  work: (client: NodeControl, control: FakeControl, directory: string) => Promise<void>,
  directory?: string,
): Promise<void> {
  const place = directory ?? await Deno.makeTempDir();
  const control = new FakeControl();
  const server = await serve(place, control);
  const { client, close } = await connected(place);
  try {
    await work(client, control, place);
  } finally {
    close();
    await server.close();
    if (directory === undefined) await Deno.remove(place, { recursive: true });
  }
}

Deno.test(
  "reports come through the socket as the node gave them",
  onlyUnix,
  () =>
    withNode(async (client) => {
      assertEquals(await client.status(), reports.status);
      assertEquals(await client.nodes(), reports.nodes);
      assertEquals(await client.node("bor"), reports.detail);
      assertEquals(await client.links(), reports.links);
      assertEquals(await client.stop(), undefined);
    }),
);

Deno.test(
  "fields that this version does not know pass through",
  onlyUnix,
  () =>
    withNode(async (client, control) => {
      const [first] = reports.nodes.nodes;
      assert(first !== undefined);
      const newer = { ...first, mood: "good" };
      control.nodesReport = { nodes: [newer] };
      assertEquals(await client.nodes(), { nodes: [newer] });
    }),
);

Deno.test(
  "a refusal keeps its code and its candidates",
  onlyUnix,
  () =>
    withNode(async (client) => {
      const refusal = await client.node("twins");
      assert(isControlFailure(refusal));
      assertEquals(refusal.error.code, "ambiguous");
      assertEquals(refusal.error.candidates?.map(({ id }) => id), [
        fakeNodeId(2),
        fakeNodeId(3),
      ]);
    }),
);

Deno.test(
  "an argument of any characters arrives as it was typed",
  onlyUnix,
  () =>
    withNode(async (client, control) => {
      await client.node("a&b=c d/é%20#?\u{1f600}");
      assertEquals(control.asked, ["node a&b=c d/é%20#?\u{1f600}"]);
    }),
);

Deno.test(
  "a ping streams its answers and ends after its count",
  onlyUnix,
  () =>
    withNode(async (client, control) => {
      const signal = new AbortController().signal;
      const items = await Array.fromAsync(
        client.ping("bor", { count: 3, intervalMs: 200 }, signal),
      );
      assertEquals(control.asked, ["ping bor 3 200"]);
      assertEquals(items, [
        { seq: 1, rttMs: 0.5, hops: 1, via: fakeNodeId(2) },
        { seq: 2, lost: true },
        { seq: 3, rttMs: 1.5, hops: 1, via: fakeNodeId(2) },
      ]);
    }),
);

Deno.test(
  "a ping that is called off ends in the node, too",
  onlyUnix,
  () =>
    withNode(async (client, control) => {
      const callOff = new AbortController();
      for await (const item of client.ping("bor", { intervalMs: 1_000 }, callOff.signal)) {
        if ("lost" in item) callOff.abort();
      }
      await control.streamEnded;
    }),
);

Deno.test(
  "a watcher that goes away is no longer served",
  onlyUnix,
  () =>
    withNode(async (client, control) => {
      control.events = [{ at: "2026-01-01T00:00:00.000Z", event: "link-up", id: fakeNodeId(2) }];
      for await (const event of client.watch(new AbortController().signal)) {
        assertEquals(event, control.events[0]);
        break;
      }
      await control.streamEnded;
    }),
);

Deno.test("the end of the node ends its watchers", onlyUnix, async () => {
  const directory = await Deno.makeTempDir();
  const control = new FakeControl();
  control.events = [{ at: "2026-01-01T00:00:00.000Z", event: "node-new" }];
  const server = await serve(directory, control);
  const { client, close } = await connected(directory);
  let closing: Promise<void> | undefined;
  for await (const _event of client.watch(new AbortController().signal)) closing = server.close();
  await closing;
  close();
  assert("unreachable" in await connectControl(directory));
  await Deno.remove(directory, { recursive: true });
});

Deno.test(
  "only the user himself may use the socket, which goes with the node",
  onlyUnix,
  async () => {
    const directory = await Deno.makeTempDir();
    const server = await serve(directory, new FakeControl());
    const { mode } = await Deno.lstat(`${directory}/control.sock`);
    assertEquals((mode ?? 0) & 0o777, 0o600);
    await server.close();
    assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
    await Deno.remove(directory);
  },
);

Deno.test("a socket that a killed node left is no node, and is replaced", onlyUnix, async () => {
  const directory = await Deno.makeTempDir();
  const killed = Deno.listen({ transport: "unix", path: `${directory}/control.sock` });
  await Deno.rename(`${directory}/control.sock`, `${directory}/kept`);
  killed.close();
  await Deno.rename(`${directory}/kept`, `${directory}/control.sock`);
  const left = await connectControl(directory);
  assertEquals("unreachable" in left && left.unreachable, "no-node");
  await withNode(async (client) => {
    assertEquals(await client.status(), reports.status);
  }, directory);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("where there is no state directory there is no node", async () => {
  const left = await connectControl("/nonexistent/state");
  assertEquals("unreachable" in left && left.unreachable, "no-node");
});

Deno.test(
  "a state directory with a long path has its socket elsewhere, as private",
  onlyUnix,
  async () => {
    const base = await Deno.makeTempDir();
    // Of fewer characters than a socket's path may have bytes.
    const directory = `${base}/${"\u6f22".repeat(socketPathBytesMax / 2)}`;
    assert(`${directory}/control.sock`.length < socketPathBytesMax);
    await Deno.mkdir(directory, { mode: 0o700 });
    let short = "";
    await withNode(async (client) => {
      assertEquals(await client.status(), reports.status);
      short = await findControlSocket(directory);
      assert(short.length <= socketPathBytesMax);
      const { mode } = await Deno.lstat(short.slice(0, short.lastIndexOf("/")));
      assertEquals((mode ?? 0) & 0o777, 0o700);
    }, directory);
    assert(
      !await Deno.lstat(short.slice(0, short.lastIndexOf("/"))).then(() => true, () => false),
      "the short directory is gone",
    );
    assertEquals(await Array.fromAsync(Deno.readDir(directory)), []);
    await Deno.remove(base, { recursive: true });
  },
);

Deno.test("a short directory that others can enter is not believed", onlyUnix, async () => {
  const directory = await Deno.makeTempDir();
  const trap = `/tmp/mesh-${"0".repeat(32 - 12)}${crypto.randomUUID().slice(-12)}`;
  await Deno.mkdir(trap);
  await Deno.chmod(trap, 0o755);
  await Deno.writeTextFile(`${directory}/control.path`, `${trap}/control.sock`);
  assertEquals(await findControlSocket(directory), `${directory}/control.sock`);
  await Deno.chmod(trap, 0o700);
  assertEquals(await findControlSocket(directory), `${trap}/control.sock`);
  await Deno.remove(trap);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("an answer of another shape is said to be one", onlyUnix, async () => {
  const directory = await Deno.makeTempDir();
  const server = Deno.serve(
    { path: `${directory}/control.sock`, onListen: () => {} },
    () => Response.json({ id: "not an id" }),
  );
  const { client, close } = await connected(directory);
  const result = await client.status();
  assert(isControlFailure(result));
  assertEquals(result.error.code, "failed");
  close();
  await server.shutdown();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("requests that make no sense are refused, whatever they say", async () => {
  const control = new FakeControl();
  const signal = new AbortController().signal;
  const ask = async (method: string, path: string) =>
    (await answerControl(new Request(`http://mesh${path}`, { method }), control, signal)).status;
  assertEquals(await ask("GET", "/v2/status"), 501);
  assertEquals(await ask("DELETE", "/v1/nodes"), 501);
  assertEquals(await ask("GET", "/v1/node"), 400);
  assertEquals(await ask("GET", `/v1/node?node=${"x".repeat(300)}`), 400);
  assertEquals(await ask("POST", "/v1/ping?node=bor"), 400);
  assertEquals(await ask("POST", "/v1/ping?node=bor&intervalMs=1"), 400);
  assertEquals(await ask("POST", "/v1/ping?node=bor&intervalMs=100&count=0"), 400);
  assertEquals(await ask("POST", "/v1/ping?node=bor&intervalMs=100&count=1e9"), 400);
  assertEquals(await ask("GET", "/v1/forget?node=bor"), 501);
  assertEquals(control.asked, []);
});

Deno.test("a control that throws gives an answer all the same", async () => {
  const control = new FakeControl();
  control.status = () => Promise.reject(new Error("disk on fire"));
  const answer = await answerControl(
    new Request("http://mesh/v1/status"),
    control,
    new AbortController().signal,
  );
  assertEquals(answer.status, 500);
  assertEquals(await answer.json(), { error: { code: "failed", message: "disk on fire" } });
});

/** As many entries as wanted, each a slice. */
function controlOfMany(count: number): FakeControl {
  const control = new FakeControl();
  const [first] = reports.nodes.nodes;
  assert(first !== undefined);
  const nodes = Array.from({ length: count }, (_, i) => ({ ...first, name: `node ${i}` }));
  control.nodesReport = { nodes };
  return control;
}

const nodesRequest = () => new Request("http://mesh/v1/nodes");

Deno.test("the list of nodes is made as fast as it is read", async () => {
  const control = controlOfMany(50);
  const answer = await answerControl(nodesRequest(), control, new AbortController().signal);
  const reader = answer.body?.getReader();
  assert(reader !== undefined);
  for (let pieces = 1; pieces <= 10; pieces++) {
    assertEquals((await reader.read()).done, false);
    await new Promise((resolve) => setTimeout(resolve));
    assert(control.slices <= pieces + 3, `${control.slices} slices for ${pieces} pieces`);
  }
  await reader.cancel();
  await control.streamEnded;
});

Deno.test("a list of nodes that nobody reads is forgotten when the socket closes", async () => {
  const control = controlOfMany(50);
  const closing = new AbortController();
  const answer = await answerControl(nodesRequest(), control, closing.signal);
  await answer.body?.getReader().read();
  closing.abort();
  await control.streamEnded;
  assert(control.slices < 50);
});

Deno.test("a list of nodes that breaks off is no whole object", async () => {
  const control = controlOfMany(50);
  control.slicesMax = 20;
  const answer = await answerControl(nodesRequest(), control, new AbortController().signal);
  await assertRejects(() => answer.json(), Error, "out of breath");
});

Deno.test("of no nodes the list is an empty one, and a refusal is no list", async () => {
  const { signal } = new AbortController();
  const none = await answerControl(nodesRequest(), controlOfMany(0), signal);
  assertEquals(await none.json(), { nodes: [] });
  const busy = controlOfMany(3);
  busy.nodesRefusal = { error: { code: "failed", message: "later" } };
  const refused = await answerControl(nodesRequest(), busy, signal);
  assertEquals([refused.status, await refused.json()], [500, busy.nodesRefusal]);
});

Deno.test(
  "a list of nodes whose reader goes away ends in the node, too",
  onlyUnix,
  async () => {
    const directory = await Deno.makeTempDir();
    const control = controlOfMany(20_000);
    const server = await serve(directory, control);
    const connection = await connectControl(directory);
    assert(!("unreachable" in connection));
    const leaving = new AbortController();
    const answer = await connection.request("GET", "/v1/nodes", leaving.signal);
    await answer.body?.getReader().read();
    leaving.abort();
    await control.streamEnded;
    assert(control.slices < 20_000);
    connection.close();
    await server.close();
    await Deno.remove(directory, { recursive: true });
  },
);
