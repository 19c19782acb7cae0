/**
 * Telling a restored backup from a second node under the same key. Clones are real life: a disk
 * image, a restored virtual machine, a copied state directory.
 *
 * The rules (PROTOCOL §2.4). "Own" is what this node's key signed; "foreign" is another boot nonce
 * than this start's.
 *
 * 1. **Restored backup.** The first own record of a kind met with a serial above this node's latest
 *    of that kind is answered by *one* jump: the record is published again with a serial above it.
 *    There is one jump per kind and start, however many such records are met.
 * 2. **Duplicate, by record.** An own record with a foreign boot nonce whose serial is above one
 *    that this node published *after that jump* and *at least 10 s ago*. The 10 s let answers of the
 *    old life that are still going round come to rest; the oldest serial after the jump is compared,
 *    so publishing again does not put the finding off. Without a jump there is none: a lower serial
 *    is an echo of an earlier start.
 * 3. **Duplicate, by exchange.** Own id with a foreign boot nonce inside an authenticated exchange.
 * 4. **Beacons never count**, and are no input here: anyone can forge one.
 * 5. Every duplicate is reported, once per foreign boot nonce. Whoever has the *higher* boot nonce
 *    (by bytes) stops announcing, for the rest of this start; the other goes on. A node that has
 *    stopped jumps no more.
 * 6. **Dialled myself.** Own id and own boot nonce inside an exchange: the caller remembers the
 *    address and says nothing.
 *
 * Records of a kind that carries no boot nonce cause jumps, never findings. Nothing here waits for a
 * deadline, so the machine has none.
 *
 * @module
 */
import { type Bytes, compareBytes, copyBytes, equalBytes, toHex } from "../base/bytes.ts";
import { BoundedMap } from "../base/bounded_map.ts";
import { elapsed, type Instant } from "../base/instant.ts";
import { duplicateSettle, foreignNoncesMax } from "./limits.ts";

/** An own record that came from outside. */
export interface OwnRecord {
  /** Record kind, 0 to 127. */
  readonly kind: number;
  readonly serial: number;
  /** 16 bytes, if records of the kind carry it. */
  readonly bootNonce?: Uint8Array;
}

/** What is to be done. */
export type DuplicateEffect =
  /** Publish the kind again, now, with a serial above `above`. */
  | { readonly kind: "jump"; readonly recordKind: number; readonly above: number }
  /** Report a second node under this key. */
  | {
    readonly kind: "duplicate";
    readonly foreignNonce: Bytes;
    readonly seen: "record" | "exchange";
  }
  /** Announce nothing any more until `mesh identity reset` (or take a new identity at once). */
  | { readonly kind: "stop-announcing" }
  /** The address leads to this very process. */
  | { readonly kind: "dialled-myself" };

/** What status shows. */
export interface DuplicateSnapshot {
  /** Boot nonces of the other nodes under this key, hexadecimal, in order of discovery. */
  readonly foreignNonces: readonly string[];
  /** Whether this node has stopped announcing. */
  readonly stopped: boolean;
}

interface KindState {
  /** Highest serial of this node's own making. */
  latest: number;
  /** Whether the one jump was taken. */
  jumped: boolean;
  /** The first serial published after the jump, and when. */
  firstAfterJump: { readonly serial: number; readonly at: Instant } | undefined;
}

/** Watches for a second node under this node's key. */
export class DuplicateWatch {
  readonly #bootNonce: Bytes;
  readonly #kinds = new Map<number, KindState>();
  readonly #foreign = new BoundedMap<string, true>(foreignNoncesMax);
  #stopped = false;

  /**
   * @param bootNonce This start's, 16 bytes.
   * @param latestSerials The serials on disk by kind: what an earlier start published is no surprise.
   */
  constructor(bootNonce: Uint8Array, latestSerials: Iterable<readonly [number, number]> = []) {
    this.#bootNonce = copyBytes(bootNonce);
    for (const [kind, serial] of latestSerials) this.#kindState(kind).latest = serial;
  }

  #kindState(kind: number): KindState {
    const known = this.#kinds.get(kind);
    if (known !== undefined) return known;
    const fresh: KindState = { latest: 0, jumped: false, firstAfterJump: undefined };
    // Bounded: a record's kind is one byte, and only records of our own making come here.
    this.#kinds.set(kind, fresh);
    return fresh;
  }

  /** This node has published a record of its own. */
  handlePublished(kind: number, serial: number, now: Instant): void {
    const state = this.#kindState(kind);
    state.latest = Math.max(state.latest, serial);
    if (state.jumped) state.firstAfterJump ??= { serial, at: now };
  }

  /** An own record came from a peer, verified. */
  handleOwnRecord(record: OwnRecord, now: Instant): readonly DuplicateEffect[] {
    const state = this.#kindState(record.kind);
    const { bootNonce, serial } = record;
    const first = state.firstAfterJump;
    if (
      bootNonce !== undefined && !equalBytes(bootNonce, this.#bootNonce) && first !== undefined &&
      serial > first.serial && elapsed(first.at, now) >= duplicateSettle
    ) return this.#found(bootNonce, "record");
    if (serial <= state.latest || state.jumped || this.#stopped) return [];
    state.jumped = true;
    return [{ kind: "jump", recordKind: record.kind, above: serial }];
  }

  /** A peer proved to hold this node's own key, in an authenticated exchange. */
  handleOwnIdInExchange(bootNonce: Uint8Array, _now: Instant): readonly DuplicateEffect[] {
    return equalBytes(bootNonce, this.#bootNonce)
      ? [{ kind: "dialled-myself" }]
      : this.#found(bootNonce, "exchange");
  }

  #found(bootNonce: Uint8Array, seen: "record" | "exchange"): readonly DuplicateEffect[] {
    const name = toHex(bootNonce);
    if (this.#foreign.has(name)) return [];
    this.#foreign.set(name, true);
    const report: DuplicateEffect = {
      kind: "duplicate",
      foreignNonce: copyBytes(bootNonce),
      seen,
    };
    if (this.#stopped || compareBytes(this.#bootNonce, bootNonce) < 0) return [report];
    this.#stopped = true;
    return [report, { kind: "stop-announcing" }];
  }

  /** What is known now. */
  snapshot(): DuplicateSnapshot {
    return { foreignNonces: [...this.#foreign.keys()], stopped: this.#stopped };
  }
}
