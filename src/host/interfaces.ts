/**
 * The interfaces of this machine as the system lists them: what has an address. Carrier loss does
 * not show, and a cable pulled out is noticed by silence.
 *
 * @module
 */
import { elapsed, type Instant, later } from "../base/instant.ts";
import { type IpAddress, parseIp } from "../base/ip.ts";
import type { Clock } from "../platform/clock.ts";
import type { InterfaceAddress, NetworkInterface } from "../platform/network.ts";
import { INTERFACE_CACHE, INTERFACE_POLL } from "./limits.ts";

/** One address as the runtime reports it. */
export interface SystemAddress {
  readonly name: string;
  readonly address: string;
  /** Address and prefix length, `10.0.0.1/24`. */
  readonly cidr: string;
  /** Kernel index on IPv6 link-local addresses, else zero or `null`. */
  readonly scopeid: number | null;
}

/**
 * Groups the system's list by interface, in order of name.
 *
 * @param indexOf The kernel's index of an interface that has no IPv6 link-local address to tell it.
 */
export function groupInterfaces(
  list: readonly SystemAddress[],
  indexOf: (name: string) => number | undefined = () => undefined,
): readonly NetworkInterface[] {
  const found = new Map<string, { index: number | undefined; addresses: InterfaceAddress[] }>();
  for (const entry of list) {
    // An IPv4 alias is listed as `eth0:1`; it is the same interface.
    const name = entry.name.replace(/:.*$/, "");
    const ip = parseSystemAddress(entry.address);
    const prefixLength = Number(entry.cidr.split("/")[1] ?? "");
    if (ip === undefined || !Number.isInteger(prefixLength)) continue;
    const group = found.get(name) ?? { index: undefined, addresses: [] };
    found.set(name, group);
    group.addresses.push({ ip, prefixLength });
    if (entry.scopeid !== null && entry.scopeid > 0) group.index = entry.scopeid;
  }
  return [...found.entries()].sort(([a], [b]) => a < b ? -1 : 1).map(([name, group]) => {
    const addresses = group.addresses.sort((a, b) => a.ip < b.ip ? -1 : 1);
    const index = group.index ?? indexOf(name);
    return index === undefined ? { name, addresses } : { name, index, addresses };
  });
}

/** What Linux says of an interface's index; `undefined` elsewhere, or where it may not be read. */
function kernelIndex(name: string): number | undefined {
  if (Deno.build.os !== "linux" || name.includes("/")) return undefined;
  try {
    const index = Number(Deno.readTextFileSync(`/sys/class/net/${name}/ifindex`));
    return Number.isInteger(index) && index > 0 ? index : undefined;
  } catch {
    return undefined; // Gone in between, or a sandbox without /sys: only `status` misses it.
  }
}

/** Interfaces that have an address now. */
export function listInterfaces(): readonly NetworkInterface[] {
  return groupInterfaces(Deno.networkInterfaces(), kernelIndex);
}

/** Name of the interface that holds the address; the first by name if several do. */
export function interfaceHolding(
  ip: IpAddress,
  interfaces: readonly NetworkInterface[],
): string | undefined {
  return interfaces.find((one) => one.addresses.some((address) => address.ip === ip))?.name;
}

/** How the system is told of an address: with the index where the address needs a zone. */
export function systemAddress(
  ip: IpAddress,
  zone: string | undefined,
  interfaces: readonly NetworkInterface[],
): string {
  const index = interfaces.find((one) => one.name === zone)?.index;
  return zone === undefined || index === undefined ? ip : `${ip}%${index}`;
}

/** The address that the system tells of, with or without a zone behind it. */
export function parseSystemAddress(text: string): IpAddress | undefined {
  return parseIp(text.replace(/%.*$/, ""));
}

/** The list of interfaces for those who ask often: at most `INTERFACE_CACHE` old. */
export class InterfaceCache {
  readonly #clock: Clock;
  readonly #list: () => readonly NetworkInterface[];
  #seen: readonly NetworkInterface[] = [];
  #seenAt: Instant | undefined;

  constructor(clock: Clock, list: () => readonly NetworkInterface[] = listInterfaces) {
    this.#clock = clock;
    this.#list = list;
  }

  /** The interfaces, perhaps a little old. */
  current(): readonly NetworkInterface[] {
    const now = this.#clock.monotonic();
    if (this.#seenAt === undefined || elapsed(this.#seenAt, now) > INTERFACE_CACHE) {
      this.#seen = this.#list();
      this.#seenAt = now;
    }
    return this.#seen;
  }
}

/** Yields the interfaces at once and then whenever they differ, until `signal` aborts. */
export async function* followInterfaces(
  clock: Clock,
  signal: AbortSignal,
  list: () => readonly NetworkInterface[] = listInterfaces,
): AsyncGenerator<readonly NetworkInterface[], void, void> {
  let last = "";
  while (!signal.aborted) {
    const interfaces = list();
    const text = JSON.stringify(interfaces);
    if (text !== last) {
      last = text;
      yield interfaces;
    }
    await clock.wait(later(clock.monotonic(), INTERFACE_POLL), signal);
  }
}
