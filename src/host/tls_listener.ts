/**
 * The TLS port: mutual TLS 1.3 without judging anybody, HTTP/1.1 inside, limits around it. Whatever
 * a client does wrong, and whatever the handler has no answer to, is met with one and the same
 * refusal, so that the port tells nothing about what it holds. PROTOCOL §3.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { nextTick } from "node:process";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { Counters } from "../base/counters.ts";
import type { IpAddress } from "../base/ip.ts";
import type { Clock } from "../platform/clock.ts";
import type { NetworkInterface } from "../platform/network.ts";
import type { PlainAnswer, SecureHandler, SecureListener } from "../platform/secure_streams.ts";
import { socketAddress } from "../wire/socket_address.ts";
import {
  HandshakeSlots,
  type SlotCounts,
  type SlotEffect,
  type SlotLimits,
} from "./handshake_slots.ts";
import { readBody } from "./http_body.ts";
import {
  InterfaceCache,
  interfaceHolding,
  listInterfaces,
  parseSystemAddress,
  systemAddress,
} from "./interfaces.ts";
import {
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  PATH_LENGTH_MAX,
  REQUEST_BODY_BYTES_MAX,
} from "./limits.ts";
import { codeOf, listenError } from "./listen_error.ts";
import { callAt } from "./system_clock.ts";
import type { TlsCredentials } from "./tls_credentials.ts";
import { AcceptedGuest, GuestSocket, type TlsGuest } from "./tls_guest.ts";
import { UniformRefusal } from "./uniform_refusal.ts";

export { ListenError } from "./listen_error.ts";

/** How to listen. */
export interface ListenTlsOptions {
  readonly clock: Clock;
  readonly credentials: TlsCredentials;
  /** 0 picks a free one. */
  readonly port: number;
  /** One address to listen on; by default all of both families. */
  readonly host?: IpAddress;
  /** Interface of `host`, where that is a link-local address. */
  readonly hostZone?: string;
  /** Whether a stored record names the address: some slots are kept for these. */
  readonly isKnownAddress?: (source: IpAddress) => boolean;
  /**
   * Whether connections to this local address are taken; by default all. The name is that of the
   * interface that holds it, `undefined` if it is gone already.
   */
  readonly acceptsOn?: (interfaceName: string | undefined, local: IpAddress) => boolean;
  /** Names the interfaces of addresses; the system's by default. */
  readonly interfaces?: () => readonly NetworkInterface[];
  /** Other limits than the protocol's, for tests. */
  readonly limits?: Partial<SlotLimits>;
}

/** A listening TLS port of the system. */
export interface TlsListener extends SecureListener {
  /** Shows these credentials on connections accepted from now on. */
  setCredentials(credentials: TlsCredentials): void;
  /** How many connections stand where. */
  counts(): SlotCounts;
}

class SystemTlsListener implements TlsListener {
  readonly #options: ListenTlsOptions;
  readonly #handler: SecureHandler;
  readonly #clock: Clock;
  readonly #slots: HandshakeSlots;
  readonly #shed = new Counters();
  readonly #refusal: UniformRefusal;
  readonly #guests = new Map<number, TlsGuest>();
  readonly #accepted = new WeakMap<Duplex, { guest: TlsGuest; connection: AcceptedGuest }>();
  readonly #interfaces: InterfaceCache;
  readonly #http;
  /** What the HTTP server would do with a connection: done after TLS instead. */
  readonly #serveHttp: readonly ((socket: TLSSocket) => unknown)[];
  #context: SecureContext;
  #port = 0;
  #nextNumber = 1;
  #closed = false;
  #callOff: (() => void) | undefined;

  constructor(options: ListenTlsOptions, handler: SecureHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#clock = options.clock;
    this.#slots = new HandshakeSlots(options.limits);
    this.#refusal = new UniformRefusal(options.clock, this.#shed);
    this.#interfaces = new InterfaceCache(options.clock, options.interfaces);
    this.#context = contextOf(options.credentials);
    this.#http = createServer({
      maxHeaderSize: HEADER_BYTES_MAX,
      // Else the HTTP server itself answers a request without a host, in words of its own.
      requireHostHeader: false,
      // The slots keep the time of a connection as a whole; the runtime's timers are not needed.
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
      connectionsCheckingInterval: 0x7fff_ffff,
    });
    this.#http.maxHeadersCount = HEADERS_MAX;
    // The HTTP server accepts TCP itself, since it keeps connections alive only while it listens; but
    // what it accepts comes to us first. TLS finds the bytes that arrived before its turn.
    this.#serveHttp = this.#http.listeners("connection").map((listener) => (socket) =>
      Reflect.apply(listener, this.#http, [socket])
    );
    this.#http.removeAllListeners("connection");
    this.#http.on("connection", (socket) => this.#arrive(socket));
    this.#http.on("request", (request, response) => void this.#answer(request, response));
    this.#http.on(
      "checkContinue",
      (_, response) => this.#refusal.answer(response, "unusual request"),
    );
    this.#http.on(
      "checkExpectation",
      (_, response) => this.#refusal.answer(response, "unusual request"),
    );
    this.#http.on("upgrade", (_, socket) => this.#refusal.answerRaw(socket, "unusual request"));
    this.#http.on("connect", (_, socket) => this.#refusal.answerRaw(socket, "unusual request"));
    this.#http.on(
      "clientError",
      (_, socket) => this.#refusal.answerRaw(socket, "malformed request"),
    );
  }

  get port(): number {
    return this.#port;
  }

  get shed(): Readonly<Record<string, number>> {
    return this.#shed.snapshot();
  }

  counts(): SlotCounts {
    return this.#slots.counts();
  }

  setCredentials(credentials: TlsCredentials): void {
    this.#context = contextOf(credentials);
  }

  /** Listens on one host; rejects with the system's error. */
  async listen(host: string): Promise<void> {
    const http = this.#http;
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(this.#options.port, host, () => {
        http.off("error", reject);
        resolve();
      });
    });
    http.on("error", () => this.#shed.count("accept failed"));
    const address = http.address();
    this.#port = address !== null && typeof address === "object" ? address.port : 0;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#callOff?.();
    // Calls back with an error if it never listened; closed is closed.
    const stopped = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const guest of [...this.#guests.values()]) this.#destroy(guest);
    await stopped;
  }

  #arrive(raw: Socket): void {
    // A socket without an error listener that breaks would end the process.
    raw.on("error", () => {});
    const local = parseSystemAddress(raw.localAddress ?? "");
    const remote = parseSystemAddress(raw.remoteAddress ?? "");
    if (this.#closed || local === undefined || remote === undefined) {
      raw.destroy();
      return;
    }
    const zone = interfaceHolding(local, this.#interfaces.current());
    if (this.#options.acceptsOn !== undefined && !this.#options.acceptsOn(zone, local)) {
      this.#shed.count("interface not served");
      raw.destroy();
      return;
    }
    const guest: TlsGuest = {
      number: this.#nextNumber++,
      raw,
      local: socketAddress(local, raw.localPort ?? 0, zone),
      remote: socketAddress(remote, raw.remotePort ?? 0, zone),
    };
    this.#guests.set(guest.number, guest);
    raw.on("close", () => this.#leave(guest));
    const known = this.#options.isKnownAddress?.(remote) ?? false;
    const now = this.#clock.monotonic();
    this.#perform(this.#slots.handleArrival(guest.number, remote, known, now));
  }

  /** The connection is gone. */
  #leave(guest: TlsGuest): void {
    if (!this.#guests.delete(guest.number)) return;
    this.#perform(this.#slots.handleClosed(guest.number, this.#clock.monotonic()));
  }

  #destroy(guest: TlsGuest): void {
    guest.raw.destroy();
    // A TLS socket that is destroyed in the turn that made it is never freed by the runtime, and a
    // flood closes most of its connections in that turn: the one is made room for by the next.
    const { tls } = guest;
    if (tls !== undefined) nextTick(() => tls.destroy());
    this.#leave(guest);
  }

  #perform(effects: readonly SlotEffect[]): void {
    for (const effect of effects) {
      const guest = this.#guests.get(effect.connection);
      if (guest === undefined) continue;
      if (effect.kind === "start") this.#startTls(guest);
      else {
        this.#shed.count(effect.reason);
        this.#destroy(guest);
      }
    }
    this.#setTimer();
  }

  #setTimer(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const next = this.#slots.nextTimeout();
    if (next === undefined || this.#closed) return;
    this.#callOff = callAt(this.#clock, next, () => {
      this.#perform(this.#slots.handleTimeout(this.#clock.monotonic()));
    });
  }

  #startTls(guest: TlsGuest): void {
    const socket = new GuestSocket(guest.raw, {
      isServer: true,
      requestCert: true,
      rejectUnauthorized: false,
      secureContext: this.#context,
    });
    guest.tls = socket;
    let secure = false;
    socket.on("error", () => {
      if (!secure) this.#shed.count("TLS failed");
      this.#destroy(guest);
    });
    socket.on("close", () => this.#destroy(guest));
    socket.on("secure", () => {
      secure = true;
      this.#welcome(guest, socket);
    });
  }

  #welcome(guest: TlsGuest, socket: TLSSocket): void {
    if (!this.#guests.has(guest.number) || socket.getProtocol() !== "TLSv1.3") {
      this.#destroy(guest);
      return;
    }
    const connection = new AcceptedGuest(guest, socket, () => {
      this.#perform(this.#slots.handleFinished(guest.number, this.#clock.monotonic()));
    }, () => this.#destroy(guest));
    this.#slots.handleSecure(guest.number);
    this.#setTimer();
    this.#accepted.set(socket, { guest, connection });
    for (const serve of this.#serveHttp) serve(socket);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {}); // The client went away; the socket's own events tell.
    const accepted = this.#accepted.get(request.socket);
    if (accepted === undefined) return this.#refusal.answer(response, "unusual request");
    const { guest, connection } = accepted;
    if (connection.busy) return this.#refusal.answer(response, "pipelined request");
    connection.busy = true;
    this.#slots.handleRequest(guest.number, this.#clock.monotonic());
    try {
      const answer = await this.#ask(connection, request);
      if (typeof answer === "string") this.#refusal.answer(response, answer);
      else {
        sendAnswer(response, answer);
        connection.busy = false;
      }
    } catch {
      // A handler that throws must look like one that refuses.
      this.#refusal.answer(response, "handler failed");
    }
  }

  /** The handler's answer, or the reason of a refusal. */
  async #ask(connection: AcceptedGuest, request: IncomingMessage): Promise<PlainAnswer | string> {
    const url = request.url ?? "";
    if (!url.startsWith("/") || url.length > PATH_LENGTH_MAX) return "malformed request";
    const outcome = await readBody(request, REQUEST_BODY_BYTES_MAX);
    if ("failed" in outcome) return `body ${outcome.failed}`;
    const path = url.split("?")[0] ?? "";
    const method = request.method ?? "";
    const answer = await this.#handler(connection, { method, path, body: outcome.body });
    return answer ?? "refused by the handler";
  }
}

function sendAnswer(response: ServerResponse, answer: PlainAnswer): void {
  response.sendDate = false;
  response.writeHead(answer.status, {
    "Content-Type": answer.contentType ?? "application/octet-stream",
    "Content-Length": answer.body.length,
  });
  response.end(answer.body);
}

function contextOf(credentials: TlsCredentials): SecureContext {
  return createSecureContext({
    cert: credentials.certificateChainPem,
    key: credentials.privateKeyPem,
    minVersion: "TLSv1.3",
  });
}

/**
 * Opens the TLS port: on all addresses of both families, on IPv4 alone where there is no IPv6, or on
 * the one address given. Rejects with `ListenError`.
 */
export async function listenTls(
  options: ListenTlsOptions,
  handler: SecureHandler,
): Promise<TlsListener> {
  const listener = new SystemTlsListener(options, handler);
  const zone = options.hostZone;
  const hosts = options.host === undefined
    ? ["::", "0.0.0.0"]
    : [systemAddress(options.host, zone, (options.interfaces ?? listInterfaces)())];
  let last: unknown;
  for (const host of hosts) {
    try {
      await listener.listen(host);
      return listener;
    } catch (error) {
      last = error;
      if (codeOf(error) === "EADDRINUSE" || codeOf(error) === "EACCES") break;
    }
  }
  await listener.close();
  throw listenError(options.port, last);
}
