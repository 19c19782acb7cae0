import { assert, assertEquals } from "@std/assert";
import {
  ask,
  askerId,
  datagramWorld,
  home,
  path,
  sourceAt,
} from "../../tests/fixtures/datagram_world.ts";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { sendingSocket } from "../../tests/fixtures/sending_socket.ts";
import type { Bytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { hours, later, milliseconds, minutes } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import type { PendingReply } from "../session/mod.ts";
import { encodeCbor } from "../wire/cbor.ts";
import { allKinds, lowestBound } from "../wire/key_range.ts";
import { prefixHexOf } from "../wire/links.ts";
import { type AnswerMessage, decodeAnswer, encodeRequest, noticeCodes } from "../wire/message.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import { Asker } from "./asker.ts";
import { Background } from "./background.ts";
import { Lateness } from "./lateness.ts";
import { Dispatch } from "./dispatch.ts";
import { PeerTable } from "./peer.ts";

const elsewhere = sourceAt("192.0.2.99", 7411).address;
const nonce = new Uint8Array(16).fill(4);

/** One peer that asks a node; what the node did for it, and what it sent where. */
async function world() {
  const time = new VirtualTime();
  const clock = new VirtualClock(time);
  const entropy = new SeededEntropy([1]);
  const { epochKeys, peerKeys } = await datagramWorld(entropy, clock.monotonic());
  const troubles: string[] = [];
  const background = new Background((what, error) => troubles.push(`${what}: ${error}`));
  const counters = new Counters();
  const peer = new PeerTable(entropy).open(askerId);
  peer.address = home.address;
  const done: string[] = [];
  /** `timePerLook`: how far the clock of this busy process moves whenever it looks at it, in ms. */
  const state = { admits: true, mayMove: true, timePerLook: 0 };
  const nothing = () => {};
  const asker = new Asker(
    clock,
    counters,
    { socketTowards: () => undefined, handleStranger: nothing },
  );
  const lateness = new Lateness();
  let looks = 0;
  const busyClock: Clock = {
    monotonic: () => later(clock.monotonic(), milliseconds(state.timePerLook * looks++)),
    wall: () => clock.wall(),
    wait: (until, signal) => clock.wait(until, signal),
  };
  const dispatch = new Dispatch(busyClock, counters, background, epochKeys, asker, lateness, {
    admits: (prefix) => state.admits && prefix === prefixHexOf(askerId),
    peerOf: () => peer,
    handleHeard: () => void done.push("heard"),
    mayMove: () => state.mayMove,
    answerProbe: (probe) => Promise.resolve(probe),
    answerCompare: (_peer, _compare, bytesMax) => {
      done.push(`compare within ${bytesMax > 1_000 ? "a datagram" : "the request's size"}`);
      return Promise.resolve({ kind: "fetch", records: [] });
    },
    answerFetch: () => ({ kind: "fetch", records: [] }),
    handleOffers: (_, offers) => void done.push(`${offers.length} offers`),
    handleUnread: () => void done.push("unread"),
    handlePushed: (_, records) => {
      done.push(`${records.length} pushed`);
      return Promise.resolve(records.length);
    },
    handleLeaving: () => void done.push("leaving"),
    handleRestarting: () => void done.push("restarting"),
    handleLetGo: () => void done.push("let go"),
    relay: () => Promise.resolve(new Uint8Array(0)),
    handleRelayed: () => false,
  });
  const sent: { readonly bytes: Bytes; readonly to: SocketAddress }[] = [];
  const socket = sendingSocket(home.address, (bytes, to) => {
    sent.push({ bytes, to });
    return Promise.resolve(true);
  }, home.interfaceName);
  const hand = async (bytes: Bytes, from: SocketAddress = home.address) => {
    sent.length = 0;
    dispatch.handleDatagram({ bytes, from }, socket);
    await background.settled();
    assertEquals(troubles, []);
  };
  const open = async (pending: PendingReply): Promise<AnswerMessage> => {
    const [answer] = sent;
    assert(answer !== undefined, "there is an answer");
    const outcome = await peerKeys.openAnswer(pending, answer.bytes, clock.monotonic());
    assert(outcome.kind === "answer", JSON.stringify(outcome));
    const message = decodeAnswer(outcome.message);
    assert(!isDecodeError(message));
    return message;
  };
  const seal = (message: Bytes, by = path) => ask(peerKeys, message, clock.monotonic(), by);
  /** Seals a tell; there has been a round trip on the path. */
  const tell = async (message: Bytes, by = path): Promise<Bytes> => {
    const sealed = await peerKeys.sealTell(message, by, clock.monotonic());
    assert(sealed !== undefined);
    return sealed.bytes;
  };
  /** One round trip. */
  const request = async (message: Bytes, from = home.address, by = path) => {
    const { bytes, pending } = await seal(message, by);
    await hand(bytes, from);
    return await open(pending);
  };
  return {
    time,
    clock,
    peer,
    done,
    state,
    counters,
    lateness,
    sent,
    hand,
    open,
    seal,
    epochKeys,
    tell,
    request,
  };
}

const cookieNeeded = { kind: "notice", code: noticeCodes.cookieNeeded, value: 0 } as const;

Deno.test("what changes state is done once the cookie is right, and not before", async () => {
  const { request, done } = await world();
  const changes = [
    [encodeRequest({ kind: "leaving", bootNonce: nonce }), "leaving"],
    [encodeRequest({ kind: "restarting", bootNonce: nonce }), "restarting"],
    [encodeRequest({ kind: "letGo", exchangeHash: new Uint8Array(32) }), "let go"],
    [encodeRequest({ kind: "push", records: [new Uint8Array(9)] }), "1 pushed"],
    [encodeRequest({ kind: "offer", offers: [] }), "0 offers"],
  ] as const;
  // Each from an address of its own, of which the first request carries no cookie.
  for (const [i, [message, effect]] of changes.entries()) {
    const from = { ...home.address, port: 1_000 + i };
    assertEquals(await request(message, from, `path ${i}`), cookieNeeded);
    assert(!done.includes(effect), effect);
    assert((await request(message, from, `path ${i}`)).kind !== "notice");
    assertEquals(done.filter((one) => one === effect).length, 1);
  }
});

Deno.test("a datagram that is seen twice is answered twice and done once", async () => {
  const { request, seal, hand, open, done, sent } = await world();
  const leaving = encodeRequest({ kind: "leaving", bootNonce: nonce });
  await request(leaving);
  const { bytes, pending } = await seal(leaving);
  await hand(bytes);
  const [first] = [...sent];
  await hand(bytes);
  const [second] = sent;
  assert(first !== undefined && second !== undefined);
  assert(first.bytes.toHex() !== second.bytes.toHex(), "never twice under one nonce");
  assertEquals(await open(pending), { kind: "leaving" });
  assertEquals(done.filter((one) => one === "leaving").length, 1);
});

Deno.test("records pushed in a datagram that is seen twice are taken once", async () => {
  const { request, seal, hand, open, done } = await world();
  const push = encodeRequest({ kind: "push", records: [new Uint8Array(9)] });
  await request(encodeRequest({ kind: "ping" }));
  const { bytes, pending } = await seal(push);
  await hand(bytes);
  await hand(bytes);
  assertEquals(await open(pending), { kind: "push", accepted: 0 });
  assertEquals(done.filter((one) => one === "1 pushed").length, 1);
});

Deno.test("a cookie is right at its own address and interface only", async () => {
  const { request, done } = await world();
  const leaving = encodeRequest({ kind: "leaving", bootNonce: nonce });
  await request(leaving);
  assertEquals(await request(leaving, elsewhere), cookieNeeded);
  assert(!done.includes("leaving"));
});

Deno.test("a peer is sought where its cookie proves that it receives, if it may move", async () => {
  const { request, peer, state } = await world();
  const ping = encodeRequest({ kind: "ping" });
  await request(ping, elsewhere, "new path");
  assertEquals(peer.address, home.address);
  state.mayMove = false;
  await request(ping, elsewhere, "new path");
  assertEquals(peer.address, home.address);
  state.mayMove = true;
  await request(ping, elsewhere, "new path");
  assertEquals(peer.address, elsewhere);
});

Deno.test("a replay from where a peer was does not bring it back there", async () => {
  const { request, seal, hand, peer, state } = await world();
  const ping = encodeRequest({ kind: "ping" });
  await request(ping);
  const { bytes } = await seal(ping);
  await hand(bytes);
  await request(ping, elsewhere, "new path");
  state.mayMove = true;
  await request(ping, elsewhere, "new path");
  assertEquals(peer.address, elsewhere);
  await hand(bytes);
  assertEquals(peer.address, elsewhere);
});

Deno.test("a ping tells the asker where it is seen", async () => {
  const { request } = await world();
  const answer = await request(encodeRequest({ kind: "ping" }), elsewhere);
  assertEquals(answer, { kind: "ping", seenIp: elsewhere.ip, seenPort: elsewhere.port });
});

Deno.test("without a cookie no answer is longer than its request", async () => {
  const { request, done, sent, seal, hand } = await world();
  const range = { low: lowestBound, high: undefined, fingerprint: new Uint8Array(16) };
  const compare = encodeRequest({ kind: "compare", kinds: allKinds, ranges: [range], held: 0 });
  const { bytes } = await seal(compare);
  await hand(bytes);
  assert((sent[0]?.bytes.length ?? 0) <= bytes.length);
  assert(!done.includes("compare within a datagram"), done.join());
  await request(encodeRequest({ kind: "ping" }));
  await request(compare);
  assert(done.includes("compare within a datagram"), done.join());
});

Deno.test("a message of another version of this program is named back, a senseless one is refused", async () => {
  const { request, counters } = await world();
  assertEquals(await request(encodeCbor([77, 1])), {
    kind: "notice",
    code: noticeCodes.messageUnknown,
    value: 77,
  });
  assertEquals(await request(Uint8Array.of(0xff)), {
    kind: "notice",
    code: noticeCodes.messageUnknown,
    value: 0,
  });
  const reasons = Object.keys(counters.snapshot());
  assertEquals(reasons.filter((reason) => reason.startsWith("request: ")).length, 2);
});

Deno.test("who is not admitted gets nothing, not even a refusal", async () => {
  const { seal, hand, sent, done, state, counters } = await world();
  state.admits = false;
  await hand((await seal(encodeRequest({ kind: "ping" }))).bytes);
  assertEquals([sent.length, done], [0, []]);
  assertEquals(Object.values(counters.snapshot()), [1]);
});

Deno.test("an epoch that is over is answered by fourteen bytes that echo the request's nonce", async () => {
  const { time, clock, seal, hand, sent, epochKeys } = await world();
  await time.advance(hours(3));
  // The first request after that long makes the new epoch; the old one's name is then unknown.
  const { bytes } = await seal(encodeRequest({ kind: "ping" }));
  await hand(bytes);
  const [answer] = sent;
  assert(answer !== undefined);
  assertEquals(answer.bytes.toHex(), `0103${bytes.slice(34, 46).toHex()}`);
  // The new epoch is ready before the test ends.
  await epochKeys.grantFor(askerId, clock.monotonic());
});

Deno.test("a request from another time is told ours, and changes nothing", async () => {
  const { time, seal, hand, sent, done } = await world();
  const { bytes } = await seal(encodeRequest({ kind: "ping" }));
  await time.advance(minutes(2));
  await hand(bytes);
  assertEquals([sent.length, done], [1, []]);
});

Deno.test("whatever else arrives is counted and dropped", async () => {
  const { hand, sent, done, counters, seal } = await world();
  const prng = new Prng([7]);
  const { bytes } = await seal(encodeRequest({ kind: "ping" }));
  let handed = 0;
  for (let i = 0; i < 2_000; i++) {
    const junk = prng.below(2) === 0
      ? new Uint8Array(prng.below(200)).map(() => prng.below(256))
      : bytes.slice(0, prng.below(bytes.length));
    if (junk.length > 1) junk[prng.below(junk.length)] = prng.below(256);
    await hand(junk);
    handed++;
    // A who-are-you is all that may come back, and only for a request of full length.
    for (const { bytes: answer } of sent) assertEquals(answer.length, 14);
  }
  assertEquals(done, []);
  const counted = Object.values(counters.snapshot()).reduce((sum, count) => sum + count, 0);
  assertEquals(counted, handed);
});

Deno.test("what is told is done once and never answered", async () => {
  const { request, tell, hand, done, sent, counters, peer } = await world();
  await request(encodeRequest({ kind: "ping" }));
  done.length = 0;
  const offers = await tell(encodeRequest({ kind: "offer", offers: [] }));
  await hand(offers);
  assertEquals([done, sent], [["heard", "0 offers"], []]);
  await hand(offers);
  await hand(offers, elsewhere);
  await hand(await tell(encodeRequest({ kind: "push", records: [new Uint8Array(9)] })));
  assertEquals(done, ["heard", "0 offers", "unread", "heard", "1 pushed"]);
  assertEquals(sent, []);
  assertEquals(counters.snapshot(), { "tell seen before": 1, "tell from elsewhere": 1 });
  assertEquals(peer.address, home.address);
});

Deno.test("a tell shows where the peer receives, as a request does", async () => {
  const { request, tell, hand, peer, state } = await world();
  await request(encodeRequest({ kind: "ping" }));
  const message = encodeRequest({ kind: "offer", offers: [] });
  peer.address = elsewhere;
  state.mayMove = false;
  await hand(await tell(message));
  assertEquals(peer.address, elsewhere);
  state.mayMove = true;
  await hand(await tell(message));
  assertEquals(peer.address, home.address);
});

Deno.test("nothing but offers and records is told", async () => {
  const { request, tell, hand, done, sent, counters } = await world();
  await request(encodeRequest({ kind: "ping" }));
  done.length = 0;
  for (
    const message of [
      encodeRequest({ kind: "leaving", bootNonce: nonce }),
      encodeRequest({ kind: "fetch", keys: [] }),
      encodeRequest({ kind: "ping" }),
      encodeCbor([99]),
      new Uint8Array(3),
    ]
  ) await hand(await tell(message));
  assertEquals([done, sent], [["heard", "heard", "heard"], []]);
  assertEquals(counters.of("tell of what is to be asked"), 3);
  assertEquals(counters.of("tell: message number unknown"), 1);
});

Deno.test("a tell from outside the window makes us look, and says nothing", async () => {
  const { time, request, tell, hand, done, sent, counters } = await world();
  await request(encodeRequest({ kind: "ping" }));
  const early = await tell(encodeRequest({ kind: "offer", offers: [] }));
  await time.advance(minutes(1));
  done.length = 0;
  await hand(early);
  assertEquals([done, sent], [["unread"], []]);
  assertEquals(counters.snapshot(), { "tell outside window": 1 });
});

Deno.test("a tell of a past epoch is asked who it is; one of a peer not admitted is not", async () => {
  const { time, clock, state, request, tell, hand, sent, done, epochKeys } = await world();
  await request(encodeRequest({ kind: "ping" }));
  const offers = await tell(encodeRequest({ kind: "offer", offers: [] }));
  done.length = 0;
  state.admits = false;
  await hand(offers);
  assertEquals(sent, []);
  await time.advance(hours(3));
  await hand(offers);
  const [answer] = sent;
  assertEquals(answer?.bytes, new Uint8Array([1, 3, ...offers.subarray(34, 46)]));
  assertEquals(done, []);
  // The new epoch is ready before the test ends.
  await epochKeys.grantFor(askerId, clock.monotonic());
});

Deno.test("how long a datagram takes to be opened is how late this process runs", async () => {
  const { clock, lateness, state, request } = await world();
  await request(encodeRequest({ kind: "ping" }));
  assertEquals(lateness.at(clock.monotonic()), milliseconds(0));
  state.timePerLook = 500;
  await request(encodeRequest({ kind: "ping" }));
  assert(lateness.isLate(clock.monotonic()));
});
