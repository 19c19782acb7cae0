/**
 * The answerer's side of sealed datagrams: opens requests and seals answers with nothing kept per
 * peer. What it needs of a peer comes back in the request's handle and is derived again; a bounded
 * cache only saves the work. PROTOCOL §5.
 *
 * Refuses, cheapest check first and without a word: a wrong length, version or kind; a handle that
 * its epoch did not make; a peer that is not admitted; a seal that does not open. Answers an unknown
 * epoch with a fixed who-are-you, and an authentic request outside the window with its own time. A
 * tell has no answer but the who-are-you.
 *
 * Nonces under one pair's key are random, 96 bits: at 10,000 requests a second through an epoch's two
 * hours the chance that one repeats is below 2⁻⁴⁴ (NIST SP 800-38D §8.3 asks for 2⁻³² at most).
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, equalBytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { type Instant, later } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import {
  cookieFor,
  derivePairKey,
  type EpochSecret,
  importEpochSecret,
  importSealKey,
  openDatagram,
  sameCookie,
  sealDatagram,
  type SealKey,
  unwrapHandle,
  wrapHandle,
} from "../crypto/mod.ts";
import type { Entropy } from "../platform/entropy.ts";
import {
  answerOverhead,
  datagramBytesMax,
  decodeDatagram,
  decodeRequestBody,
  decodeTellBody,
  encodeAnswerBody,
  encodeAnswerHeader,
  encodeWhoAreYou,
  nonceLength,
  type RequestDatagram,
} from "../wire/datagram.ts";
import {
  type DatagramGrant,
  epochNameLength,
  type NextGrant,
  nextGrantLength,
  pairKeyLength,
} from "../wire/grant.ts";
import { type NodeId, nodeIdPrefix, nodeIdToBytes } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import { epochLength, handleCacheMax, replayFilterMax, timeWindow } from "./limits.ts";
import { cookieNeededNotice, encodeTimeNotice } from "./notice.ts";
import { ReplayFilter } from "./replay_filter.ts";

/** Where a request came from, as the socket tells it; a cookie is bound to exactly this. */
export interface DatagramSource {
  readonly address: SocketAddress;
  /** Interface of the socket that it arrived on. */
  readonly interfaceName: string;
}

/** A request that was opened. Everything in it is the peer's word, proven to be the peer's. */
export interface OpenedRequest {
  /** First 16 bytes of the peer's id, as 32 hexadecimal digits. */
  readonly peerPrefix: string;
  readonly message: Bytes;
  readonly source: DatagramSource;
  /**
   * Whether the request proved that the peer receives at `source`. Only then may it change state,
   * change the peer's address, or be answered at length.
   */
  readonly cookieRight: boolean;
  /** Most bytes of an answer's message. */
  readonly answerBytesMax: number;
  /** For `sealAnswer` and `firstSight`. */
  readonly reply: ReplyPath;
}

/** A tell that was opened: authentic, in time, seen for the first time, from where it says. */
export interface OpenedTell {
  /** First 16 bytes of the peer's id, as 32 hexadecimal digits. */
  readonly peerPrefix: string;
  readonly message: Bytes;
  readonly source: DatagramSource;
}

/** What sealing the answer takes; opaque to everyone but `EpochKeys`. */
export interface ReplyPath {
  readonly replyTag: Bytes;
  readonly replyKey: Bytes;
  readonly cookie: Bytes;
  readonly requestLength: number;
  readonly handle: Bytes;
  readonly nonce: Bytes;
  readonly peer: Bytes;
  readonly epoch: Epoch;
}

/** What to do with a datagram that arrived. */
export type OpenOutcome =
  | { readonly kind: "request"; readonly request: OpenedRequest }
  | { readonly kind: "tell"; readonly tell: OpenedTell }
  /**
   * A tell that the peer sealed, but not in time or not from where its cookie says: not to be acted
   * upon. It has no answer that could tell the peer so; `reason` is a fixed phrase for counting.
   */
  | { readonly kind: "unread"; readonly peerPrefix: string; readonly reason: string }
  /** Authentic, but its time is outside the window: send `answer` back where it came from. */
  | { readonly kind: "stale"; readonly peerPrefix: string; readonly answer: Bytes }
  /** Of no epoch of ours: send `answer`, a who-are-you, back where it came from. */
  | { readonly kind: "unknown-epoch"; readonly answer: Bytes }
  /** Say nothing; `reason` is a fixed phrase for counting. */
  | { readonly kind: "drop"; readonly reason: string };

interface RecognisedPeer {
  readonly prefix: Bytes;
  readonly prefixHex: string;
  readonly key: SealKey;
  /** The cookie made last and for what; most peers stay where they are. */
  place: { readonly source: DatagramSource; readonly cookie: Bytes } | undefined;
}

class Epoch {
  readonly name: Bytes;
  readonly startedAt: Instant;
  readonly secret: Promise<EpochSecret>;
  readonly peers = new BoundedMap<string, RecognisedPeer>(handleCacheMax);
  readonly replays = new ReplayFilter(replayFilterMax);

  constructor(entropy: Entropy, startedAt: Instant) {
    const drawn = entropy.bytes(epochNameLength + pairKeyLength);
    this.name = drawn.slice(0, epochNameLength);
    this.startedAt = startedAt;
    this.secret = importEpochSecret(drawn.slice(epochNameLength));
  }

  async grant(peer: Bytes, answererId: Bytes): Promise<NextGrant> {
    const secret = await this.secret;
    const [handle, key] = await Promise.all([
      wrapHandle(secret, peer),
      derivePairKey(secret, peer, answererId),
    ]);
    return { epoch: this.name, handle, key };
  }
}

function samePlace(a: DatagramSource, b: DatagramSource): boolean {
  return a.address.port === b.address.port && a.address.ip === b.address.ip &&
    a.interfaceName === b.interfaceName;
}

function drop(reason: string): OpenOutcome {
  return { kind: "drop", reason };
}

/** Secrets of the current epoch and of the one before, and what is done with them. */
export class EpochKeys {
  readonly #entropy: Entropy;
  readonly #selfId: Bytes;
  #current: Epoch;
  #previous: Epoch | undefined;

  private constructor(entropy: Entropy, selfId: NodeId, now: Instant) {
    this.#entropy = entropy;
    this.#selfId = nodeIdToBytes(selfId);
    this.#current = new Epoch(entropy, now);
  }

  /** Begins the first epoch. Its secret is drawn here: 40 bytes per epoch, name 8 then secret 32. */
  static create(entropy: Entropy, selfId: NodeId, now: Instant): EpochKeys {
    return new EpochKeys(entropy, selfId, now);
  }

  /** When the next epoch begins; the one before the current is forgotten then. */
  nextTimeout(): Instant {
    return later(this.#current.startedAt, epochLength);
  }

  /** Begins and forgets epochs that are due. Every other method does the same first. */
  handleTimeout(now: Instant): void {
    this.#advance(now);
  }

  #advance(now: Instant): void {
    const due = later(this.#current.startedAt, epochLength);
    if (now < due) return;
    const next = later(due, epochLength);
    // After hours without a call neither old epoch lives on, and the new one begins now.
    const slept = now >= next;
    this.#previous = slept ? undefined : this.#current;
    this.#current = new Epoch(this.#entropy, slept ? now : due);
  }

  #named(name: Uint8Array): Epoch | undefined {
    if (equalBytes(this.#current.name, name)) return this.#current;
    const previous = this.#previous;
    return previous !== undefined && equalBytes(previous.name, name) ? previous : undefined;
  }

  /** What to hand the peer inside an exchange. Valid one to two hours without being renewed. */
  async grantFor(peer: NodeId, now: Instant): Promise<DatagramGrant> {
    this.#advance(now);
    const grant = await this.#current.grant(nodeIdPrefix(peer), this.#selfId);
    return { ...grant, time: Math.floor(now) };
  }

  /**
   * Judges a datagram. Never throws and never rejects, whatever the bytes.
   *
   * @param admits Whether the node whose id begins with these 16 bytes (32 hexadecimal digits) may
   * talk to us: not revoked, a member. Asked before the seal is tried and again after.
   */
  async open(
    bytes: Bytes,
    source: DatagramSource,
    admits: (peerPrefix: string) => boolean,
    now: Instant,
  ): Promise<OpenOutcome> {
    this.#advance(now);
    const request = decodeDatagram(bytes);
    if (request instanceof DecodeError) return drop(request.reason);
    if (request.kind !== "request" && request.kind !== "tell") return drop("not a request");
    const epoch = this.#named(request.epoch);
    if (epoch === undefined) {
      return { kind: "unknown-epoch", answer: encodeWhoAreYou(request.nonce) };
    }
    const secret = await epoch.secret;
    const handleName = toHex(request.handle);
    let peer = epoch.peers.get(handleName);
    if (peer === undefined) {
      const prefix = await unwrapHandle(secret, request.handle);
      if (prefix === undefined) return drop("handle not ours");
      const prefixHex = toHex(prefix);
      if (!admits(prefixHex)) return drop("peer not admitted");
      const key = await importSealKey(await derivePairKey(secret, prefix, this.#selfId));
      peer = { prefix, prefixHex, key, place: undefined };
      epoch.peers.set(handleName, peer);
    } else if (!admits(peer.prefixHex)) {
      return drop("peer not admitted");
    }
    const plain = await openDatagram(peer.key, request.nonce, request.header, request.sealed);
    if (plain === undefined) return drop(`${request.kind} seal`);
    const asked = request.kind === "request" ? decodeRequestBody(plain) : undefined;
    if (asked instanceof DecodeError) return drop(asked.reason);
    const body = asked ?? decodeTellBody(plain);
    if (body instanceof DecodeError) return drop(body.reason);
    const cookie = await this.#cookieOf(peer, secret, request.handle, source);
    // A revocation or the epoch's end may have come while the platform was working.
    if (!admits(peer.prefixHex)) return drop("peer not admitted");
    if (this.#named(request.epoch) !== epoch) return drop("epoch ended");

    const fresh = Math.abs(body.time - now) <= timeWindow;
    // What is outside the window may be a replay: its cookie then proves nothing about its sender.
    const cookieRight = fresh && sameCookie(cookie, body.cookie);
    if (asked === undefined) {
      const tell = { peerPrefix: peer.prefixHex, message: body.message, source };
      return this.#judgeTell(epoch, request, tell, fresh, cookieRight);
    }
    const limit = cookieRight ? datagramBytesMax : bytes.length;
    const reserved = cookieRight && epoch !== this.#current ? nextGrantLength : 0;
    const opened: OpenedRequest = {
      peerPrefix: peer.prefixHex,
      message: asked.message,
      source,
      cookieRight,
      answerBytesMax: limit - answerOverhead - reserved,
      reply: {
        replyTag: asked.replyTag,
        replyKey: asked.replyKey,
        cookie,
        requestLength: bytes.length,
        handle: request.handle,
        nonce: request.nonce,
        peer: peer.prefix,
        epoch,
      },
    };
    if (fresh) return { kind: "request", request: opened };
    const answer = await this.sealAnswer(opened, encodeTimeNotice(Math.floor(now)));
    return { kind: "stale", peerPrefix: peer.prefixHex, answer };
  }

  #judgeTell(
    epoch: Epoch,
    { handle, nonce }: RequestDatagram,
    tell: OpenedTell,
    fresh: boolean,
    cookieRight: boolean,
  ): OpenOutcome {
    const { peerPrefix } = tell;
    if (!fresh) return { kind: "unread", peerPrefix, reason: "tell outside window" };
    if (!cookieRight) return { kind: "unread", peerPrefix, reason: "tell from elsewhere" };
    if (!epoch.replays.firstSight(handle, nonce)) return drop("tell seen before");
    return { kind: "tell", tell };
  }

  async #cookieOf(
    peer: RecognisedPeer,
    secret: EpochSecret,
    handle: Bytes,
    source: DatagramSource,
  ): Promise<Bytes> {
    if (peer.place !== undefined && samePlace(peer.place.source, source)) return peer.place.cookie;
    const { ip, port } = source.address;
    const cookie = await cookieFor(secret, handle, source.interfaceName, ip, port);
    peer.place = { source, cookie };
    return cookie;
  }

  /**
   * Whether this is the first time that the request is asked about: see `ReplayFilter` for what that
   * is worth. For messages that change state or are dear to answer; others need not ask.
   */
  firstSight(opened: OpenedRequest): boolean {
    const { epoch, handle, nonce } = opened.reply;
    return epoch.replays.firstSight(handle, nonce);
  }

  /**
   * Seals an answer, to be sent from the socket and to the address that the request came with. A
   * message that is too long without a right cookie becomes the notice that a cookie is needed, so
   * nothing that leaves here is longer than the request unless its sender proved its address.
   *
   * The nonce is new each time: a replayed request brings the same reply key back, and that key must
   * never meet the same nonce with another answer.
   *
   * @param message At most `answerBytesMax` bytes (`InvariantError` if longer despite the cookie).
   */
  async sealAnswer(opened: OpenedRequest, message: Bytes): Promise<Bytes> {
    const { replyTag, replyKey, cookie, requestLength, peer, epoch } = opened.reply;
    const nonce = this.#entropy.bytes(nonceLength);
    const limit = opened.cookieRight ? datagramBytesMax : requestLength;
    const tooLong = answerOverhead + message.length > limit;
    invariant(!tooLong || !opened.cookieRight, "an answer fits a datagram");
    const said = tooLong ? cookieNeededNotice : message;
    const current = this.#current;
    const handOver = epoch !== current &&
      answerOverhead + nextGrantLength + said.length <= limit;
    const [key, next] = await Promise.all([
      importSealKey(replyKey),
      handOver ? current.grant(peer, this.#selfId) : undefined,
    ]);
    const body = next === undefined ? { cookie, message: said } : { cookie, message: said, next };
    return sealDatagram(key, nonce, encodeAnswerHeader(replyTag, nonce), encodeAnswerBody(body));
  }
}
