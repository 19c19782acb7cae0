/**
 * TLS connections in memory: each end sees the certificates that the other presents, byte for byte,
 * and both see the same binding values, which no other connection shares. Like the real ones they
 * prove nothing about who is at the other end.
 *
 * @module
 */
import { type Bytes, copyBytes, utf8 } from "../../src/base/bytes.ts";
import { type Duration, milliseconds } from "../../src/base/instant.ts";
import type { Entropy } from "../../src/platform/entropy.ts";
import type {
  AcceptedConnection,
  ChannelBinding,
  DialFailure,
  DialledConnection,
  PlainAnswer,
  PresentedChain,
  SecureDialer,
  SecureHandler,
} from "../../src/platform/secure_streams.ts";
import { type SocketAddress, socketAddress } from "../../src/wire/socket_address.ts";
import type { MemoryHost, MemoryPath } from "./memory_network.ts";
import type { VirtualTime } from "./virtual_clock.ts";

/** How long a dial waits for an answer, as the host's. */
const connectLimit = milliseconds(3_500);
const refusal: PlainAnswer = { status: 400, body: utf8("refused\n") };

/** A port that is open. */
export interface MemoryPort {
  readonly chain: PresentedChain;
  readonly handler: SecureHandler;
}

interface OpenPort extends MemoryPort {
  isOpen: boolean;
}

/** The streams of one world. */
export class MemoryStreams {
  readonly #time: VirtualTime;
  readonly #entropy: Entropy;
  readonly #ports = new Map<string, OpenPort>();
  #dials = 0;
  /** Told of every request that the handler at the other end took, and of the status answered. */
  noteAnswered: (from: MemoryHost, to: MemoryHost, path: string, status: number) => void = () => {};

  constructor(time: VirtualTime, entropy: Entropy) {
    this.#time = time;
    this.#entropy = entropy;
  }

  /** Dials that were begun so far. */
  get dials(): number {
    return this.#dials;
  }

  /** Opens a port on all addresses of the machine; the result closes it and what was accepted there. */
  listen(host: MemoryHost, port: number, open: MemoryPort): () => void {
    const key = `${host.name} ${port}`;
    const opened: OpenPort = { ...open, isOpen: true };
    this.#ports.set(key, opened);
    return () => {
      opened.isOpen = false;
      if (this.#ports.get(key) === opened) this.#ports.delete(key);
    };
  }

  /** What a node on the machine dials with. */
  dialer(host: MemoryHost, chain: PresentedChain): SecureDialer {
    return { dial: (to, signal, onConnected) => this.#dial(host, chain, to, signal, onConnected) };
  }

  /** Waits; `false` if the signal aborted first. */
  #pass(length: Duration, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const abort = () => {
        callOff();
        resolve(false);
      };
      const callOff = this.#time.after(length, () => {
        signal.removeEventListener("abort", abort);
        resolve(true);
      });
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #passesBothWays(from: MemoryHost, to: MemoryHost): boolean {
    return from.network.passes(from, to) && from.network.passes(to, from);
  }

  #roundTrip(from: MemoryHost, to: MemoryHost): Duration {
    return milliseconds(from.network.delayOf(from, to) + from.network.delayOf(to, from));
  }

  async #dial(
    from: MemoryHost,
    chain: PresentedChain,
    to: SocketAddress,
    signal: AbortSignal,
    onConnected: () => void = () => {},
  ): Promise<DialledConnection | DialFailure> {
    this.#dials++;
    const aborted: DialFailure = { failed: "aborted", detail: "called off" };
    const path = from.pathTo(to);
    if (path === undefined || !this.#passesBothWays(from, path.to)) {
      return await this.#pass(connectLimit, signal)
        ? { failed: "timeout", detail: "no answer to the connection request" }
        : aborted;
    }
    const roundTrip = this.#roundTrip(from, path.to);
    if (!await this.#pass(roundTrip, signal)) return aborted;
    const port = this.#ports.get(`${path.to.name} ${to.port}`);
    if (port === undefined) return { failed: "refused", detail: "Connection refused" };
    // The kernel connects; the handshake needs the process.
    onConnected();
    const handshake = milliseconds(roundTrip + path.to.lateness());
    if (!await this.#pass(handshake, signal)) return aborted;
    return this.#connect(from, chain, to, path, port);
  }

  #connect(
    from: MemoryHost,
    chain: PresentedChain,
    to: SocketAddress,
    path: MemoryPath,
    port: OpenPort,
  ): DialledConnection {
    const bindingOf = (): ChannelBinding => ({
      kind: 1,
      client: copyBytes(client),
      server: copyBytes(server),
    });
    from.traffic.noteConnection(true);
    path.to.traffic.noteConnection(false);
    const client = this.#entropy.bytes(32);
    const server = this.#entropy.bytes(32);
    const localPort = 32_768 + this.#dials % 28_000;
    let isClosed = false;
    const close = () => {
      isClosed = true;
    };
    const accepted: AcceptedConnection = {
      chain: { leaf: copyBytes(chain.leaf), root: copyBytes(chain.root) },
      binding: bindingOf(),
      local: socketAddress(to.ip, to.port, path.remoteInterface),
      remote: socketAddress(path.local, localPort, path.remoteInterface),
      finished: () => {},
      close,
    };
    const request = async (
      method: "GET" | "POST",
      at: string,
      body: Bytes | undefined,
      signal: AbortSignal,
      answerBytesMax = 16_384,
    ): Promise<PlainAnswer> => {
      const way = async (a: MemoryHost, b: MemoryHost) => {
        // What is cut stays silent until the dialler loses patience; TCP makes up for loss.
        const isThere = this.#passesBothWays(a, b) &&
          (a !== from || from.pathTo(to) !== undefined);
        const there = await this.#pass(
          isThere ? milliseconds(a.network.delayOf(a, b) + b.lateness()) : milliseconds(60_000),
          signal,
        );
        if (!there || !isThere) throw new Error("the request took too long");
        if (isClosed || !port.isOpen) throw new Error("connection closed");
      };
      await way(from, path.to);
      const answer = await port.handler(accepted, {
        method,
        path: at,
        body: copyBytes(body ?? new Uint8Array(0)),
      });
      this.noteAnswered(from, path.to, at, (answer ?? refusal).status);
      await way(path.to, from);
      if (answer === undefined) isClosed = true;
      const { status, body: bytes } = answer ?? refusal;
      from.traffic.noteRequest(true, body?.length ?? 0, bytes.length);
      path.to.traffic.noteRequest(false, body?.length ?? 0, bytes.length);
      if (bytes.length > answerBytesMax) throw new Error("body of the answer too large");
      return { status, body: copyBytes(bytes) };
    };
    return {
      chain: { leaf: copyBytes(port.chain.leaf), root: copyBytes(port.chain.root) },
      binding: bindingOf(),
      local: socketAddress(path.local, localPort, path.interfaceName),
      remote: to,
      request,
      finished: () => {},
      close,
    };
  }
}
