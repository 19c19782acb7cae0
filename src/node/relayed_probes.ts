/**
 * Asking a peer through others, and asking others' peers for them. PROTOCOL §8.5. What travels is the
 * asker's own sealed request and the peer's own sealed answer: a helper can withhold, delay and
 * repeat, and prove nothing that is not so.
 *
 * A helper sends only to peers of its links, only what looks like a request and is small, so much a
 * second for each asker; it waits a second for the answer and remembers nothing longer. What was
 * relayed is never relayed on: a relay needs a cookie for the address it comes from, and nobody who
 * asks through others has one for theirs.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { later } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import type { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import type { DatagramSocket } from "../platform/network.ts";
import { type AnswerDatagram, decodeDatagram } from "../wire/datagram.ts";
import { relayedBytesMax } from "../wire/limits.ts";
import { encodeRequest, type RelayRequest } from "../wire/message.ts";
import { nodeIdPrefix } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import type { Asker } from "./asker.ts";
import {
  peersMax,
  relayBurst,
  relayHelpers,
  relayRate,
  relaysMax,
  relayTries,
  relayWait,
} from "./limits.ts";
import type { Peer, PeerTable } from "./peer.ts";
import { WorkBudget } from "./work_budget.ts";

/** Parts of relayed probes. */
export interface RelayedProbesOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly prng: Prng;
  readonly asker: Asker;
  readonly peers: PeerTable;
  /** The socket from which the peer is reached now. */
  socketTowards(peer: Peer): DatagramSocket | undefined;
  /** Peers of other links that have a link with this peer, by their records. */
  helpersFor(peer: Peer): readonly Peer[];
}

/** One request that was sent on and is not answered yet. */
interface Relay {
  readonly asker: Peer;
  readonly target: Peer;
  readonly sentTo: string;
  readonly arrival: AbortController;
  /** Resolves to what came, nothing if that is empty. */
  readonly answer: Promise<Bytes>;
  settle(answer: Bytes): void;
}

const nothing: Bytes = new Uint8Array(0);
const ping = encodeRequest({ kind: "ping" });

/** Both sides. */
export class RelayedProbes {
  readonly #options: RelayedProbesOptions;
  /** What was sent on, by reply tag in hexadecimal. */
  readonly #relays = new Map<string, Relay>();
  readonly #budgets = new BoundedMap<Peer, WorkBudget>(peersMax);

  constructor(options: RelayedProbesOptions) {
    this.#options = options;
  }

  /** Asks the peer through two others; `onAnswer` is told of each authentic answer. */
  async ask(peer: Peer, onAnswer: () => void): Promise<void> {
    const { prng, helpersFor } = this.#options;
    const helpers = prng.shuffled(helpersFor(peer)).slice(0, relayHelpers);
    await Promise.all(helpers.map(async (helper) => {
      if (await this.#askThrough(helper, peer)) onAnswer();
    }));
  }

  async #askThrough(helper: Peer, peer: Peer): Promise<boolean> {
    const { asker, clock, counters } = this.#options;
    const sealed = await peer.keys.sealRequest(ping, undefined, clock.monotonic());
    if (sealed === undefined) return false;
    const replyTag = fromHex(sealed.pending.replyTag);
    invariant(replyTag !== undefined, "a reply tag is hexadecimal");
    const outcome = await asker.ask(
      helper,
      { kind: "relay", to: nodeIdPrefix(peer.id), replyTag, datagram: sealed.bytes },
      { tries: relayTries },
    );
    if (outcome.kind !== "answer" || outcome.answer.kind !== "relay") {
      counters.count("relayed by nobody: helper silent");
      return false;
    }
    const { datagram } = outcome.answer;
    if (datagram.length === 0) {
      counters.count("relayed by nobody: helper heard nothing");
      return false;
    }
    const opened = await peer.keys.openAnswer(sealed.pending, datagram, clock.monotonic());
    if (opened.kind !== "drop") return true;
    counters.count(`relayed ${opened.reason}`);
    return false;
  }

  /** A peer asks to send this on; resolves to the answer's bytes, none if none came or it may not. */
  async relay(from: Peer, { to, replyTag, datagram }: RelayRequest): Promise<Bytes> {
    const { peers, clock } = this.#options;
    const target = peers.byPrefix(toHex(to));
    const socket = target === undefined ? undefined : this.#options.socketTowards(target);
    const address = target?.address;
    if (
      target?.linked !== true || target === from || socket === undefined || address === undefined
    ) {
      return this.#refuse("no link there");
    }
    const decoded = decodeDatagram(datagram);
    if (isDecodeError(decoded) || decoded.kind !== "request") return this.#refuse("no request");
    if (!this.#budgetOf(from).take(clock.monotonic())) return this.#refuse("over its budget");
    const tag = toHex(replyTag);
    const known = this.#relays.get(tag);
    if (known === undefined && this.#relays.size >= relaysMax) return this.#refuse("too many");
    if (known !== undefined && (known.asker !== from || known.target !== target)) {
      return this.#refuse("reply tag taken");
    }
    const relay = known ?? this.#open(tag, from, target, address);
    this.#options.counters.count("relayed");
    // A refused send is a lost datagram: the wait speaks for it.
    await socket.send(datagram, address);
    return await relay.answer;
  }

  #refuse(why: string): Bytes {
    this.#options.counters.count(`not relayed: ${why}`);
    return nothing;
  }

  #budgetOf(peer: Peer): WorkBudget {
    const known = this.#budgets.get(peer);
    if (known !== undefined) return known;
    const budget = new WorkBudget(relayBurst, relayRate);
    this.#budgets.set(peer, budget);
    return budget;
  }

  #open(tag: string, asker: Peer, target: Peer, address: SocketAddress): Relay {
    const { clock } = this.#options;
    const arrival = new AbortController();
    let arrived = nothing;
    const answer = (async () => {
      await clock.wait(later(clock.monotonic(), relayWait), arrival.signal);
      this.#relays.delete(tag);
      return arrived;
    })();
    const relay: Relay = {
      asker,
      target,
      sentTo: formatSocketAddress(address),
      arrival,
      answer,
      settle: (bytes) => {
        arrived = bytes;
        arrival.abort();
      },
    };
    this.#relays.set(tag, relay);
    return relay;
  }

  /** An answer arrived; whether it was one to what was sent on for somebody. */
  handleAnswer(answer: AnswerDatagram, bytes: Bytes, from: SocketAddress): boolean {
    // Every answer to this node's own requests passes here, and mostly nothing was sent on.
    if (this.#relays.size === 0) return false;
    const relay = this.#relays.get(toHex(answer.replyTag));
    if (relay === undefined || relay.sentTo !== formatSocketAddress(from)) return false;
    if (bytes.length <= relayedBytesMax) relay.settle(bytes);
    return true;
  }
}
