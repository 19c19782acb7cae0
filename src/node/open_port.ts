/**
 * Opens the one port of a node, for TLS and, at every address served, for datagrams.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { type IpAddress, parseIp } from "../base/ip.ts";
import { isAddressTaken, ListenError, listenTls, type TlsListener } from "../host/mod.ts";
import type { LeafCredentials } from "../identity/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Network } from "../platform/network.ts";
import type { SecureHandler } from "../platform/secure_streams.ts";
import { formatSocketAddress, socketAddress } from "../wire/socket_address.ts";
import type { RunOptions } from "./run_options.ts";
import type { Settings } from "./settings.ts";
import { StartError } from "./start_error.ts";

/** The port when nobody says otherwise. */
const defaultPort = 7411;
/** Free TCP ports that are tried until one is free for datagrams too. */
const freePortTries = 16;
/** Addresses that mean every address of the machine. */
const anyAddress: ReadonlySet<IpAddress | undefined> = new Set(["0.0.0.0", "::"].map(parseIp));

const log = getLogger(["mesh", "node"]);

/** The address to listen at; `undefined` = every one, which is also what 0.0.0.0 and [::] ask for. */
export function listenHost(options: RunOptions, network: Network): IpAddress | undefined {
  const { host } = options.listen;
  if (host === undefined || anyAddress.has(host)) return undefined;
  const isOurs = network.interfaces().some(({ addresses }) =>
    addresses.some(({ ip }) => ip === host)
  );
  if (isOurs) return host;
  throw new StartError(
    "no-interface",
    `Cannot listen at ${host}: no interface of this machine has that address. ` +
      "Without an address --listen PORT serves all of them.",
  );
}

/** Refuses a port that another program has for datagrams at an address that would be served. */
async function refusePortTakenByUdp(
  network: Network,
  { interfaces }: RunOptions,
  host: IpAddress | undefined,
  port: number,
): Promise<void> {
  for (const { name, addresses } of network.interfaces()) {
    if (interfaces.length > 0 && !interfaces.includes(name)) continue;
    for (const { ip } of addresses) {
      if (host !== undefined && ip !== host) continue;
      const address = socketAddress(ip, port, name);
      try {
        (await network.bindDatagram(address, name)).close();
      } catch (error) {
        // Whatever else is wrong with an address is tried again at every look at the interfaces.
        if (!isAddressTaken(error)) continue;
        const shown = formatSocketAddress(address);
        const message = `Cannot listen on port ${port}: UDP ${shown} is taken`;
        throw new ListenError(message, "EADDRINUSE", error);
      }
    }
  }
}

/** Opens the TLS port: the one asked for, the one kept, or a free one in its place. */
export async function openPort(
  options: RunOptions,
  network: Network,
  host: IpAddress | undefined,
  settings: Settings,
  clock: Clock,
  leaf: LeafCredentials,
  guards: {
    readonly handler: SecureHandler;
    readonly isKnownAddress: (ip: IpAddress) => boolean;
  },
): Promise<TlsListener> {
  const { zone, port: asked } = options.listen;
  const wanted = asked === undefined || asked === 0 ? settings.port ?? asked ?? defaultPort : asked;
  const listen = async (port: number) => {
    const listener = await listenTls({
      clock,
      credentials: leaf,
      port,
      ...host === undefined ? {} : { host },
      ...zone === undefined ? {} : { hostZone: zone },
      isKnownAddress: guards.isKnownAddress,
      acceptsOn: (interfaceName) =>
        options.interfaces.length === 0 ||
        (interfaceName !== undefined && options.interfaces.includes(interfaceName)),
    }, guards.handler);
    try {
      await refusePortTakenByUdp(network, options, host, listener.port);
      return listener;
    } catch (error) {
      await listener.close();
      throw error;
    }
  };
  for (let port = wanted, tries = 1;; port = 0, tries++) {
    try {
      return await listen(port);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      if (asked === 0 && tries < freePortTries) {
        log.warn("{reason}; taking a free port instead", { reason: error.message });
        continue;
      }
      throw new StartError(
        "port-taken",
        `${error.message}. Is another node running? Choose another port: --listen PORT (0 = any free).`,
      );
    }
  }
}
