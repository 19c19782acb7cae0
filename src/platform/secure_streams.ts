/**
 * TLS 1.3 connections as the outside gives them. The platform proves nothing about who the peer is
 * (SECURITY.md, "The platform's TLS"): it hands over the bytes of the certificates exactly as they
 * were received and the values that bind an exchange to this very connection. Judging is
 * `identity/`'s, proving is `session/`'s.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { SocketAddress } from "../wire/socket_address.ts";

/** The two certificates a peer presented, DER, exactly the bytes received. */
export interface PresentedChain {
  readonly leaf: Bytes;
  readonly root: Bytes;
}

/** Values of one TLS connection that no other connection shares. PROTOCOL §4.3. */
export interface ChannelBinding {
  /** Kind 1: the two TLS Finished-derived values. Kinds are append-only. */
  readonly kind: 1;
  /** The client's value, 32 to 64 bytes. */
  readonly client: Bytes;
  /** The server's value, 32 to 64 bytes. */
  readonly server: Bytes;
}

/** What a connection in either direction tells about itself. */
export interface SecureConnectionFacts {
  /** The peer's chain, or a fixed phrase that says why there is none to judge. */
  readonly chain: PresentedChain | { readonly missing: string };
  /** Absent if the connection cannot be bound (then every exchange is refused). */
  readonly binding: ChannelBinding | undefined;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** An HTTP answer. */
export interface PlainAnswer {
  readonly status: number;
  readonly body: Bytes;
  /** Media type that is sent with an answer of ours, `application/octet-stream` unless given. */
  readonly contentType?: string;
}

/** A connection this node dialled. Requests go one after the other on the one socket. */
export interface DialledConnection extends SecureConnectionFacts {
  /**
   * Sends a request; rejects with `Error` on a broken connection or a body over the limit.
   *
   * @param answerBytesMax Longest body of the answer, by default that of any message.
   */
  request(
    method: "GET" | "POST",
    path: string,
    body: Bytes | undefined,
    signal: AbortSignal,
    answerBytesMax?: number,
  ): Promise<PlainAnswer>;
  /** The exchange is done: the connection no longer counts as a handshake that is dialled. */
  finished(): void;
  close(): void;
}

/** A connection somebody dialled to this node: one object per socket, for state to hang on. */
export interface AcceptedConnection extends SecureConnectionFacts {
  /** The exchange is done: the connection no longer counts as an unfinished handshake. */
  finished(): void;
  close(): void;
}

/** Why a dial gave no connection. `refused` is a TCP reset: the port is closed at that address. */
export interface DialFailure {
  readonly failed: "refused" | "unreachable" | "timeout" | "tls" | "aborted";
  readonly detail: string;
}

/** Dials TLS. */
export interface SecureDialer {
  /** @param onConnected Called once TCP is connected, before TLS begins. */
  dial(
    to: SocketAddress,
    signal: AbortSignal,
    onConnected?: () => void,
  ): Promise<DialledConnection | DialFailure>;
}

/** A request that passed the limits of size and rate. */
export interface PlainRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly body: Bytes;
}

/** Answers requests. `undefined` is the one uniform refusal. */
export type SecureHandler = (
  connection: AcceptedConnection,
  request: PlainRequest,
) => Promise<PlainAnswer | undefined>;

/** A listening TLS port. */
export interface SecureListener {
  readonly port: number;
  /** Counts by reason of what was shed, for status. */
  readonly shed: Readonly<Record<string, number>>;
  close(): Promise<void>;
}
