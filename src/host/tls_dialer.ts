/**
 * Dials TLS 1.3 and sends requests on that very connection. Nobody is judged here and nothing is
 * sent before the caller asks for it. PROTOCOL §3.1.
 *
 * @module
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Bytes, copyBytes } from "../base/bytes.ts";
import { type Duration, elapsed, later } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import type { NetworkInterface } from "../platform/network.ts";
import type {
  ChannelBinding,
  DialFailure,
  DialledConnection,
  PlainAnswer,
  SecureDialer,
} from "../platform/secure_streams.ts";
import { type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import { ConnectionStream } from "./connection_stream.ts";
import { readBody } from "./http_body.ts";
import { givesMoreTime } from "./late_timer.ts";
import { listInterfaces, parseSystemAddress, systemAddress } from "./interfaces.ts";
import {
  ANSWER_BODY_BYTES_MAX,
  CONNECT_LIMIT,
  DIAL_TLS_LIMIT,
  DIAL_TURN_PATIENCE,
  DIAL_TURNS,
  HEADER_BYTES_MAX,
  REQUEST_LIMIT,
  SLOW_TLS,
} from "./limits.ts";
import { callAt } from "./system_clock.ts";
import type { TlsCredentials } from "./tls_credentials.ts";
import { bindingOf, type ChainFact, chainOf } from "./tls_facts.ts";
import { Turns } from "./turns.ts";

/** How to dial. */
export interface TlsDialerOptions {
  readonly clock: Clock;
  readonly credentials: TlsCredentials;
  /** Names the interfaces of link-local addresses; the system's by default. */
  readonly interfaces?: () => readonly NetworkInterface[];
  /** Longest body of an answer where the request does not say. */
  readonly answerBytesMax?: number;
  readonly connectLimit?: Duration;
  readonly tlsLimit?: Duration;
  readonly requestLimit?: Duration;
}

interface Defaults extends Required<TlsDialerOptions> {}

/**
 * Aborts when `signal` does or when `limit` is over; `expired` tells which it was. If this machine is
 * so busy that it notices late that the limit is over, the limit runs again, a few times.
 */
class TimeLimit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  #callOff: () => void;
  readonly #onAbort = () => this.#controller.abort();
  #expired = false;

  constructor(clock: Clock, limit: Duration, outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#controller.abort();
    outer.addEventListener("abort", this.#onAbort);
    const expire = () => {
      this.#expired = true;
      this.#controller.abort();
    };
    const run = (extensions: number): () => void => {
      const until = later(clock.monotonic(), limit);
      return callAt(clock, until, () => {
        if (!givesMoreTime(until, extensions, clock.monotonic())) expire();
        else this.#callOff = run(extensions + 1);
      });
    };
    this.#callOff = run(0);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get expired(): boolean {
    return this.#expired;
  }

  [Symbol.dispose](): void {
    this.#callOff();
    this.#outer.removeEventListener("abort", this.#onAbort);
  }
}

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === "socket hang up" ? "connection closed" : error.message;
}

/** Why the system did not connect. */
function connectFailure(error: unknown, limit: TimeLimit): DialFailure {
  if (limit.expired) return { failed: "timeout", detail: "no answer to the connection request" };
  if (limit.signal.aborted) return { failed: "aborted", detail: "called off" };
  const detail = detailOf(error);
  if (error instanceof Deno.errors.ConnectionRefused) return { failed: "refused", detail };
  if (error instanceof Deno.errors.TimedOut) return { failed: "timeout", detail };
  return { failed: "unreachable", detail };
}

/** Dials TLS over this machine's network. */
export class TlsDialer implements SecureDialer {
  readonly #options: Defaults;
  readonly #turns: Turns;
  #credentials: TlsCredentials;

  constructor(options: TlsDialerOptions) {
    this.#credentials = options.credentials;
    this.#turns = new Turns(options.clock, DIAL_TURNS, DIAL_TURN_PATIENCE);
    this.#options = {
      interfaces: listInterfaces,
      answerBytesMax: ANSWER_BODY_BYTES_MAX,
      connectLimit: CONNECT_LIMIT,
      tlsLimit: DIAL_TLS_LIMIT,
      requestLimit: REQUEST_LIMIT,
      ...options,
    };
  }

  /** Shows these credentials on connections dialled from now on. */
  setCredentials(credentials: TlsCredentials): void {
    this.#credentials = credentials;
  }

  async dial(
    to: SocketAddress,
    signal: AbortSignal,
    onConnected?: () => void,
  ): Promise<DialledConnection | DialFailure> {
    const connection = await this.#connect(to, signal);
    if ("failed" in connection) return connection;
    onConnected?.();
    const stream = new ConnectionStream(connection);
    // Connecting costs nothing and may take seconds; what follows is the other way round.
    const endTurn = await this.#turns.take(signal);
    if (endTurn === undefined) {
      stream.destroy();
      return { failed: "aborted", detail: "too much other work" };
    }
    const begun = this.#options.clock.monotonic();
    const socket = await this.#startTls(stream, signal);
    if ("failed" in socket) {
      stream.destroy();
      const took = elapsed(begun, this.#options.clock.monotonic());
      if (took >= SLOW_TLS) this.#turns.handleLate();
      endTurn();
      return socket;
    }
    this.#turns.handleInTime();
    const local = localOf(connection, to);
    return new SystemDialledConnection(socket, stream, local, to, this.#options, endTurn);
  }

  async #connect(to: SocketAddress, signal: AbortSignal): Promise<Deno.TcpConn | DialFailure> {
    const { clock, connectLimit, interfaces } = this.#options;
    using limit = new TimeLimit(clock, connectLimit, signal);
    if (signal.aborted) return { failed: "aborted", detail: "called off" };
    try {
      const hostname = systemAddress(to.ip, to.zone, to.zone === undefined ? [] : interfaces());
      return await Deno.connect({
        hostname,
        port: to.port,
        signal: limit.signal,
        autoSelectFamily: false,
      });
    } catch (error) {
      return connectFailure(error, limit);
    }
  }

  async #startTls(
    stream: ConnectionStream,
    signal: AbortSignal,
  ): Promise<TLSSocket | DialFailure> {
    const { clock, tlsLimit } = this.#options;
    using limit = new TimeLimit(clock, tlsLimit, signal);
    let socket: TLSSocket;
    try {
      // No `session`: what is resumed is another connection's. No `ca`: nobody is judged here.
      socket = connectTls({
        socket: stream,
        rejectUnauthorized: false,
        minVersion: "TLSv1.3",
        cert: this.#credentials.certificateChainPem,
        key: this.#credentials.privateKeyPem,
      });
    } catch (error) {
      return { failed: "tls", detail: detailOf(error) };
    }
    const failure = await new Promise<DialFailure | undefined>((resolve) => {
      const onAbort = () =>
        resolve(
          limit.expired
            ? { failed: "tls", detail: "TLS was not done in time" }
            : { failed: "aborted", detail: "called off" },
        );
      limit.signal.addEventListener("abort", onAbort);
      if (limit.signal.aborted) onAbort();
      // These listeners stay: an error without one would end the process.
      socket.on("error", (error) => resolve({ failed: "tls", detail: detailOf(error) }));
      stream.on("error", (error) => resolve({ failed: "tls", detail: detailOf(error) }));
      socket.on("close", () => resolve({ failed: "tls", detail: "closed during TLS" }));
      socket.once("secureConnect", () => resolve(undefined));
    });
    if (failure === undefined && socket.getProtocol() === "TLSv1.3") return socket;
    socket.destroy();
    return failure ?? { failed: "tls", detail: "not TLS 1.3" };
  }
}

function localOf(connection: Deno.TcpConn, to: SocketAddress): SocketAddress {
  const { hostname, port } = connection.localAddr;
  return socketAddress(parseSystemAddress(hostname) ?? to.ip, port, to.zone);
}

/** A dialled connection; requests go one after the other on the one socket. */
class SystemDialledConnection implements DialledConnection {
  readonly chain: ChainFact;
  readonly binding: ChannelBinding | undefined;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #socket: TLSSocket;
  readonly #stream: ConnectionStream;
  readonly #options: Defaults;
  readonly #endTurn: () => void;
  #busy = false;
  #broken: string | undefined;

  constructor(
    socket: TLSSocket,
    stream: ConnectionStream,
    local: SocketAddress,
    remote: SocketAddress,
    options: Defaults,
    endTurn: () => void,
  ) {
    this.#endTurn = endTurn;
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
    this.chain = chainOf(socket);
    this.binding = bindingOf(socket, "client");
    this.local = local;
    this.remote = remote;
    const onGone = () => this.#break("connection closed");
    socket.on("close", onGone);
    socket.on("end", onGone);
    stream.on("close", onGone);
  }

  async request(
    method: "GET" | "POST",
    path: string,
    body: Bytes | undefined,
    signal: AbortSignal,
    answerBytesMax = this.#options.answerBytesMax,
  ): Promise<PlainAnswer> {
    if (this.#broken !== undefined) throw new Error(`Cannot send request: ${this.#broken}`);
    if (this.#busy) throw new Error("Cannot send request: another one is not answered yet");
    this.#busy = true;
    using limit = new TimeLimit(this.#options.clock, this.#options.requestLimit, signal);
    try {
      const answer = await this.#exchange(method, path, body, limit, answerBytesMax);
      this.#busy = false;
      return answer;
    } catch (error) {
      // Whatever is still under way on this connection belongs to the failed request.
      const reason = limit.expired
        ? "not answered in time"
        : limit.signal.aborted
        ? "called off"
        : detailOf(error);
      this.#break(reason);
      throw new Error(`Cannot complete request: ${reason}`, { cause: error });
    }
  }

  finished(): void {
    this.#endTurn();
  }

  close(): void {
    this.#break("closed by this node");
  }

  #break(reason: string): void {
    this.#broken ??= reason;
    this.#socket.destroy();
    this.#stream.destroy();
    this.#endTurn();
  }

  async #exchange(
    method: "GET" | "POST",
    path: string,
    body: Bytes | undefined,
    limit: TimeLimit,
    answerBytesMax: number,
  ): Promise<PlainAnswer> {
    const socket = this.#socket;
    const cut = () => this.#break("called off");
    limit.signal.addEventListener("abort", cut);
    if (limit.signal.aborted) cut();
    try {
      const request = httpRequest({
        method,
        path,
        // With an agent the runtime would open a connection of its own and ignore this one.
        createConnection: () => socket,
        setHost: false,
        maxHeaderSize: HEADER_BYTES_MAX,
        headers: {
          "Host": "mesh",
          "Connection": "keep-alive",
          ...(body === undefined ? {} : { "Content-Length": body.length }),
        },
      });
      const response = await responseTo(request, socket, body);
      if (request.socket !== socket || response.socket !== socket) {
        throw new Error("answered on another connection");
      }
      const outcome = await readBody(response, answerBytesMax);
      if ("failed" in outcome) throw new Error(`body of the answer ${outcome.failed}`);
      const contentType = response.headers["content-type"];
      const answer = { status: response.statusCode ?? 0, body: copyBytes(outcome.body) };
      return contentType === undefined ? answer : { ...answer, contentType };
    } finally {
      limit.signal.removeEventListener("abort", cut);
    }
  }
}

function responseTo(
  request: ClientRequest,
  socket: TLSSocket,
  body: Bytes | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error("connection closed"));
    socket.once("close", onClose);
    request.on("error", reject); // Stays: an error without a listener would end the process.
    request.once("close", () => socket.off("close", onClose));
    request.once("response", resolve);
    // Neither is ever asked for: a server that sends one is not one of ours.
    request.once("upgrade", () => reject(new Error("unexpected upgrade")));
    request.once("connect", () => reject(new Error("unexpected tunnel")));
    request.end(body);
  });
}
