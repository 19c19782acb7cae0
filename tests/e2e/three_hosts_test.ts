import { assert, assertEquals } from "@std/assert";
import { FleetEyes } from "../../scripts/fleet/fleet_eyes.ts";
import { deadlineMs, eventually } from "./eventually.ts";
import { Lan, lanMissing, type LanOptions } from "./lan.ts";
import { agree, NodeProcess, type NodeProcessOptions } from "./node_process.ts";

const ignore = lanMissing !== undefined;
const hosts = ["a", "b", "c"] as const;

async function threeHosts(
  stack: AsyncDisposableStack,
  lanOptions: LanOptions,
  options: NodeProcessOptions = {},
): Promise<{ lan: Lan; nodes: [NodeProcess, NodeProcess, NodeProcess] }> {
  const lan = stack.use(await Lan.create(lanOptions));
  for (const host of hosts) await lan.addHost(host);
  const [a, b, c] = hosts.map((host) =>
    stack.use(NodeProcess.spawn({
      ...options,
      namespace: lan.namespace(host),
      args: ["--name", host, ...options.args ?? []],
    }))
  );
  assert(a !== undefined && b !== undefined && c !== undefined);
  await Promise.all([a, b, c].map((node) => node.ready()));
  return { lan, nodes: [a, b, c] };
}

async function allLinkedAndAgreed(nodes: readonly NodeProcess[]): Promise<void> {
  for (const node of nodes) await node.linkedWith(...nodes.filter((other) => other !== node));
  await eventually("all agree", () => agree(nodes));
}

Deno.test(
  { name: "three hosts find each other with IPv6 link-local addresses only", ignore },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { nodes } = await threeHosts(stack, {});
    await allLinkedAndAgreed(nodes);
    const [a] = nodes;
    for (const link of await a.links()) {
      assert(link.address.startsWith("[fe80::") && link.address.includes("%eth0]"), link.address);
    }
    const { warnings } = await a.status();
    assertEquals(warnings.map(({ code }) => code), ["open-mesh"]);
  },
);

Deno.test({ name: "three hosts find each other with IPv4 only", ignore }, async () => {
  await using stack = new AsyncDisposableStack();
  const { nodes } = await threeHosts(stack, { ipv4: true, ipv6: false });
  await allLinkedAndAgreed(nodes);
  const { warnings } = await nodes[0].status();
  assert(warnings.some(({ code }) => code === "no-ipv6"));
});

Deno.test({ name: "a killed host is known to the others, and comes back", ignore }, async () => {
  await using stack = new AsyncDisposableStack();
  const { lan, nodes } = await threeHosts(stack, { ipv4: true });
  const [a, b, c] = nodes;
  await allLinkedAndAgreed(nodes);
  const { id } = await c.ready();
  await c.kill();
  for (const node of [a, b]) {
    await eventually(
      "c is unreachable",
      async () => (await node.nodes()).find((entry) => entry.id === id)?.state === "unreachable",
    );
  }
  const again = stack.use(
    await NodeProcess.start({
      namespace: lan.namespace("c"),
      state: c.state,
      args: ["--name", "c"],
    }),
  );
  assertEquals((await again.ready()).id, id);
  await allLinkedAndAgreed([a, b, again]);
});

Deno.test({ name: "a host that says good-bye is gone at once", ignore }, async () => {
  await using stack = new AsyncDisposableStack();
  const { nodes } = await threeHosts(stack, {});
  const [a, b, c] = nodes;
  await allLinkedAndAgreed(nodes);
  assertEquals(await c.stop(), 0);
  for (const node of [a, b]) {
    await eventually("c is gone", async () => (await node.links()).length === 1, 3_000);
  }
});

Deno.test(
  { name: "a restarted host is authenticated anew without anybody's time-out", ignore },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { lan, nodes } = await threeHosts(stack, {});
    const [a, b, c] = nodes;
    await allLinkedAndAgreed(nodes);
    await c.kill();
    const again = stack.use(
      await NodeProcess.start({
        namespace: lan.namespace("c"),
        state: c.state,
        args: ["--name", "c", "--label", "boot=2"],
      }),
    );
    await allLinkedAndAgreed([a, b, again]);
    const { id } = await again.ready();
    const entry = (await a.nodes()).find((one) => one.id === id);
    assertEquals(entry?.labels, { boot: "2" });
  },
);

Deno.test({ name: "one direction alone makes no link but a warning", ignore }, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({ ipv4: true }));
  for (const host of ["a", "b"]) await lan.addHost(host);
  // What b sends reaches a; what a sends is dropped at b.
  await lan.filterInput("b", 'iifname "eth0" drop');
  const [a, b] = ["a", "b"].map((host) =>
    stack.use(NodeProcess.spawn({ namespace: lan.namespace(host), args: ["--name", host] }))
  );
  assert(a !== undefined && b !== undefined);
  await Promise.all([a.ready(), b.ready()]);
  await eventually(
    "a warns of one-way",
    async () => (await a.status()).warnings.some(({ code }) => code === "one-way"),
  );
  assertEquals(await a.links(), []);
  assertEquals(await b.links(), []);
  await lan.filterInput("b");
  await a.linkedWith(b);
  await b.linkedWith(a);
  await eventually(
    "the warning is gone",
    async () => !(await a.status()).warnings.some(({ code }) => code === "one-way"),
  );
});

Deno.test(
  { name: "an interface that appears later is used, one that goes is missed", ignore },
  async () => {
    await using stack = new AsyncDisposableStack();
    const lan = stack.use(await Lan.create({ ipv4: true }));
    await lan.addHost("a");
    await lan.addHost("b", { plugged: false });
    const [a, b] = ["a", "b"].map((host) =>
      stack.use(NodeProcess.spawn({ namespace: lan.namespace(host), args: ["--name", host] }))
    );
    assert(a !== undefined && b !== undefined);
    await Promise.all([a.ready(), b.ready()]);
    assertEquals(await b.links(), []);
    await lan.plug("b");
    await a.linkedWith(b);
    await b.linkedWith(a);
    await lan.unplug("b");
    await a.linkedWith();
    await b.linkedWith();
    await lan.plug("b");
    await a.linkedWith(b);
    await b.linkedWith(a);
  },
);

Deno.test(
  { name: "a cut cable is noticed and a mended one brings the links back", ignore },
  async () => {
    await using stack = new AsyncDisposableStack();
    const { lan, nodes } = await threeHosts(stack, {});
    const [a, b, c] = nodes;
    await allLinkedAndAgreed(nodes);
    await lan.cut("c");
    await a.linkedWith(b);
    await b.linkedWith(a);
    await c.linkedWith();
    await lan.mend("c");
    await eventually("all are linked again", async () => {
      const counts = await Promise.all(nodes.map(async (node) => (await node.links()).length));
      return counts.every((count) => count === 2);
    }, 2 * deadlineMs);
  },
);

Deno.test({ name: "a host whose address changes stays linked", ignore }, async () => {
  await using stack = new AsyncDisposableStack();
  const { lan, nodes } = await threeHosts(stack, { ipv4: true, ipv6: false });
  const [a, b, c] = nodes;
  await allLinkedAndAgreed(nodes);
  await lan.on("c", "ip", "addr", "del", `${lan.ipv4("c")}/24`, "dev", "eth0");
  await lan.on("c", "ip", "addr", "add", "10.77.0.77/24", "dev", "eth0");
  await lan.on("c", "ip", "route", "replace", "224.0.0.0/4", "dev", "eth0");
  const { id } = await c.ready();
  for (const node of [a, b]) {
    await eventually("c is linked at its new address", async () => {
      const link = (await node.links()).find((one) => one.id === id);
      return link?.address.startsWith("10.77.0.77:");
    });
    await eventually("the new address is known", async () => {
      const entry = (await node.nodes()).find((one) => one.id === id);
      return entry?.addresses.some((address) => address.startsWith("10.77.0.77:"));
    });
  }
});

Deno.test({
  name:
    "at 20 % loss three hosts link, nobody is missed for a minute, a change and a kill are known",
  ignore,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({ ipv4: true }));
  for (const host of hosts) await lan.addHost(host);
  await lan.lose(20);
  const nodes = hosts.map((host) =>
    stack.use(NodeProcess.spawn({ namespace: lan.namespace(host), args: ["--name", host] }))
  );
  await Promise.all(nodes.map((node) => node.ready()));
  await eventually("all linked", async () => {
    const counts = await Promise.all(nodes.map(async (node) => (await node.links()).length));
    return counts.every((count) => count === 2);
  }, 3 * deadlineMs);
  await eventually("all agree", () => agree(nodes), 2 * deadlineMs);

  const eyes = stack.use(new FleetEyes());
  for (const [at, name] of hosts.entries()) {
    await eyes.open({ name, state: nodes[at]?.state ?? "" });
  }
  const [a, b, c] = nodes;
  assert(a !== undefined && b !== undefined && c !== undefined);
  using alarms = eyes.expect(({ event }) => event === "link-down" || event === "node-unreachable");
  const begun = (await a.status()).upMs;
  await eventually(
    "a minute has passed",
    async () => (await a.status()).upMs > begun + 60_000,
    { withinMs: 2 * 60_000, everyMs: 1_000 },
  );
  const told = [...alarms.times.keys()];
  const logs = told.map((name) => nodes[hosts.findIndex((host) => host === name)]?.log());
  assertEquals(told, [], logs.join("\n"));

  const { id } = await c.ready();
  using changes = eyes.expect(({ event, id: of }, watcher) =>
    event === "node-changed" && of === id && watcher !== "c"
  );
  await lan.on("c", "ip", "addr", "add", "10.78.0.1/32", "dev", "eth0");
  assertEquals((await changes.of(2, deadlineMs)).length, 2, "both others hold the newer record");

  using misses = eyes.expect((event) => event.event === "node-unreachable" && event.id === id);
  await c.kill();
  assertEquals((await misses.of(2, 2 * deadlineMs)).length, 2, "both others miss the killed one");
});

Deno.test({
  name: "without IPv6, multicast or an address a node serves and says what is missing",
  ignore,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const lan = stack.use(await Lan.create({ ipv6: false }));
  await lan.addHost("a", { plugged: false });
  const node = stack.use(
    await NodeProcess.start({ namespace: lan.namespace("a"), args: ["--no-multicast"] }),
  );
  const { warnings, known } = await node.status();
  assertEquals(known, 1);
  assert(warnings.some(({ code }) => code === "no-ipv6"));
});

Deno.test({ name: "a host that restarts keeps its links' regard", ignore }, async () => {
  await using stack = new AsyncDisposableStack();
  const { lan, nodes } = await threeHosts(stack, {});
  const [a, b, c] = nodes;
  await allLinkedAndAgreed(nodes);
  const { id } = await c.ready();
  assertEquals((await c.mesh("restart")).code, 0);
  assertEquals(await c.ended(), 75);
  // Nobody drops the link of a host that said it would be back.
  assertEquals((await a.links()).some((link) => link.id === id), true);
  assertEquals((await b.links()).some((link) => link.id === id), true);
  const again = stack.use(
    await NodeProcess.start({
      namespace: lan.namespace("c"),
      state: c.state,
      args: ["--name", "c"],
    }),
  );
  await allLinkedAndAgreed([a, b, again]);
});
