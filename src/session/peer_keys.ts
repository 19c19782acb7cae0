/**
 * The requester's side of sealed datagrams, for one peer: the grants that the peer gave, its time,
 * and the cookies by which it knows our addresses. PROTOCOL §5.
 *
 * Two grants are held, so that a handover cuts nothing off. One is dropped only for an authentic
 * reason: the peer gave a newer one, in an exchange or under a seal. A who-are-you, which anybody can
 * send, drops nothing; it only makes the other grant be tried first until its own is heard again.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, equalBytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { elapsed, type Instant, instant } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import { importSealKey, openDatagram, sealDatagram, type SealKey } from "../crypto/mod.ts";
import type { Entropy } from "../platform/entropy.ts";
import {
  cookieLength,
  decodeAnswerBody,
  decodeDatagram,
  encodeRequestBody,
  encodeRequestHeader,
  encodeTellBody,
  nonceLength,
  replyKeyLength,
  replyTagLength,
  requestMessageMax,
} from "../wire/datagram.ts";
import type { DatagramGrant, NextGrant } from "../wire/grant.ts";
import { answerAgeMax, confirmationLifetime, cookiesPerGrantMax } from "./limits.ts";
import { decodeTimeNotice } from "./notice.ts";

/** The peer's monotonic clock less ours; shared by the grants of one run of the peer. */
interface PeerClock {
  ahead: number;
}

/** What the peer last answered on one path. */
interface Confirmation {
  readonly cookie: Bytes;
  readonly at: Instant;
}

/** A grant in use; opaque to everyone but `PeerKeys`. */
export interface HeldGrant {
  readonly epoch: Bytes;
  readonly handle: Bytes;
  readonly key: Promise<SealKey>;
  readonly clock: PeerClock;
  readonly confirmed: BoundedMap<string, Confirmation>;
  doubted: boolean;
}

/** A request that waits for its answer. Believes one answer, once. */
export class PendingReply {
  /** Tag that the answer bears, 16 hexadecimal digits. */
  readonly replyTag: string;
  /** Nonce that a who-are-you echoes, 24 hexadecimal digits. */
  readonly nonce: string;
  readonly sentAt: Instant;
  /** The addresses in use, as given to `sealRequest`; `undefined` if others carry it. */
  readonly path: string | undefined;
  /** For `PeerKeys`. Secret. */
  readonly replyKey: Bytes;
  /** For `PeerKeys`. */
  readonly grant: HeldGrant;
  #settled = false;

  /** Made by `PeerKeys.sealRequest` only. */
  constructor(drawn: Bytes, sentAt: Instant, path: string | undefined, grant: HeldGrant) {
    this.nonce = toHex(drawn.subarray(0, tagAt));
    this.replyTag = toHex(drawn.subarray(tagAt, keyAt));
    this.replyKey = drawn.subarray(keyAt);
    this.sentAt = sentAt;
    this.path = path;
    this.grant = grant;
  }

  /** Whether an answer was believed. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Takes the one answer; `false` if there was one already. */
  settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    return true;
  }
}

/** A request ready to be sent. */
export interface SealedRequest {
  readonly bytes: Bytes;
  readonly pending: PendingReply;
}

/** A tell on its way: what a who-are-you that echoes it is about. */
export interface SentTell {
  /** 24 hexadecimal digits. */
  readonly nonce: string;
  /** For `PeerKeys`. */
  readonly grant: HeldGrant;
}

/** A tell ready to be sent. */
export interface SealedTell {
  readonly bytes: Bytes;
  readonly sent: SentTell;
}

/** What became of an answer. */
export type AnswerOutcome =
  | { readonly kind: "answer"; readonly message: Bytes; readonly roundTripMs: number }
  /** The peer's clock was not where we believed; it is now: send the request again. */
  | { readonly kind: "clock-corrected" }
  /** Not to be believed: go on waiting. `reason` is a fixed phrase for counting. */
  | { readonly kind: "drop"; readonly reason: string };

// Drawn in one piece per request, in this order.
const tagAt = nonceLength;
const keyAt = tagAt + replyTagLength;
const drawnLength = keyAt + replyKeyLength;
const noCookie: Bytes = new Uint8Array(cookieLength);

function drop(reason: string): AnswerOutcome {
  return { kind: "drop", reason };
}

/** What one peer gave us to talk to it with. */
export class PeerKeys {
  readonly #entropy: Entropy;
  #newest: HeldGrant | undefined;
  #older: HeldGrant | undefined;

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** Whether a request can be sealed. */
  get ready(): boolean {
    return this.#newest !== undefined;
  }

  /** What the peer's monotonic clock shows, as far as is known: set at exchanges, drifting since. */
  timeThere(now: Instant): Instant | undefined {
    const grant = this.#preferred();
    return grant === undefined ? undefined : instant(now + grant.clock.ahead);
  }

  /** Takes the grant of an exchange that was finished at `now`. */
  adopt(grant: DatagramGrant, now: Instant): void {
    const ahead = grant.time - now;
    const held = this.#heldLike(grant);
    if (held === undefined) {
      this.#older = this.#newest;
      this.#newest = hold(grant, { ahead });
    } else {
      // Of two crossing exchanges the second brings what the first brought.
      held.clock.ahead = ahead;
      held.doubted = false;
    }
  }

  /** Forgets everything: the peer was revoked. Answers under way are no longer believed. */
  forget(): void {
    this.#newest = undefined;
    this.#older = undefined;
  }

  #heldLike(grant: NextGrant): HeldGrant | undefined {
    for (const held of [this.#newest, this.#older]) {
      if (
        held !== undefined && equalBytes(held.epoch, grant.epoch) &&
        equalBytes(held.handle, grant.handle)
      ) return held;
    }
    return undefined;
  }

  #holds(grant: HeldGrant): boolean {
    return grant === this.#newest || grant === this.#older;
  }

  /**
   * Seals a request, or `undefined` if there is no grant.
   *
   * @param message At most `requestMessageMax` bytes.
   * @param path Text that names our socket's address and the peer's: cookies are kept per path.
   * `undefined` if somebody else is to send it: such a request bears no cookie and brings none back,
   * or the peer would take that one's address for ours.
   */
  async sealRequest(
    message: Bytes,
    path: string | undefined,
    now: Instant,
  ): Promise<SealedRequest | undefined> {
    invariant(message.length <= requestMessageMax, "a request fits a datagram");
    const grant = this.#preferred();
    if (grant === undefined) return undefined;
    const drawn = this.#entropy.bytes(drawnLength);
    const pending = new PendingReply(drawn, now, path, grant);
    const nonce = drawn.subarray(0, tagAt);
    const body = encodeRequestBody({
      time: Math.max(0, Math.floor(now + grant.clock.ahead)),
      replyTag: drawn.subarray(tagAt, keyAt),
      replyKey: pending.replyKey,
      cookie: (path === undefined ? undefined : grant.confirmed.get(path)?.cookie) ?? noCookie,
      message,
    });
    const header = encodeRequestHeader("request", grant.epoch, grant.handle, nonce);
    return { bytes: await sealDatagram(await grant.key, nonce, header, body), pending };
  }

  /**
   * Seals a tell, or `undefined` if nothing says that it would be heard: no grant that is not in
   * doubt, or no answer on this path for a while. Then a request is to carry the message; its answer
   * brings what was missing.
   *
   * @param message At most `requestMessageMax` bytes, so that a request can carry it instead.
   */
  async sealTell(message: Bytes, path: string, now: Instant): Promise<SealedTell | undefined> {
    invariant(message.length <= requestMessageMax, "what is told fits a request");
    const grant = this.#preferred();
    const confirmed = grant?.confirmed.get(path);
    if (grant === undefined || grant.doubted || confirmed === undefined) return undefined;
    if (elapsed(confirmed.at, now) > confirmationLifetime) return undefined;
    const nonce = this.#entropy.bytes(nonceLength);
    const body = encodeTellBody({
      time: Math.max(0, Math.floor(now + grant.clock.ahead)),
      cookie: confirmed.cookie,
      message,
    });
    const header = encodeRequestHeader("tell", grant.epoch, grant.handle, nonce);
    const bytes = await sealDatagram(await grant.key, nonce, header, body);
    return { bytes, sent: { nonce: toHex(nonce), grant } };
  }

  #preferred(): HeldGrant | undefined {
    const [newest, older] = [this.#newest, this.#older];
    return newest?.doubted === true && older?.doubted === false ? older : newest;
  }

  /** Judges a datagram that may be the answer to `pending`. Never throws and never rejects. */
  async openAnswer(pending: PendingReply, bytes: Bytes, now: Instant): Promise<AnswerOutcome> {
    const answer = decodeDatagram(bytes);
    if (answer instanceof DecodeError) return drop(answer.reason);
    if (answer.kind !== "answer") return drop("not an answer");
    if (toHex(answer.replyTag) !== pending.replyTag) return drop("answer to another request");
    if (pending.settled) return drop("answered before");
    const age = elapsed(pending.sentAt, now);
    if (age > answerAgeMax) return drop("answer too late");
    const key = await importSealKey(pending.replyKey);
    const plain = await openDatagram(key, answer.nonce, answer.header, answer.sealed);
    if (plain === undefined) return drop("answer seal");
    const body = decodeAnswerBody(plain);
    if (body instanceof DecodeError) return drop(body.reason);
    // Another copy, a newer exchange or a revocation may have come while the platform was working.
    if (!this.#holds(pending.grant)) return drop("grant given up");
    if (!pending.settle()) return drop("answered before");

    const { grant } = pending;
    grant.doubted = false;
    if (pending.path !== undefined) {
      grant.confirmed.set(pending.path, { cookie: body.cookie, at: now });
    }
    if (body.next !== undefined) this.#handOver(grant, body.next);
    const time = decodeTimeNotice(body.message);
    if (time === undefined) return { kind: "answer", message: body.message, roundTripMs: age };
    // Read somewhere between sending and now; the middle halves what a delayer can gain.
    grant.clock.ahead = time - (now - age / 2);
    return { kind: "clock-corrected" };
  }

  /** Takes the next grant, unless what is held is already newer than what the answer answers. */
  #handOver(from: HeldGrant, next: NextGrant): void {
    const held = this.#heldLike(next);
    if (held !== undefined) {
      // The peer itself says that it knows this grant.
      held.doubted = false;
      return;
    }
    if (from !== this.#newest && this.#newest?.doubted !== true) return;
    this.#older = from;
    this.#newest = hold(next, from.clock);
  }

  /**
   * Somebody says that the peer does not know the grant of this request or tell. Nothing is dropped
   * for it: until that grant is heard again the other one, if there is one, is tried first, and
   * nothing is told under it.
   */
  doubt({ grant }: Pick<SentTell, "grant">): void {
    grant.doubted = true;
  }
}

function hold(grant: NextGrant, clock: PeerClock): HeldGrant {
  return {
    epoch: grant.epoch.slice(),
    handle: grant.handle.slice(),
    key: importSealKey(grant.key),
    clock,
    confirmed: new BoundedMap(cookiesPerGrantMax),
    doubted: false,
  };
}
