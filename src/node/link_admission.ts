/**
 * Whether there may be one more link. In an open mesh one machine can have any number of identities:
 * it must not hold all the links of everybody, else it decides what each of them learns.
 *
 * @module
 */
import type { IpAddress } from "../base/ip.ts";
import { fewLinks, linksCrowdedAbove, linksFree, linksMax, linksPerAddressMax } from "./limits.ts";

/** What decides about one more link. */
export interface LinkRequest {
  /** Address of the machine that asks; `undefined` if it is this one. */
  readonly from: IpAddress | undefined;
  /** Addresses of the links held, one each. */
  readonly held: readonly (IpAddress | undefined)[];
  /** How many links the peer lists, as far as it is known. */
  readonly peerLinks: number | undefined;
}

/**
 * Whether the peer may have a link: freely up to 24, above that while it lists fewer than 3, never
 * above 32. Once 12 are held, an address of another machine gets no more than 4.
 */
export function admitsLink({ from, held, peerLinks }: LinkRequest): boolean {
  if (held.length >= linksMax) return false;
  if (held.length >= linksCrowdedAbove && from !== undefined) {
    const there = held.filter((ip) => ip === from).length;
    if (there >= linksPerAddressMax) return false;
  }
  return held.length < linksFree || peerLinks === undefined || peerLinks < fewLinks;
}
