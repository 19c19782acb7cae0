/** A machine whose name server is dead: what asks the node on it asks for no names. */
import { assert, assertEquals } from "@std/assert";
import { command, has, Lan, lanMissing } from "./lan.ts";
import { NodeProcess } from "./node_process.ts";

const nameServer = "10.53.0.1";
const ignore = lanMissing !== undefined || !await has("getent");

/** A host on whose own address a name server stands that takes every question and answers none. */
async function hostWithDeadNameServer(stack: AsyncDisposableStack) {
  const lan = stack.use(await Lan.create({ ipv4: true }));
  const namespace = await lan.addHost("a");
  await lan.on("a", "ip", "addr", "add", `${nameServer}/32`, "dev", "lo");
  await lan.filterInput("a", "meta l4proto { tcp, udp } th dport 53 counter drop");
  await lan.setNameServer("a", nameServer);
  const questions = async () => {
    const [, packets] = /counter packets (\d+)/.exec(await lan.on("a", "nft", "list", "ruleset")) ??
      [];
    assert(packets !== undefined, "the filter counts");
    return Number(packets);
  };
  return { namespace, questions };
}

Deno.test({
  name: "a node and all that is asked of it work where no name is ever answered, and ask for none",
  ignore,
}, async () => {
  // From source the runtime would ask where its own next version is; the executable does not.
  Deno.env.set("DENO_NO_UPDATE_CHECK", "1");
  await using stack = new AsyncDisposableStack();
  const { namespace, questions } = await hostWithDeadNameServer(stack);
  const node = stack.use(await NodeProcess.start({ namespace, args: ["--name", "a"] }));
  const { id } = await node.ready();
  const watching = node.mesh("watch", "--json");
  const asked: readonly (readonly string[])[] = [
    ["status"],
    ["nodes"],
    ["node", id],
    ["links"],
    ["ping", id, "-c", "1"],
    ["stop"],
  ];
  for (const words of asked) {
    const { code, stdout, stderr } = await node.mesh(...words);
    assertEquals(code, 0, `${words.join(" ")}: ${stdout}${stderr}`);
  }
  const { stdout } = await watching;
  assert(stdout.includes('"ready"'), stdout);
  assertEquals(await node.ended(), 0);
  assertEquals(await questions(), 0);
  // Somebody who does ask for a name is counted.
  await command("ip", "netns", "exec", namespace, "getent", "hosts", "atlas.example");
  assert(await questions() > 0);
});
