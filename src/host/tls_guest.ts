/**
 * A connection that came to the TLS port: first a guest about whom nothing is known but where it came
 * from, after TLS what the handler of the port sees.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
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
