/**
 * What stored records say, for those who decide by it: where a node listens, whom it lists, whose
 * loss it reports. Everything in them is their author's word.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { isDecodeError } from "../base/decode.ts";
import { elapsed, type Instant } from "../base/instant.ts";
import { type IpAddress, isIpv6 } from "../base/ip.ts";
import { readInfo, readLinks, type RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import type { InfoBody } from "../wire/info.ts";
import { type LinksBody, type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import { type NodeId, nodeIdBytesLength, nodeIdPrefixLength } from "../wire/node_id.ts";
import { keyBound } from "../wire/key_range.ts";
import { infoKind, linksKind, recordKey } from "../wire/record_key.ts";
import { type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import { KnownAddresses } from "./known_addresses.ts";
import { dialAddressesMax, urgentAuthorsMax, urgentEvery } from "./limits.ts";

const noSubject = new Uint8Array(0);

function lists(body: LinksBody | undefined, prefix: NodeIdPrefixHex): boolean {
  return body?.links.some(({ peer }) => peer === prefix) ?? false;
}

/**
 * What `links` records that were asked for by their author say: those of neighbours, and of whom they
 * name, are asked for often. Not each reader's own, for simulated nodes share their records.
 */
const linksRead = new WeakMap<VerifiedRecord, LinksBody>();

function linksIn(record: VerifiedRecord | undefined): LinksBody | undefined {
  const body = record === undefined ? undefined : readLinks(record);
  return body === undefined || isDecodeError(body) ? undefined : body;
}

/** Reads the store. */
export class RecordReadings {
  readonly #store: RecordStore;
  readonly #knownAddresses: KnownAddresses;
  /** When an author's lost links were last told on at once. */
  readonly #urgentAt = new BoundedMap<NodeId, Instant>(urgentAuthorsMax);

  constructor(store: RecordStore) {
    this.#store = store;
    this.#knownAddresses = new KnownAddresses(store);
  }

  /** The record in which the node says what it is. */
  infoRecordOf(id: NodeId): VerifiedRecord | undefined {
    return this.#store.get(recordKey(infoKind, id, noSubject));
  }

  /** What the node says of itself. */
  infoOf(id: NodeId): InfoBody | undefined {
    const record = this.infoRecordOf(id);
    const info = record === undefined ? undefined : readInfo(record);
    return info === undefined || isDecodeError(info) ? undefined : info;
  }

  /** What the node whose id begins so says of its links. */
  linksOfPrefix(prefix: NodeIdPrefixHex): LinksBody | undefined {
    const low = keyBound(new Uint8Array([linksKind])) + prefix;
    // Longer than any key that begins so, and above it.
    const high = low + "ff".repeat(nodeIdBytesLength - nodeIdPrefixLength + 1);
    for (const record of this.#store.range(low, high)) return this.#read(record);
    return undefined;
  }

  /** Whom that node names in its `links`. */
  neighboursOf(prefix: NodeIdPrefixHex): ReadonlySet<NodeIdPrefixHex> | undefined {
    const links = this.linksOfPrefix(prefix)?.links;
    return links === undefined ? undefined : new Set(links.map(({ peer }) => peer));
  }

  #read(record: VerifiedRecord): LinksBody | undefined {
    const known = linksRead.get(record);
    if (known !== undefined) return known;
    const body = linksIn(record);
    if (body !== undefined) linksRead.set(record, body);
    return body;
  }

  /** What the node says of its links. */
  linksOf(id: NodeId): LinksBody | undefined {
    const record = this.#store.get(recordKey(linksKind, id, noSubject));
    return record === undefined ? undefined : this.#read(record);
  }

  /** The port at which the node says it listens. */
  listenPortOf(id: NodeId): number | undefined {
    return this.infoOf(id)?.endpoints[0]?.port;
  }

  /** Addresses of the node that can be dialled without knowing an interface, a few of them. */
  dialAddressesOf(id: NodeId): SocketAddress[] {
    return (this.infoOf(id)?.endpoints ?? [])
      .filter(({ scope, ip }) => !(scope === "link-local" && isIpv6(ip)))
      .map(({ ip, port }) => socketAddress(ip, port))
      .slice(0, dialAddressesMax);
  }

  /** All addresses that the node names. */
  addressesOf(id: NodeId): SocketAddress[] {
    const info = this.infoOf(id);
    const endpoints = info === undefined ? [] : [...info.endpoints, ...info.observed];
    return endpoints.map(({ ip, port }) => socketAddress(ip, port));
  }

  /** The addresses in the record, which came in now, are known ones from now on. */
  noteAddressesIn(record: VerifiedRecord): void {
    this.#knownAddresses.note(record);
  }

  /** Whether a stored record names the address, as far as they were read: see `KnownAddresses`. */
  isKnownAddress(ip: IpAddress): boolean {
    return this.#knownAddresses.has(ip);
  }

  /** Whether the record is told on at once: it names links lost, and its author rarely does. */
  isUrgent(record: VerifiedRecord, now: Instant): boolean {
    if (record.kind !== linksKind || (linksIn(record)?.lost.length ?? 0) === 0) return false;
    const at = this.#urgentAt.get(record.author);
    if (at !== undefined && elapsed(at, now) < urgentEvery) return false;
    this.#urgentAt.set(record.author, now);
    return true;
  }

  /**
   * Whose loss the record reports, as far as that is worth a look: those whom its author listed
   * before and no longer does, and that themselves list the author. Else made-up nodes could cry wolf.
   */
  reportedLosses(
    record: VerifiedRecord,
    previous: VerifiedRecord,
  ): { readonly heeded: readonly NodeIdPrefixHex[]; readonly unheeded: number } {
    const before = linksIn(previous);
    const reporter = prefixHexOf(record.author);
    const after = linksIn(record);
    const lost = after?.lost ?? [];
    const heeded = lost.filter((prefix) =>
      lists(before, prefix) && !lists(after, prefix) && lists(this.linksOfPrefix(prefix), reporter)
    );
    // One that stands there still was heeded when it came.
    const old = before?.lost ?? [];
    const unheeded = lost.filter((prefix) => !heeded.includes(prefix) && !old.includes(prefix));
    return { heeded, unheeded: unheeded.length };
  }
}
