/**
 * IP addresses as text and bytes: RFC 4291 §2.2 parsing, RFC 5952 canonical text, scopes. An
 * IPv4-mapped IPv6 address is the IPv4 address it maps, everywhere.
 *
 * @module
 */
import { BoundedMap } from "./bounded_map.ts";
import type { Bytes } from "./bytes.ts";

declare const ipBrand: unique symbol;

/** An IP address in canonical text without a zone: `192.168.1.7`, `fe80::1`. Equal text, equal address. */
export type IpAddress = string & { readonly [ipBrand]: true };

/** How far an address reaches. */
export type IpScope = "loopback" | "link-local" | "private" | "global";

const digit0 = 48;
const dot = 46;

/** Four numbers of 0 to 255 without leading zeros: read by hand, for it is read with every datagram. */
function parseIpv4(text: string): Bytes | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === dot) {
      if (digits === 0 || part === 3) return undefined;
      bytes[part++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    const digit = code - digit0;
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return undefined;
    value = value * 10 + digit;
    digits++;
    if (value > 255) return undefined;
  }
  if (part !== 3 || digits === 0) return undefined;
  bytes[3] = value;
  return bytes;
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [at, word] of words.entries()) {
    if (at === words.length - 1 && word.includes(".")) {
      const tail = parseIpv4(word);
      if (tail === undefined) return undefined;
      groups.push((tail[0] ?? 0) * 256 + (tail[1] ?? 0), (tail[2] ?? 0) * 256 + (tail[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(word)) return undefined;
      groups.push(parseInt(word, 16));
    }
  }
  return groups;
}

function parseIpv6(text: string): Bytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

/** Parses an address without a zone; `undefined` if it is none. */
export function parseIp(text: string): IpAddress | undefined {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? undefined : ipFromBytes(bytes);
}

/** The address of 4 or 16 bytes; `undefined` for any other length. */
export function ipFromBytes(bytes: Uint8Array): IpAddress | undefined {
  if (bytes.length === 4) return bytes.join(".") as IpAddress;
  if (bytes.length !== 16) return undefined;
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff &&
    bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12).join(".") as IpAddress;
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0));
  // RFC 5952 §4.2: the longest run of two or more zero groups is shortened, the first among equals.
  let runStart = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > runLength) {
      runStart = i;
      runLength = end - i;
    }
    if (end > i) i = end;
  }
  const hex = groups.map((group) => group.toString(16));
  if (runStart < 0) return hex.join(":") as IpAddress;
  return `${hex.slice(0, runStart).join(":")}::${
    hex.slice(runStart + runLength).join(":")
  }` as IpAddress;
}

/** 4 or 16 bytes. */
export function ipToBytes(ip: IpAddress): Bytes {
  return (ip.includes(":") ? parseIpv6(ip) : parseIpv4(ip)) ?? new Uint8Array(16);
}

/** 16 bytes: IPv4 as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2). */
export function ipToMappedBytes(ip: IpAddress): Bytes {
  const bytes = ipToBytes(ip);
  if (bytes.length === 16) return bytes;
  const mapped = new Uint8Array(16);
  mapped[10] = 0xff;
  mapped[11] = 0xff;
  mapped.set(bytes, 12);
  return mapped;
}

/** Whether it is an IPv6 address. */
export function isIpv6(ip: IpAddress): boolean {
  return ip.includes(":");
}

/** Addresses whose scope is remembered: it is asked for with every datagram, of the same few. */
const scopesMax = 1_024;
const scopes = new BoundedMap<IpAddress, IpScope>(scopesMax);

/** How far the address reaches: RFC 1122, RFC 3927, RFC 1918, RFC 6598, RFC 4193, RFC 4291. */
export function ipScope(ip: IpAddress): IpScope {
  const known = scopes.get(ip);
  if (known !== undefined) return known;
  const scope = scopeOf(ip);
  scopes.set(ip, scope);
  return scope;
}

function scopeOf(ip: IpAddress): IpScope {
  const bytes = ipToBytes(ip);
  const [a = 0, b = 0] = bytes;
  if (bytes.length === 4) {
    if (a === 127) return "loopback";
    if (a === 169 && b === 254) return "link-local";
    const isPrivate = a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ||
      (a === 100 && b >= 64 && b < 128);
    return isPrivate ? "private" : "global";
  }
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "loopback";
  if (a === 0xfe && (b & 0xc0) === 0x80) return "link-local";
  return (a & 0xfe) === 0xfc ? "private" : "global";
}

/** Whether both addresses are of one family and share the first `prefixLength` bits. */
export function samePrefix(a: IpAddress, b: IpAddress, prefixLength: number): boolean {
  const left = ipToBytes(a);
  const right = ipToBytes(b);
  if (left.length !== right.length) return false;
  for (let bit = 0; bit < prefixLength && bit < left.length * 8; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((left[bit >> 3] ?? 0) & mask) !== ((right[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
