/**
 * Datagrams and interfaces as the outside gives them. The host's and the simulator's are the two
 * implementations.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { IpAddress } from "../base/ip.ts";
import type { SocketAddress } from "../wire/socket_address.ts";

/** An address on an interface. */
export interface InterfaceAddress {
  readonly ip: IpAddress;
  /** Bits of the address that name the network. */
  readonly prefixLength: number;
}

/** A network interface that has at least one address. */
export interface NetworkInterface {
  readonly name: string;
  /** Kernel index; absent where the system does not tell. */
  readonly index?: number;
  readonly addresses: readonly InterfaceAddress[];
}

/** A datagram that arrived. */
export interface ReceivedDatagram {
  readonly bytes: Bytes;
  /** Sender; a link-local sender carries the zone of the socket's interface. */
  readonly from: SocketAddress;
}

/** A bound UDP socket. */
export interface DatagramSocket {
  /** What it is bound to, with the real port. */
  readonly local: SocketAddress;
  /** Name of the interface that `local` stands on. */
  readonly interfaceName: string;
  /** Sends one datagram. Resolves to `false` when the system refused it (no route, full buffer). */
  send(bytes: Bytes, to: SocketAddress): Promise<boolean>;
  /** Datagrams as they arrive; ends when the socket is closed. Transient receive errors are passed over. */
  received(): AsyncIterable<ReceivedDatagram>;
  close(): void;
}

/** A beacon that arrived. */
export interface ReceivedBeacon extends ReceivedDatagram {
  /** Interface it arrived on (IPv6: the socket's; IPv4: the one whose network holds the sender). */
  readonly interfaceName: string;
}

/** The beacon group on all interfaces that were joined. PROTOCOL §9. */
export interface BeaconChannel {
  /**
   * Joins and leaves so that exactly these interfaces are served; call again when they change.
   * Returns which of them can do multicast, and why the others cannot.
   */
  follow(
    interfaces: readonly NetworkInterface[],
  ): Promise<
    readonly { readonly name: string; readonly multicast: boolean; readonly reason?: string }[]
  >;
  /** Sends the beacon on one interface to its IPv6 and IPv4 groups; resolves to datagrams sent. */
  send(bytes: Bytes, interfaceName: string): Promise<number>;
  received(): AsyncIterable<ReceivedBeacon>;
  close(): void;
}

/** Interfaces, sockets and groups of this machine. */
export interface Network {
  /** Interfaces that have an address now. Carrier loss does not show. */
  interfaces(): readonly NetworkInterface[];
  /** Binds UDP to one address of one interface; rejects with the system's error. */
  bindDatagram(address: SocketAddress, interfaceName: string): Promise<DatagramSocket>;
  /** Opens the beacon port, shared with the other nodes of this machine. */
  openBeacons(): Promise<BeaconChannel>;
}
