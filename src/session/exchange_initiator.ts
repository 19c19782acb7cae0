/**
 * The initiator's side of the exchange: the node that dialled. PROTOCOL §4.
 *
 * m1 → m2 → m3 → m4. It shows itself (in m3) only to a peer that signed this very transcript and
 * proved the cluster secret, or for which `isMember` vouches.
 *
 * A peer with this node's own id is refused as late as possible, for only m4 carries its boot nonce
 * where it is authentic: m3 then seals this node's boot nonce and nothing else, and `finishExchange`
 * refuses with "own id" and the nonce out of m4. Equal to the own nonce: this node dialled itself.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  agreeAsInitiator,
  createInitiatorShares,
  deriveSealKey,
  type ExchangeSealKey,
  hashConfirmation,
  initiatorClaim,
  type InitiatorKeys,
  openOffer,
  responderClaim,
  sealOffer,
  verifyFrom,
} from "../crypto/mod.ts";
import {
  decodeM2,
  decodeM4,
  decodeOffer,
  decodeOwnIdNotice,
  encodeM1,
  encodeM3,
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

interface Begun {
  readonly context: ExchangeContext;
  readonly keys: InitiatorKeys;
  readonly m1: Bytes;
}

interface Confirmed {
  readonly context: ExchangeContext;
  readonly hash: Bytes;
  readonly version: number;
  readonly judgement: ProofJudgement;
  readonly theirSeal: ExchangeSealKey;
}

/** The initiator between m1 and m2. */
export type AwaitingM2 = SingleUse<Begun>;
/** The initiator between m3 and m4. */
export type AwaitingM4 = SingleUse<Confirmed>;

/** Makes m1 with fresh keys. */
export async function beginExchange(
  context: ExchangeContext,
): Promise<{ readonly m1: Bytes; readonly state: AwaitingM2 }> {
  const { keys, share, encapsulationKey } = await createInitiatorShares();
  const m1 = encodeM1({
    versions: exchangeVersions,
    bindings: [context.binding.kind],
    share,
    encapsulationKey,
    nonce: context.entropy.bytes(exchangeNonceLength),
  });
  return { m1, state: new SingleUse<Begun>({ context, keys, m1 }) };
}

/**
 * Judges m2 and makes m3.
 *
 * @param offer What the peer is shown; left aside if the peer has this node's own id.
 */
export async function confirmExchange(
  state: AwaitingM2,
  m2: Bytes,
  offer: SealedOffer,
): Promise<{ readonly m3: Bytes; readonly state: AwaitingM4 } | ExchangeRefusal> {
  const begun = state.take();
  if (begun === undefined) return new ExchangeRefusal("state used");
  const { context, keys, m1 } = begun;
  if (!isFitBinding(context.binding)) return new ExchangeRefusal("binding unfit");
  const answer = decodeM2(m2);
  if (answer instanceof DecodeError) return new ExchangeRefusal("m2 malformed");
  const { version } = answer;
  if (!exchangeVersions.includes(version)) return new ExchangeRefusal("version not offered");
  if (answer.binding !== context.binding.kind) return new ExchangeRefusal("binding not offered");

  const hash = await hashExchange(context, "initiator", m1, answer.head);
  const claim = responderClaim(hash, answer.proof);
  if (!await verifyFrom(context.peer.publicKey, claim.label, claim.data, answer.signature)) {
    return new ExchangeRefusal("signature wrong");
  }
  const { judgement, secret: provedBy } = await judgeProof(
    context,
    hash,
    "responder",
    answer.proof,
  );
  // To a peer with the own id nothing is shown, so nothing need be proved.
  if (!isOwnId(context) && !await mayBeShown(context, judgement, [])) {
    return new ExchangeRefusal("cluster secret not proved");
  }
  const secret = await agreeAsInitiator(keys, answer.share, answer.ciphertext);
  if (secret === undefined) return new ExchangeRefusal("share unfit");

  // The peer may not know the newest secret yet: what it proved by, it can judge by.
  const proof = await makeProof(context, hash, "initiator", provedBy ?? context.clusterSecret);
  const confirmation = await hashConfirmation(hash, answer.proof, proof, answer.signature);
  const own = initiatorClaim(confirmation);
  const [signature, ownSeal, theirSeal] = await Promise.all([
    context.self.identity.sign(own.label, own.data),
    deriveSealKey(secret, hash, confirmation, "initiator"),
    deriveSealKey(secret, hash, confirmation, "responder"),
  ]);
  const plaintext = isOwnId(context)
    ? encodeOwnIdNotice({ bootNonce: context.self.bootNonce })
    : encodeOffer(offer);
  return {
    m3: encodeM3({ proof, signature, sealed: await sealOffer(ownSeal, plaintext) }),
    state: new SingleUse<Confirmed>({ context, hash, version, judgement, theirSeal }),
  };
}

/** Opens m4: the peer has confirmed the key, the exchange is finished. */
export async function finishExchange(
  state: AwaitingM4,
  m4: Bytes,
): Promise<ExchangeResult | ExchangeRefusal> {
  const confirmed = state.take();
  if (confirmed === undefined) return new ExchangeRefusal("state used");
  const { context, hash, version, judgement, theirSeal } = confirmed;
  const message = decodeM4(m4);
  if (message instanceof DecodeError) return new ExchangeRefusal("m4 malformed");
  const plaintext = await openOffer(theirSeal, message.sealed);
  if (plaintext === undefined) return new ExchangeRefusal("seal does not open");
  if (isOwnId(context)) {
    const notice = decodeOwnIdNotice(plaintext);
    return notice instanceof DecodeError
      ? new ExchangeRefusal("offer malformed")
      : new ExchangeRefusal("own id", notice.bootNonce);
  }
  const theirs = decodeOffer(plaintext);
  if (theirs instanceof DecodeError) return new ExchangeRefusal("offer malformed");
  const { id: peer, publicKey } = context.peer;
  return { peer, publicKey, role: "initiator", hash, version, proof: judgement, theirs };
}
