/**
 * Runs exchanges over TLS connections, dialled and accepted: judges the chain before anything is
 * said, keeps the state with the connection, tells the peer nothing of a refusal. PROTOCOL §4.
 *
 * @module
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isChainRefusal, judgeChain } from "../identity/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Entropy } from "../platform/entropy.ts";
import type {
  AcceptedConnection,
  DialFailure,
  DialledConnection,
  PlainAnswer,
  PlainRequest,
  SecureConnectionFacts,
  SecureDialer,
} from "../platform/secure_streams.ts";
import {
  acceptConfirm,
  answerExchange,
  type AwaitingM3,
  beginExchange,
  confirmExchange,
  type ExchangeContext,
  ExchangeRefusal,
  type ExchangeResult,
  type ExchangeSelf,
  finishExchange,
} from "../session/mod.ts";
import { product } from "../version.ts";
import type { SealedOffer } from "../wire/exchange.ts";
import type { DatagramGrant } from "../wire/grant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";

/** Paths on the node's port. The update plane, all but `records`, answers for ever. PROTOCOL §3. */
export const paths = {
  hello: "/mesh/v1/hello",
  exchange: "/mesh/v1/exchange",
  confirm: "/mesh/v1/confirm",
  records: "/mesh/v1/records",
} as const;

/** What `hello` says this node speaks. */
const protocols = ["mesh/v1"] as const;

/** Where an exchange took place. */
export interface ExchangePlace {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** How a dial ended. */
export type DialOutcome =
  | { readonly kind: "proven"; readonly result: ExchangeResult; readonly place: ExchangePlace }
  /** The node at the other end has this node's key. */
  | { readonly kind: "own id"; readonly bootNonce: Bytes }
  | {
    readonly kind: "failed";
    readonly why: DialFailure["failed"] | "rejected";
    readonly detail: string;
  };

/** A dialled connection whose exchange is finished: what may be asked on it. */
export interface ProvenConnection {
  readonly result: ExchangeResult;
  readonly place: ExchangePlace;
  /**
   * Asks for a page of records; `undefined` if that was refused. Rejects with `Error` on a broken
   * connection or an answer of more than `answerBytesMax`.
   */
  askRecords(
    request: Bytes,
    signal: AbortSignal,
    answerBytesMax: number,
  ): Promise<Bytes | undefined>;
}

/** What the authenticator asks of the node. */
export interface AuthenticatorOwner {
  /** This node's own `info` record as published now. */
  ownInfo(): Bytes;
  /** What a peer is handed to send datagrams here. */
  grantFor(peer: NodeId): Promise<DatagramGrant>;
  /** Whether exchanges with this address are wanted at all, whoever dials. */
  admitsAddress(remote: SocketAddress): boolean;
  /** An exchange that somebody dialled was finished. */
  handleAccepted(result: ExchangeResult, place: ExchangePlace): void;
  /** Who finished an exchange on this connection asks for records; `undefined` refuses. */
  answerRecords(peer: NodeId, request: Bytes): Bytes | undefined;
  /** Somebody who dialled has this node's key. */
  handleOwnId(bootNonce: Bytes, place: ExchangePlace): void;
}

/** What stays the same for all exchanges of one start. */
export interface AuthenticatorOptions {
  readonly self: ExchangeSelf;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly dialer: SecureDialer;
  readonly counters: Counters;
  readonly owner: AuthenticatorOwner;
}

/** A connection between m2 and m3. */
interface Answered {
  readonly state: AwaitingM3;
  readonly peer: NodeId;
}

function rejected(detail: string): DialOutcome {
  return { kind: "failed", why: "rejected", detail };
}

/** Both sides of exchanges. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #awaiting = new WeakMap<AcceptedConnection, Answered>();
  readonly #begun = new WeakSet<AcceptedConnection>();
  /** Who finished an exchange on the connection: it hangs on the socket, never on a token. */
  readonly #proven = new WeakMap<AcceptedConnection, NodeId>();
  readonly #hello: PlainAnswer;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    const hello = { product, protocols, id: options.self.identity.id };
    const body = utf8(`${JSON.stringify(hello)}\n`);
    this.#hello = { status: 200, body, contentType: "application/json" };
  }

  /**
   * Dials and runs the exchange; closes the connection whatever came of it. Never rejects.
   *
   * @param onProven Uses the connection once the exchange is finished; it is closed after that.
   */
  async dial(
    to: SocketAddress,
    signal: AbortSignal,
    onConnected?: () => void,
    onProven?: (proven: ProvenConnection) => Promise<void>,
  ): Promise<DialOutcome> {
    // Anybody's record may name any address: a fleet must not call on strangers far away for it.
    if (!this.#options.owner.admitsAddress(to)) return rejected("the address is not near");
    const connection = await this.#options.dialer.dial(to, signal, onConnected);
    if ("failed" in connection) {
      return { kind: "failed", why: connection.failed, detail: connection.detail };
    }
    try {
      const outcome = await this.#initiate(connection, signal);
      if (outcome.kind === "proven" && onProven !== undefined) {
        connection.finished();
        const askRecords: ProvenConnection["askRecords"] = (request, pageSignal, answerBytesMax) =>
          this.#post(connection, paths.records, request, pageSignal, answerBytesMax);
        await onProven({ result: outcome.result, place: connection, askRecords });
      }
      return outcome;
    } catch (error) {
      // The connection broke in the middle of a request.
      return rejected(error instanceof Error ? error.message : String(error));
    } finally {
      connection.close();
    }
  }

  async #initiate(connection: DialledConnection, signal: AbortSignal): Promise<DialOutcome> {
    const context = await this.#judge(connection);
    if (typeof context === "string") return rejected(context);
    const begun = await beginExchange(context);
    const m2 = await this.#post(connection, paths.exchange, begun.m1, signal);
    if (m2 === undefined) return rejected("exchange refused by the peer");
    const confirmed = await confirmExchange(begun.state, m2, await this.offerTo(context.peer.id));
    if (confirmed instanceof ExchangeRefusal) return this.#refused(confirmed);
    const m4 = await this.#post(connection, paths.confirm, confirmed.m3, signal);
    if (m4 === undefined) return rejected("confirmation refused by the peer");
    const result = await finishExchange(confirmed.state, m4);
    if (result instanceof ExchangeRefusal) return this.#refused(result);
    return { kind: "proven", result, place: connection };
  }

  #refused(refusal: ExchangeRefusal): DialOutcome {
    const { reason, bootNonce } = refusal;
    if (reason === "own id" && bootNonce !== undefined) return { kind: "own id", bootNonce };
    this.#options.counters.count(`exchange: ${reason}`);
    return rejected(reason);
  }

  async #post(
    connection: DialledConnection,
    path: string,
    body: Bytes,
    signal: AbortSignal,
    answerBytesMax?: number,
  ): Promise<Bytes | undefined> {
    const answer = await connection.request("POST", path, body, signal, answerBytesMax);
    return answer.status === 200 ? answer.body : undefined;
  }

  /** Judges chain and binding; the context of an exchange, or why there is none. */
  async #judge(connection: SecureConnectionFacts): Promise<ExchangeContext | string> {
    const { chain, binding } = connection;
    if ("missing" in chain) return this.#count(`chain: ${chain.missing}`);
    if (binding === undefined) return this.#count("chain: connection cannot be bound");
    const judged = await judgeChain(chain);
    if (isChainRefusal(judged)) return this.#count(`chain: ${judged.reason}`);
    const { self, entropy } = this.#options;
    return { self, peer: judged, binding, entropy };
  }

  #count(reason: string): string {
    this.#options.counters.count(reason);
    return reason;
  }

  /** What this node tells the peer of itself in an exchange. */
  async offerTo(peer: NodeId): Promise<SealedOffer> {
    const { owner, clock, self } = this.#options;
    return {
      membership: [],
      info: owner.ownInfo(),
      grant: await owner.grantFor(peer),
      wallTime: clock.wall(),
      bootNonce: self.bootNonce,
    };
  }

  /** Answers a request on an accepted connection; `undefined` is the uniform refusal. */
  async handle(
    connection: AcceptedConnection,
    request: PlainRequest,
  ): Promise<PlainAnswer | undefined> {
    if (request.path === paths.hello) return request.method === "GET" ? this.#hello : undefined;
    if (request.method !== "POST" || !this.#options.owner.admitsAddress(connection.remote)) {
      return undefined;
    }
    if (request.path === paths.exchange) return await this.#answer(connection, request.body);
    if (request.path === paths.confirm) return await this.#accept(connection, request.body);
    if (request.path === paths.records) return this.#answerRecords(connection, request.body);
    return undefined;
  }

  async #answer(connection: AcceptedConnection, m1: Bytes): Promise<PlainAnswer | undefined> {
    // One exchange per connection: noted before the first await, so that two at once are one.
    if (this.#begun.has(connection)) return undefined;
    this.#begun.add(connection);
    const context = await this.#judge(connection);
    if (typeof context === "string") return undefined;
    const answered = await answerExchange(context, m1);
    if (answered instanceof ExchangeRefusal) {
      this.#options.counters.count(`exchange: ${answered.reason}`);
      return undefined;
    }
    this.#awaiting.set(connection, { state: answered.state, peer: context.peer.id });
    return { status: 200, body: answered.m2 };
  }

  #answerRecords(connection: AcceptedConnection, request: Bytes): PlainAnswer | undefined {
    const peer = this.#proven.get(connection);
    const body = peer && this.#options.owner.answerRecords(peer, request);
    return body === undefined ? undefined : { status: 200, body };
  }

  async #accept(connection: AcceptedConnection, m3: Bytes): Promise<PlainAnswer | undefined> {
    const answered = this.#awaiting.get(connection);
    if (answered === undefined) return undefined;
    this.#awaiting.delete(connection);
    const { state, peer } = answered;
    const accepted = await acceptConfirm(state, m3, () => this.offerTo(peer));
    const { owner, counters } = this.#options;
    if (accepted instanceof ExchangeRefusal) {
      const { reason, bootNonce, m4 } = accepted;
      if (reason !== "own id" || bootNonce === undefined) {
        counters.count(`exchange: ${reason}`);
        return undefined;
      }
      owner.handleOwnId(bootNonce, connection);
      return m4 === undefined ? undefined : { status: 200, body: m4 };
    }
    connection.finished();
    this.#proven.set(connection, peer);
    owner.handleAccepted(accepted.result, connection);
    return { status: 200, body: accepted.m4 };
  }
}
