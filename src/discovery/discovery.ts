/**
 * Discovery proposes addresses, nothing else: it decides when to beacon and whom to dial. It proves
 * nothing, knows no key, and believes no id that was not proven: a beacon that names B and leads to
 * C's key is a way to C. PROTOCOL §9.
 *
 * Addresses come from beacons (connect-back), from stored records, from earlier links and from
 * `--peer`. A node dials until it has D links in total (`degreeFor`). With links enough it still
 * answers a solicitation, or another island's beacon once in some seconds, by lot, so that about
 * three of all hearers do; a solicitation repeated within a minute raises the odds. One known
 * unreachable id is dialled every 30 s, every 2 s while there is no link at all, and at once after an
 * interface change.
 *
 * Two islands on one network notice each other by the first beacon of one that the other hears: at
 * rest each island sends one at the latest every 1.5 · Imax = 384 s, about every 80 s on average; a
 * solicitation or an interface change makes it at once.
 *
 * Against forged beacons: `admitBeacon` bounds what is verified, per source address and in total;
 * dials that beacons cause are bounded in flight, per source address and in total; ids that hold
 * stored records or were linked before have room of their own and go first; what answered at an
 * address outweighs what is claimed about it. In an open mesh anyone on the network can compute the
 * island mark and so suppress this node's beacons while it has links; never while it has none.
 *
 * @module
 */
import { Counters } from "../base/counters.ts";
import { type Duration, earliest, elapsed, type Instant } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NetworkInterface } from "../platform/network.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import { Announcer, type AnnouncerSnapshot } from "./announcer.ts";
import { SourceBudget } from "./beacon_budget.ts";
import { Candidates } from "./candidates.ts";
import { Dialling, type DiallingSnapshot } from "./dialling.ts";
import type { DialOutcome, DiscoveryEffect, UnlinkReason } from "./effects.ts";
import {
  backoffMin,
  beaconsBurst,
  beaconsPerSourceBurst,
  beaconsPerSourceRate,
  beaconsRate,
  declinedBackoff,
  eagerLinks,
  leftBackoff,
  solicitationGap,
  sourcesMax,
  volunteerLinksMax,
  volunteers,
} from "./limits.ts";
import type { KnownNodes } from "./known_nodes.ts";
import { Surroundings } from "./surroundings.ts";
import { Volunteering } from "./volunteering.ts";

/** What discovery needs to know from the start. */
export interface DiscoveryOptions {
  readonly self: NodeId;
  /** The port this node listens on, 1 to 65,535. */
  readonly port: number;
  /** Texts of `--peer`. */
  readonly peers?: readonly string[];
  /** `false` with `--no-multicast`: no beacons are sent. Default `true`. */
  readonly multicast?: boolean;
  /** Jitter and choices. */
  readonly prng: Prng;
  /** Who is known by a record. */
  readonly known: KnownNodes;
}

/**
 * A beacon as the machine takes it: decoded, for this mesh (the tag fits). `id` is the node id of a
 * plain beacon, or the member whose blinded form it carries; a claim in both cases.
 */
export interface HeardBeacon {
  readonly id: NodeId;
  /** 1 to 65,535. */
  readonly port: number;
  readonly solicitation: boolean;
}

/** What discovery shows of itself. */
export interface DiscoverySnapshot extends DiallingSnapshot {
  /** Links striven for. */
  readonly degree: number;
  readonly links: number;
  /** Ids with a stored record or an earlier link. */
  readonly held: number;
  /** Ids only heard. */
  readonly strangers: number;
  readonly interfaces: Readonly<Record<string, AnnouncerSnapshot>>;
  /** How often what was done or dropped, by reason. */
  readonly counts: Readonly<Record<string, number>>;
}

/** The machine. */
export class Discovery {
  readonly #self: NodeId;
  readonly #multicast: boolean;
  readonly #prng: Prng;
  readonly #counters = new Counters();
  readonly #announcers = new Map<string, Announcer>();
  readonly #surroundings: Surroundings;
  readonly #candidates: Candidates;
  readonly #dialling: Dialling;
  readonly #volunteering: Volunteering;
  readonly #beaconBudget: SourceBudget;

  constructor(options: DiscoveryOptions, now: Instant) {
    this.#self = options.self;
    this.#multicast = options.multicast ?? true;
    this.#prng = options.prng;
    this.#surroundings = new Surroundings(options.port);
    this.#candidates = new Candidates(options.prng, options.known);
    this.#volunteering = new Volunteering(options.prng);
    this.#dialling = new Dialling({
      self: options.self,
      peers: options.peers ?? [],
      prng: options.prng,
      counters: this.#counters,
      candidates: this.#candidates,
      surroundings: this.#surroundings,
    }, now);
    this.#beaconBudget = new SourceBudget({
      sourceBurst: beaconsPerSourceBurst,
      sourceRate: beaconsPerSourceRate,
      burst: beaconsBurst,
      rate: beaconsRate,
      sourcesMax,
    }, now);
  }

  /** Links this node strives for, whoever dialled. */
  get degree(): number {
    return this.#dialling.degree;
  }

  /** Nodes known, this one included. */
  get fleetSize(): number {
    return this.#candidates.heldCount + 1;
  }

  /** Whether this process runs late: then it dials fewer at a time and helps no strangers. */
  handleLateness(isLate: boolean): void {
    this.#dialling.handleLateness(isLate);
  }

  /**
   * The interfaces this node listens on, with the addresses it listens on there; call it at start
   * and whenever they may have changed. New interfaces and new addresses are announced by a burst.
   */
  handleInterfaces(interfaces: readonly NetworkInterface[], now: Instant): DiscoveryEffect[] {
    const { appeared, gone } = this.#surroundings.handleInterfaces(interfaces);
    for (const name of gone) this.#announcers.delete(name);
    for (const name of this.#multicast ? appeared : []) {
      const announcer = this.#announcers.get(name);
      if (announcer === undefined) this.#announcers.set(name, new Announcer(this.#prng, now));
      else announcer.handleChanged(now);
    }
    if (appeared.length > 0) {
      this.#counters.count("interfaces changed");
      this.#dialling.handleInterfaces(now);
    }
    return this.handleTimeout(now);
  }

  /**
   * Whether a datagram on the beacon port is worth verifying. To be asked first, before the island
   * mark is computed; only what passes goes to `handleBeacon`.
   */
  admitBeacon(from: SocketAddress, now: Instant): boolean {
    const standing = this.#surroundings.standing(from.ip);
    const decision = this.#beaconBudget.take(from.ip, standing, now);
    if (decision === "granted") return true;
    this.#counters.count(
      decision === "source" ? "beacon over its source's budget" : "beacon over the total budget",
    );
    return false;
  }

  /**
   * A beacon that `admitBeacon` admitted.
   *
   * @param from Its sender; the port is not looked at.
   * @param islandAgrees Whether it carries the mark that its sender would have on this node's island;
   *   not looked at for a solicitation.
   */
  handleBeacon(
    beacon: HeardBeacon,
    from: SocketAddress,
    interfaceName: string,
    islandAgrees: boolean,
    now: Instant,
  ): DiscoveryEffect[] {
    // Our own, looped back, or a forger: nothing can be learned from it.
    if (beacon.id === this.#self) return this.#drop("beacon with own id");
    const announcer = this.#announcers.get(interfaceName);
    if (announcer === undefined) return this.#drop("beacon on a foreign interface");
    const address = socketAddress(from.ip, beacon.port, from.zone ?? interfaceName);
    const text = formatSocketAddress(address);
    if (this.#surroundings.isOwn(text)) return this.#drop("beacon from own address");
    this.#counters.count("beacon heard");
    let answersIsland = false;
    if (beacon.solicitation) this.#hearSolicitation(announcer, now);
    else if (islandAgrees) announcer.handleConsistent(beacon.id);
    else answersIsland = announcer.handleDifferent(now);

    const id = this.#surroundings.idAt(text, now) ?? beacon.id;
    if (id !== beacon.id) this.#counters.count("beacon under another's name");
    announcer.handleAudience(id, this.#candidates.isHeld(id), now);
    if (!this.#candidates.hear(id, address, now)) return this.#drop("stranger without a place");
    this.#dialling.handleHeard(id, now);
    if (!this.#surroundings.isLinked(id)) {
      this.#considerConnectBack(id, beacon.solicitation, answersIsland, announcer, now);
    } else if (beacon.solicitation && id === beacon.id && !this.#dialling.isDialling(id)) {
      this.#considerRelink(id, now);
    }
    return this.handleTimeout(now);
  }

  /** A record says where the id listens: `known` knows it from now on, or knows better. */
  handleKnown(id: NodeId): void {
    if (id === this.#self) return;
    this.#candidates.handleKnown(id);
    for (const announcer of this.#announcers.values()) announcer.handleKnown(id);
  }

  /** Paths of links may lead to more ids than before. */
  handlePaths(now: Instant): void {
    this.#dialling.lookForLinks(now);
  }

  /** The id's record is gone, or it was revoked: it is dialled no more unless it is heard. */
  handleForgotten(id: NodeId, now: Instant): DiscoveryEffect[] {
    this.#candidates.forget(id);
    return [...this.#dialling.handleForgotten(id), ...this.handleTimeout(now)];
  }

  /** What a text of `--peer` resolved to; an empty list if it did not. */
  handlePeerResolved(
    peer: string,
    addresses: readonly SocketAddress[],
    now: Instant,
  ): DiscoveryEffect[] {
    this.#dialling.handlePeerResolved(peer, addresses, now);
    return this.handleTimeout(now);
  }

  /** How a dial ended; once for every `dial` effect. */
  handleDialled(address: SocketAddress, outcome: DialOutcome, now: Instant): DiscoveryEffect[] {
    return [...this.#dialling.handleDialled(address, outcome, now), ...this.handleTimeout(now)];
  }

  /** There is a link with the id, whoever dialled; `address` is where its port is. */
  handleLinked(id: NodeId, address: SocketAddress, now: Instant): DiscoveryEffect[] {
    this.#candidates.link(id, address);
    if (this.#surroundings.handleLinked(id, address, now)) {
      for (const announcer of this.#announcers.values()) announcer.handleLinked();
    }
    const effects = this.#dialling.handleLinked(id, formatSocketAddress(address), now);
    return [...effects, ...this.handleTimeout(now)];
  }

  /** The link with the id ended. Its addresses are candidates again after a short rest. */
  handleUnlinked(id: NodeId, why: UnlinkReason, now: Instant): DiscoveryEffect[] {
    if (!this.#surroundings.handleUnlinked(id)) return [];
    this.#candidates.unlink(id, why, restAfter(why), now);
    this.#dialling.handleUnlinked(id, now);
    if (this.#surroundings.links === 0) {
      // One beacon within two seconds says that this node is alone, however many links it lost.
      for (const announcer of this.#announcers.values()) announcer.handleInconsistent(now);
    }
    return this.handleTimeout(now);
  }

  /** Does what is due. */
  handleTimeout(now: Instant): DiscoveryEffect[] {
    const effects: DiscoveryEffect[] = [];
    const lonely = this.#surroundings.links === 0;
    for (const [interfaceName, announcer] of this.#announcers) {
      if (!announcer.handleTimeout(lonely, now)) continue;
      this.#counters.count("beacon sent");
      effects.push({ kind: "beacon", interfaceName, solicit: lonely });
    }
    return [...effects, ...this.#dialling.handleTimeout(now)];
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    let next = this.#dialling.nextTimeout();
    for (const announcer of this.#announcers.values()) {
      next = earliest(next, announcer.nextTimeout());
    }
    return next;
  }

  /** Everything worth showing. */
  snapshot(now: Instant): DiscoverySnapshot {
    return {
      degree: this.degree,
      links: this.#surroundings.links,
      held: this.#candidates.heldCount,
      strangers: this.#candidates.strangersCount,
      ...this.#dialling.snapshot(),
      interfaces: Object.fromEntries(
        [...this.#announcers].map(([name, announcer]) => [name, announcer.snapshot(now)]),
      ),
      counts: this.#counters.snapshot(),
    };
  }

  #drop(reason: string): DiscoveryEffect[] {
    this.#counters.count(reason);
    return [];
  }

  /** An id with a link solicits: it may have started anew and not know this node any more. */
  #considerRelink(id: NodeId, now: Instant): void {
    if (!this.#surroundings.takeRelink(id, now)) return;
    this.#candidates.restart(id);
    this.#dialling.connectBack(id, { held: true, beyondDegree: true, relink: true }, now);
  }

  #considerConnectBack(
    id: NodeId,
    solicitation: boolean,
    answersIsland: boolean,
    announcer: Announcer,
    now: Instant,
  ): void {
    if (this.#dialling.isDialling(id)) return;
    const held = this.#candidates.isHeld(id);
    const asks = solicitation || answersIsland;
    const beyondDegree = asks && this.#volunteers(id, solicitation, announcer, now);
    if (!beyondDegree && !this.#dialling.wantsLink(held)) return;
    const triedAt = this.#candidates.triedAt(id);
    const rested = triedAt === undefined || elapsed(triedAt, now) >= solicitationGap;
    if (solicitation && rested) this.#candidates.restart(id);
    else if (this.#dialling.isOneWay(id) || !this.#candidates.isDue(id, now)) return;
    this.#dialling.connectBack(id, { held, beyondDegree, relink: false }, now);
  }

  /** A newcomer is answered by beacons; of an audience that runs late a few do, as for volunteering. */
  #hearSolicitation(announcer: Announcer, now: Instant): void {
    const chance = volunteers / this.#hearers(announcer, now);
    if (this.#dialling.isLate && this.#prng.unit() >= chance) return;
    announcer.handleInconsistent(now);
  }

  /** How many hear what is heard there, at least. */
  #hearers(announcer: Announcer, now: Instant): number {
    return Math.max(announcer.audience(now), this.#surroundings.links);
  }

  /** Whether this node, with links enough, answers all the same. */
  #volunteers(id: NodeId, solicitation: boolean, announcer: Announcer, now: Instant): boolean {
    const { links } = this.#surroundings;
    if (this.#dialling.isLate || links < eagerLinks || links >= volunteerLinksMax) return false;
    const audience = {
      heard: this.#hearers(announcer, now),
      strangers: announcer.strangers(now),
      held: this.#candidates.heldCount,
    };
    const drawn = solicitation
      ? this.#volunteering.draw(id, audience, now)
      : this.#volunteering.drawOnce(audience);
    if (drawn) {
      const what = solicitation ? "a newcomer" : "another island";
      this.#counters.count(`volunteered for ${what}`);
    }
    return drawn;
  }
}

function restAfter(why: UnlinkReason): Duration {
  switch (why) {
    case "lost":
      return backoffMin;
    case "let-go":
      return declinedBackoff;
    case "left":
      return leftBackoff;
  }
}
