/** A UDP socket on one address of one interface. @module */
import type { Bytes } from "../base/bytes.ts";
import { later } from "../base/instant.ts";
import { type IpAddress, ipScope, isIpv6 } from "../base/ip.ts";
import type { Clock } from "../platform/clock.ts";
import type { DatagramSocket, ReceivedDatagram } from "../platform/network.ts";
import { type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import { parseSystemAddress } from "./interfaces.ts";
import { DATAGRAM_BUFFER_BYTES, RECEIVE_ERROR_PAUSE, RECEIVE_ERRORS_AT_ONCE } from "./limits.ts";

/** What the system says a datagram came from, or `undefined` if it is no IP address and port. */
function senderOf(address: Deno.Addr, interfaceName: string): SocketAddress | undefined {
  if (address.transport !== "udp") return undefined;
  // The scope of a link-local sender is not given; the socket it arrived on is the interface's.
  const ip = parseSystemAddress(address.hostname);
  return ip === undefined ? undefined : socketAddress(ip, address.port, interfaceName);
}

/**
 * Datagrams of a system socket until it is closed. A receive error of the moment (a port that was
 * unreachable when an earlier datagram of ours arrived, an interface that went down) is passed over.
 */
export async function* receiveFrom(
  connection: Deno.DatagramConn,
  interfaceName: string,
  clock: Clock,
  closed: AbortSignal,
): AsyncGenerator<ReceivedDatagram, void, void> {
  const buffer = new Uint8Array(DATAGRAM_BUFFER_BYTES);
  let errorsInARow = 0;
  while (!closed.aborted) {
    try {
      const [bytes, sender] = await connection.receive(buffer);
      errorsInARow = 0;
      const from = senderOf(sender, interfaceName);
      if (from !== undefined) yield { bytes: bytes.slice(), from };
    } catch (error) {
      if (closed.aborted || error instanceof Deno.errors.BadResource) return;
      errorsInARow += 1;
      if (errorsInARow > RECEIVE_ERRORS_AT_ONCE) {
        await clock.wait(later(clock.monotonic(), RECEIVE_ERROR_PAUSE), closed);
      }
    }
  }
}

/** A bound UDP socket of the system. */
export class SystemDatagramSocket implements DatagramSocket {
  readonly local: SocketAddress;
  readonly interfaceName: string;
  readonly #connection: Deno.DatagramConn;
  readonly #index: number | undefined;
  readonly #clock: Clock;
  readonly #closed = new AbortController();

  /** @param index The interface's kernel index, where it is known. */
  constructor(
    connection: Deno.DatagramConn,
    bound: IpAddress,
    interfaceName: string,
    index: number | undefined,
    clock: Clock,
  ) {
    const port = connection.addr.transport === "udp" ? connection.addr.port : 0;
    this.#connection = connection;
    this.local = socketAddress(bound, port, interfaceName);
    this.interfaceName = interfaceName;
    this.#index = index;
    this.#clock = clock;
  }

  async send(bytes: Bytes, to: SocketAddress): Promise<boolean> {
    if (isIpv6(to.ip) !== isIpv6(this.local.ip)) return false;
    if (to.zone !== undefined && to.zone !== this.interfaceName) return false;
    const needsIndex = isIpv6(to.ip) && ipScope(to.ip) === "link-local" &&
      this.#index !== undefined;
    const hostname = needsIndex ? `${to.ip}%${this.#index}` : to.ip;
    try {
      const sent = await this.#connection.send(bytes, {
        transport: "udp",
        hostname,
        port: to.port,
      });
      return sent === bytes.length;
    } catch {
      return false; // No route, a full buffer, an address that went away: a datagram may be lost.
    }
  }

  received(): AsyncIterable<ReceivedDatagram> {
    return receiveFrom(this.#connection, this.interfaceName, this.#clock, this.#closed.signal);
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#connection.close();
  }
}
