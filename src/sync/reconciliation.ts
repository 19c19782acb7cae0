/**
 * The requester's half of reconciliation: it walks the key space down to the records in which two
 * stores differ, has them fetched and pushed, then compares everything once more. PROTOCOL §8.3.
 *
 * One request is under way at a time. Hashing is asynchronous, so the handlers are; each takes the
 * store's tree before its first await and looks at its own state again after it. A peer may lie in every
 * answer: rounds, passes, ranges waiting and keys transferred are bounded, and whatever cannot be an
 * honest answer ends the walk with a counted reason. It never decides what a record is worth: the
 * store does that with what was fetched.
 *
 * @module
 */
import { type Bytes, compareBytes, equalBytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { type Instant, later } from "../base/instant.ts";
import {
  allKinds,
  commonKinds,
  equalKinds,
  type KeyBound,
  keyBound,
  type KeyRange,
  type KindRange,
  kindsHold,
  rangeHolds,
  wholeRange,
} from "../wire/key_range.ts";
import { compareRangesMax, offerHashLength } from "../wire/limits.ts";
import type { AnswerMessage, CompareRequest, CompareResult } from "../wire/message.ts";
import { rangesFitting } from "../wire/message_packing.ts";
import type { Offer } from "../wire/offer.ts";
import { encodeRecordKey, type RecordKey, recordKeyKind } from "../wire/record_key.ts";
import {
  bulkAbove,
  bulkOtherSide,
  bulkRangesLeft,
  bulkWholeShare,
  kindNarrowingsMax,
  reconcileAgain,
  reconciledKeysMax,
  reconcilePassesMax,
  reconcilePause,
  reconcileRoundsMax,
  transferredKeysMax,
  waitingRangesMax,
} from "./limits.ts";
import { fingerprintIn, RangeView, type RecordEntry, type RecordRanges } from "./range_summary.ts";

/** Why a reconciliation ended. */
export type ReconciliationEnd =
  | "equal"
  | "still different"
  | "no answer"
  | "notice"
  | "no kinds in common"
  | "rounds used up"
  | "keys used up"
  | "left to bulk"
  | "left to the peer"
  | "ranges used up"
  | "answer of another kind"
  | "answer kinds not asked"
  | "answer without result"
  | "answer with more results than ranges"
  | "offer outside its range"
  | "split outside its range";

/** What the node is to do. */
export type ReconciliationEffect =
  /** Send the request to the peer; its answer is for `handleAnswer`, its absence for `handleNoAnswer`. */
  | { readonly kind: "ask"; readonly message: CompareRequest }
  /** Fetch these from the peer, admit what was asked for; then `handleFetched`. */
  | { readonly kind: "fetch"; readonly keys: readonly RecordKey[] }
  /** Push these to the peer; then `handlePushed`. */
  | { readonly kind: "push"; readonly keys: readonly RecordKey[] }
  /** Take what the peer holds in these ranges over HTTPS, then compare anew. */
  | {
    readonly kind: "bulk";
    readonly kinds: readonly KindRange[];
    readonly ranges: readonly KeyRange[];
  }
  | {
    readonly kind: "done";
    /** Whether the last pass found both stores equal. */
    readonly equal: boolean;
    readonly reason: ReconciliationEnd;
    readonly rounds: number;
    /** Records that arrived, and keys that were pushed. */
    readonly fetched: number;
    readonly pushed: number;
    /**
     * Not equal: when this peer may be compared again. A peer that only ever differs must wait. What
     * was left to bulk goes on when that is over.
     */
    readonly again?: Instant;
  };

/** The machine, for one reconciliation with one peer. */
export class Reconciliation {
  readonly #store: RecordRanges;
  readonly #wants: (offer: Offer) => boolean;
  readonly #mayBulk: boolean;
  readonly #counters = new Counters();
  #kinds: readonly KindRange[] = allKinds;
  #waiting: KeyRange[] = [];
  #asked: CompareRequest | undefined;
  /** Between taking an answer and having the next request ready. */
  #working = false;
  #ended = false;
  #rounds = 0;
  #passes = 0;
  #narrowings = 0;
  /** Whether this pass has found any difference. */
  #differs = false;
  /** Whether this pass has transferred anything: without that another one would find the same. */
  #moved = false;
  readonly #fetching = new Set<RecordKey>();
  readonly #pushing = new Set<RecordKey>();
  #keys = 0;
  /** Keys that were to be fetched and to be pushed, in all. */
  #toFetch = 0;
  #toPush = 0;
  #fetched = 0;
  #pushed = 0;

  /**
   * @param wants Whether a record that is newer than what is held would be admitted: what the store
   *   refused a minute ago is not fetched again.
   * @param mayBulk Whether much that is missing may be left to HTTPS; else all goes by datagrams.
   */
  constructor(
    store: RecordRanges,
    wants: (offer: Offer) => boolean = () => true,
    mayBulk = false,
  ) {
    this.#store = store;
    this.#wants = wants;
    this.#mayBulk = mayBulk;
  }

  /** Begins; once. `kinds` ascending, with gaps between. */
  start(kinds: readonly KindRange[], now: Instant): Promise<ReconciliationEffect[]> {
    this.#kinds = kinds;
    this.#beginPass();
    return this.#goOn([], now);
  }

  /** The peer's answer to the request under way. */
  async handleAnswer(answer: AnswerMessage, now: Instant): Promise<ReconciliationEffect[]> {
    const asked = this.#asked;
    if (asked === undefined || this.#ended) {
      this.#counters.count("answer to no request");
      return [];
    }
    this.#asked = undefined;
    if (answer.kind === "notice") return this.#end("notice", now);
    if (answer.kind !== "compare") return this.#end("answer of another kind", now);
    if (!equalKinds(answer.kinds, asked.kinds)) return this.#narrow(asked, answer.kinds, now);
    if (answer.results.length === 0) return this.#end("answer without result", now);
    if (answer.results.length > asked.ranges.length) {
      return this.#end("answer with more results than ranges", now);
    }
    const transfers = new Transfers(this.#room());
    const next: WaitingRange[] = [];
    for (const [i, range] of asked.ranges.entries()) {
      const result = answer.results[i];
      if (result === undefined) {
        next.push({ low: range.low, high: range.high });
        continue;
      }
      if (result.kind === "equal") continue;
      this.#differs = true;
      if (result.kind === "list") {
        if (!this.#isListOf(range, result.offers)) return this.#end("offer outside its range", now);
        const rest = this.#compareList(range, result.offers, transfers);
        if (rest !== undefined) next.push(rest);
      } else {
        const parts = partsOf(range, result);
        if (parts === undefined) return this.#end("split outside its range", now);
        next.push(...parts);
      }
    }
    this.#working = true;
    const ours = await Promise.all(next.map((range) => this.#fingerprint(range)));
    this.#working = false;
    if (this.#ended) return [];
    const different = next.filter(({ theirs }, i) => {
      const own = ours[i];
      return theirs === undefined || own === undefined || !equalBytes(theirs, own);
    });
    this.#waiting = [...different, ...this.#waiting];
    if (this.#waiting.length > waitingRangesMax) return this.#end("ranges used up", now);
    const effects = this.#transfer(transfers);
    const leaves = this.#leave(answer.held, now);
    if (leaves === undefined) return await this.#goOn(effects, now);
    // Whoever lacks much takes it: nothing is pushed.
    return [...effects.filter(({ kind }) => kind === "fetch"), ...leaves];
  }

  /**
   * Much is missing on one side or on both: what is missing here is taken in bulk, what is missing
   * there is left to the peer, which compares too. `undefined`: the walk goes on.
   */
  #leave(theirs: number, now: Instant): ReconciliationEffect[] | undefined {
    const ours = this.#store.size;
    const isLong = this.#toFetch + this.#toPush >= bulkAbove &&
      this.#waiting.length >= bulkRangesLeft;
    const takes = lacksMuch(ours, theirs) || (isLong && this.#toFetch * 4 >= this.#toPush);
    if (!takes) {
      return lacksMuch(theirs, ours) || isLong ? this.#end("left to the peer", now) : undefined;
    }
    if (!this.#mayBulk) return undefined;
    const ranges = lacksMuch(ours, theirs) ? [wholeRange] : joined(this.#waiting);
    const bulk = { kind: "bulk", kinds: this.#kinds, ranges } as const;
    return [bulk, ...this.#end("left to bulk", now)];
  }

  /** The request under way was not answered. */
  handleNoAnswer(now: Instant): ReconciliationEffect[] {
    if (this.#ended || this.#asked === undefined) return [];
    this.#asked = undefined;
    return this.#end("no answer", now);
  }

  /**
   * Fetching of `keys` has ended, in one step or several; `arrived` are those whose record came and
   * was taken in.
   */
  handleFetched(
    keys: readonly RecordKey[],
    arrived: readonly RecordKey[],
    now: Instant,
  ): Promise<ReconciliationEffect[]> {
    for (const key of arrived) {
      if (this.#fetching.delete(key)) this.#fetched += 1;
      else this.#counters.count("record not asked for");
    }
    for (const key of keys) this.#fetching.delete(key);
    return this.#goOn([], now);
  }

  /** Pushing of `keys` has ended, whatever came of it. */
  handlePushed(keys: readonly RecordKey[], now: Instant): Promise<ReconciliationEffect[]> {
    for (const key of keys) {
      if (this.#pushing.delete(key)) this.#pushed += 1;
    }
    return this.#goOn([], now);
  }

  /** What was ignored, and how it ended, by reason. */
  counts(): Readonly<Record<string, number>> {
    return this.#counters.snapshot();
  }

  #beginPass(): void {
    this.#passes += 1;
    this.#differs = false;
    this.#moved = false;
    this.#waiting = [wholeRange];
  }

  #narrow(
    asked: CompareRequest,
    kinds: readonly KindRange[],
    now: Instant,
  ): Promise<ReconciliationEffect[]> | ReconciliationEffect[] {
    this.#narrowings += 1;
    const subset = equalKinds(commonKinds(asked.kinds, kinds), kinds);
    if (!subset || this.#narrowings > kindNarrowingsMax) {
      return this.#end("answer kinds not asked", now);
    }
    if (kinds.length === 0) return this.#end("no kinds in common", now);
    this.#kinds = kinds;
    this.#differs = false;
    this.#waiting = [wholeRange];
    return this.#goOn([], now);
  }

  /** Asks on, or begins another pass, or ends, if nothing is under way. */
  async #goOn(
    effects: ReconciliationEffect[],
    now: Instant,
  ): Promise<ReconciliationEffect[]> {
    if (this.#ended || this.#working || this.#asked !== undefined) return effects;
    const transfers = this.#fetching.size + this.#pushing.size;
    if (this.#waiting.length === 0) {
      if (transfers > 0) return effects;
      if (!this.#differs) return [...effects, ...this.#end("equal", now)];
      if (!this.#moved || this.#passes >= reconcilePassesMax) {
        return [...effects, ...this.#end("still different", now)];
      }
      this.#beginPass();
    }
    if (transfers >= transferredKeysMax) return effects;
    if (this.#keys >= reconciledKeysMax) {
      return transfers > 0 ? effects : [...effects, ...this.#end("keys used up", now)];
    }
    if (this.#rounds >= reconcileRoundsMax) {
      return [...effects, ...this.#end("rounds used up", now)];
    }
    this.#rounds += 1;
    const count = rangesFitting(this.#waiting, this.#kinds, compareRangesMax);
    const ranges = this.#waiting.splice(0, count);
    this.#working = true;
    const fingerprints = await Promise.all(ranges.map((range) => this.#fingerprint(range)));
    this.#working = false;
    if (this.#ended) return effects;
    const message: CompareRequest = {
      kind: "compare",
      kinds: this.#kinds,
      ranges: ranges.flatMap((range, i) => {
        const fingerprint = fingerprints[i];
        return fingerprint === undefined ? [] : [{ low: range.low, high: range.high, fingerprint }];
      }),
      held: this.#store.size,
    };
    this.#asked = message;
    return [...effects, { kind: "ask", message }];
  }

  #fingerprint(range: KeyRange) {
    return fingerprintIn(this.#store, this.#store.tree, range, this.#kinds);
  }

  #isListOf(range: KeyRange, offers: readonly Offer[]): boolean {
    return offers.every((offer) =>
      rangeHolds(range, offer.key) && kindsHold(this.#kinds, recordKeyKind(offer.key))
    );
  }

  /** How many keys more may be transferred now. */
  #room(): number {
    const underWay = this.#fetching.size + this.#pushing.size;
    return Math.max(0, Math.min(transferredKeysMax - underWay, reconciledKeysMax - this.#keys));
  }

  /** Notes what is to be transferred; returns the rest of the range for which there is no room. */
  #compareList(
    range: KeyRange,
    offers: readonly Offer[],
    transfers: Transfers,
  ): KeyRange | undefined {
    const ours = new RangeView(this.#store.tree, range, this.#kinds).entries();
    for (const { key, offer, entry } of bothInOrder(offers, ours)) {
      const way = this.#wayOf(offer, entry);
      if (way === undefined || this.#fetching.has(key) || this.#pushing.has(key)) continue;
      if (!transfers.add(way, key)) {
        return { low: keyBound(encodeRecordKey(key)), high: range.high };
      }
    }
    return undefined;
  }

  #wayOf(offer: Offer | undefined, entry: RecordEntry | undefined): "fetch" | "push" | undefined {
    if (offer === undefined) return "push";
    let newer = entry === undefined ? 1 : offer.serial - entry.serial;
    if (newer === 0 && entry !== undefined) {
      // Equal serials: all keep the lower hash.
      newer = compareBytes(entry.hash.subarray(0, offerHashLength), offer.hashPrefix);
    }
    if (newer < 0) return "push";
    return newer > 0 && this.#wants(offer) ? "fetch" : undefined;
  }

  #transfer({ fetch, push }: Transfers): ReconciliationEffect[] {
    for (const key of fetch) this.#fetching.add(key);
    for (const key of push) this.#pushing.add(key);
    this.#keys += fetch.length + push.length;
    this.#toFetch += fetch.length;
    this.#toPush += push.length;
    const effects: ReconciliationEffect[] = [];
    if (fetch.length > 0) effects.push({ kind: "fetch", keys: fetch });
    if (push.length > 0) effects.push({ kind: "push", keys: push });
    if (effects.length > 0) this.#moved = true;
    return effects;
  }

  #end(reason: ReconciliationEnd, now: Instant): ReconciliationEffect[] {
    this.#ended = true;
    this.#waiting = [];
    this.#counters.count(reason);
    const done = {
      kind: "done",
      reason,
      rounds: this.#rounds,
      fetched: this.#fetched,
      pushed: this.#pushed,
    } as const;
    if (reason === "equal") return [{ ...done, equal: true }];
    if (reason === "left to bulk") return [{ ...done, equal: false }];
    // Only records that came are progress: that a peer wants ours may be all it ever says.
    const pause = this.#fetched > 0
      ? reconcileAgain
      : reason === "left to the peer"
      ? bulkOtherSide
      : reconcilePause;
    const again = later(now, pause);
    return [{ ...done, equal: false, again }];
  }
}

/** A range to be compared, with the fingerprint that the peer has told of it. */
interface WaitingRange extends KeyRange {
  readonly theirs?: Bytes;
}

/** Whether who holds `held` records lacks much, and a good part, of what the other one holds. */
function lacksMuch(held: number, other: number): boolean {
  return other - held >= Math.max(bulkAbove, other * bulkWholeShare);
}

/** The ranges in order, those that touch made one. */
function joined(ranges: readonly KeyRange[]): KeyRange[] {
  const sorted = [...ranges].sort((a, b) => a.low < b.low ? -1 : 1);
  const result: KeyRange[] = [];
  for (const { low, high } of sorted) {
    const last = result.at(-1);
    if (last === undefined || last.high !== low) result.push({ low, high });
    else result[result.length - 1] = { low: last.low, high };
  }
  return result;
}

/** Keys to be transferred after one answer, no more than there is room for. */
class Transfers {
  readonly fetch: RecordKey[] = [];
  readonly push: RecordKey[] = [];
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  add(way: "fetch" | "push", key: RecordKey): boolean {
    if (this.#room === 0) return false;
    this.#room -= 1;
    this[way].push(key);
    return true;
  }
}

/** What is under one key on either side. */
interface ComparedKey {
  readonly key: RecordKey;
  readonly offer?: Offer;
  readonly entry?: RecordEntry;
}

/** Offers and entries, each in order of keys, key by key. */
function* bothInOrder(
  offers: readonly Offer[],
  entries: Iterable<RecordEntry>,
): IterableIterator<ComparedKey> {
  let at = 0;
  for (const entry of entries) {
    let offer = offers[at];
    for (; offer !== undefined && offer.key < entry.key; offer = offers[++at]) {
      yield { key: offer.key, offer };
    }
    if (offer?.key !== entry.key) {
      yield { key: entry.key, entry };
    } else {
      yield { key: entry.key, offer, entry };
      at += 1;
    }
  }
  for (const offer of offers.slice(at)) yield { key: offer.key, offer };
}

/** The parts as ranges, if they fill exactly the range that was asked. */
function partsOf(
  range: KeyRange,
  result: CompareResult & { readonly kind: "split" },
): WaitingRange[] | undefined {
  let low: KeyBound = range.low;
  const parts: WaitingRange[] = [];
  for (const [i, part] of result.parts.entries()) {
    const isLast = i === result.parts.length - 1;
    // Whoever goes up and ends where the range does was nowhere beyond it.
    if (isLast !== (part.high === range.high)) return undefined;
    if (part.high !== undefined && part.high <= low) return undefined;
    parts.push({ low, high: part.high, theirs: part.fingerprint });
    if (part.high !== undefined) low = part.high;
  }
  return parts;
}
