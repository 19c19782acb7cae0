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
 * - After any failed write (disk full) the file is read and mended before the next one.
 *
 * @module
 */
import { type Bytes, concatBytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import type { WallTime } from "../base/instant.ts";
import type { Entropy } from "../platform/entropy.ts";
import type { AppendFile, Storage } from "../platform/storage.ts";
import { decodeCoseSign1 } from "../wire/cose_sign1.ts";
import { decodeRecordPayload } from "../wire/record.ts";
import { logCompactionBytesMin } from "./limits.ts";
import {
  encodeLogEntry,
  encodeLogHeader,
  type LogEntry,
  logMarkerLength,
  type LogReading,
  readLog,
} from "./log_format.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** The log's file. */
export const recordLogName = "records.log";
/** The readable part of a damaged log, until it has taken its place. */
const recoveredName = "records.recovered";

/** That the log was damaged, and what was done. */
export interface LogDamage {
  /** Bytes that could not be read; 0 where nothing could, so that nobody counted them. */
  readonly damagedBytes: number;
  /** Entries that could. */
  readonly entriesKept: number;
  /** Where the damaged file is now. */
  readonly setAside: string;
}

/** What a node writes to its log. */
export type WritableLog = Pick<
  RecordLog,
  "appendOwn" | "appendEntries" | "wantsCompaction" | "compact" | "sync" | "close"
>;

/** A log that was opened, as a node uses it. */
export interface OpenedLog {
  /** What was written down, oldest first. */
  readonly entries: readonly LogEntry[];
  readonly log: WritableLog;
  /** The highest serial of an own record that may have been seen by others; 0 for none. */
  readonly ownSerial: number;
  readonly damage?: LogDamage;
}

/** A record log that was opened. */
export interface OpenedRecordLog extends OpenedLog {
  readonly log: RecordLog;
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
  return {
    entries: reading.entries,
    log,
    ownSerial: log.ownSerial,
    ...(damage === undefined ? {} : { damage }),
  };
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
    ? { entries: [], damagedBytes: 0, tornBytes: 0 }
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
    }
    : unreadable === undefined
    ? undefined
    : { damagedBytes: 0, entriesKept: reading.entries.length, setAside: unreadable };
  await storage.replace(recordLogName, whole);
  await storage.remove(recoveredName);
  return { reading, marker, size: whole.length, ...(damage === undefined ? {} : { damage }) };
}

function encodeLog(marker: Bytes, entries: Iterable<LogEntry>): Bytes {
  const frames: Bytes[] = [encodeLogHeader(marker)];
  for (const entry of entries) frames.push(encodeLogEntry(marker, entry));
  return concatBytes(...frames);
}

/** The open log. Writes are done one after the other, in the order of the calls. */
export class RecordLog {
  readonly #storage: Storage;
  readonly #entropy: Entropy;
  #file: AppendFile | undefined;
  #marker: Bytes = new Uint8Array(logMarkerLength);
  #size = 0;
  #sizeAfterCompaction = 0;
  /** The newest own record of each kind: a compaction must not lose one that its caller has not seen yet. */
  readonly #own = new Map<string, { readonly entry: LogEntry; readonly serial: number }>();
  #ownSerial = 0;
  #damage: LogDamage | undefined;
  #last: Promise<unknown> = Promise.resolve();

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
    return this.#size > 2 * this.#sizeAfterCompaction + logCompactionBytesMin;
  }

  /** Reads and mends the file and opens it. */
  async open(): Promise<Pick<Mended, "reading" | "damage">> {
    return await this.#inTurn(() => this.#open());
  }

  async #open(): Promise<Mended & { readonly file: AppendFile }> {
    const mended = await mend(this.#storage, this.#entropy);
    this.#marker = mended.marker;
    this.#size = mended.size;
    if (this.#sizeAfterCompaction === 0) this.#sizeAfterCompaction = mended.size;
    if (mended.damage !== undefined) this.#damage = mended.damage;
    for (const entry of mended.reading.entries) this.#noteOwn(entry);
    const file = await this.#storage.openAppend(recordLogName);
    this.#file = file;
    return { ...mended, file };
  }

  /** Runs the work when everything asked for before it is done, however that ended. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // A failure is the affair of whoever asked for that work, not of the next in line.
    this.#last = result.catch(() => undefined);
    return result;
  }

  #noteOwn(entry: LogEntry): void {
    if (entry.kind === "own serial") this.#ownSerial = Math.max(this.#ownSerial, entry.serial);
    if (entry.kind !== "own record") return;
    const envelope = decodeCoseSign1(entry.bytes);
    if (envelope instanceof DecodeError) return;
    const payload = decodeRecordPayload(envelope.payload);
    if (payload instanceof DecodeError) return;
    const { kind, subject, serial } = payload;
    this.#ownSerial = Math.max(this.#ownSerial, serial);
    const name = `${kind} ${toHex(subject)}`;
    if (serial >= (this.#own.get(name)?.serial ?? 0)) this.#own.set(name, { entry, serial });
  }

  #append(entries: readonly LogEntry[], isDurable: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#file ?? (await this.#open()).file;
      const bytes = concatBytes(...entries.map((entry) => encodeLogEntry(this.#marker, entry)));
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
    });
  }

  async #abandonFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
    } catch {
      // It could not be written either, and is not written again.
    }
  }

  /** Writes an own record. Once this resolves it is on the disk and may be shown; if it rejects its serial must not be used again. */
  appendOwn(record: VerifiedRecord, firstSeen: WallTime): Promise<void> {
    return this.#append([{ kind: "own record", firstSeen, bytes: record.bytes }], true);
  }

  /** Writes another's record. It may be lost in a crash: others have it. */
  appendRecord(record: VerifiedRecord, firstSeen: WallTime): Promise<void> {
    return this.#append([{ kind: "record", firstSeen, bytes: record.bytes }], false);
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
   * Writes the file anew with `entries` (called when it is the turn of this work) and the own
   * records and serial that went through this log.
   */
  compact(entries: () => Iterable<LogEntry>): Promise<void> {
    return this.#inTurn(async () => {
      // A log that must be mended first tells of own records that this process has not seen.
      if (this.#file === undefined) await this.#open();
      const marker = this.#entropy.bytes(logMarkerLength);
      const own = [...this.#own.values()].map(({ entry }) => entry);
      const bytes = encodeLog(marker, [
        { kind: "own serial", serial: this.#ownSerial },
        ...own,
        ...entries(),
      ]);
      // Whether the replacement fails or not, the open file may no longer be the one of that name.
      await this.#abandonFile();
      await this.#storage.replace(recordLogName, bytes);
      this.#marker = marker;
      this.#size = bytes.length;
      this.#sizeAfterCompaction = bytes.length;
      this.#file = await this.#storage.openAppend(recordLogName);
    });
  }

  /** Waits for the writes asked for and closes the file. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
    });
  }
}
