/**
 * This node's own two records: composes `info` and `links` from what the node is now, publishes them
 * when they changed, in the rhythm of PROTOCOL §7.5, and answers own records that come from outside.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { equalBytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import {
  type Duration,
  earliest,
  elapsed,
  type Instant,
  later,
  milliseconds,
  scaled,
  type WallTime,
} from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import { unreachable } from "../base/invariant.ts";
import type { DuplicateEffect, DuplicateWatch } from "../identity/mod.ts";
import type { Clock } from "../platform/clock.ts";
import {
  type Allowance,
  type OwnRecords,
  patience,
  type PublishOutcome,
  readInfo,
  readLinks,
  refreshInterval,
  runsLate,
  type VerifiedRecord,
} from "../sync/mod.ts";
import { encodeCbor } from "../wire/cbor.ts";
import { encodeInfo, type InfoBody } from "../wire/info.ts";
import { encodeLinks, type LinkCost, type LinksBody } from "../wire/links.ts";
import { infoKind, linksKind } from "../wire/record_key.ts";
import type { Background } from "./background.ts";
import { CostDrift } from "./cost_drift.ts";
import {
  linksCoalesce,
  linksFirstCoalesce,
  linksGapMin,
  linksLatePatience,
  linksLateSpacing,
  linksNewsSpread,
  linksReachedLook,
  lostFor,
  publishAgainAfter,
} from "./limits.ts";
import type { Timed } from "./pump.ts";

/**
 * Whether others wait for this node's word of a new neighbour: it is none any more; others know a way
 * to it; none do, and the neighbour named this node or leaves it the first word; or the neighbour has
 * the first word.
 */
export type NeighbourNews = "too early" | "to be told" | "reached" | "gone";

/** How a link ended: on purpose; presumably by a death, for it is silent; surely by one. */
export type LossCertainty = "let go" | "presumed" | "certain";

/** What a node publishes is asked of it at the moment of publishing. */
export interface PublisherOwner {
  /** What this node is now. */
  describe(): InfoBody;
  /** The links it holds now. */
  linkCosts(): readonly LinkCost[];
  /** What is to be done about the new neighbour of that prefix, where others know of these links. */
  newsOf(prefix: string, told: ReadonlySet<string>): NeighbourNews;
  /** How much longer than usual others take, for this process runs late. */
  readonly allowance: Allowance;
  /** The time to sign with. */
  signingTime(): WallTime;
  /** A record of this node's own is on disk: take it in and tell it on. */
  handlePublished(record: VerifiedRecord, urgent: boolean): void;
  /** Publishing failed; the node goes on without. */
  handleUnpublished(why: string): void;
  /** A second node lives under this node's key. */
  handleDuplicate(effect: DuplicateEffect): void;
}

/** Parts of the publisher. */
export interface PublisherOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly background: Background;
  readonly own: OwnRecords;
  readonly duplicates: DuplicateWatch;
  readonly prng: Prng;
  readonly bootNonce: Bytes;
  /** The `info` record of an earlier start, if the disk remembers one. */
  readonly earlierInfo: VerifiedRecord | undefined;
  readonly owner: PublisherOwner;
}

/** Publishes own records. */
export class Publisher implements Timed {
  readonly #options: PublisherOptions;
  readonly #lost = new Map<string, Instant>();
  /** New neighbours to whom no other path led, and when the word goes out. */
  readonly #news = new Map<string, Instant>();
  /** New neighbours, not told of, to whom another path led when that was looked at last. */
  readonly #reached = new Set<string>();
  /** When that is looked at again, while there are any. */
  #reachedAt: Instant | undefined;
  #info: VerifiedRecord | undefined;
  #infoBody: Bytes | undefined;
  /** Kinds whose newest record could not be written to disk. */
  readonly #refused = new Set<number>();
  #linksBody: Bytes | undefined;
  /** Neighbours that the last `links` listed. */
  #linksListed: ReadonlySet<string> = new Set();
  readonly #costs = new CostDrift();
  #linksPublishedAt: Instant | undefined;
  /** When further links may be told of that nobody waits for. */
  #furtherLinksAt: Instant | undefined;
  #linksSignedAt: WallTime | undefined;
  #linksDue: Instant | undefined;
  #linksUrgent = false;
  /** Somebody waits for the word, if without haste: it is not put off. */
  #linksAwaited = false;
  /** When an `info` that the disk refused is tried again. */
  #infoDue: Instant | undefined;
  #stopped = false;
  /** One publication after the other, so that the newest body has the highest serial. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** The `info` record of this start, once there is one. */
  get info(): VerifiedRecord | undefined {
    return this.#info;
  }

  /**
   * The newest `info` record that is on the disk: while that is full, the one of an earlier start.
   * The node is not ready before there is one.
   */
  get shownInfo(): VerifiedRecord | undefined {
    return this.#info ?? this.#options.earlierInfo;
  }

  /** Publishes nothing any more: another node under this key goes on. */
  stop(): void {
    this.#stopped = true;
    this.#linksDue = undefined;
    this.#infoDue = undefined;
    this.#news.clear();
    this.#reached.clear();
    this.#reachedAt = undefined;
  }

  /** Publishes `info` if what it says has changed. */
  publishInfo(urgent: boolean): Promise<void> {
    return this.#inTurn(() => this.#publishInfo(urgent, false));
  }

  /**
   * Signs again what bears a date that others do not take, if there is a better one now: a date
   * before `builtAt`, or one long past, for while a machine sleeps the clock that refreshes stands
   * still. To everybody whose clock is right such a record has expired.
   */
  async signAnew(builtAt: WallTime): Promise<void> {
    // Asked at every look; what the turn before has signed is judged again.
    if (!this.#isDateRefused(builtAt)) return;
    await this.#inTurn(async () => {
      if (!this.#isDateRefused(builtAt)) return;
      await this.#publishInfo(true, true);
      if (this.#linksBody !== undefined) await this.#publishLinks(true, true);
    });
  }

  #isDateRefused(builtAt: WallTime): boolean {
    if (this.#info === undefined) return false;
    const { signedAt } = this.#info;
    const oldest = Math.min(signedAt, this.#linksSignedAt ?? signedAt);
    const wall = this.#options.owner.signingTime();
    return (oldest < builtAt && wall >= builtAt) || wall - oldest > refreshInterval;
  }

  /**
   * A link has come: `links` is published soon, together with those that come with it.
   *
   * @param isNews Whether no other path leads to the neighbour: then others wait for the word. But one
   * word is enough: all the newcomer's neighbours wait for a time of their own, and whoever learns
   * meanwhile that another told of it waits like for any link. A path may be of records from before
   * the newcomer's restart, and end with these: so it is looked for again until the word has gone out.
   */
  handleLink(prefix: string, isNews: boolean, now: Instant): void {
    this.#lost.delete(prefix);
    const since = this.#linksPublishedAt;
    const soon = later(now, linksFirstCoalesce);
    if (since !== undefined && isNews) this.#news.set(prefix, later(soon, this.#newsSpread(now)));
    else if (since !== undefined && !this.#linksListed.has(prefix)) this.#addReached(prefix, now);
    const rest = this.#furtherLinksAt ?? soon;
    const due = rest < soon ? soon : rest;
    if (this.#linksDue === undefined || due < this.#linksDue) this.#linksDue = due;
  }

  /** The newcomer has about as many neighbours as this node, and each draws. */
  #newsSpread(now: Instant): Duration {
    const { prng, owner } = this.#options;
    // The first one's word takes longer to the others where all run late.
    const each = patience(linksNewsSpread, owner.allowance, now);
    return scaled(each, prng.unit() * (owner.linkCosts().length - 1));
  }

  /** A way leads to the neighbour, as far as is known: whether it still does is looked at later. */
  #addReached(prefix: string, now: Instant): void {
    if (this.#stopped) return;
    this.#reached.add(prefix);
    this.#reachedAt ??= this.#reachedAfter(now);
  }

  #reachedAfter(now: Instant): Instant {
    const { prng, owner } = this.#options;
    const rest = patience(linksReachedLook, owner.allowance, now);
    return later(now, scaled(rest, prng.between(0.5, 1.5)));
  }

  /** When the first news is due, if nobody else tells it, or a look at who is reached otherwise. */
  #newsDue(): Instant | undefined {
    if (this.#news.size === 0 && this.#reachedAt === undefined) return undefined;
    const due = earliest(...this.#news.values(), this.#reachedAt);
    const free = this.#linksPublishedAt === undefined
      ? undefined
      : later(this.#linksPublishedAt, linksGapMin);
    return due === undefined || free === undefined || free < due ? due : free;
  }

  #handleNews(now: Instant): void {
    const due = [...this.#news].filter(([, at]) => at <= now).map(([prefix]) => prefix);
    if (this.#reachedAt !== undefined && this.#reachedAt <= now) {
      due.push(...this.#reached);
      this.#reached.clear();
      this.#reachedAt = undefined;
    }
    for (const prefix of due) {
      this.#news.delete(prefix);
      switch (this.#options.owner.newsOf(prefix, this.#linksListed)) {
        case "too early":
          this.#news.set(prefix, later(now, linksFirstCoalesce));
          break;
        case "reached":
          this.#addReached(prefix, now);
          break;
        case "to be told":
          this.#linksDue = now;
          this.#linksAwaited = true;
          break;
        case "gone":
          break;
      }
    }
  }

  /** Nobody waits for the word of this neighbour any more. */
  #forgetNews(prefix: string): void {
    this.#news.delete(prefix);
    this.#reached.delete(prefix);
    if (this.#reached.size === 0) this.#reachedAt = undefined;
  }

  /** A link has gone: `links` is published at once. */
  handleUnlink(prefix: string, loss: LossCertainty, now: Instant): void {
    // Whom nobody was told of nobody needs to look at: else peers that come and fall silent would
    // have this node sign, and all others pass on, a record each.
    if (loss !== "let go" && this.#linksListed.has(prefix)) this.#lost.set(prefix, now);
    this.#forgetNews(prefix);
    const since = this.#linksPublishedAt;
    const gap = loss === "presumed" ? this.#presumedLossGap(now) : linksGapMin;
    const free = since === undefined ? now : later(since, gap);
    this.#linksUrgent = true;
    if (free <= now) this.#publishLinksNow();
    // Links that go in a row are told of together, or a node in trouble would flood the fleet.
    else if (this.#linksDue === undefined || free < this.#linksDue) this.#linksDue = free;
  }

  /** Who runs late may be wrong about the loss and adds to what makes it late: no haste then. */
  #presumedLossGap(now: Instant): Duration {
    const late = scaled(this.#options.owner.allowance(now), linksLateSpacing);
    return milliseconds(Math.min(linksCoalesce, Math.max(linksGapMin, late)));
  }

  #own(what: string, work: Promise<void>): void {
    this.#options.background.own(what, work);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #publishInfo(urgent: boolean, again: boolean): Promise<void> {
    if (this.#stopped) return;
    const { own, owner, clock, counters } = this.#options;
    const body = owner.describe();
    const bytes = encodeCbor(encodeInfo(body));
    if (!again && this.#isPublished(infoKind, bytes, this.#infoBody)) return;
    const outcome = await own.publishInfo(body, owner.signingTime(), clock.monotonic());
    if (outcome.droppedEndpoints > 0) counters.count("info: endpoints left out");
    if (outcome.droppedLabels > 0) counters.count("info: labels left out");
    const record = this.#settle(infoKind, outcome);
    this.#infoDue = outcome.kind === "not kept"
      ? later(clock.monotonic(), publishAgainAfter)
      : undefined;
    if (record === undefined) return;
    this.#info = record;
    this.#infoBody = bytes;
    owner.handlePublished(record, urgent);
  }

  async #publishLinks(urgent: boolean, again: boolean): Promise<void> {
    if (this.#stopped) return;
    const { own, owner, clock, bootNonce } = this.#options;
    const now = clock.monotonic();
    for (const [prefix, at] of this.#lost) {
      if (elapsed(at, now) > lostFor) this.#lost.delete(prefix);
    }
    const body: LinksBody = {
      bootNonce,
      links: owner.linkCosts(),
      lost: [...this.#lost.keys()].slice(-4),
    };
    const bytes = encodeCbor(encodeLinks(body));
    if (!again && this.#isPublished(linksKind, bytes, this.#linksBody)) return;
    const outcome = await own.publishLinks(body, owner.signingTime(), now);
    const record = this.#settle(linksKind, outcome);
    if (outcome.kind === "not kept") this.#linksDue = later(now, publishAgainAfter);
    if (record === undefined) return;
    this.#linksBody = bytes;
    this.#linksListed = new Set(body.links.map(({ peer }) => peer));
    for (const prefix of this.#linksListed) this.#forgetNews(prefix);
    this.#linksPublishedAt = now;
    this.#furtherLinksAt = later(now, this.#drawnCoalesce());
    this.#costs.handlePublished(body.links, now);
    this.#linksSignedAt = record.signedAt;
    owner.handlePublished(record, urgent);
  }

  /** Whether this was said already, and nothing since that the disk refused and a person heard of. */
  #isPublished(kind: number, body: Bytes, published: Bytes | undefined): boolean {
    return published !== undefined && equalBytes(body, published) && !this.#refused.has(kind);
  }

  #settle(kind: number, outcome: PublishOutcome): VerifiedRecord | undefined {
    const { owner, duplicates, clock } = this.#options;
    switch (outcome.kind) {
      case "published":
        this.#refused.delete(kind);
        duplicates.handlePublished(kind, outcome.record.serial, clock.monotonic());
        return outcome.record;
      case "not kept": {
        this.#refused.add(kind);
        const cause = outcome.cause instanceof Error ? outcome.cause.message : "unknown error";
        owner.handleUnpublished(`the record could not be written to disk: ${cause}`);
        return undefined;
      }
      case "serials exhausted":
        owner.handleUnpublished(
          "no serial is left under this key; move identity.key away and start again",
        );
        return undefined;
      case "refused":
        owner.handleUnpublished(outcome.reason);
        return undefined;
      default:
        return unreachable(outcome);
    }
  }

  /** A verified record of this node's own key came from outside. */
  handleOwnRecord(record: VerifiedRecord): void {
    const body = record.kind === infoKind
      ? readInfo(record)
      : record.kind === linksKind
      ? readLinks(record)
      : undefined;
    const bootNonce = body === undefined || isDecodeError(body) ? undefined : body.bootNonce;
    this.#perform(
      this.#options.duplicates.handleOwnRecord(
        {
          kind: record.kind,
          serial: record.serial,
          ...bootNonce === undefined ? {} : { bootNonce },
        },
        this.#options.clock.monotonic(),
      ),
    );
  }

  /** Own id inside an authenticated exchange. */
  handleOwnIdInExchange(bootNonce: Bytes): readonly DuplicateEffect[] {
    const effects = this.#options.duplicates.handleOwnIdInExchange(
      bootNonce,
      this.#options.clock.monotonic(),
    );
    this.#perform(effects);
    return effects;
  }

  #perform(effects: readonly DuplicateEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "stop-announcing") {
        // In its turn: what is to be published before it still is.
        const stop = () => Promise.resolve(this.#options.owner.handleDuplicate(effect));
        this.#own("stop announcing", this.#inTurn(stop));
        continue;
      }
      if (effect.kind !== "jump") {
        this.#options.owner.handleDuplicate(effect);
        continue;
      }
      this.#options.own.jumpAbove(effect.above);
      if (effect.recordKind === infoKind) {
        this.#own("publish info", this.#inTurn(() => this.#publishInfo(true, true)));
      } else if (effect.recordKind === linksKind) {
        this.#own("publish links", this.#inTurn(() => this.#publishLinks(true, true)));
      }
    }
  }

  nextTimeout(): Instant | undefined {
    const { own, duplicates } = this.#options;
    return earliest(
      this.#linksDue,
      this.#newsDue(),
      this.#infoDue,
      this.#costs.nextTimeout(),
      own.nextTimeout(),
      this.#stopped ? undefined : duplicates.nextTimeout(),
    );
  }

  handleTimeout(now: Instant): void {
    if (!this.#stopped) this.#perform(this.#options.duplicates.handleTimeout(now));
    if (this.#infoDue !== undefined && this.#infoDue <= now) {
      this.#infoDue = undefined;
      this.#own("publish info", this.#inTurn(() => this.#publishInfo(true, false)));
    }
    if ((this.#newsDue() ?? Infinity) <= now) this.#handleNews(now);
    if (this.#linksDue !== undefined && this.#linksDue <= now) {
      if (this.#canWait(now)) this.#linksDue = later(now, this.#drawnCoalesce());
      else this.#publishLinksNow();
    }
    if ((this.#costs.nextTimeout() ?? Infinity) <= now) {
      const drifted = this.#costs.handleTimeout(this.#options.owner.linkCosts(), now);
      if (drifted) this.#own("publish links", this.#inTurn(() => this.#publishLinks(false, false)));
    }
    for (const { recordKind } of this.#options.own.handleTimeout(now)) {
      if (recordKind === infoKind) {
        this.#own("refresh info", this.#inTurn(() => this.#publishInfo(false, true)));
      } else if (recordKind === linksKind) {
        this.#own("refresh links", this.#inTurn(() => this.#publishLinks(false, true)));
      }
    }
  }

  #publishLinksNow(): void {
    const urgent = this.#linksUrgent;
    this.#linksDue = undefined;
    this.#linksUrgent = false;
    this.#linksAwaited = false;
    this.#own("publish links", this.#inTurn(() => this.#publishLinks(urgent, false)));
  }

  /**
   * Whether the word of further links can wait: nobody's path depends on them, and while this process
   * runs late each record costs all others time that they lack as well.
   */
  #canWait(now: Instant): boolean {
    const since = this.#linksPublishedAt;
    return since !== undefined && !this.#linksUrgent && !this.#linksAwaited &&
      this.#isLate(now) && elapsed(since, now) < linksLatePatience;
  }

  #isLate(now: Instant): boolean {
    return runsLate(this.#options.owner.allowance, now);
  }

  /** Drawn, so that those who started, or waited for calm, together do not all speak at once. */
  #drawnCoalesce(): Duration {
    return scaled(linksCoalesce, this.#options.prng.between(0.5, 1.5));
  }

  /** Waits for what is being published. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
