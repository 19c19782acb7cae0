import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { CryptoGate } from "../../tests/sim/crypto_gate.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { sendingSocket } from "../../tests/fixtures/sending_socket.ts";
import type { Bytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { minutes, seconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { EpochKeys } from "../session/mod.ts";
import { type AnswerDatagram, decodeDatagram, encodeAnswerHeader } from "../wire/datagram.ts";
import { relayedBytesMax } from "../wire/limits.ts";
import {
  type AnswerMessage,
  decodeRequest,
  encodeAnswer,
  needsCookie,
  type RelayRequest,
} from "../wire/message.ts";
import { nodeIdPrefix } from "../wire/node_id.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { Asker } from "./asker.ts";
import { Background } from "./background.ts";
import { relayBurst, relaysMax, relayWait } from "./limits.ts";
import { type Peer, PeerTable } from "./peer.ts";
import { RelayedProbes } from "./relayed_probes.ts";

const selfId = idOf(1);
const selfAt = socketAddress(ip("10.0.0.1"), 7411);
const helperAt = socketAddress(ip("10.0.0.2"), 7411);
const targetAt = socketAddress(ip("10.0.0.3"), 7411);
const nothing: Bytes = new Uint8Array(0);

type Helper = (request: RelayRequest) => Promise<Bytes> | Bytes;

/** A node, a helper that does as a test says, and a target that answers whoever asks it. */
async function askingWorld(gate: CryptoGate) {
  const time = new VirtualTime(() => gate.quiet());
  const clock = new VirtualClock(time);
  const entropy = new SeededEntropy([1]);
  const counters = new Counters();
  const background = new Background((what, error) => {
    throw new Error(what, { cause: error });
  });
  const remote = (number: number) => EpochKeys.create(entropy, idOf(number), clock.monotonic());
  const [helperKeys, targetKeys] = [remote(2), remote(3)];
  const peers = new PeerTable(entropy);
  const meet = async (number: number, keys: EpochKeys, at: typeof selfAt): Promise<Peer> => {
    const peer = peers.open(idOf(number));
    peer.keys.adopt(await keys.grantFor(selfId, clock.monotonic()), clock.monotonic());
    peer.address = at;
    peers.link(peer);
    return peer;
  };
  const helper = await meet(2, helperKeys, helperAt);
  const target = await meet(3, targetKeys, targetAt);
  /** Whether each request that reached the target had a right cookie. */
  const cookies: boolean[] = [];
  const open = (keys: EpochKeys, bytes: Bytes, address: typeof selfAt) =>
    keys.open(bytes, { address, interfaceName: "eth0" }, () => true, clock.monotonic());
  const targetAnswers = async (bytes: Bytes, from: typeof selfAt): Promise<Bytes> => {
    const outcome = await open(targetKeys, bytes, from);
    if (outcome.kind !== "request") return nothing;
    cookies.push(outcome.request.cookieRight);
    const seen: AnswerMessage = { kind: "ping", seenIp: from.ip, seenPort: from.port };
    return await targetKeys.sealAnswer(outcome.request, encodeAnswer(seen));
  };
  const honest: Helper = ({ datagram }) => targetAnswers(datagram, helperAt);
  const state: { helper: Helper; asked: number } = { helper: honest, asked: 0 };
  const deliver = async (bytes: Bytes) => {
    const answer = decodeDatagram(bytes);
    if (!isDecodeError(answer) && answer.kind === "answer") await asker.handleAnswer(answer, bytes);
  };
  const hear = async (bytes: Bytes, to: typeof selfAt) => {
    if (to === targetAt) return await deliver(await targetAnswers(bytes, selfAt));
    const outcome = await open(helperKeys, bytes, selfAt);
    if (outcome.kind !== "request") return;
    const request = decodeRequest(outcome.request.message);
    if (isDecodeError(request) || request.kind !== "relay") return;
    state.asked++;
    const datagram = await state.helper(request);
    await deliver(
      await helperKeys.sealAnswer(outcome.request, encodeAnswer({ kind: "relay", datagram })),
    );
  };
  const socket = sendingSocket(selfAt, (bytes, to) => {
    background.own("hear", hear(bytes, to));
    return Promise.resolve(true);
  });
  const asker: Asker = new Asker(
    clock,
    counters,
    { socketTowards: () => socket, handleStranger: () => {} },
  );
  const relayed = new RelayedProbes({
    clock,
    counters,
    prng: new Prng([1]),
    asker,
    peers,
    socketTowards: () => socket,
    helpersFor: () => [helper],
  });
  /** Asks once; how many answers were believed. */
  const ask = async (): Promise<number> => {
    let answers = 0;
    const asking = relayed.ask(target, () => answers++);
    await time.advance(seconds(10));
    await asking;
    return answers;
  };
  return { asker, target, ask, state, honest, cookies, counters, targetAnswers, time };
}

Deno.test("an answer that a helper brings proves that the peer lives", async () => {
  using gate = CryptoGate.install();
  const { ask, state } = await askingWorld(gate);
  assertEquals([await ask(), state.asked], [1, 1]);
});

Deno.test("a helper that withholds, invents, repeats or confuses answers proves nothing", async () => {
  using gate = CryptoGate.install();
  const { ask, state, honest, counters } = await askingWorld(gate);
  const kept: Bytes[] = [];
  state.helper = async (request) => {
    const answer = await honest(request);
    kept.push(answer);
    return answer;
  };
  assertEquals(await ask(), 1);
  const [old] = kept;
  assert(old !== undefined);
  const lies: Record<string, Helper> = {
    "nothing": () => nothing,
    "an old answer": () => old,
    "the request": ({ datagram }) => datagram,
    "an invented answer": ({ replyTag }) => {
      const invented = new Uint8Array(80);
      invented.set(encodeAnswerHeader(replyTag, new Uint8Array(12)));
      return invented;
    },
    "an old answer under the new tag": ({ replyTag }) => {
      const turned = old.slice();
      turned.set(replyTag, 2);
      return turned;
    },
    "a changed answer": async (request) => {
      const changed = (await honest(request)).slice();
      const last = changed.length - 1;
      changed[last] = (changed[last] ?? 0) ^ 1;
      return changed;
    },
    "bytes of no kind": () => new Uint8Array(200),
  };
  for (const [lie, helper] of Object.entries(lies)) {
    state.helper = helper;
    assertEquals(await ask(), 0, lie);
  }
  assertEquals(counters.of("relayed answer seal"), 3);
  assertEquals(counters.of("relayed answer to another request"), 1);
  assertEquals(counters.of("relayed not an answer"), 1);
});

Deno.test("what others carry bears no cookie and leaves those of the own path alone", async () => {
  using gate = CryptoGate.install();
  const { asker, target, ask, cookies, time } = await askingWorld(gate);
  const direct = async () => {
    const asking = asker.ask(target, { kind: "ping" });
    await time.advance(seconds(5));
    assertEquals((await asking).kind, "answer");
  };
  await direct();
  await direct();
  await ask();
  await ask();
  await direct();
  assertEquals(cookies, [false, true, false, false, true]);
});

/** A helper with links to two peers, one that asks and one that is asked for, and one without link. */
function helpingWorld() {
  const time = new VirtualTime();
  const clock = new VirtualClock(time);
  const counters = new Counters();
  const entropy = new SeededEntropy([2]);
  const peers = new PeerTable(entropy);
  const meet = (number: number, isLinked = true): Peer => {
    const peer = peers.open(idOf(number));
    peer.address = socketAddress(ip(`10.0.0.${number}`), 7411);
    if (isLinked) peers.link(peer);
    return peer;
  };
  const [from, target, unlinked] = [meet(4), meet(5), meet(6, false)];
  const sent: { readonly bytes: Bytes; readonly to: string }[] = [];
  const socket = sendingSocket(selfAt, (bytes, to) => {
    sent.push({ bytes, to: to.ip });
    return Promise.resolve(true);
  });
  const asker = new Asker(clock, counters, {
    socketTowards: () => socket,
    handleStranger: () => {},
  });
  const relayed = new RelayedProbes({
    clock,
    counters,
    prng: new Prng([2]),
    asker,
    peers,
    socketTowards: () => socket,
    helpersFor: () => [],
  });
  let nextTag = 0;
  const request = (to: Peer): RelayRequest => {
    const datagram = new Uint8Array(128);
    datagram.set([1, 1]);
    const replyTag = new Uint8Array(8);
    new DataView(replyTag.buffer).setUint32(0, nextTag++);
    return { kind: "relay", to: nodeIdPrefix(to.id), replyTag, datagram };
  };
  return { relayed, from, target, unlinked, sent, counters, request, time, meet };
}

function answerTo({ replyTag }: RelayRequest, length = 70): [AnswerDatagram, Bytes] {
  const bytes = new Uint8Array(length);
  bytes.set(encodeAnswerHeader(replyTag, new Uint8Array(12)));
  const answer = decodeDatagram(bytes);
  assert(!isDecodeError(answer) && answer.kind === "answer");
  return [answer, bytes];
}

Deno.test("a helper sends on to its links only, and brings back what comes from there", async () => {
  const { relayed, from, target, unlinked, sent, counters, request } = helpingWorld();
  const asked = request(target);
  const relaying = relayed.relay(from, asked);
  assertEquals(sent, [{ bytes: asked.datagram, to: "10.0.0.5" }]);
  const [answer, bytes] = answerTo(asked);
  assert(target.address !== undefined && from.address !== undefined);
  assertEquals(relayed.handleAnswer(answer, bytes, from.address), false, "from elsewhere");
  assertEquals(relayed.handleAnswer(answer, bytes, target.address), true);
  assertEquals(await relaying, bytes);
  assertEquals(relayed.handleAnswer(answer, bytes, target.address), false, "it is over");
  for (const peer of [unlinked, from]) {
    assertEquals(await relayed.relay(from, request(peer)), nothing);
  }
  assertEquals(counters.of("not relayed: no link there"), 2);
  const odd = request(target);
  odd.datagram.set([1, 2]);
  assertEquals(await relayed.relay(from, odd), nothing);
  assertEquals(counters.of("not relayed: no request"), 1);
  assertEquals(sent.length, 1);
});

Deno.test("a helper waits a second, and for each asker it sends on so much and no more", async () => {
  const { relayed, from, target, sent, counters, request, time } = helpingWorld();
  const relaying = Array.from(
    { length: 3 * relayBurst },
    () => relayed.relay(from, request(target)),
  );
  assertEquals(sent.length, relayBurst);
  assertEquals(counters.of("not relayed: over its budget"), 2 * relayBurst);
  await time.advance(relayWait);
  assertEquals(new Set(await Promise.all(relaying)), new Set([nothing]));
  // Another asker is served as if there were none.
  const other = relayed.relay(target, request(from));
  assertEquals(sent.length, relayBurst + 1);
  await time.advance(relayWait);
  await other;
});

Deno.test("a second try under way is sent on again and shares the answer; another's tag is not taken", async () => {
  const { relayed, from, target, sent, counters, request, meet } = helpingWorld();
  const asked = request(target);
  const first = relayed.relay(from, asked);
  const second = relayed.relay(from, asked);
  assertEquals(
    await relayed.relay(target, { ...request(from), replyTag: asked.replyTag }),
    nothing,
  );
  const elsewhere = { ...request(meet(7)), replyTag: asked.replyTag };
  assertEquals(await relayed.relay(from, elsewhere), nothing, "nor for another peer");
  assertEquals(counters.of("not relayed: reply tag taken"), 2);
  assertEquals(sent.length, 2);
  const [answer, bytes] = answerTo(asked);
  assert(target.address !== undefined);
  // What is too long to be an answer to so short a request is not passed on.
  const [long, tooLong] = answerTo(asked, relayedBytesMax + 1);
  assertEquals(relayed.handleAnswer(long, tooLong, target.address), true);
  relayed.handleAnswer(answer, bytes, target.address);
  assertEquals(await Promise.all([first, second]), [bytes, bytes]);
});

Deno.test("what is sent on and unanswered has a limit, however many ask", async () => {
  const { relayed, target, counters, request, time, meet, sent } = helpingWorld();
  const askers = Array.from({ length: relaysMax / relayBurst + 1 }, (_, i) => meet(20 + i));
  const under = askers.flatMap((asker) =>
    Array.from({ length: relayBurst }, () => relayed.relay(asker, request(target)))
  );
  assertEquals(sent.length, relaysMax);
  assertEquals(counters.of("not relayed: too many"), relayBurst);
  await time.advance(minutes(1));
  await Promise.all(under);
});

Deno.test("a relay is never relayed on, for it needs a cookie", () => {
  const { request, target } = helpingWorld();
  assertEquals(needsCookie(request(target)), true);
});
