/**
 * What arrives on the UDP sockets: opens requests and tells, decides what each may do, answers where
 * it came from; hands answers to the asker. Nothing is kept for a requester. PROTOCOL §5, §6.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { DecodeError, isDecodeError } from "../base/decode.ts";
import { unreachable } from "../base/invariant.ts";
import type { Clock } from "../platform/clock.ts";
import type { DatagramSocket, ReceivedDatagram } from "../platform/network.ts";
import type { DatagramSource, EpochKeys, OpenedRequest, OpenedTell } from "../session/mod.ts";
import { type AnswerDatagram, decodeDatagram } from "../wire/datagram.ts";
import {
  type AnswerMessage,
  type CompareRequest,
  decodeRequest,
  encodeAnswer,
  needsCookie,
  noticeCodes,
  type ProbeMessage,
  type RelayRequest,
  type RequestMessage,
  UnknownMessage,
} from "../wire/message.ts";
import type { Offer } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import type { Asker } from "./asker.ts";
import type { Background } from "./background.ts";
import type { Lateness } from "./lateness.ts";
import { inboxMax } from "./limits.ts";
import { shedReasons } from "./overload.ts";
import type { Peer } from "./peer.ts";

/** What requests ask of the node. Every peer here has proven its key. */
export interface DispatchOwner {
  /** Whether the node whose id begins so (32 hexadecimal digits) may talk to us. */
  admits(prefix: string): boolean;
  /** The peer of that prefix, opened if it is admitted and not yet held. */
  peerOf(prefix: string): Peer | undefined;
  /** An authentic request came from the peer; first = not seen before, and from where it says. */
  handleHeard(peer: Peer, isFirst: boolean): void;
  /** Whether the peer, which proved by a cookie that it receives elsewhere, is to be sought there. */
  mayMove(peer: Peer): boolean;
  answerProbe(probe: ProbeMessage): Promise<ProbeMessage>;
  answerCompare(peer: Peer, compare: CompareRequest, bytesMax: number): Promise<AnswerMessage>;
  answerFetch(keys: readonly RecordKey[], bytesMax: number): AnswerMessage;
  handleOffers(peer: Peer, offers: readonly Offer[]): void;
  /** The peer told something that could not be read: ask it. Anybody may cause this by a replay. */
  handleUnread(peer: Peer): void;
  /** Resolves to how many were new. */
  handlePushed(peer: Peer, records: readonly Bytes[]): Promise<number>;
  handleLeaving(peer: Peer, bootNonce: Bytes): void;
  handleRestarting(peer: Peer, bootNonce: Bytes): void;
  handleLetGo(peer: Peer, exchangeHash: Bytes): void;
  /** Sends the peer's request on; resolves to the answer's bytes, or none. */
  relay(peer: Peer, request: RelayRequest): Promise<Bytes>;
  /** Whether the answer is one to what was sent on for somebody. */
  handleRelayed(answer: AnswerDatagram, bytes: Bytes, from: SocketAddress): boolean;
}

const nothing: Bytes = new Uint8Array(0);

/** Opens, decides, answers. */
export class Dispatch {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #background: Background;
  readonly #epochKeys: EpochKeys;
  readonly #asker: Asker;
  readonly #lateness: Lateness;
  readonly #owner: DispatchOwner;
  #underWay = 0;
  readonly #ended = () => {
    this.#underWay--;
  };

  constructor(
    clock: Clock,
    counters: Counters,
    background: Background,
    epochKeys: EpochKeys,
    asker: Asker,
    lateness: Lateness,
    owner: DispatchOwner,
  ) {
    this.#clock = clock;
    this.#counters = counters;
    this.#background = background;
    this.#epochKeys = epochKeys;
    this.#asker = asker;
    this.#lateness = lateness;
    this.#owner = owner;
  }

  /** Datagrams being worked on. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Takes a datagram in. Never throws; what is too much is dropped and counted. */
  handleDatagram({ bytes, from }: ReceivedDatagram, socket: DatagramSocket): void {
    const datagram = decodeDatagram(bytes);
    if (isDecodeError(datagram)) return this.#counters.count(datagram.reason);
    if (datagram.kind === "who-are-you") return this.#asker.handleWhoAreYou(datagram);
    if (this.#underWay >= inboxMax) return this.#counters.count(shedReasons.inbox);
    this.#underWay++;
    const work = datagram.kind === "answer"
      ? this.#handleAnswer(datagram, bytes, from)
      : this.#handleRequest(bytes, from, socket);
    // No chain of its own: so much the less is made of every datagram.
    this.#background.own("handle a datagram", work, this.#ended);
  }

  async #handleAnswer(
    answer: AnswerDatagram,
    bytes: Bytes,
    from: ReceivedDatagram["from"],
  ): Promise<void> {
    if (this.#owner.handleRelayed(answer, bytes, from)) return;
    await this.#asker.handleAnswer(answer, bytes);
  }

  async #handleRequest(
    bytes: Bytes,
    from: ReceivedDatagram["from"],
    socket: DatagramSocket,
  ): Promise<void> {
    const arrivedAt = this.#clock.monotonic();
    const outcome = await this.#epochKeys.open(
      bytes,
      { address: from, interfaceName: socket.interfaceName },
      (prefix) => this.#owner.admits(prefix),
      arrivedAt,
    );
    // It takes no time where this process gets its share of the processor.
    this.#lateness.note(arrivedAt, this.#clock.monotonic());
    switch (outcome.kind) {
      case "drop":
        return this.#counters.count(outcome.reason);
      case "tell":
        return await this.#takeTell(outcome.tell);
      case "unread": {
        this.#counters.count(outcome.reason);
        const peer = this.#owner.peerOf(outcome.peerPrefix);
        if (peer !== undefined) this.#owner.handleUnread(peer);
        return;
      }
      case "unknown-epoch":
      case "stale":
        this.#counters.count(outcome.kind === "stale" ? "request outside window" : "unknown epoch");
        await socket.send(outcome.answer, from);
        return;
      case "request": {
        const answer = await this.#answer(outcome.request);
        if (answer === undefined) return;
        await socket.send(
          await this.#epochKeys.sealAnswer(outcome.request, encodeAnswer(answer)),
          from,
        );
        return;
      }
      default:
        unreachable(outcome);
    }
  }

  /** A tell says what needs no answer, and nothing else. */
  async #takeTell(tell: OpenedTell): Promise<void> {
    const peer = this.#owner.peerOf(tell.peerPrefix);
    if (peer === undefined) return this.#counters.count("peer not known");
    const message = decodeRequest(tell.message);
    if (message instanceof DecodeError) return this.#counters.count(`tell: ${message.reason}`);
    this.#noteAddress(peer, tell.source);
    this.#owner.handleHeard(peer, true);
    if (message.kind === "offer") this.#owner.handleOffers(peer, message.offers);
    else if (message.kind === "push") await this.#owner.handlePushed(peer, message.records);
    else this.#counters.count("tell of what is to be asked");
  }

  async #answer(opened: OpenedRequest): Promise<AnswerMessage | undefined> {
    const peer = this.#owner.peerOf(opened.peerPrefix);
    if (peer === undefined) {
      this.#counters.count("peer not known");
      return undefined;
    }
    const request = decodeRequest(opened.message);
    if (request instanceof DecodeError) {
      this.#counters.count(`request: ${request.reason}`);
      const value = request instanceof UnknownMessage ? request.number : 0;
      return { kind: "notice", code: noticeCodes.messageUnknown, value };
    }
    // A second sight of the same datagram is answered alike and changes nothing, nor does it bring
    // the peer back to where it was when it sent the first.
    const isFirst = opened.cookieRight && this.#epochKeys.firstSight(opened);
    if (isFirst) this.#noteAddress(peer, opened.source);
    this.#owner.handleHeard(peer, isFirst);
    if (needsCookie(request) && !opened.cookieRight) {
      return { kind: "notice", code: noticeCodes.cookieNeeded, value: 0 };
    }
    return await this.#act(peer, opened, request, isFirst);
  }

  /** A right cookie proves that the peer receives there: its datagrams may go there from now on. */
  #noteAddress(peer: Peer, { address }: DatagramSource): void {
    const same = peer.address !== undefined &&
      formatSocketAddress(peer.address) === formatSocketAddress(address);
    if (!same && this.#owner.mayMove(peer)) peer.address = address;
  }

  #busy(): AnswerMessage {
    this.#counters.count(shedReasons.dearWork);
    return { kind: "notice", code: noticeCodes.busy, value: 0 };
  }

  async #act(
    peer: Peer,
    opened: OpenedRequest,
    request: RequestMessage,
    isFirst: boolean,
  ): Promise<AnswerMessage> {
    const owner = this.#owner;
    switch (request.kind) {
      case "ping": {
        const { ip, port } = opened.source.address;
        return { kind: "ping", seenIp: ip, seenPort: port };
      }
      case "probe":
        if (!peer.budget.take(this.#clock.monotonic())) return this.#busy();
        return await owner.answerProbe(request);
      case "compare":
        if (!peer.budget.take(this.#clock.monotonic())) return this.#busy();
        return await owner.answerCompare(peer, request, opened.answerBytesMax);
      case "fetch":
        return owner.answerFetch(request.keys, opened.answerBytesMax);
      case "offer":
        if (isFirst) owner.handleOffers(peer, request.offers);
        return { kind: "offer" };
      case "push": {
        const accepted = isFirst ? await owner.handlePushed(peer, request.records) : 0;
        return { kind: "push", accepted };
      }
      case "leaving":
        if (isFirst) owner.handleLeaving(peer, request.bootNonce);
        return { kind: "leaving" };
      case "restarting":
        if (isFirst) owner.handleRestarting(peer, request.bootNonce);
        return { kind: "restarting" };
      case "letGo":
        if (isFirst) owner.handleLetGo(peer, request.exchangeHash);
        return { kind: "letGo" };
      case "relay":
        // Done once, as all that costs others something.
        return { kind: "relay", datagram: isFirst ? await owner.relay(peer, request) : nothing };
      default:
        return unreachable(request);
    }
  }
}
