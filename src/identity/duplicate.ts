/**
 * Telling a restored backup from a second node under the same key. Clones are real life: a disk
 * image, a restored virtual machine, a copied state directory.
 *
 * The rules (PROTOCOL §2.4). "Own" is what this node's key signed; "foreign" is another boot nonce
 * than this start's.
 *
 * 1. **Restored backup.** An own record met with a serial above this node's latest of that kind is
 *    answered by a jump: the record is published again with a serial above it. From one jump to the
 *    next of a kind there are 10 s; what is met meanwhile is answered when they are over. So whoever
 *    lives comes out on top, also of an old life that is met piece by piece, and two who do not yet
 *    know of each other cannot chase each other.
 * 2. **Duplicate, by record.** An own record with a foreign boot nonce whose serial is above one
 *    that this node published *after its first jump* and *at least 10 s ago*. The 10 s let answers of the
 *    old life that are still going round come to rest; the oldest serial after the jump is compared,
 *    so publishing again does not put the finding off. Without a jump there is none: a lower serial
 *    is an echo of an earlier start.
 * 3. **Duplicate, by exchange.** Own id with a foreign boot nonce inside an authenticated exchange.
 * 4. **Beacons never count**, and are no input here: anyone can forge one.
 * 5. Every duplicate is reported, once per foreign boot nonce. Whoever has the *higher* boot nonce
 *    (by bytes) stops announcing, for the rest of this start; the other goes on. Who finds a record
 *    and stops jumps a last time first: that tells the other, who jumps above it. After that it
 *    jumps no more.
 * 6. **Dialled myself.** Own id and own boot nonce inside an exchange: the caller remembers the
 *    address and says nothing.
 *
 * Records of a kind that carries no boot nonce cause jumps, never findings.
 *
 * @module
 */
import { type Bytes, compareBytes, copyBytes, equalBytes, toHex } from "../base/bytes.ts";
import { BoundedMap } from "../base/bounded_map.ts";
import { earliest, elapsed, type Instant, later } from "../base/instant.ts";
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
  /** When the last jump was taken. */
  jumpedAt: Instant | undefined;
  /** The highest serial met since, if it is above ours. */
  unanswered: number | undefined;
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
    const fresh: KindState = {
      latest: 0,
      jumpedAt: undefined,
      unanswered: undefined,
      firstAfterJump: undefined,
    };
    // Bounded: a record's kind is one byte, and only records of our own making come here.
    this.#kinds.set(kind, fresh);
    return fresh;
  }

  /** This node has published a record of its own. */
  handlePublished(kind: number, serial: number, now: Instant): void {
    const state = this.#kindState(kind);
    state.latest = Math.max(state.latest, serial);
    if (state.jumpedAt !== undefined) state.firstAfterJump ??= { serial, at: now };
  }

  /** An own record came from a peer, verified. */
  handleOwnRecord(record: OwnRecord, now: Instant): readonly DuplicateEffect[] {
    const state = this.#kindState(record.kind);
    const { bootNonce, serial } = record;
    if (bootNonce !== undefined && equalBytes(bootNonce, this.#bootNonce)) return [];
    const wasStopped = this.#stopped;
    const first = state.firstAfterJump;
    const isDuplicate = bootNonce !== undefined && first !== undefined && serial > first.serial &&
      elapsed(first.at, now) >= duplicateSettle;
    const found = isDuplicate ? this.#found(bootNonce, "record") : [];
    if (wasStopped || serial <= state.latest) return found;
    const isLast = this.#stopped;
    if (!isLast && state.jumpedAt !== undefined && now < later(state.jumpedAt, duplicateSettle)) {
      state.unanswered = Math.max(serial, state.unanswered ?? 0);
      return found;
    }
    const [report, ...rest] = found;
    const jump = this.#jump(record.kind, state, serial, now);
    // Published before it stops: the last word tells the other.
    return report === undefined ? [jump] : [report, jump, ...rest];
  }

  #jump(recordKind: number, state: KindState, above: number, now: Instant): DuplicateEffect {
    state.jumpedAt = now;
    state.unanswered = undefined;
    return { kind: "jump", recordKind, above };
  }

  /** When the next jump that had to wait is due. */
  nextTimeout(): Instant | undefined {
    if (this.#stopped) return undefined;
    return earliest(
      ...[...this.#kinds.values()].map(({ jumpedAt, unanswered }) =>
        jumpedAt === undefined || unanswered === undefined
          ? undefined
          : later(jumpedAt, duplicateSettle)
      ),
    );
  }

  /** Answers what was met too soon after a jump. */
  handleTimeout(now: Instant): readonly DuplicateEffect[] {
    const effects: DuplicateEffect[] = [];
    if (this.#stopped) return effects;
    for (const [kind, state] of this.#kinds) {
      const { jumpedAt, unanswered, latest } = state;
      if (jumpedAt === undefined || unanswered === undefined) continue;
      if (now < later(jumpedAt, duplicateSettle)) continue;
      state.unanswered = undefined;
      if (unanswered > latest) effects.push(this.#jump(kind, state, unanswered, now));
    }
    return effects;
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
