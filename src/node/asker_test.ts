import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { CryptoGate } from "../../tests/sim/crypto_gate.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { sendingSocket } from "../../tests/fixtures/sending_socket.ts";
import { type Bytes, toHex } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { type Duration, hours, instant, milliseconds, minutes, seconds } from "../base/instant.ts";
import { EpochKeys } from "../session/mod.ts";
import { decodeDatagram, encodeWhoAreYou } from "../wire/datagram.ts";
import {
  type AnswerMessage,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  needsCookie,
  noticeCodes,
  type RequestMessage,
} from "../wire/message.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { Asker, type AskOptions, type AskOutcome } from "./asker.ts";
import { askBackoff, askTries, askWait } from "./limits.ts";
import { PeerTable } from "./peer.ts";

const selfId = idOf(1);
const peerId = idOf(2);
const here = socketAddress(ip("10.0.0.1"), 7411);
const there = socketAddress(ip("10.0.0.2"), 7411);
const pong: AnswerMessage = { kind: "ping", seenIp: here.ip, seenPort: here.port };
const ping: RequestMessage = { kind: "ping" };
const leaving: RequestMessage = { kind: "leaving", bootNonce: new Uint8Array(16) };

/** What the remote end does with a request: an answer, or nothing. */
type Remote = (request: RequestMessage, cookieRight: boolean) => AnswerMessage | undefined;

/** An asker, and a peer on another clock that answers across a path that takes its time. */
async function pair(gate: CryptoGate, remote: Remote) {
  const time = new VirtualTime(() => gate.quiet());
  const clock = new VirtualClock(time);
  const farClock = new VirtualClock(time, { monotonicOrigin: instant(77_000_000) });
  const entropy = new SeededEntropy([1]);
  const counters = new Counters();
  const strangers: string[] = [];
  const told: string[] = [];
  const state = { delay: milliseconds(1), sends: 0, isRefused: false, hasSocket: true, told };
  let farKeys = EpochKeys.create(entropy, peerId, farClock.monotonic());
  const toAsker = (bytes: Bytes) => {
    time.after(state.delay, () => {
      const datagram = decodeDatagram(bytes);
      assert(!isDecodeError(datagram));
      if (datagram.kind === "who-are-you") asker.handleWhoAreYou(datagram);
      else if (datagram.kind === "answer") {
        asker.handleAnswer(datagram, bytes).catch((error: unknown) => counters.count(`${error}`));
      }
    });
  };
  const far = async (bytes: Bytes) => {
    const from = { address: here, interfaceName: "eth0" };
    const opened = await farKeys.open(bytes, from, () => true, farClock.monotonic());
    if (opened.kind === "unknown-epoch" || opened.kind === "stale") return toAsker(opened.answer);
    if (opened.kind === "tell") return void state.told.push(toHex(opened.tell.message));
    if (opened.kind !== "request") return counters.count(`remote: ${opened.reason}`);
    const request = decodeRequest(opened.request.message);
    assert(!isDecodeError(request));
    const answer = needsCookie(request) && !opened.request.cookieRight
      ? { kind: "notice" as const, code: noticeCodes.cookieNeeded, value: 0 }
      : remote(request, opened.request.cookieRight);
    if (answer === undefined) return;
    toAsker(await farKeys.sealAnswer(opened.request, encodeAnswer(answer)));
  };
  const socket = sendingSocket(here, (bytes) => {
    state.sends++;
    if (state.isRefused) return Promise.resolve(false);
    time.after(state.delay, () => {
      far(bytes).catch((error: unknown) => counters.count(`remote: ${error}`));
    });
    return Promise.resolve(true);
  });
  const asker = new Asker(clock, counters, {
    socketTowards: () => state.hasSocket ? socket : undefined,
    handleStranger: (peer) => void strangers.push(peer.id),
  });
  const peer = new PeerTable(entropy).open(peerId);
  peer.address = there;
  const adopt = async (wrongBy: Duration = milliseconds(0)) => {
    const grant = await farKeys.grantFor(selfId, farClock.monotonic());
    peer.keys.adopt({ ...grant, time: grant.time + wrongBy }, clock.monotonic());
  };
  await adopt();
  const ask = async (
    request: RequestMessage,
    options: AskOptions = {},
    limit: Duration = seconds(60),
  ): Promise<AskOutcome & { readonly tookMs: number }> => {
    let outcome: AskOutcome | undefined;
    const begun = time.now;
    asker.ask(peer, request, options).then((ended) => {
      outcome = ended;
    }, (error: unknown) => counters.count(`${error}`));
    assert(await time.advanceUntil(() => outcome !== undefined, limit), "the asking ends");
    assert(outcome !== undefined);
    return { ...outcome, tookMs: time.now - begun };
  };
  const restartPeer = () => {
    farKeys = EpochKeys.create(entropy, peerId, farClock.monotonic());
  };
  return { time, clock, peer, asker, ask, state, counters, strangers, adopt, restartPeer, toAsker };
}

Deno.test("an answer ends the asking, with the time that its own try took", async () => {
  using gate = CryptoGate.install();
  const { ask, state } = await pair(gate, () => pong);
  const outcome = await ask(ping);
  assertEquals(outcome, { kind: "answer", answer: pong, roundTripMs: 2, tookMs: 2 });
  assertEquals(state.sends, 1);
});

Deno.test("silence is tried as often as asked, each time more patiently, and then told", async () => {
  using gate = CryptoGate.install();
  const { ask, state, asker } = await pair(gate, () => undefined);
  const outcome = await ask(ping, { tries: 3, wait: milliseconds(200) });
  assertEquals(outcome, { kind: "silent", tookMs: 200 + 300 + 450 });
  assertEquals(state.sends, 3);
  const growth = (askBackoff ** askTries - 1) / (askBackoff - 1);
  assertEquals((await ask(ping)).tookMs, growth * askWait);
  assertEquals(asker.nextTimeout(), undefined);
});

Deno.test("the answer to an earlier try counts while a later one waits", async () => {
  using gate = CryptoGate.install();
  const { ask, state } = await pair(gate, () => pong);
  state.delay = milliseconds(600);
  const outcome = await ask(ping);
  assert(outcome.kind === "answer");
  assertEquals([outcome.roundTripMs, outcome.tookMs, state.sends], [1_200, 1_200, 2]);
});

Deno.test("a missing cookie is asked for once and costs no try", async () => {
  using gate = CryptoGate.install();
  const { ask, state } = await pair(gate, () => ({ kind: "leaving" }));
  const first = await ask(leaving, { tries: 1 });
  assertEquals(first, { kind: "answer", answer: { kind: "leaving" }, roundTripMs: 2, tookMs: 4 });
  assertEquals(state.sends, 2);
  await ask(leaving, { tries: 1 });
  assertEquals(state.sends, 3);
});

Deno.test("a peer that never has cookies enough is given up", async () => {
  using gate = CryptoGate.install();
  const notice = { kind: "notice", code: noticeCodes.cookieNeeded, value: 0 } as const;
  const { ask, state } = await pair(gate, () => notice);
  assertEquals((await ask(ping, { tries: 2 })).kind, "silent");
  assertEquals(state.sends, 5);
});

Deno.test("a peer whose clock ran off is asked again with its time", async () => {
  using gate = CryptoGate.install();
  const { ask, state, adopt } = await pair(gate, () => pong);
  // What we believe of its clock is wrong by an hour.
  await adopt(hours(1));
  const outcome = await ask(ping, { tries: 1 });
  assertEquals([outcome.kind, outcome.tookMs, state.sends], ["answer", 4, 2]);
});

Deno.test("who-are-yous bring one authentication in ten seconds, and give up no key", async () => {
  using gate = CryptoGate.install();
  const { ask, strangers, restartPeer, adopt } = await pair(gate, () => pong);
  restartPeer();
  assertEquals((await ask(ping)).kind, "silent");
  assertEquals(strangers, [peerId]);
  await ask(ping, { tries: 6 });
  assertEquals(strangers.length, 2);
  await adopt();
  assertEquals((await ask(ping)).kind, "answer");
});

Deno.test("a who-are-you that echoes no request of ours is counted and means nothing", async () => {
  using gate = CryptoGate.install();
  const { ask, strangers, toAsker, counters } = await pair(gate, () => pong);
  toAsker(encodeWhoAreYou(new Uint8Array(12).fill(3)));
  assertEquals((await ask(ping)).kind, "answer");
  assertEquals(strangers, []);
  assertEquals(counters.of("who-are-you to nothing"), 1);
});

Deno.test("what cannot be asked is told at once, with the reason", async () => {
  using gate = CryptoGate.install();
  const { ask, peer, state, counters } = await pair(gate, () => pong);
  state.hasSocket = false;
  assertEquals(await ask(ping), { kind: "unaskable", reason: "no way there", tookMs: 0 });
  state.hasSocket = true;
  peer.address = undefined;
  assertEquals(await ask(ping), { kind: "unaskable", reason: "no way there", tookMs: 0 });
  peer.address = there;
  state.isRefused = true;
  assertEquals((await ask(ping, { tries: 2 })).kind, "silent");
  assertEquals(counters.of("send refused"), 2);
  peer.keys.forget();
  assertEquals(await ask(ping), { kind: "unaskable", reason: "no key", tookMs: 0 });
});

Deno.test("abandoning ends every wait for that peer at once", async () => {
  using gate = CryptoGate.install();
  const { time, asker, peer, state } = await pair(gate, () => undefined);
  const ended: string[] = [];
  for (let i = 0; i < 3; i++) {
    asker.ask(peer, ping).then(({ kind }) => ended.push(kind), () => ended.push("failed"));
  }
  await time.advance(milliseconds(700));
  const { sends } = state;
  asker.abandon(idOf(3));
  await time.advance(milliseconds(1));
  assertEquals(ended, []);
  asker.abandon(peerId);
  await time.advance(milliseconds(1));
  assertEquals(ended, ["silent", "silent", "silent"]);
  await time.advance(seconds(5));
  assertEquals(state.sends, sends);
});

Deno.test("an answer that comes after the asking ended is counted as an answer to nothing", async () => {
  using gate = CryptoGate.install();
  const { ask, state, time, counters } = await pair(gate, () => pong);
  state.delay = milliseconds(600);
  assertEquals((await ask(ping, { tries: 1 })).kind, "silent");
  await time.advance(seconds(2));
  assertEquals(counters.of("answer to nothing"), 1);
});

const offer = { kind: "offer", offers: [] } as const;
const offerHex = toHex(encodeRequest(offer));

Deno.test("what is told is asked until the peer has answered, and then sent once", async () => {
  using gate = CryptoGate.install();
  const { time, peer, asker, state, counters, ask } = await pair(
    gate,
    (request) => request.kind === "offer" ? { kind: "offer" } : pong,
  );
  const tell = async () => {
    let isOver = false;
    asker.tell(peer, offer).then(() => {
      isOver = true;
    }, (error: unknown) => counters.count(`${error}`));
    assert(await time.advanceUntil(() => isOver, seconds(60)));
    await time.advance(milliseconds(10));
  };
  await tell();
  assertEquals([state.sends, state.told], [2, []], "for the cookie, then with it");
  await tell();
  assertEquals([state.sends, state.told], [3, [offerHex]]);
  // Far longer than any link goes unprobed: whether the path still holds is asked.
  await time.advance(minutes(11));
  await tell();
  assertEquals([state.sends, state.told.length], [4, 1]);
  await tell();
  assertEquals([state.sends, state.told.length], [5, 2]);
  // On another path there is no cookie yet.
  peer.address = socketAddress(ip("10.0.0.3"), 7411);
  await tell();
  assertEquals([state.sends, state.told.length], [7, 2]);
  assertEquals((await ask(ping)).kind, "answer");
  assertEquals(counters.snapshot(), {});
});

Deno.test("a restarted peer that is told something is asked who it is, once in ten seconds", async () => {
  using gate = CryptoGate.install();
  const { time, peer, asker, state, strangers, counters, ask, restartPeer, toAsker } = await pair(
    gate,
    () => pong,
  );
  await ask(ping);
  restartPeer();
  const tell = async () => {
    asker.tell(peer, offer).catch((error: unknown) => counters.count(`${error}`));
    await time.advance(milliseconds(10));
  };
  await tell();
  assertEquals([state.told, strangers], [[], [peerId]]);
  // From now on the peer is asked: somebody says that it would not hear.
  await tell();
  assertEquals(state.sends, 3);
  assertEquals(strangers, [peerId]);
  toAsker(encodeWhoAreYou(new Uint8Array(12)));
  await time.advance(milliseconds(10));
  assertEquals(counters.snapshot(), { "who-are-you to nothing": 1 });
});
