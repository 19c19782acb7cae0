/**
 * The responder's side of the exchange: the node that was dialled. PROTOCOL §4.
 *
 * It shows itself (in m4) only after m3 was judged: signature, seal, then the proof of the cluster
 * secret or `isMember`, and at last whatever `makeOffer` finds in the peer's own offer.
 *
 * A peer with this node's own id is refused at m3, the first message that carries its boot nonce
 * where it is authentic (sealed under keys of a transcript that its signature covers). The refusal
 * still brings an m4 to send, with this node's boot nonce and nothing else: only a holder of this
 * node's own key can come here, and both nodes of a pair of clones must learn of each other.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  agreeAsResponder,
  deriveSealKey,
  type ExchangeSealKey,
  type ExchangeSecret,
  hashConfirmation,
  initiatorClaim,
  openOffer,
  responderClaim,
  sealOffer,
  verifyFrom,
} from "../crypto/mod.ts";
import {
  decodeM1,
  decodeM3,
  decodeOffer,
  decodeOwnIdNotice,
  encodeM2,
  encodeM2Head,
  encodeM4,
  encodeOffer,
  encodeOwnIdNotice,
  exchangeNonceLength,
  type SealedOffer,
} from "../wire/exchange.ts";
import {
  type ExchangeContext,
  ExchangeRefusal,
  type ExchangeResult,
  exchangeVersions,
  hashExchange,
  isFitBinding,
  isOwnId,
  judgeProof,
  makeProof,
  mayBeShown,
  type ProofJudgement,
  SingleUse,
} from "./exchange.ts";

interface Answered {
  readonly context: ExchangeContext;
  readonly hash: Bytes;
  readonly version: number;
  readonly secret: ExchangeSecret;
  readonly proof: Bytes;
  readonly signature: Bytes;
}

/** The responder between m2 and m3. */
export type AwaitingM3 = SingleUse<Answered>;

/**
 * Makes this node's offer for a peer that proved itself, after a look at what the peer offers;
 * `undefined` withholds it and refuses the exchange.
 */
export type OfferMaker = (
  theirs: SealedOffer,
  proof: ProofJudgement,
) => Promise<SealedOffer | undefined>;

/** Judges m1 and makes m2: the highest version both speak, the connection's own binding. */
export async function answerExchange(
  context: ExchangeContext,
  m1: Bytes,
): Promise<{ readonly m2: Bytes; readonly state: AwaitingM3 } | ExchangeRefusal> {
  if (!isFitBinding(context.binding)) return new ExchangeRefusal("binding unfit");
  const start = decodeM1(m1);
  if (start instanceof DecodeError) return new ExchangeRefusal("m1 malformed");
  const version = exchangeVersions.findLast((own) => start.versions.includes(own));
  if (version === undefined) return new ExchangeRefusal("no common version");
  const binding = context.binding.kind;
  if (!start.bindings.includes(binding)) return new ExchangeRefusal("no common binding");
  const agreed = await agreeAsResponder(start.share, start.encapsulationKey);
  if (agreed === undefined) return new ExchangeRefusal("share unfit");

  const { share, ciphertext, secret } = agreed;
  const nonce = context.entropy.bytes(exchangeNonceLength);
  const head = encodeM2Head({ version, binding, share, ciphertext, nonce });
  const hash = await hashExchange(context, "responder", m1, head);
  const proof = await makeProof(context, hash, "responder", context.clusterSecret);
  const claim = responderClaim(hash, proof);
  const signature = await context.self.identity.sign(claim.label, claim.data);
  return {
    m2: encodeM2(head, proof, signature),
    state: new SingleUse<Answered>({ context, hash, version, secret, proof, signature }),
  };
}

/** Judges m3 and makes m4, which finishes the exchange on this side. */
export async function acceptConfirm(
  state: AwaitingM3,
  m3: Bytes,
  makeOffer: OfferMaker,
): Promise<{ readonly m4: Bytes; readonly result: ExchangeResult } | ExchangeRefusal> {
  const answered = state.take();
  if (answered === undefined) return new ExchangeRefusal("state used");
  const { context, hash, version, secret } = answered;
  const message = decodeM3(m3);
  if (message instanceof DecodeError) return new ExchangeRefusal("m3 malformed");
  const confirmation = await hashConfirmation(
    hash,
    answered.proof,
    message.proof,
    answered.signature,
  );
  const claim = initiatorClaim(confirmation);
  if (!await verifyFrom(context.peer.publicKey, claim.label, claim.data, message.signature)) {
    return new ExchangeRefusal("signature wrong");
  }
  const [theirSeal, ownSeal] = await Promise.all([
    deriveSealKey(secret, hash, confirmation, "initiator"),
    deriveSealKey(secret, hash, confirmation, "responder"),
  ]);
  const plaintext = await openOffer(theirSeal, message.sealed);
  if (plaintext === undefined) return new ExchangeRefusal("seal does not open");
  if (isOwnId(context)) return await refuseOwnId(context, plaintext, ownSeal);

  const theirs = decodeOffer(plaintext);
  if (theirs instanceof DecodeError) return new ExchangeRefusal("offer malformed");
  const { judgement } = await judgeProof(context, hash, "initiator", message.proof);
  if (!await mayBeShown(context, judgement, theirs.membership)) {
    return new ExchangeRefusal("cluster secret not proved");
  }
  const offer = await makeOffer(theirs, judgement);
  if (offer === undefined) return new ExchangeRefusal("offer withheld");
  const m4 = encodeM4({ sealed: await sealOffer(ownSeal, encodeOffer(offer)) });
  const { id: peer, publicKey } = context.peer;
  const result: ExchangeResult = {
    peer,
    publicKey,
    role: "responder",
    hash,
    version,
    proof: judgement,
    theirs,
  };
  return { m4, result };
}

async function refuseOwnId(
  context: ExchangeContext,
  plaintext: Bytes,
  ownSeal: ExchangeSealKey,
): Promise<ExchangeRefusal> {
  const notice = decodeOwnIdNotice(plaintext);
  if (notice instanceof DecodeError) return new ExchangeRefusal("offer malformed");
  const own = encodeOwnIdNotice({ bootNonce: context.self.bootNonce });
  const m4 = encodeM4({ sealed: await sealOffer(ownSeal, own) });
  return new ExchangeRefusal("own id", notice.bootNonce, m4);
}
