/**
 * Carries out what push and reconciliation decide: offers, bodies, fetches, comparisons; and takes
 * in what comes of them. PROTOCOL §8.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { isDecodeError } from "../base/decode.ts";
import type { Counters } from "../base/counters.ts";
import { earliest, elapsed, type Instant } from "../base/instant.ts";
import { unreachable } from "../base/invariant.ts";
import type { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import {
  type Allowance,
  answerCompare,
  answerFetch,
  answerProbe,
  bulkAbove,
  bulkVerifiedAtOnce,
  type BulkWish,
  type ComparisonReason,
  ComparisonTurns,
  fetchKeysPerRequest,
  Push,
  type PushEffect,
  readLinks,
  Reconciliation,
  type ReconciliationEffect,
  settleFetch,
  type VerifiedRecord,
} from "../sync/mod.ts";
import type { AnswerMessage, CompareRequest, ProbeMessage, PushRequest } from "../wire/message.ts";
import { allKinds, equalKinds } from "../wire/key_range.ts";
import { fetchRequests, offerRequests, pushRequests } from "../wire/message_packing.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type Offer, offerOf } from "../wire/offer.ts";
import { linksKind, type RecordKey, recordKey, recordKeyAuthor } from "../wire/record_key.ts";
import type { Archive, Received } from "./archive.ts";
import type { Asker } from "./asker.ts";
import type { Background } from "./background.ts";
import { shedReasons } from "./overload.ts";
import { peersMax, pushedUnderWayMax, unreadEvery } from "./limits.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { Timed } from "./pump.ts";

/** What gossip tells the node. */
export interface GossipOwner {
  /** A verified record of this node's own key came from outside. */
  handleOwnRecord(record: VerifiedRecord): void;
  /** The store took in somebody's record. */
  handleStored(record: VerifiedRecord, previous: VerifiedRecord | undefined): void;
  /** Whether the change cannot wait to be told on. */
  isUrgent(record: VerifiedRecord): boolean;
  /** A comparison with the peer ended equal, or a probe found both equal. */
  handleInStep(peer: Peer): void;
  /** So much of what the peer holds is missing that it is to be taken in bulk. */
  handleMuchMissing(peer: Peer, wish: BulkWish): void;
  /** Whether records may be taken from the peer in bulk. */
  mayTakeInBulk(peer: Peer): boolean;
  /** Whether a comparison with the peer waits for the end of a bulk transfer. */
  defersComparison(peer: Peer): boolean;
}

/** Parts of gossip. */
export interface GossipOptions {
  readonly selfId: NodeId;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly background: Background;
  readonly prng: Prng;
  readonly archive: Archive;
  readonly asker: Asker;
  readonly peers: PeerTable;
  /** How much longer than usual others may take, for this process runs late. */
  readonly allowance: Allowance;
  readonly owner: GossipOwner;
}

/** Push and reconciliation at work. */
export class Gossip implements Timed {
  readonly #options: GossipOptions;
  readonly #push: Push;
  #ownProbe: { readonly version: number; readonly probe: Promise<ProbeMessage> } | undefined;
  readonly #turns: ComparisonTurns;
  /** Peers without a link being compared with, before they are let go. */
  readonly #parting = new Set<NodeId>();
  /** Records that peers pushed and that are being judged. */
  readonly #pushedUnderWay = new Map<NodeId, number>();
  /** Keys of the linked nodes' `links`. */
  readonly #linksKeys = new Map<NodeId, RecordKey>();
  readonly #linkCounts = new WeakMap<VerifiedRecord, number>();
  /** When a tell that could not be read last made us compare. */
  readonly #unreadAt = new BoundedMap<NodeId, Instant>(peersMax);

  constructor(options: GossipOptions) {
    this.#options = options;
    const { clock, archive: { store } } = options;
    this.#turns = new ComparisonTurns(options.prng, options.allowance);
    this.#push = new Push({
      self: options.selfId,
      linksOf: (id) => this.#linksOf(id),
      prng: options.prng,
      allowance: options.allowance,
      judge: (offer, now) => store.judgeOffer(offer, now, clock.wall()),
      held: (key) => {
        const record = store.get(key);
        return record === undefined ? undefined : offerOf(record);
      },
    });
  }

  #now(): Instant {
    return this.#options.clock.monotonic();
  }

  /** Pulls, offers that wait to be told, reconciliations. */
  get underWay(): {
    readonly pulls: number;
    readonly offers: number;
    readonly comparisons: number;
  } {
    const { pulls, pending } = this.#push.snapshot();
    return { pulls, offers: pending, comparisons: this.#turns.running };
  }

  /** What push counted, by reason. */
  get counts(): Readonly<Record<string, number>> {
    return this.#push.snapshot().counts;
  }

  /** A link has come: from now on it is told of changes, and whoever dialled compares. */
  handleLink(peer: Peer): void {
    this.#push.handleLink(peer.id);
    this.#linksKeys.set(peer.id, recordKey(linksKind, peer.id, noSubject));
    if (peer.dialled) this.#want(peer, "link");
  }

  /** A link has gone. */
  handleUnlink(id: NodeId): void {
    this.#linksKeys.delete(id);
    this.#turns.handleUnlink(id);
    this.#perform(this.#push.handleUnlink(id, this.#now()));
  }

  /** A record of this node's own is new. */
  tell(record: VerifiedRecord, urgent: boolean): void {
    const change = { offer: offerOf(record), size: record.bytes.length, urgent };
    this.#perform(this.#push.handleChange(change, this.#now()));
  }

  /** A peer offers these. */
  handleOffers(peer: Peer, offers: readonly Offer[]): void {
    const admitted = offers.filter(({ key }) => this.#admitsAuthor(peer, recordKeyAuthor(key)));
    this.#perform(this.#push.handleOffers(peer.id, admitted, this.#now()));
  }

  /**
   * Whether the author is known, or the peer may bring one more that is not: made-up ones cost their
   * maker little and everybody a verification, so one neighbour's excess waits, and nobody else's.
   */
  #admitsAuthor(peer: Peer, author: NodeId): boolean {
    if (this.#options.archive.store.hasAuthor(author)) return true;
    if (peer.newAuthorsBudget.take(this.#now())) return true;
    this.#options.counters.count(shedReasons.newAuthors);
    return false;
  }

  /**
   * A peer told something that cannot be acted upon: it moved, or its clock or ours stood still, and
   * a tell has no answer to say so. What it may have told is looked for where we know it.
   */
  handleUnread(peer: Peer): void {
    const now = this.#now();
    const at = this.#unreadAt.get(peer.id);
    if (!peer.linked || (at !== undefined && elapsed(at, now) < unreadEvery)) return;
    this.#unreadAt.set(peer.id, now);
    this.#want(peer, "at once");
  }

  /** Records that a peer sent unasked; resolves to how many were new. */
  async handlePushed(peer: Peer, records: readonly Bytes[]): Promise<number> {
    const underWay = this.#pushedUnderWay.get(peer.id) ?? 0;
    if (underWay + records.length > pushedUnderWayMax) {
      this.#options.counters.count(shedReasons.pushed);
      return 0;
    }
    this.#pushedUnderWay.set(peer.id, underWay + records.length);
    try {
      const admits = (key: RecordKey) => this.#admitsAuthor(peer, recordKeyAuthor(key));
      const taken = await this.#takeAll(peer, records, false, admits);
      return taken.filter(({ isNew }) => isNew).length;
    } finally {
      const left = (this.#pushedUnderWay.get(peer.id) ?? 0) - records.length;
      if (left > 0) this.#pushedUnderWay.set(peer.id, left);
      else this.#pushedUnderWay.delete(peer.id);
    }
  }

  /** How many links the node lists. Asked for every change and link, so read once per record. */
  #linksOf(id: NodeId): number | undefined {
    const key = this.#linksKeys.get(id);
    const record = key === undefined ? undefined : this.#options.archive.store.get(key);
    if (record === undefined) return undefined;
    const known = this.#linkCounts.get(record);
    if (known !== undefined) return known;
    const body = readLinks(record);
    const count = isDecodeError(body) ? 0 : body.links.length;
    this.#linkCounts.set(record, count);
    return count;
  }

  /**
   * Verifies and admits, all at once (the platform verifies many in flight three times as fast); what
   * is new is told on. Those that are held now come back.
   */
  async #takeAll(
    peer: Peer,
    records: readonly Bytes[],
    compared: boolean,
    admits?: (key: RecordKey) => boolean,
  ): Promise<{ readonly key: RecordKey; readonly isNew: boolean }[]> {
    const received = await Promise.all(
      records.map((bytes) => this.#take(peer, bytes, compared, admits)),
    );
    return received.filter((one) => one !== undefined);
  }

  async #take(
    peer: Peer,
    bytes: Bytes,
    compared: boolean,
    admits?: (key: RecordKey) => boolean,
  ): Promise<{ readonly key: RecordKey; readonly isNew: boolean } | undefined> {
    const { archive, owner } = this.#options;
    const received = await archive.receive(bytes, admits);
    if (received.kind === "held") this.#push.handleShown(peer.id, offerOf(received.record));
    if (received.kind === "stored") {
      const { record } = received;
      const urgent = owner.isUrgent(record);
      const size = record.bytes.length;
      const change = { offer: offerOf(record), size, urgent, from: peer.id, compared };
      this.#perform(this.#push.handleChange(change, this.#now()));
    }
    return this.#note(received);
  }

  /**
   * Verifies and admits a page of records that was asked for. What is new is not told on one by one:
   * whoever lacks it finds so by comparing.
   */
  async takePage(
    records: readonly Bytes[],
  ): Promise<{ readonly taken: number; readonly isForged: boolean }> {
    const { archive } = this.#options;
    let taken = 0;
    for (let at = 0; at < records.length; at += bulkVerifiedAtOnce) {
      const some = records.slice(at, at + bulkVerifiedAtOnce);
      const received = await Promise.all(some.map((bytes) => archive.receive(bytes)));
      for (const one of received) if (this.#note(one)?.isNew === true) taken += 1;
      const isForged = received.some((one) => one.kind === "refused" && one.isForged);
      if (isForged) return { taken, isForged };
    }
    return { taken, isForged: false };
  }

  /** Tells the node of what came in. */
  #note(received: Received): { readonly key: RecordKey; readonly isNew: boolean } | undefined {
    const { owner, selfId } = this.#options;
    if (received.kind === "known" || received.kind === "refused") return undefined;
    const { record } = received;
    if (record.author === selfId) owner.handleOwnRecord(record);
    if (received.kind === "held") return { key: record.key, isNew: false };
    this.#turns.handleChange(this.#now());
    owner.handleStored(record, received.previous);
    return { key: record.key, isNew: true };
  }

  /** Takes in the record that a peer showed inside an exchange. */
  async handleShown(peer: Peer, bytes: Bytes): Promise<void> {
    await this.#take(peer, bytes, false);
  }

  /** The probe that this node sends now. */
  probe(): Promise<ProbeMessage> {
    const { store } = this.#options.archive;
    // Most probes find nothing changed: the digest over everything is made once per change.
    if (this.#ownProbe?.version !== store.version) {
      const request: ProbeMessage = { kind: "probe", kinds: allKinds, digest: noDigest };
      this.#ownProbe = { version: store.version, probe: answerProbe(store, request) };
    }
    return this.#ownProbe.probe;
  }

  /** What a peer's probe is answered with. */
  answerProbe(request: ProbeMessage): Promise<ProbeMessage> {
    return equalKinds(request.kinds, allKinds)
      ? this.probe()
      : answerProbe(this.#options.archive.store, request);
  }

  /** Both digests of a probe are known: compares if they differ. */
  handleProbed(peer: Peer, ours: ProbeMessage, theirs: ProbeMessage): void {
    if (equalBytes(ours.digest, theirs.digest)) this.#handleInStep(peer);
    else if (peer.linked) this.#want(peer, "probe");
  }

  #handleInStep(peer: Peer): void {
    this.#turns.handleEqual(peer.id);
    this.#push.handleInStep(peer.id);
    this.#options.owner.handleInStep(peer);
  }

  answerCompare(peer: Peer, request: CompareRequest, bytesMax: number): Promise<AnswerMessage> {
    const { store } = this.#options.archive;
    // Who holds so much more leaves it to this side to take it.
    if (peer.linked && request.held - store.size >= bulkAbove) this.compareWith(peer);
    return answerCompare(store, request, bytesMax);
  }

  answerFetch(keys: readonly RecordKey[], bytesMax: number): AnswerMessage {
    return answerFetch(this.#options.archive.store, { kind: "fetch", keys }, bytesMax);
  }

  /** A comparison with the peer is due now. */
  compareWith(peer: Peer): void {
    this.#want(peer, "at once");
  }

  /** A comparison with the linked peer is wanted; the end of a bulk transfer asks for its own. */
  #want(peer: Peer, why: ComparisonReason): void {
    if (this.#options.owner.defersComparison(peer)) return;
    this.#turns.want(peer.id, why, this.#now());
    this.#beginComparisons(this.#now());
  }

  #beginComparisons(now: Instant): void {
    for (const id of this.#turns.handleTimeout(now)) {
      const peer = this.#options.peers.get(id);
      if (peer === undefined) this.#turns.handleEnded(id, undefined);
      else this.#options.background.own(`compare with ${id}`, this.#compareInTurn(peer));
    }
  }

  async #compareInTurn(peer: Peer): Promise<void> {
    let again: Instant | undefined;
    try {
      again = await this.#compare(peer);
    } finally {
      this.#turns.handleEnded(peer.id, peer.linked ? again : undefined);
      this.#beginComparisons(this.#now());
    }
  }

  /** One reconciliation with a peer that gets no link, if none is under way; resolves at its end. */
  async compareOnce(peer: Peer): Promise<void> {
    if (this.#parting.has(peer.id)) return;
    this.#parting.add(peer.id);
    try {
      await this.#compare(peer);
    } finally {
      this.#parting.delete(peer.id);
    }
  }

  /** Resolves to when the peer may be compared with again, if that is not at any time. */
  async #compare(peer: Peer): Promise<Instant | undefined> {
    let again: Instant | undefined;
    const { archive: { store }, clock, counters, owner } = this.#options;
    const walk = new Reconciliation(
      store,
      (offer) =>
        store.judgeOffer(offer, this.#now(), clock.wall()) === "wanted" &&
        this.#admitsAuthor(peer, recordKeyAuthor(offer.key)),
      owner.mayTakeInBulk(peer),
    );
    const waiting: ReconciliationEffect[] = await walk.start(allKinds, this.#now());
    for (let effect = waiting.shift(); effect !== undefined; effect = waiting.shift()) {
      switch (effect.kind) {
        case "ask": {
          const outcome = await this.#options.asker.ask(peer, effect.message);
          waiting.push(
            ...outcome.kind === "answer"
              ? await walk.handleAnswer(outcome.answer, this.#now())
              : walk.handleNoAnswer(this.#now()),
          );
          break;
        }
        case "fetch": {
          const arrived = await this.#fetch(peer, effect.keys, true);
          waiting.push(...await walk.handleFetched(effect.keys, arrived, this.#now()));
          break;
        }
        case "push":
          // What a comparison found is asked, not told: it says when it has arrived.
          for (const request of this.#bodies(effect.keys)) {
            await this.#options.asker.ask(peer, request);
          }
          waiting.push(...await walk.handlePushed(effect.keys, this.#now()));
          break;
        case "bulk":
          owner.handleMuchMissing(peer, effect);
          break;
        case "done":
          counters.count(`reconciliation: ${effect.reason}`);
          if (effect.equal) this.#handleInStep(peer);
          again = effect.again;
          break;
        default:
          unreachable(effect);
      }
    }
    return again;
  }

  /** Fetches the records and takes them in; resolves to the keys that came and are held now. */
  async #fetch(
    peer: Peer,
    keys: readonly RecordKey[],
    compared: boolean,
  ): Promise<RecordKey[]> {
    const arrived: RecordKey[] = [];
    let wanted = keys;
    while (wanted.length > 0) {
      const rest: RecordKey[] = [];
      for (const request of fetchRequests(wanted, fetchKeysPerRequest)) {
        const outcome = await this.#options.asker.ask(peer, request);
        if (outcome.kind !== "answer" || outcome.answer.kind !== "fetch") return arrived;
        const taken = await this.#takeAll(peer, outcome.answer.records, compared);
        const settled = settleFetch(request.keys, taken);
        if (settled.unasked > 0) this.#options.counters.count("record not asked for");
        arrived.push(...settled.asked.map(({ key }) => key));
        rest.push(...settled.again);
      }
      // Each answer brings at least one record that was asked for, or asks for nothing again.
      wanted = rest.length < wanted.length ? rest : [];
    }
    return arrived;
  }

  #bodies(keys: readonly RecordKey[]): PushRequest[] {
    const bodies: Bytes[] = [];
    for (const key of keys) {
      const record = this.#options.archive.store.get(key);
      if (record !== undefined) bodies.push(record.bytes);
    }
    return pushRequests(bodies);
  }

  #perform(effects: readonly PushEffect[]): void {
    for (const effect of effects) {
      const peer = this.#options.peers.get(effect.kind === "fetch" ? effect.from : effect.to);
      if (peer !== undefined) {
        this.#options.background.own(effect.kind, this.#carryOut(peer, effect));
      }
    }
  }

  async #carryOut(peer: Peer, effect: PushEffect): Promise<void> {
    switch (effect.kind) {
      case "offer":
        await Promise.all(
          offerRequests(effect.offers).map((message) => this.#options.asker.tell(peer, message)),
        );
        return;
      case "push":
        await Promise.all(
          this.#bodies(effect.keys).map((message) => this.#options.asker.tell(peer, message)),
        );
        return;
      case "fetch": {
        const arrived = new Set(await this.#fetch(peer, effect.keys, false));
        const missing = effect.keys.filter((key) => !arrived.has(key));
        if (missing.length > 0) {
          this.#options.counters.count("offered and not delivered", missing.length);
          this.#perform(this.#push.handleNotFetched(peer.id, missing, this.#now()));
        }
        return;
      }
      default:
        unreachable(effect);
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#push.nextTimeout(), this.#turns.nextTimeout());
  }

  handleTimeout(now: Instant): void {
    this.#perform(this.#push.handleTimeout(now));
    this.#beginComparisons(now);
  }
}

const noSubject = new Uint8Array(0);

/** Stands in a probe whose own digest is yet to be computed. */
const noDigest = new Uint8Array(16);
