/** The network of this machine. @module */
import type { Clock } from "../platform/clock.ts";
import type {
  BeaconChannel,
  DatagramSocket,
  Network,
  NetworkInterface,
} from "../platform/network.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import { SystemBeaconChannel } from "./beacon_channel.ts";
import { SystemDatagramSocket } from "./datagram_socket.ts";
import { listInterfaces, systemAddress } from "./interfaces.ts";

/** Whether the error of a bind says that somebody else has the address and port. */
export function isAddressTaken(error: unknown): boolean {
  return error instanceof Deno.errors.AddrInUse;
}

/** Interfaces, sockets and groups of this machine. */
export class DenoNetwork implements Network {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  interfaces(): readonly NetworkInterface[] {
    return listInterfaces();
  }

  // deno-lint-ignore require-await -- so that the system's error rejects instead of being thrown.
  async bindDatagram(address: SocketAddress, interfaceName: string): Promise<DatagramSocket> {
    const interfaces = listInterfaces();
    const index = interfaces.find((one) => one.name === interfaceName)?.index;
    const connection = Deno.listenDatagram({
      transport: "udp",
      hostname: systemAddress(address.ip, address.zone, interfaces),
      port: address.port,
    });
    return new SystemDatagramSocket(connection, address.ip, interfaceName, index, this.#clock);
  }

  openBeacons(): Promise<BeaconChannel> {
    return Promise.resolve(new SystemBeaconChannel(this.#clock));
  }
}
