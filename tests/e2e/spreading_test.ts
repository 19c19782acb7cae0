/** How records travel between real hosts, told by what passes their network interfaces. */
import { assert } from "@std/assert";
import { Scratch } from "./command_line.ts";
import { eventually } from "./eventually.ts";
import { fillStore } from "./filled_store.ts";
import { Lan, lanMissing } from "./lan.ts";
import { agree, NodeProcess } from "./node_process.ts";

const ignore = lanMissing !== undefined;
const udpHeader = 8;

/** What the host's filter has counted under these names: packets and bytes. */
async function counted(lan: Lan, host: string, comment: string) {
  const rule = (await lan.on(host, "nft", "list", "ruleset")).split("\n")
    .find((line) => line.includes(`comment "${comment}"`)) ?? "";
  const [, packets, bytes] = /counter packets (\d+) bytes (\d+)/.exec(rule) ?? [];
  assert(packets !== undefined && bytes !== undefined, `nothing counts ${comment}`);
  return { packets: Number(packets), bytes: Number(bytes) };
}

Deno.test({
  name: "a change is told: it comes where neither a comparison nor a fetch nor TCP gets through",
  ignore,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({ ipv4: true, ipv6: false }));
  const hosts = ["a", "b", "c"] as const;
  for (const host of hosts) await lan.addHost(host);
  const [a, b, c] = hosts.map((host) =>
    stack.use(NodeProcess.spawn({ namespace: lan.namespace(host), args: ["--name", host] }))
  );
  assert(a !== undefined && b !== undefined && c !== undefined);
  const all = [a, b, c];
  for (const node of all) await node.linkedWith(...all.filter((other) => other !== node));
  await eventually("all agree", () => agree(all));
  const { id, port } = await c.ready();
  // Of requests and answers only those as long as probes (150 and 79 B) and pings (128 and 65 B).
  const alive = [150, 79, 128, 65].map((length) => length + udpHeader).join(", ");
  for (const host of ["a", "b"]) {
    await lan.filterInput(
      host,
      `iifname "eth0" udp dport ${port} @th,64,16 0x0104 counter accept comment "tells"`,
      `iifname "eth0" udp dport ${port} udp length { ${alive} } accept`,
      'iifname "eth0" drop',
    );
  }
  const serialAt = async (node: NodeProcess) =>
    (await node.nodes()).find((entry) => entry.id === id)?.serial ?? 0;
  const before = await serialAt(c);
  await lan.on("c", "ip", "addr", "add", "10.78.0.1/32", "dev", "eth0");
  for (const node of [a, b]) {
    await eventually("the change is known", async () => await serialAt(node) > before);
  }
  for (const host of ["a", "b"]) assert((await counted(lan, host, "tells")).packets > 0, host);
});

Deno.test({
  name: "who lacks two thousand records takes them in bulk, hardly any by datagram",
  ignore,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(new Scratch());
  const lan = stack.use(await Lan.create({ ipv4: true, ipv6: false }));
  for (const host of ["old", "new"]) await lan.addHost(host);
  const known = 2_000;
  const state = scratch.state("old");
  await fillStore(state, known);
  const records = (await Deno.stat(`${state}/records.log`)).size;
  await lan.filterInput(
    "new",
    'iifname "eth0" meta l4proto udp counter comment "datagrams"',
    'iifname "eth0" meta l4proto tcp counter comment "streams"',
  );
  stack.use(
    await NodeProcess.start({ namespace: lan.namespace("old"), state, args: ["--name", "old"] }),
  );
  const node = stack.use(
    await NodeProcess.start({ namespace: lan.namespace("new"), args: ["--name", "new"] }),
  );
  await eventually("all are known", async () => (await node.status()).known === known + 2);
  const [datagrams, streams] = [
    await counted(lan, "new", "datagrams"),
    await counted(lan, "new", "streams"),
  ];
  assert(datagrams.bytes < records / 10, `${datagrams.bytes} B in datagrams`);
  assert(streams.bytes > records / 2, `${streams.bytes} B in streams`);
});
