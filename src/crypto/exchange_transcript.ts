/**
 * What an exchange stands on, hashed, and what its two sides sign of it. PROTOCOL §4.
 *
 * @module
 */
import { type Bytes, concatBytes, encodeUint, utf8 } from "../base/bytes.ts";
import { sha256 } from "./digest.ts";

/** Which side of an exchange: who dialled, or who was dialled. */
export type ExchangeRole = "initiator" | "responder";

/** What an exchange over TLS hashes first; another kind of channel has another purpose. */
export const exchangePurpose = "mesh v1 exchange";

/** All that an exchange stands on. */
export interface ExchangeTranscript {
  /** What kind of exchange this is, ASCII. */
  readonly purpose: string;
  /** All bytes of m1 as they travelled. */
  readonly m1: Bytes;
  /** The bytes of m2 before the proof as they travelled: the contents of its head. */
  readonly head: Bytes;
  /** The initiator's node id, 32 bytes. */
  readonly initiator: Bytes;
  /** The responder's node id, 32 bytes. */
  readonly responder: Bytes;
  /** SHA-256 of the initiator's TLS leaf, DER: own, or as it was received. */
  readonly initiatorLeaf: Bytes;
  /** SHA-256 of the responder's TLS leaf, DER: own, or as it was received. */
  readonly responderLeaf: Bytes;
  /** Kind of the channel binding, 0 to 255. */
  readonly bindingKind: number;
  /** The client's value of the binding. */
  readonly clientBinding: Bytes;
  /** The server's value of the binding. */
  readonly serverBinding: Bytes;
}

/** What T is over, in its order: each part behind its length as four bytes, big-endian. */
export function transcriptParts(transcript: ExchangeTranscript): Bytes[] {
  const parts = [
    utf8(transcript.purpose),
    transcript.m1,
    transcript.head,
    transcript.initiator,
    transcript.responder,
    transcript.initiatorLeaf,
    transcript.responderLeaf,
    encodeUint(transcript.bindingKind, 1),
    transcript.clientBinding,
    transcript.serverBinding,
  ];
  return parts.flatMap((part) => [encodeUint(part.length, 4), part]);
}

/**
 * T = SHA-256 over ten parts, each preceded by its length as four bytes, big-endian: purpose, m1,
 * head of m2, id I, id R, leaf hash I, leaf hash R, binding kind (one byte), client's binding,
 * server's binding.
 */
export function hashTranscript(transcript: ExchangeTranscript): Promise<Bytes> {
  return sha256(...transcriptParts(transcript));
}

/** A thing to sign: the label and the data under it. */
export interface ExchangeClaim {
  readonly label: string;
  readonly data: Bytes;
}

/** What the responder signs: `T 32 ‖ its proof 32` under "mesh v1 exchange responder". */
export function responderClaim(transcriptHash: Bytes, proof: Bytes): ExchangeClaim {
  return { label: "mesh v1 exchange responder", data: concatBytes(transcriptHash, proof) };
}

/** What the initiator signs: T2 alone, 32 bytes, under "mesh v1 exchange initiator". */
export function initiatorClaim(confirmationHash: Bytes): ExchangeClaim {
  return { label: "mesh v1 exchange initiator", data: confirmationHash };
}

/**
 * T2 = SHA-256(T 32 ‖ responder's proof 32 ‖ initiator's proof 32 ‖ sigR 64): the order in which
 * they were said. All lengths are fixed, so none is written.
 */
export function hashConfirmation(
  transcriptHash: Bytes,
  responderProof: Bytes,
  initiatorProof: Bytes,
  responderSignature: Bytes,
): Promise<Bytes> {
  return sha256(transcriptHash, responderProof, initiatorProof, responderSignature);
}
