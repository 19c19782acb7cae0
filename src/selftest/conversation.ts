/**
 * Two nodes in memory that prove themselves to each other and then talk in sealed datagrams: the
 * session as it runs on a network, without one.
 *
 * @module
 */
import { type Bytes, equalBytes, utf8 } from "../base/bytes.ts";
import { type Instant, instant, later, milliseconds, wallTime } from "../base/instant.ts";
import { parseIp } from "../base/ip.ts";
import {
  type Identity,
  isChainRefusal,
  judgeChain,
  type JudgedPeer,
  newIdentity,
} from "../identity/mod.ts";
import type { Entropy } from "../platform/entropy.ts";
import type { ChannelBinding } from "../platform/secure_streams.ts";
import {
  acceptConfirm,
  answerExchange,
  beginExchange,
  confirmExchange,
  type DatagramSource,
  EpochKeys,
  type ExchangeContext,
  ExchangeRefusal,
  type ExchangeRefusalReason,
  type ExchangeResult,
  finishExchange,
  PeerKeys,
} from "../session/mod.ts";
import { productBuiltAt } from "../version.ts";
import type { SealedOffer } from "../wire/exchange.ts";
import { encodeAnswer, encodeRequest } from "../wire/message.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { type Check, CheckFailure, expect, withFlippedBit } from "./check.ts";

/** When the conversation takes place: the machine's clock has no part in it. */
const start: Instant = instant(1_000_000);

interface Party {
  readonly identity: Identity;
  readonly judged: JudgedPeer;
  readonly bootNonce: Bytes;
}

async function newParty(entropy: Entropy): Promise<Party> {
  const identity = await newIdentity();
  const { leaf, root } = await identity.newLeaf();
  const judged = await judgeChain({ leaf, root });
  if (isChainRefusal(judged)) throw new CheckFailure(`chain refused: ${judged.reason}`);
  return { identity, judged, bootNonce: entropy.bytes(16) };
}

function contextOf(
  own: Party,
  peer: Party,
  binding: ChannelBinding,
  entropy: Entropy,
): ExchangeContext {
  return {
    self: {
      identity: own.identity,
      leafHash: own.judged.leafHash,
      bootNonce: own.bootNonce,
    },
    peer: peer.judged,
    binding,
    entropy,
  };
}

/** What `own` shows `peer`. What stands in the place of its record is opaque to the exchange. */
async function offerTo(own: Party, peer: Party, entropy: Entropy): Promise<SealedOffer> {
  const keys = EpochKeys.create(entropy, own.identity.id, start);
  return {
    membership: [],
    info: utf8(`the record of ${own.identity.id}`),
    grant: await keys.grantFor(peer.identity.id, start),
    wallTime: wallTime(productBuiltAt),
    bootNonce: own.bootNonce,
  };
}

/** Which byte of which message a stranger on the way changes, from the end if negative. */
interface Tampering {
  readonly message: "m1" | "m2" | "m3" | "m4";
  readonly at: number;
}

type Ending =
  | { readonly initiator: ExchangeResult; readonly responder: ExchangeResult }
  | ExchangeRefusal;

/** Runs one exchange from beginning to end, or to the first refusal. */
async function exchange(
  initiator: ExchangeContext,
  responder: ExchangeContext,
  offers: { readonly ofInitiator: SealedOffer; readonly ofResponder: SealedOffer },
  tampering?: Tampering,
): Promise<Ending> {
  const travel = (message: Tampering["message"], bytes: Bytes): Bytes =>
    tampering?.message === message ? withFlippedBit(bytes, tampering.at) : bytes;
  const begun = await beginExchange(initiator);
  const answered = await answerExchange(responder, travel("m1", begun.m1));
  if (answered instanceof ExchangeRefusal) return answered;
  const m2 = travel("m2", answered.m2);
  const confirmed = await confirmExchange(begun.state, m2, offers.ofInitiator);
  if (confirmed instanceof ExchangeRefusal) return confirmed;
  const accepted = await acceptConfirm(
    answered.state,
    travel("m3", confirmed.m3),
    () => Promise.resolve(offers.ofResponder),
  );
  if (accepted instanceof ExchangeRefusal) return accepted;
  const finished = await finishExchange(confirmed.state, travel("m4", accepted.m4));
  return finished instanceof ExchangeRefusal
    ? finished
    : { initiator: finished, responder: accepted.result };
}

/** The last byte is m1's nonce, m2's signature, m3's seal, m4's seal. */
const tamperings: readonly (Tampering & { readonly reason: ExchangeRefusalReason })[] = [
  { message: "m1", at: -1, reason: "signature wrong" },
  { message: "m2", at: -1, reason: "signature wrong" },
  { message: "m3", at: -1, reason: "seal does not open" },
  { message: "m4", at: -1, reason: "seal does not open" },
];

function expectRefused(ending: Ending, reason: ExchangeRefusalReason, what: string): void {
  expect(ending instanceof ExchangeRefusal, `${what} is accepted`);
  expect(
    ending.reason === reason,
    `${what} is refused for "${ending.reason}" instead of "${reason}"`,
  );
}

const exchangeCheck: Check = {
  name: "exchange",
  async run({ entropy }) {
    const [ann, bob] = [await newParty(entropy), await newParty(entropy)];
    const binding: ChannelBinding = {
      kind: 1,
      client: entropy.bytes(32),
      server: entropy.bytes(32),
    };
    const initiator = contextOf(ann, bob, binding, entropy);
    const responder = contextOf(bob, ann, binding, entropy);
    const offers = {
      ofInitiator: await offerTo(ann, bob, entropy),
      ofResponder: await offerTo(bob, ann, entropy),
    };
    const ending = await exchange(initiator, responder, offers);
    if (ending instanceof ExchangeRefusal) {
      throw new CheckFailure(`an exchange is refused: ${ending.reason}`);
    }
    expect(
      equalBytes(ending.initiator.hash, ending.responder.hash),
      "the two sides saw different exchanges",
    );
    expect(
      ending.initiator.peer === bob.identity.id && ending.responder.peer === ann.identity.id,
      "a side names another peer",
    );
    expect(
      equalBytes(ending.initiator.theirs.info, offers.ofResponder.info) &&
        equalBytes(ending.responder.theirs.info, offers.ofInitiator.info) &&
        equalBytes(ending.initiator.theirs.grant.key, offers.ofResponder.grant.key),
      "a side was shown something else than was sealed",
    );
    for (const tampering of tamperings) {
      expectRefused(
        await exchange(initiator, responder, offers, tampering),
        tampering.reason,
        `an exchange with a flipped bit in ${tampering.message}`,
      );
    }
    const elsewhere = { ...binding, client: withFlippedBit(binding.client, 0) };
    expectRefused(
      await exchange(initiator, { ...responder, binding: elsewhere }, offers),
      "signature wrong",
      "an exchange relayed from another connection",
    );
    return `two nodes proved themselves, ${tamperings.length + 1} forgeries refused`;
  },
};

/** Addresses of documentation (RFC 5737). */
function place(): { readonly source: DatagramSource; readonly path: string } {
  const ip = parseIp("192.0.2.7");
  expect(ip !== undefined, "192.0.2.7 is refused as an address");
  return {
    source: { address: socketAddress(ip, 7411), interfaceName: "test0" },
    path: "192.0.2.7:7411>192.0.2.1:7411",
  };
}

const datagramCheck: Check = {
  name: "datagrams",
  async run({ entropy }) {
    const [ann, bob] = [await newIdentity(), await newIdentity()];
    const { source, path } = place();
    const answerer = EpochKeys.create(entropy, bob.id, start);
    const asker = new PeerKeys(entropy);
    asker.adopt(await answerer.grantFor(ann.id, start), start);

    const question = encodeRequest({ kind: "ping" });
    const reply = encodeAnswer({ kind: "ping", seenIp: source.address.ip, seenPort: 7411 });
    for (const round of [1, 2]) {
      const now = later(start, milliseconds(round));
      const sealed = await asker.sealRequest(question, path, now);
      expect(sealed !== undefined, "a grant does not seal");
      const forged = await answerer.open(withFlippedBit(sealed.bytes, -1), source, admitAll, now);
      expect(forged.kind === "drop", "a request with a flipped bit is opened");
      const refused = await answerer.open(sealed.bytes, source, () => false, now);
      expect(refused.kind === "drop", "a request of a node that is not admitted is opened");
      const opened = await answerer.open(sealed.bytes, source, admitAll, now);
      expect(opened.kind === "request", `a request is not opened: ${opened.kind}`);
      expect(equalBytes(opened.request.message, question), "a request says something else");
      // The first answer brings the cookie, the second request brings it back.
      expect(opened.request.cookieRight === (round === 2), "a cookie is judged wrongly");

      const answer = await answerer.sealAnswer(opened.request, reply);
      const spoilt = await asker.openAnswer(sealed.pending, withFlippedBit(answer, -1), now);
      expect(spoilt.kind === "drop", "an answer with a flipped bit is opened");
      const heard = await asker.openAnswer(sealed.pending, answer, now);
      expect(heard.kind === "answer", `an answer is not opened: ${heard.kind}`);
      expect(equalBytes(heard.message, reply), "an answer says something else");
      const again = await asker.openAnswer(sealed.pending, answer, now);
      expect(again.kind === "drop", "an answer is believed twice");
    }
    return "two round trips, cookie brought back, 8 forgeries and repetitions refused";
  },
};

function admitAll(): boolean {
  return true;
}

/** The session. */
export const conversationChecks: readonly Check[] = [exchangeCheck, datagramCheck];
