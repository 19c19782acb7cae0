/** Addresses of a host name that a person wrote, asked of the system's resolver. @module */
import { lookup } from "node:dns/promises";
import { type IpAddress, parseIp } from "../base/ip.ts";

/** All addresses of the name, in the resolver's order; empty if it has none or cannot be asked now. */
export async function lookUpHost(name: string): Promise<readonly IpAddress[]> {
  try {
    const found = await lookup(name, { all: true });
    return found.flatMap(({ address }) => parseIp(address) ?? []);
  } catch {
    return []; // No such name and no resolver look alike to the caller, who tries again later.
  }
}
