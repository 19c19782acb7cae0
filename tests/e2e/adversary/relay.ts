/**
 * Somebody on the wire: passes the bytes of TCP connections on without looking, and the datagrams
 * at the same port, and keeps a copy of the latter.
 *
 * @module
 */
import type { Bytes } from "../../../src/base/bytes.ts";
import type { SocketAddress } from "../../../src/wire/socket_address.ts";
import { ipOf, UdpPort } from "./udp_port.ts";

/** A relay in front of a node on loopback. Dispose of it: everything it carries is cut. */
export class Relay implements AsyncDisposable {
  readonly port: number;
  /** Datagrams that came for the node. */
  readonly towards: Bytes[] = [];
  /** Datagrams of the node that came back. */
  readonly back: Bytes[] = [];
  /** TCP connections carried so far. */
  carried = 0;
  readonly #target: SocketAddress;
  readonly #front: UdpPort;
  readonly #rear: UdpPort;
  readonly #listener: Deno.Listener;
  readonly #work = new Set<Promise<void>>();
  readonly #open = new Set<Deno.Conn>();
  #client: SocketAddress | undefined;

  /** @param port The node's, on loopback. */
  constructor(port: number) {
    this.#target = { ip: ipOf("127.0.0.1"), port };
    this.#front = new UdpPort();
    this.#rear = new UdpPort();
    this.port = this.#front.port;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#front.onDatagram = ({ bytes, from }) => {
      this.#client = from;
      this.towards.push(bytes);
      this.#own(this.#rear.send(bytes, this.#target));
      return true;
    };
    this.#rear.onDatagram = ({ bytes }) => {
      this.back.push(bytes);
      if (this.#client !== undefined) this.#own(this.#front.send(bytes, this.#client));
      return true;
    };
    this.#own(this.#accept());
  }

  #own(work: Promise<void>): void {
    const owned = work.finally(() => this.#work.delete(owned));
    this.#work.add(owned);
  }

  async #accept(): Promise<void> {
    try {
      for await (const near of this.#listener) this.#own(this.#carry(near));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #carry(near: Deno.Conn): Promise<void> {
    this.#open.add(near);
    try {
      const { ip, port } = this.#target;
      const far = await Deno.connect({ hostname: ip, port });
      this.#open.add(far);
      this.carried++;
      await Promise.allSettled([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
    } catch {
      // The node is gone: so is the connection.
      near.close();
    }
  }

  /** Sends once more, out of order, what was carried, both ways. */
  async replay(client: SocketAddress): Promise<void> {
    for (const bytes of this.towards.toReversed()) await this.#rear.send(bytes, this.#target);
    for (const bytes of this.back.toReversed()) await this.#front.send(bytes, client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch {
        // Its streams have closed it.
      }
    }
    await this.#front[Symbol.asyncDispose]();
    await this.#rear[Symbol.asyncDispose]();
    await Promise.allSettled([...this.#work]);
  }
}
