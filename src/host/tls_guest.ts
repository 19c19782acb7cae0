/**
 * A connection that came to the TLS port: first a guest about whom nothing is known but where it came
 * from, after TLS what the handler of the port sees.
 *
 * @module
 */
import type { Socket } from "node:net";
import { TLSSocket, type TLSSocketOptions } from "node:tls";
import type { AcceptedConnection, ChannelBinding } from "../platform/secure_streams.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import { bindingOf, type ChainFact, chainOf } from "./tls_facts.ts";

/** A connection that has not been closed, TLS started or not. */
export interface TlsGuest {
  readonly number: number;
  readonly raw: Socket;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  tls?: TLSSocket;
}

/**
 * TLS over a TCP socket, which refuses to write once that socket is destroyed. The runtime (2.9.4)
 * aborts the whole process when such a write reaches it: it fails at once and calls back into the
 * program in the middle of the call (denoland/deno#35867). An answer that is ready in the moment in
 * which its connection closes, by whatever side, is such a write.
 */
export class GuestSocket extends TLSSocket {
  readonly #raw: Socket;

  constructor(raw: Socket, options: TLSSocketOptions) {
    super(raw, options);
    this.#raw = raw;
  }

  override _write(
    chunk: unknown,
    encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    if (this.#raw.destroyed) done(new Error("The connection is closed"));
    else super._write(chunk, encoding, done);
  }

  override _writev(
    chunks: { chunk: unknown; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    if (this.#raw.destroyed) done(new Error("The connection is closed"));
    else super._writev?.(chunks, done);
  }
}

/** An accepted connection after TLS, as the handler sees it. */
export class AcceptedGuest implements AcceptedConnection {
  readonly chain: ChainFact;
  readonly binding: ChannelBinding | undefined;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** A request is being answered: one at a time. */
  busy = false;
  readonly #onFinished: () => void;
  readonly #onClose: () => void;

  constructor(guest: TlsGuest, socket: TLSSocket, onFinished: () => void, onClose: () => void) {
    this.chain = chainOf(socket);
    this.binding = bindingOf(socket, "server");
    this.local = guest.local;
    this.remote = guest.remote;
    this.#onFinished = onFinished;
    this.#onClose = onClose;
  }

  finished(): void {
    this.#onFinished();
  }

  close(): void {
    this.#onClose();
  }
}
