import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import { hours, later, milliseconds, seconds } from "../base/instant.ts";
import { InvariantError } from "../base/invariant.ts";
import { Prng } from "../base/prng.ts";
import { requestMessageMax } from "../wire/datagram.ts";
import { counted } from "../../tests/fixtures/bytes.ts";
import {
  answererId,
  ask,
  askerId,
  datagramWorld,
  home,
  opened,
  path,
  roundTrip,
  start,
} from "../../tests/fixtures/datagram_world.ts";
import { CountingEntropy, SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { EpochKeys } from "./epoch_keys.ts";
import { PeerKeys } from "./peer_keys.ts";

const ping = counted(0x81, 1);

function epochOf(bytes: Bytes): string {
  return toHex(bytes.subarray(2, 10));
}

/** A request and its answer, not yet opened. */
async function asked(world: Awaited<ReturnType<typeof datagramWorld>>, now = start) {
  const request = await ask(world.peerKeys, ping, now);
  const seen = await opened(world.epochKeys, request.bytes, now);
  return { request, answer: await world.epochKeys.sealAnswer(seen, counted(1, 20)) };
}

Deno.test("an answer with any byte changed is refused, and the true one still believed", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const { request, answer } = await asked(world);
  for (let at = 0; at < answer.length; at++) {
    const changed = answer.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    const outcome = await world.peerKeys.openAnswer(request.pending, changed, start);
    assertEquals(outcome.kind, "drop", `byte ${at}`);
  }
  for (let length = 0; length < answer.length; length++) {
    const cut = answer.slice(0, length);
    assertEquals((await world.peerKeys.openAnswer(request.pending, cut, start)).kind, "drop");
  }
  const outcome = await world.peerKeys.openAnswer(request.pending, answer, start);
  assert(outcome.kind === "answer");
  assertEquals(outcome.message, counted(1, 20));
});

Deno.test("an answer is believed once, even if two copies are opened at the same time", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const { request, answer } = await asked(world);
  const outcomes = await Promise.all([
    world.peerKeys.openAnswer(request.pending, answer, start),
    world.peerKeys.openAnswer(request.pending, answer, start),
  ]);
  assertEquals(outcomes.map((outcome) => outcome.kind).sort(), ["answer", "drop"]);
  assertEquals(await world.peerKeys.openAnswer(request.pending, answer, start), {
    kind: "drop",
    reason: "answered before",
  });
});

Deno.test("answers in another order find their own requests, and no other", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const one = await asked(world);
  const two = await asked(world);
  assertEquals(await world.peerKeys.openAnswer(one.request.pending, two.answer, start), {
    kind: "drop",
    reason: "answer to another request",
  });
  const later2 = await world.peerKeys.openAnswer(two.request.pending, two.answer, start);
  const later1 = await world.peerKeys.openAnswer(one.request.pending, one.answer, start);
  assertEquals([later2.kind, later1.kind], ["answer", "answer"]);
});

Deno.test("an answer held back beyond the window is not believed", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const { request, answer } = await asked(world);
  assertEquals(
    await world.peerKeys.openAnswer(request.pending, answer, later(start, milliseconds(30_001))),
    { kind: "drop", reason: "answer too late" },
  );
});

Deno.test("the round trip is measured on the requester's clock", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const { request, answer } = await asked(world);
  const now = later(start, milliseconds(17.5));
  const outcome = await world.peerKeys.openAnswer(request.pending, answer, now);
  assert(outcome.kind === "answer");
  assertEquals(outcome.roundTripMs, 17.5);
});

Deno.test("without a grant nothing is sealed; too long a message is our own mistake", async () => {
  const keys = new PeerKeys(new CountingEntropy());
  assertEquals(keys.ready, false);
  assertEquals(await keys.sealRequest(ping, path, start), undefined);
  const { peerKeys } = await datagramWorld(new CountingEntropy(), start);
  assertEquals(peerKeys.ready, true);
  assertEquals((await ask(peerKeys, new Uint8Array(requestMessageMax), start)).bytes.length, 1_232);
  await assertRejects(
    () => peerKeys.sealRequest(new Uint8Array(requestMessageMax + 1), path, start),
    InvariantError,
  );
});

Deno.test("requests never share nonce, tag or key", async () => {
  const { peerKeys } = await datagramWorld(new SeededEntropy([7]), start);
  const drawn = new Set<string>();
  await Promise.all(Array.from({ length: 50 }, async () => {
    const { pending } = await ask(peerKeys, ping, start);
    drawn.add(pending.nonce).add(pending.replyTag).add(toHex(pending.replyKey));
  }));
  assertEquals(drawn.size, 150);
});

Deno.test("the next grant is taken over at the first answer that brings it", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  const now = later(start, hours(1));
  const before = await ask(world.peerKeys, ping, now);
  await roundTrip(world, ping, ping, now);
  const after = await ask(world.peerKeys, ping, now);
  assertNotEquals(epochOf(before.bytes), epochOf(after.bytes));
  // What was under way meanwhile is still answered and believed, and changes nothing back.
  const seen = await opened(world.epochKeys, before.bytes, now);
  const bytes = await world.epochKeys.sealAnswer(seen, ping);
  assertEquals((await world.peerKeys.openAnswer(before.pending, bytes, now)).kind, "answer");
  assertEquals(epochOf((await ask(world.peerKeys, ping, now)).bytes), epochOf(after.bytes));
});

/** A requester in the second hour, right after the handover, and the names of its two epochs. */
async function handedOver() {
  const world = await datagramWorld(new CountingEntropy(), start);
  const older = epochOf((await ask(world.peerKeys, ping, start)).bytes);
  await roundTrip(world, ping, ping, start);
  const now = later(start, hours(1));
  await roundTrip(world, ping, ping, now);
  const request = await ask(world.peerKeys, ping, now);
  const newest = epochOf(request.bytes);
  assertNotEquals(newest, older);
  return { world, now, request, older, newest };
}

Deno.test("a doubted grant is not dropped: the other is tried, and an answer ends the doubt", async () => {
  const { world, now, request, older, newest } = await handedOver();
  world.peerKeys.doubt(request.pending);
  assertEquals(epochOf((await ask(world.peerKeys, ping, now)).bytes), older);
  const seen = await opened(world.epochKeys, request.bytes, now);
  const bytes = await world.epochKeys.sealAnswer(seen, ping);
  await world.peerKeys.openAnswer(request.pending, bytes, now);
  assertEquals(epochOf((await ask(world.peerKeys, ping, now)).bytes), newest);
});

Deno.test("when both grants are doubted the newer is tried", async () => {
  const { world, now, request, newest } = await handedOver();
  world.peerKeys.doubt(request.pending);
  world.peerKeys.doubt((await ask(world.peerKeys, ping, now)).pending);
  assertEquals(epochOf((await ask(world.peerKeys, ping, now)).bytes), newest);
});

Deno.test("an answer under the older grant that names the doubted one ends the doubt", async () => {
  const { world, now, request, newest } = await handedOver();
  world.peerKeys.doubt(request.pending);
  await roundTrip(world, ping, ping, now);
  assertEquals(epochOf((await ask(world.peerKeys, ping, now)).bytes), newest);
});

Deno.test("an answer under the older grant replaces a doubted one that the peer does not know", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  const other = EpochKeys.create(world.entropy, answererId, start);
  world.peerKeys.adopt(await other.grantFor(askerId, start), start);
  const now = later(start, hours(1));
  world.peerKeys.doubt((await ask(world.peerKeys, ping, now)).pending);
  await roundTrip(world, ping, ping, now);
  const { bytes } = await ask(world.peerKeys, ping, now);
  assertEquals(epochOf(bytes), toHex((await world.epochKeys.grantFor(askerId, now)).epoch));
});

Deno.test("a restarted peer's grant comes first; an answer of its former run changes nothing", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  const now = later(start, hours(1));
  const late = await asked(world, now);
  const restarted = EpochKeys.create(world.entropy, answererId, now);
  const grant = await restarted.grantFor(askerId, now);
  world.peerKeys.adopt(grant, now);
  // The answer, with a next grant of the former run in it, arrives after the exchange.
  assertEquals(
    (await world.peerKeys.openAnswer(late.request.pending, late.answer, now)).kind,
    "answer",
  );
  assertEquals(epochOf((await ask(world.peerKeys, ping, now)).bytes), toHex(grant.epoch));
});

Deno.test("two runs of a peer have two clocks", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const now = later(start, hours(3));
  const restarted = EpochKeys.create(world.entropy, answererId, later(now, hours(-3)));
  // The new run's clock stands at what ours showed three hours ago.
  const there = later(now, hours(-3));
  world.peerKeys.adopt(await restarted.grantFor(askerId, there), now);
  const request = await ask(world.peerKeys, ping, later(now, seconds(10)));
  const outcome = await restarted.open(request.bytes, home, () => true, later(there, seconds(10)));
  assertEquals(outcome.kind, "request");
});

Deno.test("the second of two crossing exchanges costs neither cookies nor grants", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  world.peerKeys.adopt(await world.epochKeys.grantFor(askerId, start), start);
  assertEquals((await roundTrip(world, ping, ping, start)).cookieRight, true);
});

Deno.test("an exchange that brings a doubted grant again ends the doubt", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  world.peerKeys.doubt((await ask(world.peerKeys, ping, start)).pending);
  assertEquals(await world.peerKeys.sealTell(ping, path, start), undefined);
  world.peerKeys.adopt(await world.epochKeys.grantFor(askerId, start), start);
  assert(await world.peerKeys.sealTell(ping, path, start) !== undefined);
});

Deno.test("a third grant drops the oldest, and answers under it are no longer believed", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const { request, answer } = await asked(world);
  for (let i = 0; i < 2; i++) {
    const other = EpochKeys.create(world.entropy, answererId, start);
    world.peerKeys.adopt(await other.grantFor(askerId, start), start);
  }
  assertEquals(await world.peerKeys.openAnswer(request.pending, answer, start), {
    kind: "drop",
    reason: "grant given up",
  });
});

Deno.test("a peer forgotten while its answer is opened is not believed", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const { request, answer } = await asked(world);
  const outcome = world.peerKeys.openAnswer(request.pending, answer, start);
  world.peerKeys.forget();
  assertEquals(await outcome, { kind: "drop", reason: "grant given up" });
  assertEquals(world.peerKeys.ready, false);
});

Deno.test("a told time that was held back moves the clock by no more than half the delay", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const request = await ask(world.peerKeys, ping, start);
  const there = later(start, hours(1));
  const stale = await world.epochKeys.open(request.bytes, home, () => true, there);
  assert(stale.kind === "stale");
  const now = later(start, seconds(30));
  assertEquals(
    (await world.peerKeys.openAnswer(request.pending, stale.answer, now)).kind,
    "clock-corrected",
  );
  const again = await ask(world.peerKeys, ping, now);
  const outcome = await world.epochKeys.open(
    again.bytes,
    home,
    () => true,
    later(there, seconds(31)),
  );
  assertEquals(outcome.kind, "request");
});

Deno.test("no bytes make opening an answer throw", async () => {
  const seed = [0x616e, 1, 2, 3];
  const prng = new Prng(seed);
  const world = await datagramWorld(new SeededEntropy(seed), start);
  const { request, answer } = await asked(world);
  for (let cases = 0; cases < 100_000;) {
    const batch: Promise<void>[] = [];
    for (; batch.length < 500; cases++) {
      const bytes = prng.below(4) === 0
        ? new Uint8Array(prng.below(150)).map(() => prng.below(256))
        : answer.slice(0, prng.below(4) === 0 ? prng.below(answer.length) : answer.length);
      if (bytes.length > 0) {
        const at = prng.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 + prng.below(255));
      }
      const number = cases;
      batch.push(
        world.peerKeys.openAnswer(request.pending, bytes, start).then((outcome) => {
          assertEquals(outcome.kind, "drop");
        }).catch((cause: unknown) => {
          throw new Error(`seed ${seed} case ${number}: ${toHex(bytes)}`, { cause });
        }),
      );
    }
    await Promise.all(batch);
  }
});
