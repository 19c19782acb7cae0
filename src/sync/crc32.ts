/**
 * CRC-32 (ISO 3309, as in gzip): finds damage on a disk, protects against nobody.
 *
 * @module
 */

/** The remainders of all bytes, each followed by 0, 1, 2 and 3 zero bytes: four steps at once. */
const tables = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  }
  tables[byte] = remainder;
}
for (let at = 256; at < tables.length; at++) {
  const before = tables[at - 256] ?? 0;
  tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
}

/** The checksum over the parts joined, an unsigned 32-bit number. */
export function crc32(...parts: readonly Uint8Array[]): number {
  let crc = -1;
  for (const part of parts) crc = continued(crc, part);
  return (crc ^ -1) >>> 0;
}

function continued(before: number, bytes: Uint8Array): number {
  let crc = before;
  let at = 0;
  for (const whole = bytes.length & ~3; at < whole; at += 4) {
    crc ^= (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 |
      (bytes[at + 3] ?? 0) << 24;
    crc = (tables[768 + (crc & 0xff)] ?? 0) ^ (tables[512 + (crc >>> 8 & 0xff)] ?? 0) ^
      (tables[256 + (crc >>> 16 & 0xff)] ?? 0) ^ (tables[crc >>> 24] ?? 0);
  }
  for (; at < bytes.length; at++) {
    crc = (tables[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return crc;
}
