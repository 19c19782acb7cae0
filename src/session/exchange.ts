/**
 * The exchange that authenticates two nodes on one TLS connection: what it stands on, what it
 * gives, why it is refused. `exchange_initiator.ts` and `exchange_responder.ts` are its two sides.
 * PROTOCOL §4.
 *
 * Both sides are pure asynchronous functions (state, message) → next state | refusal. A state is
 * used once, whatever came of it: a repeated, reordered or failed message ends the exchange. What
 * the exchange is for hangs on the connection, so a caller keeps the state with the connection and
 * nowhere else, and tells the peer nothing of a refusal but that it is one.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import {
  exchangePurpose,
  type ExchangeRole,
  hashTranscript,
  proveClusterSecret,
  provesClusterSecret,
  type PublicKey,
} from "../crypto/mod.ts";
import type { Entropy } from "../platform/entropy.ts";
import type { ChannelBinding } from "../platform/secure_streams.ts";
import { exchangeVersion, proofLength, type SealedOffer } from "../wire/exchange.ts";
import { type NodeId, nodeIdToBytes } from "../wire/node_id.ts";
import { channelBindingBytesMax, channelBindingBytesMin } from "./limits.ts";

/** Versions of the exchange that this program speaks, ascending. */
export const exchangeVersions: readonly number[] = [exchangeVersion];

/** What signs for this node. `Identity` is one. */
export interface ExchangeSigner {
  readonly id: NodeId;
  /** Ed25519 over 64 × `0x20` ‖ label ‖ `0x00` ‖ data; 64 bytes. */
  sign(label: string, data: Bytes): Promise<Bytes>;
}

/** This node's side of a connection. */
export interface ExchangeSelf {
  readonly identity: ExchangeSigner;
  /** SHA-256 of the leaf certificate (DER) presented on this connection, 32 bytes. */
  readonly leafHash: Bytes;
  /** Random at every start, 16 bytes: all that a peer with this node's own id is told. */
  readonly bootNonce: Bytes;
}

/** The peer as its certificates were judged. */
export interface ExchangePeer {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  /** SHA-256 of the leaf certificate (DER) received on this connection, 32 bytes. */
  readonly leafHash: Bytes;
}

/** All that one exchange stands on. */
export interface ExchangeContext {
  readonly self: ExchangeSelf;
  readonly peer: ExchangePeer;
  readonly binding: ChannelBinding;
  /** The cluster's secret, 16 bytes or more; absent in an open mesh, where proofs are not judged. */
  readonly clusterSecret?: Bytes;
  /** The secret before the last change, while it is still good: a proof by it is right too. */
  readonly previousClusterSecret?: Bytes;
  /**
   * Whether the peer is a member though its proof is wrong: by a valid member statement already
   * held, or, on the responder's side, by `presented`, the membership chain of the offer just
   * opened (empty on the initiator's side). Left out, nobody is.
   */
  readonly isMember?: (peer: NodeId, presented: readonly Bytes[]) => boolean | Promise<boolean>;
  readonly entropy: Entropy;
}

/** What became of the peer's proof. "not judged": this node has no cluster secret. */
export type ProofJudgement = "right" | "wrong" | "not judged";

/** A finished exchange. It is no link yet: that takes a sealed datagram round trip as well. */
export interface ExchangeResult {
  readonly peer: NodeId;
  readonly publicKey: PublicKey;
  /** The side this node was on. */
  readonly role: ExchangeRole;
  /** T, 32 bytes: names this exchange, the same on both sides. */
  readonly hash: Bytes;
  readonly version: number;
  /** "wrong" only for a peer that `isMember` vouched for. */
  readonly proof: ProofJudgement;
  readonly theirs: SealedOffer;
}

/** Why an exchange was refused: a fixed phrase for counting, never for the peer. */
export type ExchangeRefusalReason =
  | "state used"
  | "binding unfit"
  | "m1 malformed"
  | "m2 malformed"
  | "m3 malformed"
  | "m4 malformed"
  | "no common version"
  | "no common binding"
  | "version not offered"
  | "binding not offered"
  | "share unfit"
  | "signature wrong"
  | "cluster secret not proved"
  | "seal does not open"
  | "offer malformed"
  | "offer withheld"
  | "own id";

/** A refused exchange. */
export class ExchangeRefusal {
  readonly reason: ExchangeRefusalReason;
  /** With "own id": the boot nonce of the node at the other end, which has this node's key. */
  readonly bootNonce: Bytes | undefined;
  /**
   * With "own id" on the responder's side: the last message, still to be sent as the answer to m3,
   * so that the other end learns this node's boot nonce too. Absent everywhere else.
   */
  readonly m4: Bytes | undefined;

  constructor(reason: ExchangeRefusalReason, bootNonce?: Bytes, m4?: Bytes) {
    this.reason = reason;
    this.bootNonce = bootNonce;
    this.m4 = m4;
  }
}

/** What one step leaves for the next: taken once. */
export class SingleUse<Content> {
  #content: Content | undefined;

  constructor(content: Content) {
    this.#content = content;
  }

  /** The content, the first time; afterwards `undefined`. */
  take(): Content | undefined {
    const content = this.#content;
    this.#content = undefined;
    return content;
  }
}

/** Whether peer and node have the same id: then the exchange serves to trade boot nonces only. */
export function isOwnId(context: ExchangeContext): boolean {
  return context.peer.id === context.self.identity.id;
}

/** Whether the connection's values are of a length that binds anything. */
export function isFitBinding(binding: ChannelBinding): boolean {
  return [binding.client, binding.server].every((value) =>
    value.length >= channelBindingBytesMin && value.length <= channelBindingBytesMax
  );
}

/** T as the side `role` sees it. */
export function hashExchange(
  context: ExchangeContext,
  role: ExchangeRole,
  m1: Bytes,
  head: Bytes,
): Promise<Bytes> {
  const own = {
    id: nodeIdToBytes(context.self.identity.id),
    leafHash: context.self.leafHash,
  };
  const peer = { id: nodeIdToBytes(context.peer.id), leafHash: context.peer.leafHash };
  const [initiator, responder] = role === "initiator" ? [own, peer] : [peer, own];
  return hashTranscript({
    purpose: exchangePurpose,
    m1,
    head,
    initiator: initiator.id,
    responder: responder.id,
    initiatorLeaf: initiator.leafHash,
    responderLeaf: responder.leafHash,
    bindingKind: context.binding.kind,
    clientBinding: context.binding.client,
    serverBinding: context.binding.server,
  });
}

/** A judged proof, with the secret that it was made by. */
export interface JudgedProof {
  readonly judgement: ProofJudgement;
  readonly secret: Bytes | undefined;
}

/** Judges the peer's proof by the secrets this node has. */
export async function judgeProof(
  context: ExchangeContext,
  hash: Bytes,
  prover: ExchangeRole,
  proof: Bytes,
): Promise<JudgedProof> {
  const { clusterSecret, previousClusterSecret } = context;
  if (clusterSecret === undefined) return { judgement: "not judged", secret: undefined };
  for (const secret of [clusterSecret, previousClusterSecret]) {
    if (secret !== undefined && await provesClusterSecret(secret, hash, prover, proof)) {
      return { judgement: "right", secret };
    }
  }
  return { judgement: "wrong", secret: undefined };
}

/** This node's proof by `secret`; without one, as many random bytes, which nobody can tell apart. */
export async function makeProof(
  context: ExchangeContext,
  hash: Bytes,
  prover: ExchangeRole,
  secret: Bytes | undefined,
): Promise<Bytes> {
  return secret === undefined
    ? context.entropy.bytes(proofLength)
    : await proveClusterSecret(secret, hash, prover);
}

/** Whether the peer may see this node's offer: no secret to prove, proved, or vouched for. */
export async function mayBeShown(
  context: ExchangeContext,
  judgement: ProofJudgement,
  presented: readonly Bytes[],
): Promise<boolean> {
  if (judgement !== "wrong") return true;
  return await context.isMember?.(context.peer.id, presented) ?? false;
}
