/**
 * The node's UDP sockets: one per address of every interface it serves, so that the interface of a
 * datagram is known, kept in step with interfaces as they come and go.
 *
 * @module
 */
import type { IpAddress } from "../base/ip.ts";
import { ipScope, isIpv6 } from "../base/ip.ts";
import type {
  DatagramSocket,
  Network,
  NetworkInterface,
  ReceivedDatagram,
} from "../platform/network.ts";
import { formatSocketAddress, type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import type { Background } from "./background.ts";

/** Most addresses served on one machine; more are left out, in order of interface name. */
const socketsMax = 256;

/** What the sockets tell their owner. */
export interface SocketsOwner {
  /** A datagram arrived. Must not throw. */
  handleDatagram(datagram: ReceivedDatagram, socket: DatagramSocket): void;
  /** An address cannot be served (port taken, address not ready); told once per address and reason. */
  handleUnbound(address: SocketAddress, interfaceName: string, reason: string): void;
}

/** Keeps one UDP socket per interface address. */
export class Sockets {
  readonly #network: Network;
  readonly #background: Background;
  readonly #owner: SocketsOwner;
  readonly #port: number;
  readonly #host: IpAddress | undefined;
  readonly #open = new Map<string, DatagramSocket>();
  readonly #refused = new Map<string, string>();
  #following: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param host Only this address is served, if given. */
  constructor(
    network: Network,
    background: Background,
    owner: SocketsOwner,
    port: number,
    host?: IpAddress,
  ) {
    this.#network = network;
    this.#background = background;
    this.#owner = owner;
    this.#port = port;
    this.#host = host;
  }

  /** The sockets open now. */
  all(): readonly DatagramSocket[] {
    return [...this.#open.values()];
  }

  /** Opens and closes sockets so that exactly these interfaces' addresses are served. */
  follow(interfaces: readonly NetworkInterface[]): Promise<void> {
    const turn = this.#following.then(() => this.#follow(interfaces));
    this.#following = turn.catch(() => undefined);
    return turn;
  }

  async #follow(interfaces: readonly NetworkInterface[]): Promise<void> {
    const wanted = new Map<string, { address: SocketAddress; interfaceName: string }>();
    for (const networkInterface of interfaces) {
      for (const { ip } of networkInterface.addresses) {
        if (this.#host !== undefined && ip !== this.#host) continue;
        const address = socketAddress(ip, this.#port, networkInterface.name);
        if (wanted.size < socketsMax) {
          wanted.set(formatSocketAddress(address), {
            address,
            interfaceName: networkInterface.name,
          });
        }
      }
    }
    for (const [key, socket] of this.#open) {
      // An address can move to another interface, as to a bridge.
      if (wanted.get(key)?.interfaceName === socket.interfaceName) continue;
      this.#open.delete(key);
      socket.close();
    }
    for (const key of this.#refused.keys()) if (!wanted.has(key)) this.#refused.delete(key);
    for (const [key, { address, interfaceName }] of wanted) {
      if (this.#closed) return;
      if (this.#open.has(key)) continue;
      try {
        const socket = await this.#network.bindDatagram(address, interfaceName);
        if (this.#closed) return socket.close();
        this.#open.set(key, socket);
        this.#refused.delete(key);
        this.#background.own(`receive on ${key}`, this.#receive(key, socket));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (this.#refused.get(key) !== reason) {
          this.#refused.set(key, reason);
          this.#owner.handleUnbound(address, interfaceName, reason);
        }
      }
    }
  }

  async #receive(key: string, socket: DatagramSocket): Promise<void> {
    try {
      for await (const datagram of socket.received()) this.#owner.handleDatagram(datagram, socket);
    } finally {
      // A socket that ended by itself is bound anew at the next look at the interfaces.
      if (this.#open.get(key) === socket) this.#open.delete(key);
    }
  }

  /**
   * The socket to send to `to` from: the zone's, the one in its network, else of its family.
   *
   * @param known The address from which the system is known to go there: its own choice is best.
   */
  towards(
    to: SocketAddress,
    sharesNetwork: (local: IpAddress, remote: IpAddress) => boolean,
    known?: IpAddress,
  ): DatagramSocket | undefined {
    const scope = ipScope(to.ip);
    let fallback: DatagramSocket | undefined;
    for (const socket of this.#open.values()) {
      const local = socket.local;
      if (local.ip === known && local.zone === to.zone) return socket;
    }
    for (const socket of this.#open.values()) {
      const local = socket.local;
      if (isIpv6(local.ip) !== isIpv6(to.ip)) continue;
      if (to.zone !== undefined) {
        if (local.zone === to.zone) return socket;
        continue;
      }
      if (local.ip === to.ip || sharesNetwork(local.ip, to.ip)) return socket;
      const localScope = ipScope(local.ip);
      // Loopback and link-local addresses reach only their own kind.
      if (localScope === "loopback" || localScope === "link-local") continue;
      if (scope === "loopback" || scope === "link-local") continue;
      if (fallback === undefined || localScope === scope) fallback = socket;
    }
    return fallback;
  }

  /** Closes all of them. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#open.values()) socket.close();
    this.#open.clear();
  }
}
