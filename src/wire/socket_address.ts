/**
 * An address and a port, with the interface where the address needs one. Text form as in the
 * command line's contract: `192.0.2.1:7411`, `[fe80::1%eth0]:7411`.
 *
 * @module
 */
import { type IpAddress, isIpv6, parseIp } from "../base/ip.ts";

/** Where a datagram or a connection comes from or goes to. */
export interface SocketAddress {
  readonly ip: IpAddress;
  readonly port: number;
  /** Name of the interface, present on link-local IPv6 addresses and only there. */
  readonly zone?: string;
}

/** Makes the address; the zone is kept only where it means something. */
export function socketAddress(ip: IpAddress, port: number, zone?: string): SocketAddress {
  const scoped = zone !== undefined && isIpv6(ip) && /^fe[89ab]/.test(ip);
  return scoped ? { ip, port, zone } : { ip, port };
}

/** Text form. Two addresses are the same exactly if their texts are. */
export function formatSocketAddress(address: SocketAddress): string {
  if (!isIpv6(address.ip)) return `${address.ip}:${address.port}`;
  const zone = address.zone === undefined ? "" : `%${address.zone}`;
  return `[${address.ip}${zone}]:${address.port}`;
}

/** Parses a port 0 to 65,535 in decimal; `undefined` if it is none. */
export function parsePort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/** Parses the text form; `undefined` if it is none (names of hosts are not addresses). */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  const match = /^\[([^\]%]+)(?:%([^\]]+))?\]:(\d+)$/.exec(text) ?? /^([\d.]+)():(\d+)$/.exec(text);
  const [, host = "", zone, portText = ""] = match ?? [];
  const ip = parseIp(host);
  const port = parsePort(portText);
  if (ip === undefined || port === undefined) return undefined;
  return socketAddress(ip, port, zone === "" ? undefined : zone);
}
