import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  answererId,
  ask,
  askerId,
  type DatagramWorld,
  datagramWorld,
  home,
  nodeIdOf,
  path,
  roundTrip,
  sourceAt,
  start,
} from "../../tests/fixtures/datagram_world.ts";
import { counted } from "../../tests/fixtures/bytes.ts";
import { CountingEntropy, SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { type Bytes, toHex } from "../base/bytes.ts";
import { hours, later, minutes, seconds } from "../base/instant.ts";
import { InvariantError } from "../base/invariant.ts";
import type { Entropy } from "../platform/entropy.ts";
import { datagramBytesMax, requestMessageMax, tellOverhead } from "../wire/datagram.ts";
import { EpochKeys } from "./epoch_keys.ts";
import { replayFilterMax } from "./limits.ts";
import { PeerKeys } from "./peer_keys.ts";

const message = counted(0x81, 5);

/** Both ends after one round trip: the teller holds its cookie. */
async function confirmed(entropy: Entropy = new CountingEntropy()): Promise<DatagramWorld> {
  const world = await datagramWorld(entropy, start);
  await roundTrip(world, message, message, start);
  return world;
}

async function told({ peerKeys }: DatagramWorld, now = start): Promise<Bytes> {
  const sealed = await peerKeys.sealTell(message, path, now);
  assert(sealed !== undefined);
  return sealed.bytes;
}

function judged({ epochKeys }: DatagramWorld, bytes: Bytes, now = start, from = home) {
  return epochKeys.open(bytes, from, () => true, now);
}

Deno.test("what is told arrives, in 86 bytes and its own", async () => {
  const world = await confirmed();
  const bytes = await told(world);
  assertEquals(bytes.length, tellOverhead + message.length);
  const outcome = await judged(world, bytes);
  assert(outcome.kind === "tell");
  assertEquals(outcome.tell.message, message);
  assertEquals(outcome.tell.source, home);
});

Deno.test("a tell with any byte changed or cut is refused without a word, but for its epoch", async () => {
  const world = await confirmed();
  const bytes = await told(world);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    const outcome = await judged(world, changed);
    assertEquals(outcome.kind, at >= 2 && at < 10 ? "unknown-epoch" : "drop", `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assertEquals((await judged(world, bytes.slice(0, length))).kind, "drop", `${length} bytes`);
  }
  assertEquals((await judged(world, bytes)).kind, "tell");
});

Deno.test("a tell is no request and a request is no tell, whoever changes the kind", async () => {
  const world = await confirmed();
  const tell = await told(world);
  const request = (await ask(world.peerKeys, message, start)).bytes;
  const long = await world.peerKeys.sealTell(counted(0, 200), path, start);
  assert(long !== undefined);
  for (
    const [bytes, kind, reason] of [
      [tell, 1, "datagram too short"],
      [long.bytes, 1, "request seal"],
      [request, 4, "tell seal"],
      [tell, 2, "not a request"],
    ] as const
  ) {
    const changed = bytes.slice();
    changed[1] = kind;
    assertEquals(await judged(world, changed), { kind: "drop", reason });
  }
});

Deno.test("a tell is acted upon once, even if two copies are opened at the same time", async () => {
  const world = await confirmed();
  const bytes = await told(world);
  const outcomes = await Promise.all([judged(world, bytes), judged(world, bytes)]);
  assertEquals(outcomes.map(({ kind }) => kind).sort(), ["drop", "tell"]);
  assertEquals(await judged(world, bytes), { kind: "drop", reason: "tell seen before" });
  assert(replayFilterMax > 1_024);
});

Deno.test("a tell from another address, port or interface is not read, and does not use up the true one", async () => {
  const world = await confirmed();
  const bytes = await told(world);
  for (
    const from of [
      sourceAt("192.0.2.8", 7411),
      sourceAt("192.0.2.7", 7412),
      sourceAt("192.0.2.7", 7411, "eth1"),
    ]
  ) {
    const outcome = await judged(world, bytes, start, from);
    assert(outcome.kind === "unread");
    assertEquals(outcome.reason, "tell from elsewhere");
  }
  assertEquals((await judged(world, bytes)).kind, "tell");
});

Deno.test("a tell is read within 30 s of the peer's clock and not beyond", async () => {
  const world = await confirmed();
  for (const [after, kind] of [[30_000, "tell"], [30_001, "unread"]] as const) {
    const bytes = await told(world);
    assertEquals((await judged(world, bytes, later(start, seconds(after / 1_000)))).kind, kind);
  }
});

Deno.test("another peer's handle does not open, and what one node is told is nothing to another", async () => {
  const world = await confirmed(new SeededEntropy([3]));
  const other = new PeerKeys(world.entropy);
  other.adopt(await world.epochKeys.grantFor(nodeIdOf(0x20), start), start);
  await roundTrip({ ...world, peerKeys: other }, message, message, start);
  const [mine, theirs] = [await told(world), await told({ ...world, peerKeys: other })];
  const mixed = mine.slice();
  mixed.set(theirs.subarray(10, 34), 10);
  assertEquals(await judged(world, mixed), { kind: "drop", reason: "tell seal" });
  const elsewhere = EpochKeys.create(world.entropy, answererId, start);
  // Its epoch's secret is being imported until then.
  await elsewhere.grantFor(askerId, start);
  assertEquals((await elsewhere.open(mine, home, () => true, start)).kind, "unknown-epoch");
});

Deno.test("the direction is in the key: what was told comes back unopened", async () => {
  const world = await confirmed(new SeededEntropy([4]));
  // The asker's own keys, that gave the answerer a grant.
  const back = EpochKeys.create(world.entropy, askerId, start);
  const answerer = new PeerKeys(world.entropy);
  answerer.adopt(await back.grantFor(answererId, start), start);
  const bytes = await told(world);
  const outcome = await back.open(bytes, home, () => true, start);
  assert(outcome.kind === "unknown-epoch");
  assertEquals(outcome.answer, new Uint8Array([1, 3, ...bytes.subarray(34, 46)]));
  assert(outcome.answer.length < bytes.length);
});

Deno.test("a peer that is no longer admitted is not heard, nor one revoked while the seal is opened", async () => {
  const world = await confirmed();
  const bytes = await told(world);
  const refused = { kind: "drop", reason: "peer not admitted" } as const;
  assertEquals(await world.epochKeys.open(bytes, home, () => false, start), refused);
  let asked = 0;
  assertEquals(await world.epochKeys.open(bytes, home, () => asked++ === 0, start), refused);
});

Deno.test("nothing is told without a grant, a cookie for the path, or a fresh answer on it", async () => {
  assertEquals(await new PeerKeys(new CountingEntropy()).sealTell(message, path, start), undefined);
  const world = await datagramWorld(new CountingEntropy(), start);
  const { peerKeys } = world;
  assertEquals(await peerKeys.sealTell(message, path, start), undefined);
  await roundTrip(world, message, message, start);
  assertEquals(await peerKeys.sealTell(message, "another path", start), undefined);
  assertNotEquals(await peerKeys.sealTell(message, path, later(start, minutes(10))), undefined);
  assertEquals(await peerKeys.sealTell(message, path, later(start, seconds(601))), undefined);
  peerKeys.forget();
  assertEquals(await peerKeys.sealTell(message, path, start), undefined);
});

Deno.test("nothing is told under a grant in doubt, until an answer comes under it", async () => {
  const world = await confirmed();
  const { peerKeys } = world;
  const sealed = await peerKeys.sealTell(message, path, start);
  assert(sealed !== undefined);
  assertEquals(sealed.sent.nonce, toHex(sealed.bytes.subarray(34, 46)));
  peerKeys.doubt(sealed.sent);
  assertEquals(await peerKeys.sealTell(message, path, start), undefined);
  await roundTrip(world, message, message, start);
  assertNotEquals(await peerKeys.sealTell(message, path, start), undefined);
});

Deno.test("with one request every ten minutes what is told is heard for a day", async () => {
  const world = await confirmed(new SeededEntropy([5]));
  let isHeld = 0;
  for (let at = start; at < later(start, hours(24)); at = later(at, minutes(10))) {
    const sealed = await world.peerKeys.sealTell(message, path, at);
    if (sealed === undefined) isHeld++;
    else assertEquals((await judged(world, sealed.bytes, at)).kind, "tell");
    await roundTrip(world, message, message, at);
  }
  // A new grant has no cookie yet: once an hour at most the message goes as a request.
  assert(isHeld <= 24, `${isHeld}`);
});

Deno.test("a tell is never longer than a datagram, and too long a message is our own mistake", async () => {
  const { peerKeys } = await confirmed();
  const longest = await peerKeys.sealTell(new Uint8Array(requestMessageMax), path, start);
  assert(longest !== undefined && longest.bytes.length <= datagramBytesMax);
  await assertRejects(
    () => peerKeys.sealTell(new Uint8Array(requestMessageMax + 1), path, start),
    InvariantError,
  );
});
