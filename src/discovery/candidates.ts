/**
 * Whom this node could dial, and where: ids with their addresses, from beacons, from stored records
 * and from earlier links. An id *held* has a stored record or was linked before; a *stranger* was
 * only heard, can be made up by anyone, and has few places here. Of an id that only has a record
 * nothing is kept until it is dialled or heard: what its record says is asked for then.
 *
 * The addresses of an id are dialled in rounds, one after the other: where it was heard last first,
 * then where it was linked, then what its record says. An address that a beacon adds joins the next
 * round, so somebody who claims an id over and over cannot keep its true addresses from their turn.
 * When a round has failed the id rests, 1 s doubling to 1 h. One that is heard anew rests no longer
 * than some seconds from then: what failed before it could be heard says little.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Duration, elapsed, type Instant, later, scaled } from "../base/instant.ts";
import { type IpAddress, ipScope, isIpv6 } from "../base/ip.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import type { UnlinkReason } from "./effects.ts";
import type { KnownNodes } from "./known_nodes.ts";
import {
  backoffMax,
  backoffMin,
  declinedBackoff,
  heardAddressesMax,
  heardBackoff,
  heardFor,
  heldEntriesMax,
  lostNearFor,
  nearMax,
  recordedAddressesMax,
  roundAddressesMax,
  strangersMax,
  strangersPerSourceMax,
} from "./limits.ts";

interface HeardAddress {
  readonly address: SocketAddress;
  readonly firstAt: Instant;
  readonly at: Instant;
}

interface Entry {
  held: boolean;
  linked: boolean;
  /** Youngest first. */
  heard: readonly HeardAddress[];
  proven: SocketAddress | undefined;
  /** What is left of the current round. */
  round: readonly SocketAddress[];
  failures: number;
  notBefore: Instant | undefined;
  triedAt: Instant | undefined;
  lostAt: Instant | undefined;
  /** When its last link ended by silence. */
  fellSilentAt: Instant | undefined;
}

/** What this node can do with an address from a record. */
export interface AddressRules {
  /** Zones on which a link-local IPv6 address without one is tried. */
  readonly zones: readonly string[];
  /** Whether loopback addresses of records mean anything (this node listens on one). */
  readonly loopback: boolean;
  /** Whether the address may be dialled at all: not this node, not linked, not being dialled. */
  readonly allows: (text: string) => boolean;
}

const nowhere: readonly never[] = [];

/** The ids and addresses to choose from. */
export class Candidates {
  readonly #prng: Prng;
  readonly #known: KnownNodes;
  readonly #held = new BoundedMap<NodeId, Entry>(heldEntriesMax);
  readonly #strangers = new BoundedMap<NodeId, Entry>(strangersMax);
  /** Heard or lost lately and not linked. */
  readonly #near = new BoundedMap<NodeId, Entry>(nearMax);
  #linked = 0;

  constructor(prng: Prng, known: KnownNodes) {
    this.#prng = prng;
    this.#known = known;
  }

  /** Ids with a stored record or an earlier link, as far as they are told apart. */
  get heldCount(): number {
    return Math.max(this.#known.count() - 1, this.#held.size);
  }

  /** Ids only heard. */
  get strangersCount(): number {
    return this.#strangers.size;
  }

  /** Whether links could come from somebody near, or known without a link. */
  get hasLive(): boolean {
    return this.#near.size > 0 || this.#known.count() - 1 > this.#linked;
  }

  /** Whether the id has a stored record or was linked before. */
  isHeld(id: NodeId): boolean {
    return this.#held.has(id) || this.#known.has(id);
  }

  /** Whether the id's back-off is over. */
  isDue(id: NodeId, now: Instant): boolean {
    const notBefore = this.#entry(id)?.notBefore;
    return notBefore === undefined || now >= notBefore;
  }

  /** When the id was dialled last. */
  triedAt(id: NodeId): Instant | undefined {
    return this.#entry(id)?.triedAt;
  }

  /** Heard at the address; `false` if there is no place for another stranger from there. */
  hear(id: NodeId, address: SocketAddress, now: Instant): boolean {
    let entry = this.#entryOrKept(id);
    if (entry === undefined) {
      if (this.#strangersAt(address.ip) >= strangersPerSourceMax) return false;
      entry = newEntry(false);
    }
    if (!entry.held) {
      const evicted = this.#strangers.set(id, entry);
      if (evicted !== undefined) this.#near.delete(evicted[0]);
    }
    const text = formatSocketAddress(address);
    const before = entry.heard.find((heard) => formatSocketAddress(heard.address) === text);
    const fresh = before !== undefined && elapsed(before.at, now) <= heardFor;
    const others = entry.heard.filter((heard) =>
      heard !== before && elapsed(heard.at, now) <= heardFor
    );
    const heard = { address, firstAt: fresh ? before.firstAt : now, at: now };
    entry.heard = [heard, ...others].slice(0, heardAddressesMax);
    if (!entry.linked) this.#near.set(id, entry);
    if (!fresh) this.#shortenRest(entry, now);
    return true;
  }

  /** The id was not heard there before: it may have come into reach. */
  #shortenRest(entry: Entry, now: Instant): void {
    // Who let go of this node or said good-bye has not failed, and gets its rest.
    if (entry.notBefore === undefined || entry.notBefore <= later(now, declinedBackoff)) return;
    entry.notBefore = later(now, this.#jittered(heardBackoff));
    entry.round = nowhere;
  }

  /** A stored record says where the id listens: a stranger is none any more. */
  handleKnown(id: NodeId): void {
    if (this.#strangers.has(id)) this.#hold(id);
  }

  /** Linked, at the address. Everything that failed before is forgiven. */
  link(id: NodeId, address: SocketAddress): void {
    const entry = this.#hold(id);
    if (!entry.linked) this.#linked++;
    entry.linked = true;
    entry.proven = address;
    entry.failures = 0;
    entry.notBefore = undefined;
    entry.round = nowhere;
    entry.lostAt = undefined;
    this.#near.delete(id);
  }

  /** No longer linked; a candidate again after `rest`. Who said good-bye is heard nowhere any more. */
  unlink(id: NodeId, why: UnlinkReason, rest: Duration, now: Instant): void {
    const entry = this.#held.get(id);
    if (entry === undefined) return;
    if (why === "left") entry.heard = nowhere;
    if (why === "lost") entry.fellSilentAt = now;
    if (entry.linked) this.#linked--;
    entry.linked = false;
    entry.notBefore = later(now, this.#jittered(rest));
    entry.lostAt = now;
    this.#near.set(id, entry);
  }

  /** Answered at the address, whether or not it became a link. */
  prove(id: NodeId, address: SocketAddress): void {
    this.#hold(id).proven = address;
  }

  /** The address is not, or no longer, the id's. */
  removeAddress(id: NodeId, text: string): void {
    const entry = this.#entry(id);
    if (entry === undefined) return;
    const differs = (address: SocketAddress) => formatSocketAddress(address) !== text;
    entry.heard = entry.heard.filter((heard) => differs(heard.address));
    entry.round = entry.round.filter(differs);
    if (entry.proven !== undefined && !differs(entry.proven)) entry.proven = undefined;
  }

  /** Removes the id and all about it. */
  forget(id: NodeId): void {
    if (this.#held.get(id)?.linked === true) this.#linked--;
    this.#held.delete(id);
    this.#strangers.delete(id);
    this.#near.delete(id);
  }

  /** Where the id was heard lately, youngest first. */
  heardAt(id: NodeId, now: Instant): readonly SocketAddress[] {
    return this.#freshlyHeard(this.#entry(id), now).map((heard) => heard.address);
  }

  /**
   * When the id was first and last heard at its present addresses; `undefined` if not lately, or not
   * since it fell silent on its link: what was heard before does not show that it is there.
   */
  heardSince(id: NodeId, now: Instant): { first: Instant; last: Instant } | undefined {
    const entry = this.#entry(id);
    const heard = this.#freshlyHeard(entry, now);
    const last = heard[0]?.at;
    const silentAt = entry?.fellSilentAt;
    if (last === undefined || (silentAt !== undefined && last <= silentAt)) return undefined;
    return { first: heard.reduce((a, b) => b.firstAt < a ? b.firstAt : a, last), last };
  }

  /** Whether only the id's record names the address: it was not heard there, nor did it answer there. */
  isHearsay(id: NodeId, address: SocketAddress, now: Instant): boolean {
    const text = formatSocketAddress(address);
    const proven = this.#entry(id)?.proven;
    if (proven !== undefined && formatSocketAddress(proven) === text) return false;
    return !this.heardAt(id, now).some((heard) => formatSocketAddress(heard) === text);
  }

  /** Whether some address of the current round is left. */
  hasNext(id: NodeId): boolean {
    return (this.#entry(id)?.round.length ?? 0) > 0;
  }

  /**
   * The next address to dial, taken from the round; `undefined` if the id has none to dial.
   *
   * @param heardOnly Only where the id is heard: to learn whether its port opens by now.
   */
  nextAddress(
    id: NodeId,
    rules: AddressRules,
    heardOnly: boolean,
    now: Instant,
  ): SocketAddress | undefined {
    const entry = this.#entryOrKept(id);
    if (entry === undefined) return undefined;
    const heard = new Set(this.heardAt(id, now).map(formatSocketAddress));
    const fits = (address: SocketAddress) => {
      const text = formatSocketAddress(address);
      return rules.allows(text) && (!heardOnly || heard.has(text));
    };
    let round = entry.round.filter(fits);
    if (round.length === 0) round = this.#newRound(id, entry, rules, now).filter(fits);
    entry.round = round.slice(1);
    entry.triedAt = now;
    return round[0];
  }

  /** Begins a new round at the next dial: something new was heard. */
  restart(id: NodeId): void {
    const entry = this.#entry(id);
    if (entry !== undefined) entry.round = nowhere;
  }

  /** Looks elsewhere for a while, without a failure on the id's account. */
  pause(id: NodeId, length: Duration, now: Instant): void {
    const entry = this.#entryOrKept(id);
    if (entry !== undefined) entry.notBefore = later(now, this.#jittered(length));
  }

  /** The round failed: rest, at least `atLeast`, longer each time. */
  rest(id: NodeId, atLeast: Duration, now: Instant): void {
    const entry = this.#entryOrKept(id);
    if (entry === undefined) return;
    entry.round = nowhere;
    let backoff = scaled(backoffMin, 2 ** entry.failures);
    if (backoff < atLeast) backoff = atLeast;
    if (backoff > backoffMax) backoff = backoffMax;
    else entry.failures++;
    entry.notBefore = later(now, this.#jittered(backoff));
  }

  /** A near id that may be dialled, held ones first; drops those that are near no more. */
  pickNear(passes: (id: NodeId) => boolean, now: Instant): NodeId | undefined {
    const held: NodeId[] = [];
    const strangers: NodeId[] = [];
    for (const [id, entry] of this.#near.entries()) {
      const lost = entry.lostAt !== undefined && elapsed(entry.lostAt, now) <= lostNearFor;
      if (entry.linked || (!lost && this.#freshlyHeard(entry, now).length === 0)) {
        this.#near.delete(id);
      } else if (this.isDue(id, now) && passes(id)) {
        (entry.held ? held : strangers).push(id);
      }
    }
    return this.#prng.pick(held.length > 0 ? held : strangers);
  }

  /** A random reachable id that may be dialled. */
  pickReachable(passes: (id: NodeId) => boolean, now: Instant): NodeId | undefined {
    return this.#known.pick(true, (id) => this.isDue(id, now) && passes(id));
  }

  /** A random unreachable id that may be dialled; after a change of networks whatever its back-off. */
  pickUnreachable(
    passes: (id: NodeId) => boolean,
    whateverBackoff: boolean,
    now: Instant,
  ): NodeId | undefined {
    return this.#known.pick(
      false,
      (id) => (whateverBackoff || this.isDue(id, now)) && passes(id),
    );
  }

  #entry(id: NodeId): Entry | undefined {
    return this.#held.get(id) ?? this.#strangers.get(id);
  }

  /** What is kept of the id, from now on if it has a record; `undefined` if it is a stranger to all. */
  #entryOrKept(id: NodeId): Entry | undefined {
    const kept = this.#held.get(id);
    if (kept !== undefined) return kept;
    return this.#known.has(id) ? this.#hold(id) : this.#strangers.get(id);
  }

  #hold(id: NodeId): Entry {
    const kept = this.#held.get(id);
    if (kept !== undefined) return kept;
    const entry = this.#strangers.get(id) ?? newEntry(true);
    this.#strangers.delete(id);
    entry.held = true;
    let evicted = this.#held.set(id, entry);
    // Links are few: the next one looked at, or one soon after, has none.
    while (evicted?.[1].linked === true) evicted = this.#held.set(...evicted);
    if (evicted !== undefined) this.#near.delete(evicted[0]);
    return entry;
  }

  #strangersAt(ip: IpAddress): number {
    let count = 0;
    for (const entry of this.#strangers.values()) {
      if (entry.heard.some((heard) => heard.address.ip === ip)) count++;
    }
    return count;
  }

  #freshlyHeard(entry: Entry | undefined, now: Instant): readonly HeardAddress[] {
    return entry?.heard.filter((heard) => elapsed(heard.at, now) <= heardFor) ?? nowhere;
  }

  #newRound(id: NodeId, entry: Entry, rules: AddressRules, now: Instant): readonly SocketAddress[] {
    const named = this.#known.addressesOf(id).slice(0, recordedAddressesMax);
    const recorded = named.flatMap((address): readonly SocketAddress[] => {
      const scope = ipScope(address.ip);
      if (scope === "loopback") return rules.loopback ? [address] : [];
      if (scope !== "link-local" || !isIpv6(address.ip) || address.zone !== undefined) {
        return [address];
      }
      return rules.zones.map((zone) => socketAddress(address.ip, address.port, zone));
    });
    const round = new Map<string, SocketAddress>();
    const proven = entry.proven === undefined ? [] : [entry.proven];
    const heard = this.#freshlyHeard(entry, now).map((one) => one.address);
    for (const address of [...heard, ...proven, ...recorded]) {
      if (round.size < roundAddressesMax) round.set(formatSocketAddress(address), address);
    }
    return [...round.values()];
  }

  /** 75 to 100 % of the length, so that nodes which failed together do not try together. */
  #jittered(length: Duration): Duration {
    return scaled(length, this.#prng.between(0.75, 1));
  }
}

function newEntry(held: boolean): Entry {
  return {
    held,
    linked: false,
    heard: nowhere,
    proven: undefined,
    round: nowhere,
    failures: 0,
    notBefore: undefined,
    triedAt: undefined,
    lostAt: undefined,
    fellSilentAt: undefined,
  };
}
