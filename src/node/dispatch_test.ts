import { assert, assertEquals } from "@std/assert";
import {
  answererId,
  ask,
  askerId,
  datagramWorld,
  home,
  path,
} from "../../tests/fixtures/datagram_world.ts";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { sendingSocket } from "../../tests/fixtures/sending_socket.ts";
import type { Bytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { seconds } from "../base/instant.ts";
import { allKinds } from "../wire/key_range.ts";
import { type AnswerMessage, decodeAnswer, encodeRequest, noticeCodes } from "../wire/message.ts";
import { Asker } from "./asker.ts";
import { Background } from "./background.ts";
import { Lateness } from "./lateness.ts";
import { Dispatch } from "./dispatch.ts";
import { dearWorkBurst } from "./limits.ts";
import { PeerTable } from "./peer.ts";

Deno.test("one peer cannot have all records walked over without end, and stays a peer", async () => {
  const time = new VirtualTime();
  const clock = new VirtualClock(time);
  const entropy = new SeededEntropy([1]);
  const { epochKeys, peerKeys } = await datagramWorld(entropy, clock.monotonic());
  const background = new Background((what, error) => {
    throw new Error(what, { cause: error });
  });
  const counters = new Counters();
  const peer = new PeerTable(entropy).open(askerId);
  let walks = 0;
  const nothing = () => {};
  const dispatch = new Dispatch(
    clock,
    counters,
    background,
    epochKeys,
    new Asker(
      clock,
      counters,
      { socketTowards: () => undefined, handleStranger: nothing },
    ),
    new Lateness(),
    {
      admits: () => true,
      peerOf: () => peer,
      handleHeard: nothing,
      mayMove: () => false,
      answerProbe: (probe) => {
        walks++;
        return Promise.resolve(probe);
      },
      answerCompare: () => Promise.reject(new Error("not asked here")),
      answerFetch: () => ({ kind: "fetch", records: [] }),
      handleOffers: nothing,
      handleUnread: nothing,
      handlePushed: () => Promise.resolve(0),
      handleLeaving: nothing,
      handleRestarting: nothing,
      handleLetGo: nothing,
      relay: () => Promise.resolve(new Uint8Array(0)),
      handleRelayed: () => false,
    },
  );
  const sent: Bytes[] = [];
  const socket = sendingSocket(home.address, (bytes) => {
    sent.push(bytes);
    return Promise.resolve(true);
  }, home.interfaceName);
  const probe = encodeRequest({ kind: "probe", kinds: allKinds, digest: new Uint8Array(16) });
  const answerTo = async (): Promise<AnswerMessage> => {
    const now = clock.monotonic();
    const { bytes, pending } = await ask(peerKeys, probe, now, path);
    dispatch.handleDatagram({ bytes, from: home.address }, socket);
    await background.settled();
    const answer = sent.pop();
    assert(answer !== undefined, `${answererId} answers`);
    const outcome = await peerKeys.openAnswer(pending, answer, now);
    assert(outcome.kind === "answer");
    const message = decodeAnswer(outcome.message);
    assert(!isDecodeError(message));
    return message;
  };
  for (let i = 0; i < dearWorkBurst; i++) assertEquals((await answerTo()).kind, "probe");
  const busy = { kind: "notice", code: noticeCodes.busy, value: 0 } as const;
  assertEquals(await answerTo(), busy);
  assertEquals(walks, dearWorkBurst);
  await time.advance(seconds(1));
  assertEquals((await answerTo()).kind, "probe");
});
