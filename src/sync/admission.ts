/**
 * What a store decides, in words: about a record, about an offer, with time.
 *
 * @module
 */
import type { VerifiedRecord } from "./verify_record.ts";

/** Why a record was not kept. */
export type AdmitRefusal =
  | "author hidden"
  | "not an administrator"
  | "too many subjects"
  | "too many unknown kinds"
  | "expired"
  | "deleted before"
  | "too many nodes";

/** What became of a record. */
export type AdmitOutcome =
  /** It is held now and wants to be passed on. `previous` had its place, `gone` made room. */
  | {
    readonly kind: "stored";
    readonly previous?: VerifiedRecord;
    readonly gone: readonly VerifiedRecord[];
    /** The author signed two payloads under one serial. */
    readonly equivocation: boolean;
  }
  /** These very bytes are held. */
  | { readonly kind: "known" }
  /** `held` is newer, or has the lower hash. */
  | { readonly kind: "older"; readonly held: VerifiedRecord; readonly equivocation: boolean }
  | { readonly kind: "refused"; readonly reason: AdmitRefusal };

/** What to do about an offer. "older": what is held is better than what is offered. */
export type OfferJudgement = "wanted" | "held" | "older" | "refused";

/** What a passage of time did. */
export type StoreEffect =
  /** The record left fingerprints and offers, or came back to them (the clock was set right). */
  | { readonly kind: "left" | "returned"; readonly record: VerifiedRecord }
  /** It is no longer held; the tombstone is to be written down. */
  | { readonly kind: "deleted"; readonly record: VerifiedRecord };
