/**
 * The node: owns the machines and their performers, and is what they ask when they need one another.
 * Everything it needs of the outside comes through `platform/`, so it runs on a machine and in a
 * simulated world alike.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { hashKeyOf } from "../base/half_sip_hash.ts";
import { invariant } from "../base/invariant.ts";
import type { IpAddress } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import { IslandKey, openTag } from "../crypto/mod.ts";
import { Discovery, LinkSurplus } from "../discovery/mod.ts";
import { type DuplicateEffect, DuplicateWatch } from "../identity/mod.ts";
import type { BeaconChannel, NetworkInterface } from "../platform/network.ts";
import { EpochKeys } from "../session/mod.ts";
import { Monitor, OwnRecords, type VerifiedRecord } from "../sync/mod.ts";
import { costExponentOf, type LinkCost, type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind, linksKind, recordKey } from "../wire/record_key.ts";
import { formatSocketAddress } from "../wire/socket_address.ts";
import { Archive } from "./archive.ts";
import { Asker } from "./asker.ts";
import { Authenticator } from "./authenticator.ts";
import { Background } from "./background.ts";
import { Bulk } from "./bulk.ts";
import { BulkAnswers } from "./bulk_answers.ts";
import { Calendar } from "./calendar.ts";
import { judgeClock } from "./clock_judgement.ts";
import { DegreeKeeper } from "./degree_keeper.ts";
import { Dispatch } from "./dispatch.ts";
import { EventFeed } from "./events.ts";
import { Finder } from "./finder.ts";
import { FleetWatch } from "./fleet_watch.ts";
import type { Gauges } from "./gauges.ts";
import { Gossip } from "./gossip.ts";
import { InterfaceWatch } from "./interface_watch.ts";
import { peersMax } from "./limits.ts";
import { Lateness } from "./lateness.ts";
import { type LinkEnd, Links, unlinkReason } from "./links.ts";
import { News } from "./news.ts";
import type { NodeOptions, NodeOutside } from "./node_options.ts";
import { Overload } from "./overload.ts";
import { type Peer, PeerTable } from "./peer.ts";
import { Publisher } from "./publisher.ts";
import { Pump, type Timed } from "./pump.ts";
import { RecordReadings } from "./record_readings.ts";
import type { InterfaceEntry, NodeEvent } from "./report.ts";
import { RelayedProbes } from "./relayed_probes.ts";
import { describeSelf } from "./self_description.ts";
import { Sockets } from "./sockets.ts";
import {
  clearUnwritten,
  warnOfConflicts,
  warnOfDamage,
  warnOfDuplicate,
  warnOfOpenMesh,
  warnOfUnpublished,
  warnOfUnwritten,
} from "./troubles.ts";
import { Warnings } from "./warnings.ts";
import { WatchRoles } from "./watch_roles.ts";
import { Ways } from "./ways.ts";

/** A running node. */
export class Node {
  readonly events = new EventFeed<NodeEvent>(() => this.fleet.handleWatched());
  readonly warnings: Warnings;
  readonly counters: Counters;
  readonly peers: PeerTable;
  readonly archive: Archive;
  readonly links: Links;
  readonly authenticator: Authenticator;
  readonly asker: Asker;
  readonly fleet: FleetWatch;
  readonly #options: NodeOptions;
  readonly #outside: NodeOutside;
  readonly #background: Background;
  readonly #sockets: Sockets;
  readonly #dispatch: Dispatch;
  readonly #gossip: Gossip;
  readonly #bulk: Bulk;
  readonly #publisher: Publisher;
  readonly #finder: Finder;
  readonly #discovery: Discovery;
  readonly #beacons: BeaconChannel | undefined;
  readonly #epochKeys: EpochKeys;
  readonly #degree: DegreeKeeper;
  readonly #interfaces: InterfaceWatch;
  readonly #calendar: Calendar;
  readonly #readings: RecordReadings;
  readonly #roles: WatchRoles;
  readonly #relayed: RelayedProbes;
  readonly #ways: Ways;
  readonly #news: News;
  readonly #pump: Pump;
  readonly #stopping = new AbortController();
  readonly #forgotten: Map<NodeId, number>;
  /** Ids by the prefix in a handle, for peers whose exchange is about to be finished. */
  readonly #granted = new BoundedMap<string, NodeId>(peersMax);
  readonly #inStep = Promise.withResolvers<void>();
  #announces = true;
  #pumping: Promise<void> = Promise.resolve();

  /** Builds the node; nothing runs before `start`. */
  static async create(options: NodeOptions, outside: NodeOutside): Promise<Node> {
    const [tag, islandKey] = await Promise.all([openTag(), IslandKey.open()]);
    const beacons = options.multicast ? await outside.network.openBeacons() : undefined;
    const background = new Background((what, error) => {
      outside.log.warn("{what} failed: {error}", { what, error });
    });
    const counters = new Counters();
    const archive = await Archive.restore(outside.recordLog, {
      clock: outside.clock,
      counters,
      background,
      store: {
        selfId: options.identity.id,
        builtAt: options.builtAt,
        sharing: outside.recordSharing ?? hashKeyOf(outside.entropy.bytes(8)),
        keepsAuthor: (author) => node.fleet.view.reaches(author),
      },
      clockSuspect: judgeClock(outside.clock.wall(), options.builtAt, []).problem !== undefined,
      owner: {
        handleEquivocation: (record) =>
          outside.log.warn("{author} signed two records under one serial", {
            author: record.author,
          }),
        handleGone: (records) => node.#handleGone(records),
        handleLogFailure: (error) => warnOfUnwritten(node.warnings, error),
        handleLogWritten: () => clearUnwritten(node.warnings),
      },
    });
    const node: Node = new Node(options, outside, {
      tag,
      islandKey,
      beacons,
      background,
      archive,
      counters,
    });
    return node;
  }

  private constructor(
    options: NodeOptions,
    outside: NodeOutside,
    parts: {
      readonly tag: Bytes;
      readonly islandKey: IslandKey;
      readonly beacons: BeaconChannel | undefined;
      readonly background: Background;
      readonly archive: Archive;
      readonly counters: Counters;
    },
  ) {
    const { identity, leaf, bootNonce } = options;
    const { clock, entropy, network, log } = outside;
    const { background, archive } = parts;
    const selfId = identity.id;
    const ownPrefix = prefixHexOf(selfId);
    const now = clock.monotonic();
    const seed = new Uint32Array(entropy.bytes(16).buffer);
    const prng = new Prng([...seed]);
    const lateness = new Lateness();
    const poke = () => this.#pump.poke();
    this.#options = options;
    this.#outside = outside;
    this.#background = background;
    this.#beacons = parts.beacons;
    this.#forgotten = new Map(options.forgotten);
    this.counters = parts.counters;
    this.archive = archive;
    this.#news = new News({
      clock,
      log,
      events: this.events,
      nameOf: (id) => this.fleet.view.nameOf(id),
    });
    this.warnings = new Warnings((warning, cleared) => {
      if (!cleared) log.warn("{code}: {message}", { ...warning });
      this.#news.tell({ event: "warning", ...warning, ...cleared ? { cleared } : {} });
    });
    this.peers = new PeerTable(entropy);
    this.#epochKeys = EpochKeys.create(entropy, selfId, now);
    this.#sockets = new Sockets(
      network,
      background,
      {
        handleDatagram: (datagram, socket) => {
          this.#dispatch.handleDatagram(datagram, socket);
          poke();
        },
        handleUnbound: (address, interfaceName, reason) =>
          log.info("Cannot serve {address} on {interfaceName}: {reason}", {
            address: formatSocketAddress(address),
            interfaceName,
            reason,
          }),
      },
      options.port,
      options.host,
    );
    this.#readings = new RecordReadings(archive.store);
    this.#ways = new Ways({
      sockets: this.#sockets,
      peers: this.peers,
      readings: this.#readings,
      interfaces: () => this.#interfaces,
      links: () => this.links,
    });
    this.#roles = new WatchRoles(clock, selfId, {
      linked: () => this.peers.links(),
      neighboursOf: (prefix) => this.#readings.neighboursOf(prefix),
      handleRole: (id, role) => this.links.handleRole(id, role),
    });
    this.#calendar = new Calendar({
      clock,
      builtAt: options.builtAt,
      peers: this.peers,
      store: archive.store,
      warnings: this.warnings,
    });
    const overload = new Overload(this.counters, this.warnings);
    this.#interfaces = new InterfaceWatch({
      clock,
      network,
      background,
      sockets: this.#sockets,
      beacons: parts.beacons,
      warnings: this.warnings,
      names: options.interfaceNames,
      owner: {
        handleInterfaces: (served) => this.#handleInterfaces(served),
        handleLook: () => {
          overload.look(clock.monotonic());
          if (this.#calendar.wasSet()) {
            this.links.proveAnew(clock.monotonic());
            archive.store.lookAgain();
          }
          this.#judgeClock();
        },
      },
    });
    this.asker = new Asker(
      clock,
      this.counters,
      {
        socketTowards: (peer) => this.#ways.socketTowards(peer),
        handleStranger: (peer) => this.links.handleStranger(peer),
      },
      poke,
      lateness,
    );
    const duplicates = new DuplicateWatch(bootNonce, this.#ownSerials());
    const own = new OwnRecords({
      signer: identity,
      keep: (record) => outside.recordLog.log.appendOwn(record, clock.wall()),
      ownSerial: outside.recordLog.ownSerial,
      prng,
    });
    this.#publisher = new Publisher({
      clock,
      counters: this.counters,
      background,
      own,
      duplicates,
      prng,
      bootNonce,
      earlierInfo: archive.store.get(recordKey(infoKind, selfId, new Uint8Array(0))),
      owner: {
        describe: () => describeSelf(options, this.#interfaces.addresses()),
        linkCosts: () => this.#linkCosts(),
        newsOf: (prefix, told) => {
          const peer = this.peers.byPrefix(prefix);
          if (peer?.linked !== true) return "told";
          const isTold = (id: NodeId) => told.has(prefixHexOf(id));
          if (this.fleet.isReachedOtherwise(peer.id, isTold)) return "told";
          const listed = this.#readings.linksOf(peer.id)?.links;
          if (listed === undefined) return "too early";
          // Where two islands meet neither end has named the other: one goes first.
          const isNamed = listed.some((link) => link.peer === ownPrefix);
          return isNamed || ownPrefix < prefix ? "to be told" : "too early";
        },
        signingTime: () => this.#calendar.signingTime(),
        handlePublished: (record, urgent) => {
          this.warnings.clear("publishing");
          const previous = archive.store.get(record.key);
          archive.admitOwn(record);
          this.#roles.handleRecord(record);
          this.#gossip.tell(record, urgent);
          this.fleet.handleStored(record, previous);
          poke();
        },
        handleUnpublished: (why) => warnOfUnpublished(this.warnings, why),
        handleDuplicate: (effect) => this.#handleDuplicate(effect),
      },
    });
    this.#gossip = new Gossip({
      selfId,
      clock,
      counters: this.counters,
      background,
      prng,
      archive,
      asker: this.asker,
      peers: this.peers,
      owner: {
        handleOwnRecord: (record) => this.#publisher.handleOwnRecord(record),
        handleStored: (record, previous) => this.#handleStored(record, previous),
        isUrgent: (record) => this.#readings.isUrgent(record, clock.monotonic()),
        handleInStep: () => this.#inStep.resolve(),
        handleMuchMissing: (peer, wish) => this.#bulk.want(peer, wish),
        mayTakeInBulk: (peer) => this.#bulk.mayTake(peer),
        defersComparison: (peer) => this.#bulk.defers(peer),
      },
    });
    const bulkAnswers = new BulkAnswers(clock, this.counters, archive.store);
    this.authenticator = new Authenticator({
      self: { identity, leafHash: leaf.leafHash, bootNonce },
      clock,
      entropy,
      dialer: outside.dialer,
      counters: this.counters,
      owner: {
        ownInfo: () => {
          const { shownInfo } = this.#publisher;
          invariant(shownInfo !== undefined, "a node has published its info before it is ready");
          return shownInfo.bytes;
        },
        grantFor: (peer) => {
          this.#granted.set(prefixHexOf(peer), peer);
          return this.#epochKeys.grantFor(peer, clock.monotonic());
        },
        // An open mesh deals with near addresses, unless its owner opened it to all.
        admitsAddress: ({ ip }) => options.openToAll || this.#interfaces.isNear(ip),
        handleAccepted: (result, place) => {
          this.links.handleProven(result, place);
          poke();
        },
        answerRecords: (id, request) => {
          const peer = this.peers.get(id);
          return peer && bulkAnswers.answer(peer, request);
        },
        handleOwnId: (nonce) => {
          this.#publisher.handleOwnIdInExchange(nonce);
        },
      },
    });
    this.#bulk = new Bulk({
      clock,
      counters: this.counters,
      background,
      prng,
      peers: this.peers,
      authenticator: this.authenticator,
      stopping: this.#stopping.signal,
      owner: {
        addressesOf: (id) => this.#readings.dialAddressesOf(id),
        handleDialled: (result, place) => this.links.handleProven(result, place),
        takePage: (records) => this.#gossip.takePage(records),
        compareWith: (peer) => this.#gossip.compareWith(peer),
      },
    });
    this.#discovery = new Discovery({
      self: selfId,
      port: options.port,
      peers: options.peers,
      multicast: options.multicast,
      prng,
      known: {
        count: () => archive.store.authorCount,
        has: (id) => !this.#forgotten.has(id) && this.#readings.infoRecordOf(id) !== undefined,
        addressesOf: (id) => this.#readings.addressesOf(id),
        pick: (reachable, passes) => this.fleet.pick(reachable, prng, passes),
      },
    }, now);
    this.#finder = new Finder({
      selfId,
      port: options.port,
      clock,
      counters: this.counters,
      background,
      discovery: this.#discovery,
      lateness,
      beacons: parts.beacons,
      tag: parts.tag,
      islandKey: parts.islandKey,
      authenticator: this.authenticator,
      warnings: this.warnings,
      lookUpHost: outside.lookUpHost,
      stopping: this.#stopping.signal,
      owner: {
        smallestReachable: () => this.fleet.smallestReachable,
        handleDialled: ({ result, place }) => {
          this.links.handleProven(result, place);
          poke();
        },
        handleOwnId: (nonce) => {
          this.#publisher.handleOwnIdInExchange(nonce);
          return equalBytes(nonce, bootNonce);
        },
        announces: () => this.#announces,
      },
    });
    this.#relayed = new RelayedProbes({
      clock,
      counters: this.counters,
      prng,
      asker: this.asker,
      peers: this.peers,
      socketTowards: (peer) => this.#ways.socketTowards(peer),
      helpersFor: (peer) => this.#ways.helpersFor(peer),
    });
    this.links = new Links({
      clock,
      counters: this.counters,
      background,
      prng,
      monitor: new Monitor({ prng }),
      peers: this.peers,
      asker: this.asker,
      gossip: this.#gossip,
      relayed: this.#relayed,
      owner: {
        dial: async (to, onConnected) => {
          const outcome = await this.#finder.dial(to, onConnected);
          if (outcome.kind === "proven") this.links.handleProven(outcome.result, outcome.place);
          return outcome;
        },
        listenPortOf: (id) => this.#readings.listenPortOf(id),
        addressesOf: (id) => this.#readings.dialAddressesOf(id),
        isTranslated: (peer) => this.#ways.isTranslated(peer),
        admitsLink: (peer) => this.#ways.admitsLink(peer),
        handleLinkUp: (peer) => this.#handleLinkUp(peer),
        handleLinkDown: (peer, why) => this.#handleLinkDown(peer, why),
        handleSuspect: (peer) => this.#news.tellOfSuspicion("node-suspect", peer),
        handleAlive: (peer) => this.#news.tellOfSuspicion("node-reachable", peer),
      },
    });
    this.#degree = new DegreeKeeper({
      clock,
      surplus: new LinkSurplus(prng),
      peers: this.peers,
      listedBy: (id) => this.#readings.linksOf(id)?.links.length,
      fleet: () => this.#discovery,
      release: (peer) => this.links.release(peer),
    });
    this.fleet = new FleetWatch(clock, {
      selfId,
      store: archive.store,
      linked: () => this.peers.links().map((peer) => peer.id),
      zoneOf: (id, ip) => {
        const address = this.peers.get(id)?.address;
        if (id === selfId) return this.#interfaces.zoneOf(ip);
        return address?.ip === ip ? address.zone : undefined;
      },
      forgotten: this.#forgotten,
    }, {
      isWatched: () => this.events.watchers > 0,
      handleNodeNew: (node) => {
        if (node.id !== selfId) this.#news.tellOfNode("node-new", node);
      },
      handleNodeChanged: (node) => this.#news.tellOfNode("node-changed", node),
      handleNodeReachable: (node) => {
        if (node.id !== selfId) this.#news.tellOfNode("node-reachable", node);
      },
      handleNodeUnreachable: (node) => this.#news.tellOfNode("node-unreachable", node),
      handleMetAgain: (id) => this.#meetAgain(id),
      handleConflicts: (names) => warnOfConflicts(this.warnings, names),
    });
    this.#dispatch = new Dispatch(
      clock,
      this.counters,
      background,
      this.#epochKeys,
      this.asker,
      {
        admits: (prefix) => this.#granted.has(prefix) || this.peers.byPrefix(prefix) !== undefined,
        peerOf: (prefix) => this.#peerOf(prefix),
        handleHeard: (peer, isFirst) => this.links.handleHeard(peer, isFirst),
        mayMove: (peer) => this.#ways.mayMove(peer),
        answerProbe: (probe) => this.#gossip.answerProbe(probe),
        answerCompare: (peer, compare, bytesMax) =>
          this.#gossip.answerCompare(peer, compare, bytesMax),
        answerFetch: (keys, bytesMax) => this.#gossip.answerFetch(keys, bytesMax),
        handleOffers: (peer, offers) => this.#gossip.handleOffers(peer, offers),
        handleUnread: (peer) => this.#gossip.handleUnread(peer),
        handlePushed: (peer, records) => this.#gossip.handlePushed(peer, records),
        handleLeaving: (peer, nonce) => this.links.handleLeaving(peer, nonce),
        handleRestarting: (peer, nonce) => this.links.handleRestarting(peer, nonce),
        handleLetGo: (peer, hash) => this.links.handleLetGo(peer, hash),
        relay: (peer, request) => this.#relayed.relay(peer, request),
        handleRelayed: (answer, bytes, from) => this.#relayed.handleAnswer(answer, bytes, from),
      },
    );
    const timed: readonly Timed[] = [
      this.asker,
      this.links,
      this.#gossip,
      this.#bulk,
      this.#publisher,
      this.#finder,
      this.#degree,
      this.fleet,
      this.#roles,
      archive,
      this.#interfaces,
    ];
    this.#pump = new Pump(clock, timed, lateness);
  }

  /** This node's id. */
  get id(): NodeId {
    return this.#options.identity.id;
  }

  /** Resolves when one comparison with a peer ended equal. */
  get inStep(): Promise<void> {
    return this.#inStep.promise;
  }

  /** How often what was dropped, refused or found odd, by reason, in all parts of the node. */
  counts(): Readonly<Record<string, number>> {
    const now = this.#outside.clock.monotonic();
    const all = new Map<string, number>();
    for (
      const counts of [
        this.counters.snapshot(),
        this.links.counts,
        this.#gossip.counts,
        this.archive.store.snapshot().refused,
        this.#discovery.snapshot(now).counts,
      ]
    ) {
      for (const [reason, times] of Object.entries(counts)) {
        all.set(reason, (all.get(reason) ?? 0) + times);
      }
    }
    return Object.fromEntries(all);
  }

  /** How much of everything bounded is held now. */
  gauges(): Gauges {
    const { records, authors, tombstones, flagged } = this.archive.store.snapshot();
    return {
      links: this.peers.linkCount,
      peersWithoutLink: this.peers.otherCount,
      granted: this.#granted.size,
      records,
      authors,
      tombstones,
      flaggedAuthors: flagged,
      requests: this.asker.waiting,
      datagrams: this.#dispatch.underWay,
      ...this.links.underWay,
      ...this.#gossip.underWay,
      strangers: this.#discovery.snapshot(this.#outside.clock.monotonic()).strangers,
      background: this.#background.size,
    };
  }

  /** The interfaces served, for status. */
  interfaceEntries(): InterfaceEntry[] {
    return this.#interfaces.entries();
  }

  /** Work of the process that ends with the node. */
  own(work: Promise<void>): void {
    this.#background.own("run", work);
  }

  /** Whether a stored record names the address. */
  isKnownAddress(ip: IpAddress): boolean {
    return this.#readings.isKnownAddress(ip);
  }

  /** Name of the interface over which the peer is reached. */
  interfaceTowards(peer: Peer): string | undefined {
    return this.#ways.socketTowards(peer)?.interfaceName;
  }

  /** Opens the sockets, publishes, begins to find. Resolves when the node can answer others. */
  async start(): Promise<void> {
    const { damage } = this.archive;
    if (damage !== undefined) warnOfDamage(this.warnings, damage);
    warnOfOpenMesh(this.warnings);
    await this.#interfaces.look();
    this.#judgeClock();
    await this.#publisher.publishInfo(true);
    if (this.#publisher.shownInfo === undefined) {
      const { message } = this.warnings.all().find(({ code }) => code === "publishing") ?? {};
      throw new Error(message ?? "This node's own record could not be published");
    }
    if (this.#beacons !== undefined) this.#background.own("hear beacons", this.#finder.hear());
    this.#pumping = this.#pump.run(this.#stopping.signal);
  }

  /**
   * Says good-bye to the links, or that this node will be back, and releases everything. What is
   * not said by the time `limit` aborts stays unsaid.
   */
  async stop(kind: "leaving" | "restarting", limit: AbortSignal): Promise<void> {
    if (this.#stopping.signal.aborted) return await this.#pumping;
    this.#announces = false;
    this.#publisher.stop();
    const { bootNonce } = this.#options;
    const goodBye = Promise.all(
      this.peers.links().map((peer) => this.asker.ask(peer, { kind, bootNonce }, { tries: 3 })),
    );
    await Promise.race([goodBye, aborted(limit)]);
    this.#stopping.abort();
    for (const peer of this.peers.links()) this.asker.abandon(peer.id);
    this.#beacons?.close();
    this.#sockets.close();
    await this.#pumping;
    await Promise.race([this.#background.settled(), aborted(limit)]);
    await this.archive.close();
  }

  /** Hides an unreachable node until it is met again. Rejects if that could not be written down. */
  async forget(id: NodeId): Promise<void> {
    const node = this.fleet.view.get(id);
    if (node !== undefined) this.#forgotten.set(id, node.record.serial);
    this.#finder.handleForgotten(id);
    this.fleet.handleChange();
    this.#pump.poke();
    await this.#outside.keepForgotten(this.#forgotten);
  }

  // What this node says of itself.

  async #handleInterfaces(served: readonly NetworkInterface[]): Promise<void> {
    this.#finder.handleInterfaces(served);
    for (const peer of this.peers.links()) {
      if (this.#ways.socketTowards(peer) === undefined) this.links.handleNoSocket(peer);
    }
    if (this.#publisher.info !== undefined) await this.#publisher.publishInfo(true);
    this.#pump.poke();
  }

  #ownSerials(): (readonly [number, number])[] {
    return this.archive.store.byAuthor(this.id).map(({ kind, serial }) => [kind, serial] as const);
  }

  #linkCosts(): LinkCost[] {
    return this.peers.links().map((peer) => ({
      peer: peer.prefix,
      costExponent: costExponentOf(this.links.healthOf(peer.id)?.rtt ?? 1),
    }));
  }

  #judgeClock(): void {
    this.#background.own("sign anew", this.#publisher.signAnew(this.#options.builtAt));
    this.#calendar.judge();
  }

  #handleDuplicate(effect: DuplicateEffect): void {
    if (effect.kind === "duplicate") {
      warnOfDuplicate(this.warnings);
    } else if (effect.kind === "stop-announcing") {
      this.#announces = false;
      this.#publisher.stop();
    }
  }

  // Records and peers.

  #handleStored(record: VerifiedRecord, previous: VerifiedRecord | undefined): void {
    if (record.kind === infoKind) {
      this.#readings.noteAddressesOf(record.author);
      this.#finder.handleKnown(record.author);
    }
    if (record.kind === linksKind && previous !== undefined) {
      const { heeded, unheeded } = this.#readings.reportedLosses(record, previous);
      if (unheeded > 0) this.counters.count("loss reported of no neighbour", unheeded);
      for (const lost of heeded) {
        const peer = this.peers.byPrefix(lost);
        if (peer?.linked === true) this.links.handleReportedLoss(peer, prefixHexOf(record.author));
        this.#lookAtOrphansOf(lost);
      }
    }
    this.#roles.handleRecord(record);
    this.fleet.handleStored(record, previous);
    if (record.kind === linksKind) this.#finder.handlePaths();
    this.#pump.poke();
  }

  /** Whom a lost node watched may be lost with it, and nobody would notice. */
  #lookAtOrphansOf(lost: NodeIdPrefixHex): void {
    for (const peer of this.#roles.watchedBy(lost)) this.links.handleReportedLoss(peer, lost);
  }

  #handleGone(records: readonly VerifiedRecord[]): void {
    for (const { author } of records) {
      if (this.archive.store.byAuthor(author).length === 0) this.#finder.handleForgotten(author);
    }
    this.fleet.handleChange();
  }

  #peerOf(prefix: string): Peer | undefined {
    const known = this.peers.byPrefix(prefix);
    if (known !== undefined) return known;
    const id = this.#granted.get(prefix);
    return id === undefined ? undefined : this.peers.open(id);
  }

  // Links that come and go.

  /** Whoever was forgotten is no longer, for the next start too. */
  #meetAgain(id: NodeId): void {
    if (!this.#forgotten.delete(id)) return;
    this.fleet.handleShown(id);
    this.#background.own("remember who is back", this.#outside.keepForgotten(this.#forgotten));
  }

  #handleLinkUp(peer: Peer): void {
    const address = peer.address;
    // Not only at the next look at the fleet: the link may be gone by then.
    this.#meetAgain(peer.id);
    if (address !== undefined) this.#finder.handleLinked(peer.id, address);
    const isNews = !this.fleet.isReachedOtherwise(peer.id);
    this.#publisher.handleLink(peer.prefix, isNews, this.#outside.clock.monotonic());
    this.#gossip.handleLink(peer);
    this.#degree.handleLink();
    this.#roles.handleLinks();
    this.#judgeClock();
    this.fleet.handleChange();
    this.#news.tellOfLinkUp(peer);
    this.#pump.poke();
  }

  #handleLinkDown(peer: Peer, why: LinkEnd): void {
    const forSilence = why === "silent" || why === "refused" || why === "restart overdue";
    this.#finder.handleUnlinked(peer.id, unlinkReason(why));
    this.#gossip.handleUnlink(peer.id);
    this.#publisher.handleUnlink(peer.prefix, forSilence, this.#outside.clock.monotonic());
    if (forSilence) this.#lookAtOrphansOf(peer.prefix);
    this.#roles.handleLinks();
    this.fleet.handleChange();
    this.#news.tellOfLinkDown(peer, why);
    this.#pump.poke();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
