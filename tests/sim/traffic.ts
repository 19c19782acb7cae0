/**
 * What goes in and out of a machine, in bytes as a meter at its interfaces would count them.
 *
 * Datagrams are exact: payload, UDP and IP headers. A stream is an estimate, for there is none here:
 * what a TLS 1.3 connection with certificates on both sides, and its requests, cost on a wire.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { type IpAddress, isIpv6 } from "../../src/base/ip.ts";

/** IP and UDP headers: RFC 791 and RFC 8200, RFC 768. */
const ipv4Headers = 28;
const ipv6Headers = 48;
/**
 * Bytes of a TLS connection from its first SYN to its last FIN without what is said over it, in each
 * direction: certificates of about 800 bytes either way, hello messages with a hybrid share, tickets,
 * acknowledgements.
 */
const connectionBytes = { dialler: 3_400, answerer: 3_600 } as const;
/** Bytes around a request or an answer: HTTP headers, a TLS record, TCP and IP headers. */
const requestBytes = { request: 260, answer: 220 } as const;

/** What a datagram is, for the split. */
export type TrafficKind = string;

/** Says of a datagram's bytes what kind of message it carries. */
export type Classify = (bytes: Bytes) => TrafficKind;

/** Bytes in and out of one machine. */
export class Traffic {
  /** Whether, and how, datagrams are told apart. The same for all machines of a world. */
  classify: Classify | undefined;
  bytesIn = 0;
  bytesOut = 0;
  datagramsIn = 0;
  datagramsOut = 0;
  /** Bytes of those that streams cost, an estimate. */
  streamBytes = 0;
  /** Bytes in and out by kind; filled while there is a `classify`. */
  readonly byKind = new Map<TrafficKind, number>();

  /** Both directions together. */
  get bytes(): number {
    return this.bytesIn + this.bytesOut;
  }

  #count(kind: TrafficKind, bytes: number): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + bytes);
  }

  /** A datagram left. Returns its kind, for where it arrives. */
  noteDatagramOut(bytes: Bytes, to: IpAddress): TrafficKind | undefined {
    const length = bytes.length + (isIpv6(to) ? ipv6Headers : ipv4Headers);
    this.bytesOut += length;
    this.datagramsOut++;
    const kind = this.classify?.(bytes);
    if (kind !== undefined) this.#count(kind, length);
    return kind;
  }

  /** A datagram arrived. */
  noteDatagramIn(bytes: Bytes, at: IpAddress, kind = this.classify?.(bytes)): void {
    const length = bytes.length + (isIpv6(at) ? ipv6Headers : ipv4Headers);
    this.bytesIn += length;
    this.datagramsIn++;
    if (kind !== undefined) this.#count(kind, length);
  }

  /** A beacon left: one datagram, however many hear it. */
  noteBeaconOut(bytes: Bytes, from: IpAddress): void {
    const length = bytes.length + (isIpv6(from) ? ipv6Headers : ipv4Headers);
    this.bytesOut += length;
    this.datagramsOut++;
    this.#count("beacon", length);
  }

  /** A beacon arrived. */
  noteBeaconIn(bytes: Bytes, from: IpAddress): void {
    const length = bytes.length + (isIpv6(from) ? ipv6Headers : ipv4Headers);
    this.bytesIn += length;
    this.datagramsIn++;
    this.#count("beacon", length);
  }

  /** A TLS connection was made, by this machine or to it. */
  noteConnection(isDialler: boolean): void {
    const { dialler, answerer } = connectionBytes;
    this.#stream(isDialler ? answerer : dialler, isDialler ? dialler : answerer, "tls");
  }

  /** A request and its answer went over a stream. */
  noteRequest(isDialler: boolean, requestLength: number, answerLength: number): void {
    const request = requestLength + requestBytes.request;
    const answer = answerLength + requestBytes.answer;
    this.#stream(isDialler ? answer : request, isDialler ? request : answer, "https");
  }

  #stream(bytesIn: number, bytesOut: number, kind: TrafficKind): void {
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
    this.streamBytes += bytesIn + bytesOut;
    this.#count(kind, bytesIn + bytesOut);
  }
}
