/**
 * A fleet of push machines alone, for fleets of thousands: no nodes, no keys, no clocks; links of one
 * delay, records that nobody signed, and the bytes that their datagrams would have.
 *
 * @module
 */
import { type Instant, instant, later, milliseconds } from "../../src/base/instant.ts";
import { invariant } from "../../src/base/invariant.ts";
import { Prng } from "../../src/base/prng.ts";
import { Push, type PushEffect } from "../../src/sync/push.ts";
import { answerOverhead, requestOverhead, tellOverhead } from "../../src/wire/datagram.ts";
import { encodeRequest } from "../../src/wire/message.ts";
import { offerRequests } from "../../src/wire/message_packing.ts";
import { type NodeId, nodeIdFromBytes } from "../../src/wire/node_id.ts";
import type { Offer } from "../../src/wire/offer.ts";
import { infoKind, type RecordKey, recordKey } from "../../src/wire/record_key.ts";

const headers = 28;
const noSubject = new Uint8Array(0);

/** What such a fleet is. */
export interface PushFleetOptions {
  readonly nodes: number;
  /** Links that each node seeks; who is found may get more. */
  readonly degree: number;
  /** One way, and what a datagram costs whoever gets it. */
  readonly delayMs: number;
  readonly loss: number;
  /** Bytes of a record. */
  readonly size: number;
  readonly seed: number;
}

interface Member {
  readonly id: NodeId;
  readonly push: Push;
  readonly links: Set<Member>;
  readonly held: Map<RecordKey, Offer>;
  /** When it will look at its deadline next. */
  wakesAt: number | undefined;
}

/** What came of one change. */
export interface ChangeReport {
  /** When the last of those that heard of it did, in milliseconds. */
  readonly lastMs: number;
  /** Who heard nothing: a digest's matter. */
  readonly missed: number;
  /** In and out together, of one node on the average. */
  readonly bytesPerNode: number;
}

/** The fleet. */
export class PushFleet {
  readonly #options: PushFleetOptions;
  readonly #prng: Prng;
  readonly #members: Member[] = [];
  readonly #byId = new Map<NodeId, Member>();
  /** What happens in each millisecond. */
  readonly #events = new Map<number, (() => void)[]>();
  #now = 0;
  #bytes = 0;
  #serial = 0;

  constructor(options: PushFleetOptions) {
    this.#options = options;
    this.#prng = new Prng([options.seed]);
    for (let number = 0; number < options.nodes; number++) this.#add(number);
    for (const one of this.#members) {
      while (one.links.size < options.degree) {
        const other = this.#members[this.#prng.below(this.#members.length)];
        if (other === undefined || other === one || other.links.size >= 24) continue;
        one.links.add(other);
        other.links.add(one);
      }
    }
    for (const one of this.#members) {
      for (const other of one.links) one.push.handleLink(other.id);
    }
  }

  #add(number: number): void {
    const bytes = new Uint8Array(32);
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.#prng.below(256);
    const id = nodeIdFromBytes(bytes);
    invariant(id !== undefined, "32 bytes are an id");
    const held = new Map<RecordKey, Offer>();
    const push = new Push({
      self: id,
      linksOf: (other) => this.#byId.get(other)?.links.size,
      judge: ({ key, serial }) => (held.get(key)?.serial ?? -1) < serial ? "wanted" : "held",
      held: (key) => held.get(key),
      prng: new Prng([this.#options.seed, number]),
    });
    const member = { id, push, links: new Set<Member>(), held, wakesAt: undefined };
    this.#members.push(member);
    this.#byId.set(id, member);
  }

  get #instant(): Instant {
    return later(instant(0), milliseconds(this.#now));
  }

  #after(ms: number, event: () => void): void {
    const at = this.#now + ms;
    const events = this.#events.get(at);
    if (events === undefined) this.#events.set(at, [event]);
    else events.push(event);
  }

  #send(length: number, arrive: () => void): void {
    this.#bytes += 2 * (length + headers);
    if (this.#prng.unit() >= this.#options.loss) this.#after(this.#options.delayMs, arrive);
  }

  #take(one: Member, offer: Offer, urgent: boolean, from?: NodeId): void {
    if ((one.held.get(offer.key)?.serial ?? -1) >= offer.serial) {
      if (from !== undefined) one.push.handleShown(from, offer);
      return;
    }
    one.held.set(offer.key, offer);
    const source = from === undefined ? {} : { from };
    const change = { offer, urgent, size: this.#options.size, ...source };
    this.#perform(one, one.push.handleChange(change, this.#instant));
  }

  #perform(one: Member, effects: readonly PushEffect[]): void {
    const { size } = this.#options;
    for (const effect of effects) {
      const other = this.#byId.get(effect.kind === "fetch" ? effect.from : effect.to);
      if (other === undefined) continue;
      if (effect.kind === "offer") {
        for (const request of offerRequests(effect.offers)) {
          this.#send(tellOverhead + encodeRequest(request).length, () => {
            this.#perform(other, other.push.handleOffers(one.id, request.offers, this.#instant));
          });
        }
        continue;
      }
      for (const key of effect.keys) {
        if (effect.kind === "push") {
          const offer = one.held.get(key);
          if (offer === undefined) continue;
          this.#send(tellOverhead + 6 + size, () => this.#take(other, offer, false, one.id));
        } else {
          this.#send(requestOverhead + 38, () => {
            const offer = other.held.get(key);
            if (offer === undefined) return;
            this.#send(answerOverhead + 6 + size, () => this.#take(one, offer, false, other.id));
          });
        }
      }
    }
    this.#schedule(one);
  }

  #schedule(one: Member): void {
    const due = one.push.nextTimeout();
    if (due === undefined || (one.wakesAt !== undefined && one.wakesAt <= due)) return;
    one.wakesAt = due;
    this.#after(Math.max(0, Math.ceil(due - this.#now)), () => {
      if (one.wakesAt !== undefined && one.wakesAt <= this.#now) one.wakesAt = undefined;
      this.#perform(one, one.push.handleTimeout(this.#instant));
    });
  }

  /** One change at one node, and all that comes of it. */
  change(): ChangeReport {
    const author = this.#members[this.#prng.below(this.#members.length)];
    invariant(author !== undefined, "a fleet has members");
    const hashPrefix = new Uint8Array(16);
    for (let at = 0; at < 16; at++) hashPrefix[at] = this.#prng.below(256);
    const key = recordKey(infoKind, author.id, noSubject);
    const [begun, bytesBefore, serial] = [this.#now, this.#bytes, ++this.#serial];
    this.#take(author, { key, serial, hashPrefix }, false);
    let left = this.#members.length;
    let lastMs = 0;
    // Longer than any turn or any pull waits.
    for (const end = this.#now + 5_000; this.#now < end; this.#now++) {
      const events = this.#events.get(this.#now);
      if (events === undefined) continue;
      // An event may put another in the same millisecond.
      for (const event of events) event();
      this.#events.delete(this.#now);
      const without = this.#members.filter((one) => one.held.get(key)?.serial !== serial).length;
      if (without < left) lastMs = this.#now - begun;
      left = without;
    }
    const bytesPerNode = (this.#bytes - bytesBefore) / this.#members.length;
    return { lastMs, missed: left, bytesPerNode: Math.round(bytesPerNode) };
  }
}

if (import.meta.main) {
  for (const [nodes, degree] of [[100, 11], [1_000, 13], [10_000, 15]] as const) {
    for (const size of [300, 420]) {
      for (const loss of [0, 0.2]) {
        const fleet = new PushFleet({ nodes, degree, size, loss, delayMs: 5, seed: 7 });
        const reports = [fleet.change(), fleet.change(), fleet.change()];
        const most = (of: (report: ChangeReport) => number) => Math.max(...reports.map(of));
        console.log(
          `${nodes} nodes, record of ${size} B, ${loss * 100} % lost: last after ` +
            `${most(({ lastMs }) => lastMs)} ms, missed ${most(({ missed }) => missed)}, ` +
            `${most(({ bytesPerNode }) => bytesPerNode)} B per node`,
        );
      }
    }
  }
}
