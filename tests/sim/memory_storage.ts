/**
 * A disk in memory that fails as disks do: it loses what was not synced (all of it, or what a seed
 * leaves), tears the write that a crash interrupts, runs full.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes } from "../../src/base/bytes.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { AppendFile, Storage } from "../../src/platform/storage.ts";

/** The machine stopped: every operation on this disk rejects with this until `restart`. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

/** No space left; the code is the system's. */
export class DiskFull extends Error {
  override readonly name = "DiskFull";
  readonly code = "ENOSPC";
}

interface FileContent {
  /** What is on the disk. */
  synced: Bytes;
  /** What is only in the cache, after it. */
  cached: Bytes;
}

/** How a disk misbehaves. */
export interface MemoryStorageOptions {
  readonly prng: Prng;
  /** Most bytes in all files together. */
  readonly bytesMax?: number;
  /** Whether a crash may leave garbage where a cached page was being written; else a clean prefix. */
  readonly garbles?: boolean;
}

const noBytes: Bytes = new Uint8Array(0);

/** Storage in memory. */
export class MemoryStorage implements Storage {
  readonly #options: MemoryStorageOptions;
  #files = new Map<string, FileContent>();
  #bytesMax: number;
  /** Steps until the crash: one per byte appended, one before and after each sync or rename. */
  #stepsLeft = Number.POSITIVE_INFINITY;
  #crashed = false;
  /** Counts starts: a file opened before a crash is dead after it. */
  #run = 0;
  #steps = 0;
  #failsReplaceLate = false;

  constructor(options: MemoryStorageOptions) {
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY;
  }

  /** Steps done so far, to choose a crash among. */
  get steps(): number {
    return this.#steps;
  }

  /** Names of the files there are. */
  get names(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** The disk stops after this many more steps, in the middle of whatever it is doing. */
  crashAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  /** Nothing more fits than is there. */
  fill(): void {
    this.#bytesMax = this.used;
  }

  /** Changes how much fits. */
  setBytesMax(bytesMax: number): void {
    this.#bytesMax = bytesMax;
  }

  /** The next `replace` or `rename` puts the file in place and then rejects, as when the directory cannot be synced. */
  failNextReplaceLate(): void {
    this.#failsReplaceLate = true;
  }

  /** Loses what was not synced, and works again. */
  restart(): void {
    const { prng, garbles } = this.#options;
    for (const file of this.#files.values()) {
      const survived = file.cached.slice(0, prng.below(file.cached.length + 1));
      if (garbles === true && survived.length > 0 && prng.below(2) === 0) {
        const from = prng.below(survived.length);
        const zeros = prng.below(2) === 0;
        for (let i = from; i < survived.length; i++) survived[i] = zeros ? 0 : prng.below(256);
      }
      file.synced = concatBytes(file.synced, survived);
      file.cached = noBytes;
    }
    this.#stepsLeft = Number.POSITIVE_INFINITY;
    this.#crashed = false;
    this.#run++;
  }

  /** Changes the file's bytes behind the program's back; `undefined` removes it. */
  tamper(name: string, change: (bytes: Bytes) => Bytes | undefined): void {
    const file = this.#files.get(name);
    const changed = change(
      file === undefined ? noBytes : concatBytes(file.synced, file.cached),
    );
    if (changed === undefined) this.#files.delete(name);
    else this.#files.set(name, { synced: changed, cached: noBytes });
  }

  #step(): void {
    if (this.#crashed || this.#stepsLeft <= 0) {
      this.#crashed = true;
      throw new SimulatedCrash("The machine stopped");
    }
    this.#stepsLeft--;
    this.#steps++;
  }

  /** Bytes in all files. */
  get used(): number {
    let used = 0;
    for (const { synced, cached } of this.#files.values()) used += synced.length + cached.length;
    return used;
  }

  #file(name: string): FileContent {
    const file = this.#files.get(name) ?? { synced: noBytes, cached: noBytes };
    this.#files.set(name, file);
    return file;
  }

  /** Caches the bytes as far as the machine and the space last. */
  #cache(file: FileContent, bytes: Bytes): void {
    const room = Math.max(0, this.#bytesMax - this.used);
    const fitting = Math.min(room, bytes.length);
    const written = Math.min(fitting, Math.max(0, this.#stepsLeft));
    file.cached = concatBytes(file.cached, bytes.subarray(0, written));
    this.#stepsLeft -= written;
    this.#steps += written;
    if (written < fitting) this.#step();
    if (fitting < bytes.length) throw new DiskFull("No space left on device");
  }

  #sync(file: FileContent): void {
    this.#step();
    file.synced = concatBytes(file.synced, file.cached);
    file.cached = noBytes;
    this.#step();
  }

  async read(name: string): Promise<Bytes | undefined> {
    await Promise.resolve();
    this.#step();
    const file = this.#files.get(name);
    return file === undefined ? undefined : concatBytes(file.synced, file.cached);
  }

  async replace(name: string, bytes: Bytes): Promise<void> {
    await Promise.resolve();
    this.#step();
    if (this.used + bytes.length > this.#bytesMax) {
      throw new DiskFull("No space left on device");
    }
    this.#files.set(name, { synced: copyBytes(bytes), cached: noBytes });
    this.#step();
    this.#failLate();
  }

  async createExclusive(name: string, bytes: Bytes): Promise<boolean> {
    await Promise.resolve();
    this.#step();
    if (this.#files.has(name)) return false;
    if (this.used + bytes.length > this.#bytesMax) {
      throw new DiskFull("No space left on device");
    }
    this.#files.set(name, { synced: copyBytes(bytes), cached: noBytes });
    this.#step();
    return true;
  }

  async openAppend(name: string): Promise<AppendFile> {
    await Promise.resolve();
    this.#step();
    const file = this.#file(name);
    const run = this.#run;
    const check = () => {
      if (run !== this.#run) throw new SimulatedCrash("The file was opened before the crash");
      this.#step();
    };
    return {
      append: async (bytes) => {
        await Promise.resolve();
        check();
        this.#cache(file, bytes);
        this.#sync(file);
      },
      appendLazily: async (bytes) => {
        await Promise.resolve();
        check();
        this.#cache(file, bytes);
      },
      close: async () => {
        await Promise.resolve();
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await Promise.resolve();
    this.#step();
    const file = this.#files.get(from);
    if (file === undefined) throw new Error(`Cannot rename "${from}": there is none`);
    this.#files.delete(from);
    this.#files.set(to, file);
    this.#step();
    this.#failLate();
  }

  #failLate(): void {
    if (!this.#failsReplaceLate) return;
    this.#failsReplaceLate = false;
    throw new Error("Input/output error");
  }

  async setAside(name: string): Promise<string> {
    await Promise.resolve();
    this.#step();
    const file = this.#files.get(name);
    if (file === undefined) throw new Error(`Cannot set aside "${name}": there is none`);
    let number = 1;
    while (this.#files.has(`${name}.damaged-${number}`)) number++;
    const newName = `${name}.damaged-${number}`;
    this.#files.set(newName, file);
    this.#files.delete(name);
    this.#step();
    return newName;
  }

  async remove(name: string): Promise<void> {
    await Promise.resolve();
    this.#step();
    this.#files.delete(name);
    this.#step();
  }
}
