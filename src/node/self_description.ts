/**
 * What a node says of itself in its `info` record.
 *
 * @module
 */
import { type IpAddress, ipScope } from "../base/ip.ts";
import type { InfoBody } from "../wire/info.ts";
import type { NodeOptions } from "./node_options.ts";

/** The body of the node's `info`. @param addresses Those of the interfaces it serves. */
export function describeSelf(options: NodeOptions, addresses: readonly IpAddress[]): InfoBody {
  const { name, labels, port, software, platform, bootNonce, host } = options;
  const own = addresses.filter((ip) => host === undefined || ip === host);
  const far = own.filter((ip) => ipScope(ip) !== "loopback");
  // Loopback addresses lead others to themselves: told only by a node that has nothing else.
  const told = [...new Set(far.length > 0 ? far : own)];
  return {
    name,
    endpoints: told.map((ip) => ({ ip, port, scope: ipScope(ip) })),
    observed: [],
    capabilities: [],
    software,
    bootNonce,
    labels: new Map(Object.entries(labels)),
    platform,
  };
}
