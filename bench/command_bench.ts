/**
 * How long others have to wait while a node with a big fleet answers commands: the node runs in this
 * process, and is asked over its control socket by somebody who reads and throws away.
 *
 * @module
 */
import { loopbackInterface } from "../scripts/local_fleet.ts";
import { answerControl } from "../src/control/mod.ts";
import { connectControl, type ControlConnection, serveControl } from "../src/host/mod.ts";
import { startNode } from "../src/node/mod.ts";
import { type Bench, SkippedError } from "./frame.ts";
import { longestTurn, nextTurn } from "./longest_turn.ts";
import { fill } from "./store_bench.ts";

const startTurn = {
  name: "longest turn of a status asked at the start, 20,000 known",
  unit: "ms",
  goal: { below: 20 },
} as const;
const listingTurn = {
  name: "longest turn while nodes are listed, 20,000 known",
  unit: "ms",
  goal: { below: 20 },
} as const;
const listingsTurn = {
  name: "longest turn while nodes are listed eight times at once, 20,000 known",
  unit: "ms",
  goal: { below: 20 },
} as const;

/** Asks, and reads the answer to its end; how long it is, in bytes. */
async function readAnswer({ request }: ControlConnection, path: string): Promise<number> {
  const answer = await request("GET", `/v1/${path}`, AbortSignal.timeout(60_000));
  let length = 0;
  for await (const bytes of answer.body ?? []) length += bytes.length;
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`);
  return length;
}

async function listNodes(connection: ControlConnection): Promise<void> {
  const length = await readAnswer(connection, "nodes");
  if (length < 20_000 * 300) throw new Error(`20,000 nodes in ${length} bytes`);
}

/** Runs a node on the state directory, and does the work with a way to ask it. */
async function withNode(
  stateDirectory: string,
  work: (connection: ControlConnection) => Promise<void>,
): Promise<void> {
  const node = await startNode({
    stateDirectory,
    listen: { port: 0 },
    peers: [],
    rendezvous: [],
    multicast: false,
    interfaces: [loopbackInterface()],
    labels: {},
    allowOpenStreams: false,
    passphrase: { ask: () => Promise.resolve(undefined) },
  });
  if ("problem" in node) throw new Error(node.problem.message);
  const server = await serveControl(
    stateDirectory,
    (request, closing) => answerControl(request, node.control, closing),
  );
  const connection = await connectControl(stateDirectory);
  if ("unreachable" in connection) throw new Error(connection.detail);
  try {
    await work(connection);
  } finally {
    connection.close();
    await server.close();
    await node.stop();
  }
}

/** A node that knows many is started and asked at once, and lists them all, once and often. */
export const commandTurnBench: Bench = {
  metrics: [startTurn, listingTurn, listingsTurn],
  async run({ quick, record }) {
    if (Deno.build.os === "windows") throw new SkippedError("no control socket of that kind");
    const state = await Deno.makeTempDir({ prefix: "mesh-bench-" });
    try {
      await fill(state, 20_000);
      for (let run = 0; run < (quick ? 2 : 5); run++) {
        await withNode(state, async (connection) => {
          const ask = () => readAnswer(connection, "status");
          record(startTurn, await longestTurn(async () => void await ask()));
          await nextTurn();
          record(listingTurn, await longestTurn(() => listNodes(connection)));
          const often = Array.from({ length: 8 }, () => () => listNodes(connection));
          const all = async () => void await Promise.all(often.map((list) => list()));
          record(listingsTurn, await longestTurn(all));
        });
      }
    } finally {
      await Deno.remove(state, { recursive: true });
    }
  },
};
