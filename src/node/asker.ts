/**
 * Asks a peer by sealed datagram and waits for the answer: seals, sends, tries again, follows a
 * corrected clock or a fresh cookie. Gives up with a value, never with an exception.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { type Duration, type Instant, later, milliseconds, scaled } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import type { DatagramSocket } from "../platform/network.ts";
import { type AnswerOutcome, PendingReplies, type PendingReply } from "../session/mod.ts";
import type { AnswerDatagram, WhoAreYouDatagram } from "../wire/datagram.ts";
import {
  type AnswerMessage,
  decodeAnswer,
  encodeRequest,
  noticeCodes,
  type OfferRequest,
  type PushRequest,
  type RequestMessage,
} from "../wire/message.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress } from "../wire/socket_address.ts";
import { askBackoff, askTries, askWait } from "./limits.ts";
import { Lateness } from "./lateness.ts";
import type { Peer } from "./peer.ts";
import type { Timed } from "./pump.ts";

/** How a request ended. */
export type AskOutcome =
  | { readonly kind: "answer"; readonly answer: AnswerMessage; readonly roundTripMs: number }
  /** Nothing came back in time. */
  | { readonly kind: "silent" }
  /** It could not be asked: no key, no address, no socket, too many waiting. */
  | { readonly kind: "unaskable"; readonly reason: string };

/** How patiently to ask. */
export interface AskOptions {
  /** Tries in all. */
  readonly tries?: number;
  /** How long each waits. */
  readonly wait?: Duration;
}

/** What the asker needs of the node. */
export interface AskerOwner {
  /** The socket from which the peer is reached now. */
  socketTowards(peer: Peer): DatagramSocket | undefined;
  /** Somebody said that the peer does not know our key (at most every 10 s per peer). */
  handleStranger(peer: Peer): void;
}

/** Extra sends that a corrected clock or a new cookie may cost, beyond the tries. */
const followUpsMax = 3;

/** Who is told something: no answer can come, but a who-are-you. */
interface Addressee {
  readonly peer: Peer;
}

/** One request in all its tries: an answer to any of them ends it. */
class Waiting {
  readonly peer: Peer;
  readonly sent: PendingReply[] = [];
  #outcome: AnswerOutcome | "abandoned" | undefined;
  #wake: AbortController | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** Aborts as soon as there is an outcome to take. */
  get arrival(): AbortSignal {
    if (this.#wake?.signal.aborted !== false) this.#wake = new AbortController();
    if (this.#outcome !== undefined) this.#wake.abort("settled");
    return this.#wake.signal;
  }

  settle(outcome: AnswerOutcome | "abandoned"): void {
    this.#outcome ??= outcome;
    // With a reason, or the platform makes an exception with a trace of every answer.
    this.#wake?.abort("settled");
  }

  take(): AnswerOutcome | "abandoned" | undefined {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    return outcome;
  }
}

/** How long all tries still to come take together: a late answer to an early one is as good. */
function answerLife(wait: Duration, tries: number, followUps: number): Duration {
  const growth = (askBackoff ** tries - 1) / (askBackoff - 1);
  return scaled(wait, growth + followUps * askBackoff ** tries);
}

/** Sends requests and matches answers. */
export class Asker implements Timed {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #owner: AskerOwner;
  readonly #replies: PendingReplies<Waiting, Addressee>;
  readonly #lateness: Lateness;

  constructor(
    clock: Clock,
    counters: Counters,
    owner: AskerOwner,
    lateness: Lateness = new Lateness(),
  ) {
    this.#clock = clock;
    this.#counters = counters;
    this.#owner = owner;
    this.#lateness = lateness;
    this.#replies = new PendingReplies(counters);
  }

  /** How many requests wait for an answer. */
  get waiting(): number {
    return this.#replies.size;
  }

  /** Asks until an answer comes or the tries are over. */
  async ask(peer: Peer, request: RequestMessage, options: AskOptions = {}): Promise<AskOutcome> {
    const waiting = new Waiting(peer);
    try {
      return await this.#ask(waiting, encodeRequest(request), options);
    } finally {
      for (const pending of waiting.sent) this.#replies.settle(pending);
    }
  }

  async #ask(waiting: Waiting, message: Bytes, options: AskOptions): Promise<AskOutcome> {
    let wait = options.wait ?? askWait;
    let tries = options.tries ?? askTries;
    let followUps = followUpsMax;
    while (tries > 0) {
      const patience = milliseconds(wait + this.#lateness.allowance(this.#clock.monotonic()));
      const refused = await this.#send(waiting, message, answerLife(patience, tries, followUps));
      if (refused !== undefined) return { kind: "unaskable", reason: refused };
      await this.#clock.wait(later(this.#clock.monotonic(), patience), waiting.arrival);
      const outcome = waiting.take();
      if (outcome === "abandoned") return { kind: "silent" };
      if (outcome?.kind === "answer") {
        const answer = decodeAnswer(outcome.message);
        if (isDecodeError(answer)) {
          this.#counters.count(`answer not understood: ${answer.reason}`);
          return { kind: "silent" };
        }
        const again = answer.kind === "notice" && answer.code === noticeCodes.cookieNeeded;
        if (!again) return { kind: "answer", answer, roundTripMs: outcome.roundTripMs };
      }
      // A corrected clock or a new cookie asks for one more send, which is no try; but not for ever.
      if (outcome !== undefined && followUps > 0) {
        followUps--;
        continue;
      }
      tries--;
      // Who does not answer may be busy: each try gives it longer, so that asking adds no load.
      wait = scaled(wait, askBackoff);
    }
    return { kind: "silent" };
  }

  /**
   * Tells a peer something that needs no answer and may be lost: in one sealed datagram if the peer
   * has answered on this path lately, else by asking. Resolves when it is sent, or answered.
   */
  async tell(peer: Peer, message: OfferRequest | PushRequest): Promise<void> {
    if (!await this.#tell(peer, encodeRequest(message))) await this.ask(peer, message);
  }

  /** Whether it could be told without being asked. */
  async #tell(peer: Peer, message: Bytes): Promise<boolean> {
    const way = this.#wayTo(peer);
    if (way === undefined) return false;
    const sealed = await peer.keys.sealTell(message, way.path, this.#clock.monotonic());
    if (sealed === undefined) return false;
    this.#replies.noteTell(sealed.sent, peer.id, { peer });
    if (!await way.socket.send(sealed.bytes, way.to)) this.#counters.count("send refused");
    return true;
  }

  /** The socket and the address in use, and the text that names both. */
  #wayTo(peer: Peer) {
    const socket = this.#owner.socketTowards(peer);
    const to = peer.address;
    if (socket === undefined || to === undefined) return undefined;
    return { socket, to, path: `${formatSocketAddress(socket.local)} ${formatSocketAddress(to)}` };
  }

  /** Sends once; returns why it could not. Answers are waited for as long as `life`. */
  async #send(waiting: Waiting, message: Bytes, life: Duration): Promise<string | undefined> {
    const { peer } = waiting;
    const way = this.#wayTo(peer);
    if (way === undefined) return "no way there";
    const { socket, to, path } = way;
    const now = this.#clock.monotonic();
    const sealed = await peer.keys.sealRequest(message, path, now);
    if (sealed === undefined) return "no key";
    if (!this.#replies.expect(sealed.pending, peer.id, waiting, later(now, life))) {
      return "too many requests under way";
    }
    waiting.sent.push(sealed.pending);
    // A refused send is a lost datagram: the wait speaks for it.
    if (!await socket.send(sealed.bytes, to)) this.#counters.count("send refused");
    return undefined;
  }

  /** An answer arrived. */
  async handleAnswer(answer: AnswerDatagram, bytes: Bytes): Promise<void> {
    const request = this.#replies.handleAnswer(answer);
    if (request === undefined) return;
    const { peer } = request.waiting;
    const outcome = await peer.keys.openAnswer(request.pending, bytes, this.#clock.monotonic());
    if (outcome.kind === "drop") {
      this.#counters.count(outcome.reason);
      return;
    }
    this.#replies.settle(request.pending)?.waiting.settle(outcome);
  }

  /** A who-are-you arrived; anybody can send one, so nothing is given up for it. */
  handleWhoAreYou(whoAreYou: WhoAreYouDatagram): void {
    const effect = this.#replies.handleWhoAreYou(whoAreYou, this.#clock.monotonic());
    if (effect === undefined) return;
    const { peer } = effect.waiting;
    peer.keys.doubt(effect.sent);
    if (effect.authenticate) this.#owner.handleStranger(peer);
  }

  /** Ends every wait for the peer. */
  abandon(id: NodeId): void {
    for (const { waiting } of this.#replies.abandon(id)) waiting.settle("abandoned");
  }

  nextTimeout(): Instant | undefined {
    return this.#replies.nextTimeout();
  }

  handleTimeout(now: Instant): void {
    // The tries keep their own time; what is overdue here only stops being listened for.
    this.#replies.handleTimeout(now);
  }
}
