import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { DecodeError } from "../base/decode.ts";
import { later, milliseconds, seconds } from "../base/instant.ts";
import {
  type AnswerDatagram,
  decodeDatagram,
  encodeWhoAreYou,
  type WhoAreYouDatagram,
} from "../wire/datagram.ts";
import { counted } from "../../tests/fixtures/bytes.ts";
import {
  ask,
  type DatagramWorld,
  datagramWorld,
  opened,
  start,
} from "../../tests/fixtures/datagram_world.ts";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { pendingRepliesMax } from "./limits.ts";
import { PendingReplies } from "./pending_replies.ts";

const ping = counted(0x81, 1);
const deadline = later(start, milliseconds(500));

function asAnswer(bytes: Bytes): AnswerDatagram {
  const decoded = decodeDatagram(bytes);
  assert(!(decoded instanceof DecodeError) && decoded.kind === "answer");
  return decoded;
}

function whoAreYou(nonce: Uint8Array): WhoAreYouDatagram {
  const decoded = decodeDatagram(encodeWhoAreYou(nonce));
  assert(!(decoded instanceof DecodeError) && decoded.kind === "who-are-you");
  return decoded;
}

async function answerTo(world: DatagramWorld, bytes: Bytes): Promise<AnswerDatagram> {
  const seen = await opened(world.epochKeys, bytes, start);
  return asAnswer(await world.epochKeys.sealAnswer(seen, ping));
}

Deno.test("an answer finds what waits for it; only settling ends the wait", async () => {
  const world = await datagramWorld(new SeededEntropy([1]), start);
  const counters = new Counters();
  const replies = new PendingReplies<string>(counters);
  const { bytes, pending } = await ask(world.peerKeys, ping, start);
  const answer = await answerTo(world, bytes);
  assertEquals(replies.handleAnswer(answer), undefined);
  assertEquals(counters.of("answer to nothing"), 1);
  assert(replies.expect(pending, "peer", "probe 1", deadline));
  assertEquals(replies.handleAnswer(answer)?.waiting, "probe 1");
  assertEquals(replies.handleAnswer(answer)?.waiting, "probe 1");
  assertEquals(replies.settle(pending)?.waiting, "probe 1");
  assertEquals(replies.settle(pending), undefined);
  assertEquals(replies.handleAnswer(answer), undefined);
  assertEquals(replies.handleWhoAreYou(whoAreYou(bytes.subarray(34, 46)), start), undefined);
  assertEquals(replies.size, 0);
  assertEquals(replies.nextTimeout(), undefined);
});

Deno.test("a forged who-are-you is counted and ignored", async () => {
  const world = await datagramWorld(new SeededEntropy([2]), start);
  const counters = new Counters();
  const replies = new PendingReplies<string>(counters);
  const { pending } = await ask(world.peerKeys, ping, start);
  replies.expect(pending, "peer", "probe", deadline);
  for (let i = 0; i < 5; i++) {
    assertEquals(replies.handleWhoAreYou(whoAreYou(counted(i, 12)), start), undefined);
  }
  assertEquals(counters.of("who-are-you to nothing"), 5);
  assertEquals(replies.size, 1);
});

Deno.test("a who-are-you asks for an exchange at most every 10 s per peer, and ends no wait", async () => {
  const world = await datagramWorld(new SeededEntropy([3]), start);
  const replies = new PendingReplies<string>(new Counters());
  const asked: [number, string, boolean][] = [
    [0, "a", true],
    [0, "a", false],
    [0, "b", true],
    [9_999, "a", false],
    [10_000, "a", true],
    [10_001, "b", true],
    [15_000, "a", false],
  ];
  for (const [after, peer, expected] of asked) {
    const now = later(start, milliseconds(after));
    const { bytes, pending } = await ask(world.peerKeys, ping, now);
    replies.expect(pending, peer, "probe", later(now, seconds(60)));
    const effect = replies.handleWhoAreYou(whoAreYou(bytes.subarray(34, 46)), now);
    assertEquals(effect?.authenticate, expected, `${peer} after ${after}`);
    assertEquals(effect?.sent, pending);
  }
  assertEquals(replies.size, asked.length);
});

Deno.test("waits end at their deadlines and are told once", async () => {
  const world = await datagramWorld(new SeededEntropy([4]), start);
  const replies = new PendingReplies<number>(new Counters());
  const pendings = [];
  for (const after of [300, 100, 200]) {
    const { pending } = await ask(world.peerKeys, ping, start);
    replies.expect(pending, "peer", after, later(start, milliseconds(after)));
    pendings.push(pending);
  }
  assertEquals(replies.nextTimeout(), later(start, milliseconds(100)));
  assertEquals(replies.handleTimeout(later(start, milliseconds(99))), []);
  const [, second] = pendings;
  assert(second !== undefined);
  replies.settle(second);
  const due = replies.handleTimeout(later(start, milliseconds(250)));
  assertEquals(due.map((request) => request.waiting), [200]);
  assertEquals(replies.nextTimeout(), later(start, milliseconds(300)));
  assertEquals(replies.handleTimeout(later(start, milliseconds(300))).length, 1);
  assertEquals(replies.handleTimeout(later(start, milliseconds(300))), []);
  assertEquals(replies.nextTimeout(), undefined);
});

Deno.test("all waits for a peer can be ended at once", async () => {
  const world = await datagramWorld(new SeededEntropy([5]), start);
  const replies = new PendingReplies<number>(new Counters());
  for (let i = 0; i < 6; i++) {
    const { pending } = await ask(world.peerKeys, ping, start);
    replies.expect(pending, i % 2 === 0 ? "even" : "odd", i, deadline);
  }
  assertEquals(replies.abandon("even").map((request) => request.waiting), [0, 2, 4]);
  assertEquals(replies.size, 3);
});

Deno.test("when too many wait the next is refused and counted", async () => {
  const world = await datagramWorld(new SeededEntropy([6]), start);
  const counters = new Counters();
  const replies = new PendingReplies<number>(counters);
  for (let i = 0; i < pendingRepliesMax; i++) {
    const { pending } = await ask(world.peerKeys, ping, start);
    assert(replies.expect(pending, "peer", i, deadline));
  }
  const { pending } = await ask(world.peerKeys, ping, start);
  assertEquals(replies.expect(pending, "peer", 0, deadline), false);
  assertEquals(counters.of("pending replies full"), 1);
  assertEquals(replies.size, pendingRepliesMax);
});
