import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Bytes, concatBytes, encodeUint, toHex } from "../base/bytes.ts";
import { hours, instant, later, milliseconds, minutes, seconds } from "../base/instant.ts";
import { InvariantError } from "../base/invariant.ts";
import { Prng } from "../base/prng.ts";
import { answerOverhead, requestMessageMax } from "../wire/datagram.ts";
import { nodeIdFromBytes } from "../wire/node_id.ts";
import { counted, flipped } from "../../tests/fixtures/bytes.ts";
import {
  answererId,
  ask,
  askerId,
  datagramWorld,
  home,
  nodeIdOf,
  opened,
  path,
  roundTrip,
  sourceAt,
  start,
} from "../../tests/fixtures/datagram_world.ts";
import { CountingEntropy, SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { EpochKeys } from "./epoch_keys.ts";
import { handleCacheMax } from "./limits.ts";
import { cookieNeededNotice } from "./notice.ts";
import { PeerKeys } from "./peer_keys.ts";

const anybody = () => true;
const ping = counted(0x81, 1);

// Computed with Python's `cryptography` and `hmac` from PROTOCOL: epoch name 00–07, secret 08–27,
// request nonce 28–33, reply tag 34–3b, reply key 3c–5b, answer nonce 5c–67.
Deno.test("request and answer are the bytes that PROTOCOL says", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const now = instant(1_000_250.9);
  const message = new Uint8Array([0x81, 0x01]);
  const request = await ask(peerKeys, message, now);
  assertEquals(
    toHex(request.bytes),
    "0101" + "0001020304050607" + "4cb8cb7e3501b007a95fabdae1b12eb7877845a4bd54669b" +
      "28292a2b2c2d2e2f30313233" +
      "eda69c0c429fe289d533637da5938f78c90466a36a285af26208a028933008eb3aec4a1f36751ea853513849" +
      "1b75d5f5376a00cdee7f95fcec9ad24f5d82862645010bf504383870697dc1ffe9d3604ab8b7",
  );
  const seen = await opened(epochKeys, request.bytes, now);
  assertEquals(seen.peerPrefix, toHex(counted(0x80, 16)));
  assertEquals(seen.message, message);
  assertEquals(
    toHex(await epochKeys.sealAnswer(seen, message)),
    "0102" + "3435363738393a3b" + "5c5d5e5f6061626364656667" +
      "8febb557021cba29e8edb62bf5c9ab58d86fa55f34fa606cec5c7b96116b3c3d8cf3dc",
  );
});

Deno.test("a request with any byte changed is refused without an exception", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const { bytes } = await ask(peerKeys, counted(1, 20), start);
  for (let at = 0; at < bytes.length; at++) {
    const outcome = await epochKeys.open(flipped(bytes, at, 0x10), home, anybody, start);
    const inEpochName = at >= 2 && at < 10;
    assertEquals(outcome.kind, inEpochName ? "unknown-epoch" : "drop", `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    const outcome = await epochKeys.open(bytes.slice(0, length), home, anybody, start);
    assertEquals(outcome.kind, "drop", `length ${length}`);
  }
});

Deno.test("checks are made cheapest first", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const { bytes } = await ask(peerKeys, ping, start);
  const reasons: string[] = [];
  // A handle of garbage, a peer not admitted, a broken seal: each hides all that come after it.
  const garbage = flipped(flipped(bytes, 20, 0x10), bytes.length - 1, 0x10);
  for (
    const [tried, admits] of [[garbage, false], [flipped(bytes, 60, 0x10), false], [
      flipped(bytes, 60, 0x10),
      true,
    ]] as const
  ) {
    const outcome = await epochKeys.open(tried, home, () => admits, start);
    reasons.push(outcome.kind === "drop" ? outcome.reason : outcome.kind);
  }
  assertEquals(reasons, ["handle not ours", "peer not admitted", "request seal"]);
  // The same for a peer that is in the cache.
  assertEquals(await epochKeys.open(flipped(bytes, 60, 0x10), home, () => false, start), {
    kind: "drop",
    reason: "peer not admitted",
  });
});

Deno.test("a revocation that comes while the seal is opened is obeyed", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  for (const peerIs of ["new", "cached"]) {
    const { bytes } = await ask(peerKeys, ping, start);
    let asked = 0;
    const outcome = await epochKeys.open(bytes, home, () => ++asked === 1, start);
    assertEquals(outcome, { kind: "drop", reason: "peer not admitted" }, peerIs);
    assertEquals(asked, 2);
  }
});

Deno.test("a request is believed within 30 s of the answerer's clock and not beyond", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  for (
    const [offset, kind] of [[-30_000, "request"], [30_000, "request"], [-30_001, "stale"], [
      30_001,
      "stale",
    ]] as const
  ) {
    const { bytes } = await ask(peerKeys, ping, later(start, milliseconds(60_000 + offset)));
    const outcome = await epochKeys.open(bytes, home, anybody, later(start, seconds(60)));
    assertEquals(outcome.kind, kind, `offset ${offset}`);
  }
});

Deno.test("an authentic request from another time is told the time, in no more bytes", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const request = await ask(peerKeys, new Uint8Array(0), start);
  // The answerer's clock ran while the requester slept.
  const there = later(start, minutes(20));
  const outcome = await epochKeys.open(request.bytes, home, anybody, there);
  assert(outcome.kind === "stale");
  assert(outcome.answer.length <= request.bytes.length);
  const here = later(start, milliseconds(40));
  assertEquals(await peerKeys.openAnswer(request.pending, outcome.answer, here), {
    kind: "clock-corrected",
  });
  const again = await ask(peerKeys, ping, here);
  assertEquals((await opened(epochKeys, again.bytes, there)).cookieRight, true);
});

Deno.test("a replayed request may pass, but meets a fresh nonce in every answer", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const request = await ask(peerKeys, ping, start);
  const answers = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const seen = await opened(epochKeys, request.bytes, start);
    answers.add(toHex((await epochKeys.sealAnswer(seen, ping)).subarray(10, 22)));
    answers.add(toHex((await epochKeys.sealAnswer(seen, ping)).subarray(10, 22)));
  }
  assertEquals(answers.size, 6);
});

Deno.test("the replay filter tells the second sight of a request from the first", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const first = await ask(peerKeys, ping, start);
  const second = await ask(peerKeys, ping, start);
  assert(epochKeys.firstSight(await opened(epochKeys, first.bytes, start)));
  assert(epochKeys.firstSight(await opened(epochKeys, second.bytes, start)));
  assert(!epochKeys.firstSight(await opened(epochKeys, first.bytes, start)));
  const after = later(start, seconds(20));
  assert(!epochKeys.firstSight(await opened(epochKeys, second.bytes, after)));
});

Deno.test("another peer's handle does not open with this peer's key", async () => {
  const { epochKeys, peerKeys, entropy } = await datagramWorld(new CountingEntropy(), start);
  const stranger = new PeerKeys(entropy);
  stranger.adopt(await epochKeys.grantFor(nodeIdOf(0xa0), start), start);
  const mine = await ask(peerKeys, ping, start);
  const theirs = await ask(stranger, ping, start);
  assertNotEquals(mine.bytes.slice(10, 34), theirs.bytes.slice(10, 34));
  const mixed = mine.bytes.slice();
  mixed.set(theirs.bytes.subarray(10, 34), 10);
  assertEquals(await epochKeys.open(mixed, home, anybody, start), {
    kind: "drop",
    reason: "request seal",
  });
});

Deno.test("a grant stolen and used by another node still names the peer it was made for", async () => {
  const { epochKeys, entropy } = await datagramWorld(new CountingEntropy(), start);
  const thief = new PeerKeys(entropy);
  const { key } = await epochKeys.grantFor(nodeIdOf(0xa0), start);
  thief.adopt({ ...await epochKeys.grantFor(askerId, start), key }, start);
  const { bytes } = await ask(thief, ping, start);
  assertEquals(await epochKeys.open(bytes, home, anybody, start), {
    kind: "drop",
    reason: "request seal",
  });
});

Deno.test("a restarted answerer asks who it is, with the nonce and nothing more", async () => {
  const { peerKeys, entropy } = await datagramWorld(new CountingEntropy(), start);
  const restarted = EpochKeys.create(entropy, answererId, start);
  const { bytes } = await ask(peerKeys, new Uint8Array(0), start);
  const outcome = await restarted.open(bytes, home, anybody, start);
  assert(outcome.kind === "unknown-epoch");
  assertEquals(toHex(outcome.answer), "0103" + toHex(bytes.subarray(34, 46)));
  assert(outcome.answer.length < bytes.length);
  // Its epoch is ready before the test ends.
  await restarted.grantFor(askerId, start);
});

Deno.test("a handle of an older epoch under the name of a newer one is not ours", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const { bytes } = await ask(peerKeys, ping, start);
  const now = later(start, hours(1));
  const fresh = await epochKeys.grantFor(askerId, now);
  const mixed = bytes.slice();
  mixed.set(fresh.epoch, 2);
  assertEquals(await epochKeys.open(mixed, home, anybody, now), {
    kind: "drop",
    reason: "handle not ours",
  });
});

Deno.test("an epoch opens requests for two hours to the millisecond", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const last = later(start, milliseconds(2 * 3_600_000 - 1));
  const request = await ask(peerKeys, ping, last);
  assertEquals((await epochKeys.open(request.bytes, home, anybody, last)).kind, "request");
  const over = later(start, hours(2));
  const tooLate = await epochKeys.open(request.bytes, home, anybody, over);
  assertEquals(tooLate.kind, "unknown-epoch");
  // The epoch that has begun is ready before the test ends.
  await epochKeys.grantFor(askerId, over);
});

Deno.test("a request whose epoch ends while it is being opened is dropped", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const { bytes } = await ask(peerKeys, ping, start);
  const opening = epochKeys.open(bytes, home, anybody, start);
  const over = later(start, hours(3));
  epochKeys.handleTimeout(over);
  assertEquals(await opening, { kind: "drop", reason: "epoch ended" });
  await epochKeys.grantFor(askerId, over);
});

Deno.test("after a day without a call no old epoch lives and the new one begins at once", async () => {
  const { epochKeys, peerKeys, entropy } = await datagramWorld(new CountingEntropy(), start);
  const now = later(start, hours(24));
  const { bytes } = await ask(peerKeys, ping, now);
  assertEquals((await epochKeys.open(bytes, home, anybody, now)).kind, "unknown-epoch");
  const asker = new PeerKeys(entropy);
  asker.adopt(await epochKeys.grantFor(askerId, now), now);
  const end = later(now, milliseconds(2 * 3_600_000 - 1));
  const request = await ask(asker, ping, end);
  assertEquals((await epochKeys.open(request.bytes, home, anybody, end)).kind, "request");
});

Deno.test("after two epochs to the millisecond the new one begins then, not an epoch ago", async () => {
  const { epochKeys } = await datagramWorld(new CountingEntropy(), start);
  const now = later(start, hours(2));
  await epochKeys.grantFor(askerId, now);
  assertEquals(epochKeys.nextTimeout(), later(now, hours(1)));
});

Deno.test("the timeout names the next rotation, and rotates", async () => {
  const { epochKeys } = await datagramWorld(new CountingEntropy(), start);
  const before = await epochKeys.grantFor(askerId, start);
  assertEquals(epochKeys.nextTimeout(), later(start, hours(1)));
  epochKeys.handleTimeout(later(start, minutes(61)));
  assertEquals(epochKeys.nextTimeout(), later(start, hours(2)));
  const after = await epochKeys.grantFor(askerId, later(start, minutes(61)));
  assertNotEquals(toHex(before.epoch), toHex(after.epoch));
  assertNotEquals(toHex(before.key), toHex(after.key));
});

Deno.test("a change of address, port or interface needs a fresh cookie", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  assertEquals((await roundTrip(world, ping, ping, start)).cookieRight, false);
  assertEquals((await roundTrip(world, ping, ping, start)).cookieRight, true);
  for (
    const moved of [
      sourceAt("192.0.2.7", 7411, "wlan0"),
      sourceAt("192.0.2.7", 7412, "wlan0"),
      sourceAt("192.0.2.8", 7412, "wlan0"),
    ]
  ) {
    assertEquals((await roundTrip(world, ping, ping, start, moved)).cookieRight, false);
    assertEquals((await roundTrip(world, ping, ping, start, moved)).cookieRight, true);
  }
});

Deno.test("cookies of two paths do not displace one another", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const away = sourceAt("fe80::7", 7411, "wlan0");
  for (const expected of [false, true, true]) {
    assertEquals((await roundTrip(world, ping, ping, start)).cookieRight, expected);
    const other = await roundTrip(world, ping, ping, start, away, "over wlan0");
    assertEquals(other.cookieRight, expected);
  }
});

Deno.test("a cookie in a request from outside the window is not believed", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  // Replayed in the next epoch: a believed cookie would bring a next grant, and a longer answer.
  const { bytes } = await ask(world.peerKeys, new Uint8Array(0), start);
  const outcome = await world.epochKeys.open(bytes, home, anybody, later(start, hours(1)));
  assert(outcome.kind === "stale");
  assert(outcome.answer.length <= bytes.length);
});

Deno.test("without a right cookie no answer is longer than its request, at any sizes", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const rotated = later(start, hours(1));
  // Under the current epoch, and under the previous one, when a next grant is due.
  for (const now of [start, rotated]) {
    for (let asked = 0; asked <= requestMessageMax; asked++) {
      const request = await ask(peerKeys, new Uint8Array(asked), now);
      const seen = await opened(epochKeys, request.bytes, now);
      assertEquals(seen.cookieRight, false);
      const budget = seen.answerBytesMax;
      assertEquals(answerOverhead + budget, request.bytes.length);
      for (const said of [0, budget - 64, budget - 63, budget, budget + 1]) {
        const answer = await epochKeys.sealAnswer(seen, new Uint8Array(Math.max(0, said)));
        assert(answer.length <= request.bytes.length, `${said} bytes to ${asked}`);
      }
    }
  }
});

Deno.test("an answer too long without a cookie says that one is needed, and brings it", async () => {
  const { epochKeys, peerKeys } = await datagramWorld(new CountingEntropy(), start);
  const request = await ask(peerKeys, ping, start);
  const seen = await opened(epochKeys, request.bytes, start);
  const bytes = await epochKeys.sealAnswer(seen, new Uint8Array(1_000));
  const outcome = await peerKeys.openAnswer(request.pending, bytes, start);
  assertEquals(outcome, { kind: "answer", message: cookieNeededNotice, roundTripMs: 0 });
  const again = await ask(peerKeys, ping, start);
  const proven = await opened(epochKeys, again.bytes, start);
  assert(proven.cookieRight);
  const long = await epochKeys.sealAnswer(proven, new Uint8Array(1_000));
  assertEquals(long.length, 1_055);
});

Deno.test("with a right cookie answers fill a datagram, with room kept for a due next grant", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await roundTrip(world, ping, ping, start);
  const seen = await roundTrip(world, ping, ping, start);
  assertEquals(seen.answerBytesMax, 1_177);
  assertEquals((await world.epochKeys.sealAnswer(seen, new Uint8Array(1_177))).length, 1_232);
  await assertRejects(
    () => world.epochKeys.sealAnswer(seen, new Uint8Array(1_178)),
    InvariantError,
  );
  const now = later(start, hours(1));
  const late = await opened(world.epochKeys, (await ask(world.peerKeys, ping, now)).bytes, now);
  assert(late.cookieRight);
  assertEquals(late.answerBytesMax, 1_113);
  assertEquals((await world.epochKeys.sealAnswer(late, new Uint8Array(1_113))).length, 1_232);
});

Deno.test("with traffic every minute rotation cuts nothing off for a day", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  const epochs = new Set<string>();
  let withoutCookie = 0;
  for (let minute = 0; minute <= 24 * 60; minute++) {
    const now = later(start, minutes(minute));
    const request = await ask(world.peerKeys, ping, now);
    epochs.add(toHex(request.bytes.subarray(2, 10)));
    const seen = await opened(world.epochKeys, request.bytes, now);
    if (!seen.cookieRight) withoutCookie++;
    const bytes = await world.epochKeys.sealAnswer(seen, counted(1, 22));
    const outcome = await world.peerKeys.openAnswer(request.pending, bytes, now);
    assertEquals(outcome.kind, "answer", `minute ${minute}`);
  }
  // One epoch per hour, and one request without a cookie in each.
  assertEquals(epochs.size, 24);
  assertEquals(withoutCookie, 24);
});

Deno.test("asking once an hour, with answers lost now and then, is enough to be handed over", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  for (let round = 0; round < 48; round++) {
    const now = later(start, minutes(round * 55));
    for (const lost of [true, false]) {
      const request = await ask(world.peerKeys, ping, now);
      const seen = await opened(world.epochKeys, request.bytes, now);
      const bytes = await world.epochKeys.sealAnswer(seen, ping);
      if (!lost) await world.peerKeys.openAnswer(request.pending, bytes, now);
    }
  }
});

Deno.test("many requests at once each get their own answer", async () => {
  const world = await datagramWorld(new CountingEntropy(), start);
  await Promise.all(Array.from({ length: 64 }, async (_, i) => {
    const message = counted(i, 9);
    const request = await ask(world.peerKeys, message, start);
    const seen = await opened(world.epochKeys, request.bytes, start);
    assertEquals(seen.message, message);
    const bytes = await world.epochKeys.sealAnswer(seen, message);
    const outcome = await world.peerKeys.openAnswer(request.pending, bytes, start);
    assert(outcome.kind === "answer");
    assertEquals(outcome.message, message);
  }));
});

Deno.test("more peers than the cache holds are all still recognised", async () => {
  const { epochKeys, entropy } = await datagramWorld(new SeededEntropy([5]), start);
  const ask1 = async (id: Bytes) => {
    const node = nodeIdFromBytes(id);
    assert(node !== undefined);
    const peer = new PeerKeys(entropy);
    peer.adopt(await epochKeys.grantFor(node, start), start);
    const seen = await opened(epochKeys, (await ask(peer, ping, start)).bytes, start);
    assertEquals(seen.peerPrefix, toHex(id.subarray(0, 16)));
    return peer;
  };
  const early = await ask1(counted(1, 32));
  for (let i = 0; i < handleCacheMax; i++) {
    await ask1(concatBytes(encodeUint(i, 4), counted(0, 28)));
  }
  const again = await opened(epochKeys, (await ask(early, ping, start)).bytes, start);
  assertEquals(again.peerPrefix, toHex(counted(1, 16)));
});

Deno.test("no bytes make opening throw", async () => {
  const seed = [0x6570, 1, 2, 3];
  const prng = new Prng(seed);
  const { epochKeys, peerKeys } = await datagramWorld(new SeededEntropy(seed), start);
  const valid = (await ask(peerKeys, counted(0, 30), start, path)).bytes;
  let cases = 0;
  while (cases < 100_000) {
    const batch: Promise<void>[] = [];
    for (; batch.length < 500; cases++) {
      let bytes: Bytes;
      if (prng.below(3) === 0) {
        bytes = new Uint8Array(prng.below(200)).map(() => prng.below(256));
        if (prng.below(2) === 0) bytes.set(valid.subarray(0, Math.min(10, bytes.length)));
      } else {
        bytes = valid.slice(0, prng.below(4) === 0 ? prng.below(valid.length) : valid.length);
        for (let flips = prng.below(3); flips >= 0; flips--) {
          if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(256);
        }
      }
      const number = cases;
      batch.push(
        epochKeys.open(bytes, home, anybody, start).then((outcome) => {
          const unchanged = toHex(bytes) === toHex(valid);
          assertEquals(outcome.kind === "request", unchanged);
        }).catch((cause: unknown) => {
          throw new Error(`seed ${seed} case ${number}: ${toHex(bytes)}`, { cause });
        }),
      );
    }
    await Promise.all(batch);
  }
});
