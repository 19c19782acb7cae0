/**
 * A man in the middle: ends TLS on both sides with certificates of his own, and does with the
 * messages inside what he likes.
 *
 * @module
 */
import type { Bytes } from "../../../src/base/bytes.ts";
import { SystemClock, SystemEntropy, TlsDialer } from "../../../src/host/mod.ts";
import { listenTls, type TlsListener } from "../../../src/host/tls_listener.ts";
import {
  type Identity,
  isChainRefusal,
  judgeChain,
  type LeafCredentials,
  newIdentity,
} from "../../../src/identity/mod.ts";
import type {
  AcceptedConnection,
  DialledConnection,
  PlainAnswer,
  PlainRequest,
} from "../../../src/platform/secure_streams.ts";
import { answerExchange, type ExchangeContext } from "../../../src/session/mod.ts";
import { ipOf } from "./udp_port.ts";

const clock = new SystemClock();

/** What the man in the middle saw of one connection. */
export interface Passed {
  readonly path: string;
  /** What the victim answered. */
  readonly status: number;
}

/**
 * `pass`: every body goes on as it is, answers come back as they are.
 * `keep`: the dialler gets a genuine exchange with the man himself, and what the dialler says in it
 * is passed to the victim as if it were the man's own.
 */
export type MiddleWay = "pass" | "keep";

/** A man in the middle in front of a node. Dispose of him: his port closes. */
export class Middle implements AsyncDisposable {
  readonly identity: Identity;
  readonly passed: Passed[] = [];
  readonly #leaf: LeafCredentials;
  readonly #dialer: TlsDialer;
  readonly #victimPort: number;
  readonly #way: MiddleWay;
  readonly #onwards = new Map<AcceptedConnection, DialledConnection>();
  #listener: TlsListener | undefined;

  private constructor(
    identity: Identity,
    leaf: LeafCredentials,
    victimPort: number,
    way: MiddleWay,
  ) {
    this.identity = identity;
    this.#leaf = leaf;
    this.#dialer = new TlsDialer({ clock, credentials: leaf });
    this.#victimPort = victimPort;
    this.#way = way;
  }

  /** Stands in front of the node at that port of loopback. */
  static async create(victimPort: number, way: MiddleWay): Promise<Middle> {
    const identity = await newIdentity();
    const middle = new Middle(identity, await identity.newLeaf(), victimPort, way);
    middle.#listener = await listenTls(
      { clock, credentials: middle.#leaf, port: 0, host: ipOf("127.0.0.1") },
      (connection, request) => middle.#handle(connection, request),
    );
    return middle;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  async #handle(
    connection: AcceptedConnection,
    { path, body }: PlainRequest,
  ): Promise<PlainAnswer | undefined> {
    const onwards = this.#onwards.get(connection) ?? await this.#dial(connection);
    const answer = await onwards.request("POST", path, body, AbortSignal.timeout(10_000));
    this.passed.push({ path, status: answer.status });
    if (this.#way === "keep" && path.endsWith("exchange")) {
      return await this.#exchange(connection, body);
    }
    return answer.status === 200 ? answer : undefined;
  }

  async #dial(connection: AcceptedConnection): Promise<DialledConnection> {
    const to = { ip: ipOf("127.0.0.1"), port: this.#victimPort };
    const dialled = await this.#dialer.dial(to, AbortSignal.timeout(10_000));
    if ("failed" in dialled) throw new Error(`The victim is gone: ${dialled.detail}`);
    this.#onwards.set(connection, dialled);
    return dialled;
  }

  /** Answers the dialler as himself. */
  async #exchange(connection: AcceptedConnection, m1: Bytes): Promise<PlainAnswer | undefined> {
    const { chain, binding } = connection;
    if ("missing" in chain || binding === undefined) return undefined;
    const peer = await judgeChain(chain);
    if (isChainRefusal(peer)) return undefined;
    const { identity } = this;
    const context: ExchangeContext = {
      self: { identity, leafHash: this.#leaf.leafHash, bootNonce: new Uint8Array(16) },
      peer,
      binding,
      entropy: new SystemEntropy(),
    };
    const answered = await answerExchange(context, m1);
    return "m2" in answered ? { status: 200, body: answered.m2 } : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const onwards of this.#onwards.values()) onwards.close();
    await this.#listener?.close();
  }
}
