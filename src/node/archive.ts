/**
 * The records this node holds: the store in memory and the log on disk, kept together. Bytes from
 * anybody come in through one door, where they are verified before anything looks inside.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { earliest, type Instant, later } from "../base/instant.ts";
import { sha256 } from "../crypto/mod.ts";
import type { Clock } from "../platform/clock.ts";
import {
  type LogDamage,
  logEntriesOf,
  type LogEntry,
  type OpenedLog,
  receiveRecord,
  recordEntry,
  RecordStore,
  type RecordStoreOptions,
  restoreStore,
  type StoreEffect,
  type VerifiedRecord,
} from "../sync/mod.ts";
import type { RecordKey } from "../wire/record_key.ts";
import type { Background } from "./background.ts";
import { writeAgainAfter } from "./limits.ts";
import type { Timed } from "./pump.ts";

/** What became of bytes that came in. */
export type Received =
  | {
    readonly kind: "stored";
    readonly record: VerifiedRecord;
    readonly previous: VerifiedRecord | undefined;
  }
  /** Verified, and not better than what is held: the very same, or another version. */
  | { readonly kind: "held"; readonly record: VerifiedRecord }
  /** These bytes were refused lately, or are not to be judged at all. */
  | { readonly kind: "known" }
  /** Forged: nobody signed these bytes, or nobody may; else the store has no place for the record. */
  | { readonly kind: "refused"; readonly reason: string; readonly isForged: boolean };

/** What the archive tells its owner. */
export interface ArchiveOwner {
  /** An author signed two payloads under one serial. */
  handleEquivocation(record: VerifiedRecord): void;
  /** Records went, by age or to make room; none of them = some left fingerprints or came back. */
  handleGone(records: readonly VerifiedRecord[]): void;
  /** The log cannot be written. */
  handleLogFailure(error: unknown): void;
  /** The log was written. */
  handleLogWritten(): void;
}

/** Parts of an archive. */
export interface ArchiveOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly background: Background;
  readonly store: RecordStoreOptions;
  /** Whether the calendar is not to be believed: then nothing ages, from the restoring on. */
  readonly clockSuspect: boolean;
  /** Lets everything else have its turn while records are read. Left out: nothing else waits. */
  readonly breathe?: () => Promise<void>;
  readonly owner: ArchiveOwner;
}

/** Store and log. */
export class Archive implements Timed {
  /** What is held. */
  readonly store: RecordStore;
  /** Damage that was found when the log was opened. */
  readonly damage: LogDamage | undefined;
  readonly #log: OpenedLog["log"];
  readonly #options: ArchiveOptions;
  #compacting = false;
  /** When all is written anew, since something could not be written. */
  #writeAgainAt: Instant | undefined;

  private constructor(opened: OpenedLog, options: ArchiveOptions) {
    this.store = new RecordStore(options.store);
    this.store.expiryPaused = options.clockSuspect;
    this.#log = opened.log;
    this.damage = opened.damage;
    this.#options = options;
  }

  /** Takes back what the log holds. */
  static async restore(opened: OpenedLog, options: ArchiveOptions): Promise<Archive> {
    const archive = new Archive(opened, options);
    const { clock } = options;
    const { records, dropped } = await restoreStore(
      opened,
      archive.store,
      clock.monotonic(),
      clock.wall(),
      options.breathe ?? (() => Promise.resolve()),
    );
    opened.log.noteStanding(records / Math.max(1, records + dropped));
    opened.forgetEntries();
    return archive;
  }

  /**
   * Verifies and decides about bytes from a peer.
   *
   * @param admits Whether a record that claims this key, and is not held, is worth it.
   */
  async receive(bytes: Bytes, admits: (key: RecordKey) => boolean = admitsAll): Promise<Received> {
    const { clock, counters } = this.#options;
    const record = await receiveRecord(bytes, {
      wasRefused: (hash) => this.store.wasRefused(hash, clock.monotonic()),
      held: (key, bytes) => this.store.heldAs(key, bytes),
      admits,
    });
    if (typeof record === "string") return { kind: "known" };
    if (isDecodeError(record)) {
      counters.count(record.reason);
      this.store.noteRefused(await sha256(bytes), clock.monotonic());
      return { kind: "refused", reason: record.reason, isForged: true };
    }
    return this.#admit(record);
  }

  #admit(record: VerifiedRecord): Received {
    const { clock, owner } = this.#options;
    const wall = clock.wall();
    const wasFlagged = this.store.isFlagged(record.author);
    const outcome = this.store.admit(record, clock.monotonic(), wall);
    // Who asked for a record is to know that he has it, though it came another way meanwhile.
    if (outcome.kind === "known") return { kind: "held", record };
    if (outcome.kind === "refused") {
      return { kind: "refused", reason: outcome.reason, isForged: false };
    }
    // Once per author: he could go on for ever, and each would be a line in the logs of all.
    if (outcome.equivocation && !wasFlagged) {
      owner.handleEquivocation(record);
      this.#write([{ kind: "flag", author: record.author }]);
    }
    if (outcome.kind === "older") return { kind: "held", record };
    if (outcome.gone.length > 0) owner.handleGone(outcome.gone);
    this.#write([recordEntry(record, wall)]);
    return { kind: "stored", record, previous: outcome.previous };
  }

  /** Takes in a record of this node's own, which is on disk already. */
  admitOwn(record: VerifiedRecord): void {
    const { clock } = this.#options;
    this.store.admit(record, clock.monotonic(), clock.wall());
  }

  #write(entries: readonly LogEntry[]): void {
    const { background, owner } = this.#options;
    const written = this.#log.appendEntries(entries).then(
      () => {
        if (this.#writeAgainAt === undefined) owner.handleLogWritten();
      },
      (error: unknown) => this.#handleLogFailure(error),
    );
    background.own("write the record log", written);
    if (this.#log.wantsCompaction) this.#compact();
  }

  #handleLogFailure(error: unknown): void {
    const { owner, clock } = this.#options;
    this.#writeAgainAt = later(clock.monotonic(), writeAgainAfter);
    owner.handleLogFailure(error);
  }

  #compact(): void {
    if (this.#compacting) return;
    const { background, owner, clock } = this.#options;
    this.#compacting = true;
    const compacted = this.#log.compact(() => {
      // What is missed from here on is missed by the new log as well.
      this.#writeAgainAt = undefined;
      return logEntriesOf(this.store, clock.monotonic(), clock.wall());
    }).then(
      () => {
        if (this.#writeAgainAt === undefined) owner.handleLogWritten();
      },
      (error: unknown) => this.#handleLogFailure(error),
    ).finally(() => {
      this.#compacting = false;
    });
    background.own("compact the record log", compacted);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.store.nextTimeout(), this.#compacting ? undefined : this.#writeAgainAt);
  }

  handleTimeout(now: Instant): void {
    if (this.#writeAgainAt !== undefined && this.#writeAgainAt <= now) this.#compact();
    const effects = this.store.handleTimeout(now, this.#options.clock.wall());
    const deleted = effects.filter((effect: StoreEffect) => effect.kind === "deleted");
    // What has left fingerprints, or is back in them, changes the picture as well.
    if (effects.length > 0) this.#options.owner.handleGone(deleted.map((effect) => effect.record));
    if (deleted.length === 0) return;
    const keys = new Set(deleted.map((effect) => effect.record.key));
    this.#write(
      this.store.tombstones().filter((tombstone) => keys.has(tombstone.key)).map((tombstone) => ({
        kind: "tombstone" as const,
        ...tombstone,
      })),
    );
  }

  /**
   * Waits for what is being written, makes it durable, closes the log. A disk that refuses the last
   * write does not keep a node from ending: own records are on it already, others have the rest.
   */
  async close(): Promise<void> {
    try {
      await this.#log.sync();
    } catch (error) {
      this.#options.owner.handleLogFailure(error);
    }
    await this.#log.close();
  }
}

const admitsAll = () => true;
