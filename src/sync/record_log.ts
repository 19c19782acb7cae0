/**
 * The record log: what this node must not lose, or would have to fetch again, on its disk. A file
 * that grows by whole frames and is written anew when too much of it is old (`log_format.ts` has
 * the bytes).
 *
 * - An own record is on the disk before `appendOwn` resolves, and nobody may see it before.
 * - A frame torn by a crash is cut off without a word: nobody was told that it was written.
 * - Damage anywhere else loses only what it hit: the readable part is kept, the damaged file is set
 *   aside, `damage` says so. The readable part is safe on the disk before the damaged file is moved.
 * - What cannot be read at all (not a file, another's file, a bad disk) is set aside whole.
 * - It is written anew beside the old file, in slices, so that nobody waits for it.
 * - After any failed write (disk full) the file is read and mended before the next one.
 *
 * @module
 */
import { type Bytes, copyBytes, joinBytes, toHex } from "../base/bytes.ts";
import type { WallTime } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import type { Entropy } from "../platform/entropy.ts";
import type { AppendFile, Storage } from "../platform/storage.ts";
import { payloadWithin } from "../wire/cose_sign1.ts";
import { peekRecordHead } from "../wire/record.ts";
import { compactionSliceBytes, logCompactionBytesMin } from "./limits.ts";
import {
  encodeLogEntry,
  encodeLogHeader,
  type LogEntry,
  logMarkerLength,
  LogReading,
  readLog,
  recordEntry,
} from "./log_format.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** The log's file. */
export const recordLogName = "records.log";
/** The readable part of a damaged log, until it has taken its place. */
const recoveredName = "records.recovered";
/** The file that a compaction writes, until it has taken its place. */
const nextName = "records.next";

/** That the log was damaged, and what was done. */
export interface LogDamage {
  /** Bytes that could not be read; 0 where nothing could, so that nobody counted them. */
  readonly damagedBytes: number;
  /** Entries that could. */
  readonly entriesKept: number;
  /** Where the damaged file is now. */
  readonly setAside: string;
  /** Whether nothing was wrong with it but that another version of the format wrote it. */
  readonly isForeign: boolean;
}

/** What a node writes to its log. */
export type WritableLog = Pick<
  RecordLog,
  "appendOwn" | "appendEntries" | "noteStanding" | "wantsCompaction" | "compact" | "sync" | "close"
>;

/** A log that was opened, as a node uses it. */
export interface OpenedLog {
  /** What was written down, the newest first. */
  newestFirst(): Iterable<LogEntry>;
  readonly log: WritableLog;
  /** The highest serial of an own record that may have been seen by others; 0 for none. */
  readonly ownSerial: number;
  readonly damage?: LogDamage | undefined;
  /** Lets go of the entries and gives the whole file's memory back: what was not copied is empty. */
  forgetEntries(): void;
}

/** A record log that was opened. */
export class OpenedRecordLog implements OpenedLog {
  readonly log: RecordLog;
  /** The highest serial of an own record that may have been seen by others; 0 for none. */
  readonly ownSerial: number;
  readonly damage: LogDamage | undefined;
  readonly #reading: LogReading;

  constructor(log: RecordLog, reading: LogReading, damage: LogDamage | undefined) {
    this.log = log;
    this.ownSerial = log.ownSerial;
    this.damage = damage;
    this.#reading = reading;
  }

  /** What was written down, oldest first. */
  get entries(): readonly LogEntry[] {
    return this.#reading.entries;
  }

  newestFirst(): Iterable<LogEntry> {
    return this.#reading.newestFirst();
  }

  /** Lets go of the entries and gives the whole file's memory back: what was not copied is empty. */
  forgetEntries(): void {
    this.#reading.release();
  }
}

interface Mended {
  readonly reading: LogReading;
  readonly marker: Bytes;
  readonly size: number;
  readonly damage?: LogDamage;
}

/** Opens the log, mending what a crash or a bad disk left. Rejects with the system's error. */
export async function openRecordLog(storage: Storage, entropy: Entropy): Promise<OpenedRecordLog> {
  const log = new RecordLog(storage, entropy);
  const { reading, damage } = await log.open();
  return new OpenedRecordLog(log, reading, damage);
}

/** The file's bytes; one that cannot be read is set aside and named instead. */
async function readOrSetAside(
  storage: Storage,
): Promise<{ readonly bytes?: Bytes; readonly setAside?: string }> {
  try {
    const bytes = await storage.read(recordLogName);
    return bytes === undefined ? {} : { bytes };
  } catch (error) {
    try {
      return { setAside: await storage.setAside(recordLogName) };
    } catch {
      throw error; // It stays where it is: why it cannot be read says more than that.
    }
  }
}

/** Reads the file, and puts a whole one in its place if it is not. */
async function mend(storage: Storage, entropy: Entropy): Promise<Mended> {
  const { bytes: current, setAside: unreadable } = await readOrSetAside(storage);
  const recovered = current === undefined ? await storage.read(recoveredName) : undefined;
  const bytes = current ?? recovered;
  const reading: LogReading = bytes === undefined
    ? new LogReading(new Uint8Array(0), [])
    : readLog(bytes);
  const isWhole = reading.damagedBytes === 0 && reading.tornBytes === 0;
  if (current !== undefined && reading.marker !== undefined && isWhole) {
    // Left over if the way here ended between the last two steps below.
    await storage.remove(recoveredName);
    return { reading, marker: reading.marker, size: current.length };
  }
  const marker = entropy.bytes(logMarkerLength);
  const whole = encodeLog(marker, reading.entries);
  const isDamaged = reading.damagedBytes > 0;
  if (current !== undefined && isDamaged) await storage.replace(recoveredName, whole);
  const damage = current !== undefined && isDamaged
    ? {
      damagedBytes: reading.damagedBytes,
      entriesKept: reading.entries.length,
      setAside: await storage.setAside(recordLogName),
      isForeign: reading.isForeign,
    }
    : unreadable === undefined
    ? undefined
    : {
      damagedBytes: 0,
      entriesKept: reading.entries.length,
      setAside: unreadable,
      isForeign: false,
    };
  await storage.replace(recordLogName, whole);
  await storage.remove(recoveredName);
  return { reading, marker, size: whole.length, ...(damage === undefined ? {} : { damage }) };
}

function encodeLog(marker: Bytes, entries: Iterable<LogEntry>): Bytes {
  const frames: Bytes[] = [encodeLogHeader(marker)];
  for (const entry of entries) frames.push(encodeLogEntry(marker, entry));
  return joinBytes(frames);
}

/** The entries' frames, in slices of about the size that is written at once. */
function* slicesOf(marker: Bytes, entries: Iterable<LogEntry>): IterableIterator<Bytes> {
  let frames: Bytes[] = [encodeLogHeader(marker)];
  let size = 0;
  for (const entry of entries) {
    const frame = encodeLogEntry(marker, entry);
    frames.push(frame);
    size += frame.length;
    if (size < compactionSliceBytes) continue;
    yield joinBytes(frames);
    frames = [];
    size = 0;
  }
  yield joinBytes(frames);
}

/** Entries waiting to be written, and whoever waits for them. */
interface PendingAppend {
  readonly entries: readonly LogEntry[];
  readonly isDurable: boolean;
  readonly done: PromiseWithResolvers<void>;
}

/** The open log. Writes are done one after the other, in the order of the calls. */
export class RecordLog {
  readonly #storage: Storage;
  readonly #entropy: Entropy;
  #file: AppendFile | undefined;
  #marker: Bytes = new Uint8Array(logMarkerLength);
  #size = 0;
  #sizeAfterCompaction = 0;
  /** Size from which on a compaction that failed is tried again. */
  #retrySize = 0;
  /** The newest own record of each kind: a compaction must not lose one that its caller has not seen yet. */
  readonly #own = new Map<string, { readonly entry: LogEntry; readonly serial: number }>();
  #ownSerial = 0;
  #damage: LogDamage | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #pending: PendingAppend[] = [];
  /** While a compaction runs: what was appended since it began. */
  #since: LogEntry[] | undefined;
  #isClosed = false;

  constructor(storage: Storage, entropy: Entropy) {
    this.#storage = storage;
    this.#entropy = entropy;
  }

  /** The highest serial of an own record that was handed to the disk; 0 for none. */
  get ownSerial(): number {
    return this.#ownSerial;
  }

  /** The damage met last, if any. */
  get damage(): LogDamage | undefined {
    return this.#damage;
  }

  /** Whether enough of the file is old that `compact` is worth its writing. */
  get wantsCompaction(): boolean {
    const worthIt = 2 * this.#sizeAfterCompaction + logCompactionBytesMin;
    return this.#since === undefined && this.#size > Math.max(worthIt, this.#retrySize);
  }

  /** Reads and mends the file and opens it. */
  async open(): Promise<Pick<Mended, "reading" | "damage">> {
    return await this.#inTurn(async () => {
      // What a compaction that was killed has left.
      await this.#removeQuietly(nextName);
      return await this.#open();
    });
  }

  /**
   * The share of the entries that were read which still stand, 0 to 1. Without it a node that is
   * started again and again before it writes much would never write its log anew.
   */
  noteStanding(share: number): void {
    this.#sizeAfterCompaction = Math.min(this.#sizeAfterCompaction, this.#size * share);
  }

  async #open(): Promise<Mended & { readonly file: AppendFile }> {
    const mended = await mend(this.#storage, this.#entropy);
    this.#marker = mended.marker;
    this.#size = mended.size;
    if (this.#sizeAfterCompaction === 0) this.#sizeAfterCompaction = mended.size;
    if (mended.damage !== undefined) this.#damage = mended.damage;
    for (const entry of mended.reading.own()) this.#noteOwn(entry);
    const file = await this.#storage.openAppend(recordLogName);
    this.#file = file;
    return { ...mended, file };
  }

  /** Runs the work when everything asked for before it is done, however that ended. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // A failure is the affair of whoever asked for that work, not of the next in line.
    // Nor is what came of it, which may be a whole file in memory.
    this.#last = result.then(() => undefined, () => undefined);
    return result;
  }

  #noteOwn(entry: LogEntry): void {
    if (entry.kind === "own serial") this.#ownSerial = Math.max(this.#ownSerial, entry.serial);
    if (entry.kind !== "own record") return;
    const payload = payloadWithin(entry.bytes);
    const head = payload === undefined ? undefined : peekRecordHead(payload);
    if (head === undefined) return;
    const { kind, subject, serial } = head;
    this.#ownSerial = Math.max(this.#ownSerial, serial);
    const name = `${kind} ${toHex(subject)}`;
    if (serial < (this.#own.get(name)?.serial ?? 0)) return;
    // A copy: what was read lies in the memory of the whole file.
    const kept = { ...entry, hash: copyBytes(entry.hash), bytes: copyBytes(entry.bytes) };
    this.#own.set(name, { entry: kept, serial });
  }

  #append(entries: readonly LogEntry[], isDurable: boolean): Promise<void> {
    const done = Promise.withResolvers<void>();
    for (const entry of entries) this.#since?.push(entry);
    this.#pending.push({ entries, isDurable, done });
    // Whatever comes until it is its turn is written with it.
    if (this.#pending.length === 1) {
      this.#inTurn(() => this.#flush()).catch(() => undefined); // Told to each that waits.
    }
    return done.promise;
  }

  async #flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    try {
      await this.#write(
        pending.flatMap(({ entries }) => entries),
        pending.some(({ isDurable }) => isDurable),
      );
      for (const { done } of pending) done.resolve();
    } catch (error) {
      for (const { done } of pending) done.reject(error);
    }
  }

  async #write(entries: readonly LogEntry[], isDurable: boolean): Promise<void> {
    const file = this.#file ?? (await this.#open()).file;
    const bytes = joinBytes(entries.map((entry) => encodeLogEntry(this.#marker, entry)));
    try {
      if (isDurable) await file.append(bytes);
      else await file.appendLazily(bytes);
    } catch (error) {
      // Part of it may be written: what follows would stand behind a torn frame.
      await this.#abandonFile();
      throw error;
    }
    this.#size += bytes.length;
    for (const entry of entries) this.#noteOwn(entry);
  }

  async #abandonFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await closeQuietly(file);
  }

  /** Writes an own record. Once this resolves it is on the disk and may be shown; if it rejects its serial must not be used again. */
  appendOwn(record: VerifiedRecord, firstSeen: WallTime): Promise<void> {
    return this.#append([recordEntry(record, firstSeen, "own record")], true);
  }

  /** Writes another's record. It may be lost in a crash: others have it. */
  appendRecord(record: VerifiedRecord, firstSeen: WallTime): Promise<void> {
    return this.#append([recordEntry(record, firstSeen)], false);
  }

  /** Writes anything else, lazily too. */
  appendEntries(entries: readonly LogEntry[]): Promise<void> {
    return this.#append(entries, false);
  }

  /** Makes everything appended so far durable. */
  sync(): Promise<void> {
    return this.#append([{ kind: "own serial", serial: this.#ownSerial }], true);
  }

  /**
   * Writes the file anew, beside the old one, which goes on being written to until the new one is
   * whole: with `entries` (called now: they must stand for what is held now, whenever they are
   * walked), what was appended meanwhile, and the own records and serial that went through this log.
   * Between two slices everything else has its turn. Ends early, without having done anything, when
   * the log is closed.
   */
  async compact(entries: () => Iterable<LogEntry>): Promise<void> {
    invariant(this.#since === undefined, "there is one compaction at a time");
    this.#since = [];
    const marker = this.#entropy.bytes(logMarkerLength);
    let next: AppendFile | undefined;
    try {
      const held = entries();
      await this.#storage.remove(nextName);
      next = await this.#storage.openAppend(nextName);
      let size = 0;
      for (const slice of slicesOf(marker, held)) {
        if (this.#isClosed) return;
        await next.appendLazily(slice);
        size += slice.length;
      }
      const whole = next;
      await this.#inTurn(() => this.#replaceWith(whole, marker, size));
    } catch (error) {
      this.#retrySize = this.#size + logCompactionBytesMin;
      throw error;
    } finally {
      this.#since = undefined;
      await closeQuietly(next);
      await this.#removeQuietly(nextName);
    }
  }

  async #replaceWith(next: AppendFile, marker: Bytes, size: number): Promise<void> {
    if (this.#isClosed) return;
    // A log that must be mended first tells of own records that this process has not seen.
    if (this.#file === undefined) await this.#open();
    const entries: readonly LogEntry[] = [
      { kind: "own serial", serial: this.#ownSerial },
      ...[...this.#own.values()].map(({ entry }) => entry),
      ...this.#since ?? [],
    ];
    const last = joinBytes(entries.map((entry) => encodeLogEntry(marker, entry)));
    this.#since = undefined;
    await next.append(last);
    await next.close();
    // Whether the renaming fails or not, the open file may no longer be the one of that name.
    await this.#abandonFile();
    await this.#storage.rename(nextName, recordLogName);
    this.#marker = marker;
    this.#size = size + last.length;
    this.#sizeAfterCompaction = this.#size;
    this.#file = await this.#storage.openAppend(recordLogName);
  }

  /** Removes what the next start would remove otherwise. */
  async #removeQuietly(name: string): Promise<void> {
    try {
      await this.#storage.remove(name);
    } catch {
      // A disk that cannot do that has just told why, or will.
    }
  }

  /** Waits for the writes asked for and closes the file. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#inTurn(async () => {
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    });
  }
}

/** Closes a file that is not needed any more. */
async function closeQuietly(file: AppendFile | undefined): Promise<void> {
  try {
    await file?.close();
  } catch {
    // It could not be written either, and is not written again.
  }
}
