import { assert, assertEquals } from "@std/assert";
import { isControlFailure, isStartProblem, type RunningNode, startNode } from "../../mod.ts";

async function start(name: string, stateDirectory: string): Promise<RunningNode> {
  const node = await startNode({
    stateDirectory,
    name,
    listen: { port: 0 },
    peers: [],
    rendezvous: [],
    multicast: true,
    interfaces: ["lo"],
    labels: { role: name },
    allowOpenStreams: false,
    passphrase: { ask: () => Promise.resolve(undefined) },
  });
  assert(!isStartProblem(node), JSON.stringify(node));
  return node;
}

Deno.test({
  name: "a program starts two nodes, sees them link, and stops them without a trace",
  ignore: Deno.build.os !== "linux",
}, async () => {
  const directory = await Deno.makeTempDir();
  try {
    const first = await start("first", `${directory}/first`);
    const watching = new AbortController();
    const events = first.control.watch(watching.signal);
    const linked = (async () => {
      for await (const event of events) {
        if (isControlFailure(event)) break;
        if (event.event === "link-up") return event;
      }
      return undefined;
    })();
    const second = await start("second", `${directory}/second`);
    assertEquals((await linked)?.id, second.id);
    watching.abort();
    const nodes = await first.control.nodes();
    assert(!isControlFailure(nodes));
    assertEquals(
      nodes.nodes.map(({ name, state, labels }) => ({ name, state, labels })),
      [
        { name: "first", state: "self", labels: { role: "first" } },
        { name: "second", state: "linked", labels: { role: "second" } },
      ],
    );
    const second2 = await startNode({
      stateDirectory: `${directory}/second`,
      listen: { port: 0 },
      peers: [],
      rendezvous: [],
      multicast: false,
      interfaces: ["lo"],
      labels: {},
      allowOpenStreams: false,
      passphrase: { ask: () => Promise.resolve(undefined) },
    });
    assert(isStartProblem(second2));
    assertEquals(second2.problem.code, "already-running");
    await second.stop();
    await first.stop();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
