/**
 * One identity in two places: a state directory copied to a second node, and one put back from an
 * older backup.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { compareBytes, copyBytes, toHex } from "../../src/base/bytes.ts";
import { wallTime } from "../../src/base/instant.ts";
import { signRecord } from "../../src/crypto/mod.ts";
import { DirectoryStorage } from "../../src/host/mod.ts";
import { isIdentityProblem, loadOrCreateIdentity } from "../../src/identity/mod.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import type { NodeId } from "../../src/wire/node_id.ts";
import { encodeRecordPayload } from "../../src/wire/record.ts";
import { infoHeldBy, secluded } from "./adversary/honest_pair.ts";
import { infoOf, Rogue } from "./adversary/rogue.ts";
import { eventually } from "./eventually.ts";
import { must } from "./lan.ts";
import { NodeProcess } from "./node_process.ts";

function scratch(stack: AsyncDisposableStack): string {
  const directory = Deno.makeTempDirSync({ prefix: "mesh-test-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  return directory;
}

/** Copies what a backup would hold of a stopped node's state. */
async function copyState(from: string, to: string): Promise<void> {
  await must("cp", "-rp", from, to);
}

function start(
  stack: AsyncDisposableStack,
  name: string,
  state: string,
  ...peers: readonly number[]
): Promise<NodeProcess> {
  const dial = peers.flatMap((port) => ["--peer", `127.0.0.1:${port}`]);
  const args = [...secluded, "--name", name, ...dial];
  return NodeProcess.start({ state, args }).then((node) => stack.use(node));
}

async function reportsDuplicate(node: NodeProcess): Promise<boolean> {
  return (await node.status()).warnings.some(({ code }) => code === "duplicate-identity");
}

async function bootNonceHeldBy(node: NodeProcess, id: NodeId): Promise<string> {
  return toHex(infoOf(await infoHeldBy(node, id)).bootNonce);
}

Deno.test("two nodes under one key report each other, and one of them is believed", async () => {
  await using stack = new AsyncDisposableStack();
  const home = scratch(stack);
  const witness = await start(stack, "witness", `${home}/witness`);
  const { port } = await witness.ready();
  {
    await using first = new AsyncDisposableStack();
    const node = await start(first, "original", `${home}/one`, port);
    await node.linkedWith(witness);
    assertEquals(await node.stop(), 0);
  }
  await copyState(`${home}/one`, `${home}/two`);

  const one = await start(stack, "one", `${home}/one`, port);
  const { id, port: portOfOne } = await one.status();
  const nonceOfOne = await bootNonceHeldBy(one, id);
  const two = await start(stack, "two", `${home}/two`, port, portOfOne);
  assertEquals((await two.status()).id, id);
  const nonceOfTwo = await bootNonceHeldBy(two, id);
  for (const node of [one, two]) {
    await eventually("the duplicate is reported", () => reportsDuplicate(node));
  }
  // The one with the higher boot nonce says nothing of itself any more.
  const winner = nonceOfOne < nonceOfTwo ? nonceOfOne : nonceOfTwo;
  await eventually(
    "the witness believes the one that goes on",
    async () => await bootNonceHeldBy(witness, id) === winner,
  );
  assertEquals((await witness.nodes()).length, 2);
  assert(!await reportsDuplicate(witness));
});

Deno.test("two nodes under one key that meet only through another one report each other", async () => {
  await using stack = new AsyncDisposableStack();
  const home = scratch(stack);
  const witness = await start(stack, "witness", `${home}/witness`);
  const { port } = await witness.ready();
  {
    await using first = new AsyncDisposableStack();
    await start(first, "original", `${home}/one`);
  }
  await copyState(`${home}/one`, `${home}/two`);
  const one = await start(stack, "one", `${home}/one`, port);
  const { id } = await one.status();
  const two = await start(stack, "two", `${home}/two`, port);
  const nonces = [await bootNonceHeldBy(one, id), await bootNonceHeldBy(two, id)].sort();
  for (const node of [one, two]) {
    // They speak with the witness only, and found each other's records there; each may also have
    // been led to the other's address by them.
    await eventually("the duplicate is reported", () => reportsDuplicate(node), 45_000);
  }
  await eventually(
    "the witness believes the one that goes on",
    async () => await bootNonceHeldBy(witness, id) === nonces[0],
  );
  assertEquals((await witness.nodes()).length, 2);
});

Deno.test("a node put back from a backup jumps above its own past and is believed again", async () => {
  await using stack = new AsyncDisposableStack();
  const home = scratch(stack);
  const witness = await start(stack, "witness", `${home}/witness`);
  const other = await start(stack, "other", `${home}/other`, (await witness.ready()).port);
  const { port } = await witness.ready();
  {
    await using first = new AsyncDisposableStack();
    const node = await start(first, "before", `${home}/node`, port);
    await eventually("linked", async () => (await node.links()).length > 0);
    assertEquals(await node.stop(), 0);
  }
  await copyState(`${home}/node`, `${home}/backup`);

  // What the node said after the backup was made, by a clock that ran a day ahead of today's.
  const identity = await loadOrCreateIdentity(await DirectoryStorage.open(`${home}/node`));
  assert(!isIdentityProblem(identity));
  const { id } = identity;
  const serial = Date.now() + 86_400_000;
  const past = infoOf(await infoHeldBy(witness, id));
  const later = await signRecord(
    identity,
    encodeRecordPayload({
      kind: 0,
      subject: new Uint8Array(0),
      serial,
      signedAt: wallTime(serial),
      body: encodeInfo({ ...past, name: "after", bootNonce: new Uint8Array(16).fill(7) }),
    }),
  );
  {
    await using messenger = await Rogue.create();
    const met = await messenger.meet({ port });
    assertEquals(await met.ask({ kind: "push", records: [later] }), { kind: "push", accepted: 1 });
  }
  for (const node of [witness, other]) {
    await eventually(
      "the others know the later life",
      async () => (await node.nodes()).find((entry) => entry.id === id)?.name === "after",
    );
  }

  const restored = await start(stack, "restored", `${home}/backup`, port);
  assertEquals((await restored.status()).id, id);
  for (const node of [witness, other, restored]) {
    await eventually("the restored node is believed", async () => {
      const entry = (await node.nodes()).find((one) => one.id === id);
      return entry?.name === "restored" && entry.serial > serial;
    });
  }
  const held = await Promise.all([witness, other, restored].map((node) => infoHeldBy(node, id)));
  for (const bytes of held) assertEquals(compareBytes(bytes, copyBytes(held[0] ?? bytes)), 0);
  assert(!await reportsDuplicate(restored), "one life after the other is no duplicate");
});
