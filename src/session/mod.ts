/**
 * Sessions: the authenticated exchange and the sealed datagrams that follow it.
 *
 * @module
 */
export {
  type DatagramSource,
  EpochKeys,
  type OpenedRequest,
  type OpenedTell,
  type OpenOutcome,
} from "./epoch_keys.ts";
export {
  type AnswerOutcome,
  PeerKeys,
  PendingReply,
  type SealedRequest,
  type SealedTell,
} from "./peer_keys.ts";
export { PendingReplies, type WaitingRequest, type WhoAreYouEffect } from "./pending_replies.ts";
export {
  type ExchangeContext,
  type ExchangePeer,
  ExchangeRefusal,
  type ExchangeRefusalReason,
  type ExchangeResult,
  type ExchangeSelf,
  type ExchangeSigner,
  exchangeVersions,
  type ProofJudgement,
} from "./exchange.ts";
export {
  type AwaitingM2,
  type AwaitingM4,
  beginExchange,
  confirmExchange,
  finishExchange,
} from "./exchange_initiator.ts";
export {
  acceptConfirm,
  answerExchange,
  type AwaitingM3,
  type OfferMaker,
} from "./exchange_responder.ts";
export { exchangeBodyBytesMax } from "./limits.ts";
