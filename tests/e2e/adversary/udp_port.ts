/** A UDP socket of an attacker: keeps what it hears, sends anything anywhere. @module */
import { type Bytes, copyBytes } from "../../../src/base/bytes.ts";
import { type IpAddress, parseIp } from "../../../src/base/ip.ts";
import { type SocketAddress, socketAddress } from "../../../src/wire/socket_address.ts";
import { eventually } from "../eventually.ts";

/** Most datagrams kept; the oldest go. */
const heardMax = 50_000;

/** A datagram that arrived. */
export interface HeardDatagram {
  readonly bytes: Bytes;
  readonly from: SocketAddress;
}

/** The address in this text. */
export function ipOf(text: string): IpAddress {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`"${text}" is no address`);
  return ip;
}

/** A bound UDP socket. Dispose of it: it closes. */
export class UdpPort implements AsyncDisposable {
  readonly ip: IpAddress;
  readonly port: number;
  /** What was heard and not taken, the oldest first. */
  readonly heard: HeardDatagram[] = [];
  /** Takes each datagram first; `true` keeps it out of `heard`. */
  onDatagram: (datagram: HeardDatagram) => boolean = () => false;
  readonly #socket: Deno.DatagramConn;
  readonly #reading: Promise<void>;
  #closed = false;

  /** Binds to an address of the loopback interface and a port, any free one by default. */
  constructor(ip = "127.0.0.1", port = 0) {
    this.ip = ipOf(ip);
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: ip, port });
    this.port = this.#socket.addr.transport === "udp" ? this.#socket.addr.port : 0;
    this.#reading = this.#read();
  }

  /** Where it is bound. */
  get address(): SocketAddress {
    return socketAddress(this.ip, this.port);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(2_048);
    while (!this.#closed) {
      try {
        const [bytes, sender] = await this.#socket.receive(buffer);
        if (sender.transport !== "udp") continue;
        const from = socketAddress(ipOf(sender.hostname), sender.port);
        const datagram = { bytes: copyBytes(bytes), from };
        if (this.onDatagram(datagram)) continue;
        this.heard.push(datagram);
        if (this.heard.length > heardMax) this.heard.shift();
      } catch {
        // Closed, or the echo of a datagram to a port that was closed meanwhile: the loop's
        // condition tells them apart.
      }
    }
  }

  /** Sends; a refused send is a lost datagram. */
  async send(bytes: Uint8Array, to: SocketAddress): Promise<void> {
    try {
      await this.#socket.send(bytes, { transport: "udp", hostname: to.ip, port: to.port });
    } catch {
      // A full buffer or a closed port at the other end: attackers do not care.
    }
  }

  /** The first datagram heard that fits, taken out; `undefined` if none comes in time. */
  async take(
    fits: (datagram: HeardDatagram) => boolean,
    withinMs: number,
  ): Promise<HeardDatagram | undefined> {
    const look = () => {
      const index = this.heard.findIndex(fits);
      return index < 0 ? undefined : this.heard.splice(index, 1)[0];
    };
    try {
      return await eventually("a datagram", look, { withinMs, everyMs: 5 });
    } catch {
      return undefined; // Nothing came: that is an answer too.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#socket.close();
    await this.#reading;
  }
}
