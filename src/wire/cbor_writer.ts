/**
 * Writes a value in its one deterministic form (RFC 8949 §4.2.1): heads and floats as short as they
 * go, map keys in the order of their encoded bytes, no indefinite lengths, no tags.
 *
 * @module
 */
import { type Bytes, compareBytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import type { CborValue } from "./cbor_value.ts";

/** Room for nearly every message at once; grows for the few that are longer. */
const roomAtFirst = 4_096;

const encoder = new TextEncoder();

/** Writes one value; to be used once. */
export class CborWriter {
  #bytes: Bytes;
  #view: DataView;
  #length = 0;

  constructor(room: number = roomAtFirst) {
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written, in memory of its own. */
  taken(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  /** Forgets what was written, to write anew. */
  clear(): void {
    this.#length = 0;
  }

  /** Adds a value. */
  write(value: CborValue): void {
    if (typeof value === "number") this.#writeNumber(value);
    else if (typeof value === "string") this.#writeText(value);
    else if (value instanceof Uint8Array) this.#writeBytes(2, value);
    else if (isArray(value)) {
      this.#writeHead(4, value.length);
      for (const item of value) this.write(item);
    } else if (value === null) this.#writeByte(0xf6);
    else if (typeof value === "boolean") this.#writeByte(value ? 0xf5 : 0xf4);
    else this.#writeMap(value);
  }

  #writeNumber(value: number): void {
    if (!Number.isSafeInteger(value)) this.#writeFloat(value);
    else if (value >= 0) this.#writeHead(0, value);
    else this.#writeHead(1, -1 - value);
  }

  #writeFloat(value: number): void {
    invariant(Number.isFinite(value), "a number in CBOR is finite");
    const at = this.#grow(9);
    if (Math.f16round(value) === value) {
      this.#bytes[at] = 0xf9;
      this.#view.setFloat16(at + 1, value);
      this.#length = at + 3;
    } else if (Math.fround(value) === value) {
      this.#bytes[at] = 0xfa;
      this.#view.setFloat32(at + 1, value);
      this.#length = at + 5;
    } else {
      this.#bytes[at] = 0xfb;
      this.#view.setFloat64(at + 1, value);
      this.#length = at + 9;
    }
  }

  #writeText(text: string): void {
    this.#writeBytes(3, encoder.encode(text));
  }

  #writeBytes(major: number, bytes: Uint8Array): void {
    this.#writeHead(major, bytes.length);
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    this.#length = at + bytes.length;
  }

  #writeMap(map: ReadonlyMap<number | string, CborValue>): void {
    this.#writeHead(5, map.size);
    if (ascend(map.keys())) {
      for (const [key, value] of map) {
        this.write(key);
        this.write(value);
      }
      return;
    }
    const entries = [...map].map(([key, value]) => ({ key: encodedKey(key), value }));
    entries.sort((a, b) => compareBytes(a.key, b.key));
    for (const { key, value } of entries) {
      const at = this.#grow(key.length);
      this.#bytes.set(key, at);
      this.#length = at + key.length;
      this.write(value);
    }
  }

  #writeByte(byte: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = byte;
    this.#length = at + 1;
  }

  #writeHead(major: number, value: number): void {
    const at = this.#grow(9);
    const first = major << 5;
    if (value < 24) {
      this.#bytes[at] = first | value;
      this.#length = at + 1;
    } else if (value < 0x100) {
      this.#bytes[at] = first | 24;
      this.#bytes[at + 1] = value;
      this.#length = at + 2;
    } else if (value < 0x1_0000) {
      this.#bytes[at] = first | 25;
      this.#view.setUint16(at + 1, value);
      this.#length = at + 3;
    } else if (value < 0x1_0000_0000) {
      this.#bytes[at] = first | 26;
      this.#view.setUint32(at + 1, value);
      this.#length = at + 5;
    } else {
      this.#bytes[at] = first | 27;
      this.#view.setUint32(at + 1, Math.floor(value / 0x1_0000_0000));
      this.#view.setUint32(at + 5, value % 0x1_0000_0000);
      this.#length = at + 9;
    }
  }

  /** Makes sure of room for `more` bytes; where they begin. */
  #grow(more: number): number {
    if (this.#length + more > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return this.#length;
  }
}

// `Array.isArray` does not see that an array may be read-only.
function isArray(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}

/** Whether these are integers from 0 up, as in nearly every map of ours: then their bytes ascend too. */
function ascend(keys: Iterable<number | string>): boolean {
  let before = -1;
  for (const key of keys) {
    if (!Number.isSafeInteger(key) || Number(key) <= before) return false;
    before = Number(key);
  }
  return true;
}

function encodedKey(key: number | string): Bytes {
  const writer = new CborWriter(typeof key === "number" ? 9 : 64);
  writer.write(key);
  return writer.taken();
}
