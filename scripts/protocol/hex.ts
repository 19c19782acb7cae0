/**
 * Bytes as the examples in PROTOCOL.md show them.
 *
 * @module
 */
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/crypto/mod.ts";

/** Byte strings longer than this are cut in the middle; the SHA-256 of everything stands below. */
const shownMax = 96;
const edge = 16;
const perLine = 32;
const column = 24;

function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Lines of 32 bytes. */
export function dump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    lines.push(toHex(bytes.subarray(at, at + perLine)));
  }
  return `${lines.join("\n")}\n`;
}

/** Hexadecimal, long strings cut in the middle. */
export function brief(bytes: Uint8Array): string {
  if (bytes.length <= shownMax) return toHex(bytes);
  const [head, tail] = [bytes.subarray(0, edge), bytes.subarray(bytes.length - edge)];
  return `${toHex(head)}…${toHex(tail)} (${grouped(bytes.length)} bytes)`;
}

/** Named fields one below the other, then how long they are together if they are one message. */
export function fields(
  named: readonly (readonly [name: string, value: Uint8Array | string])[],
): string {
  return named.map(([name, value]) => {
    const lines = typeof value === "string"
      ? [value]
      : value.length > shownMax
      ? [brief(value)]
      : dump(value).trimEnd().split("\n");
    return lines.map((line, i) => `${(i === 0 ? name : "").padEnd(column)}${line}`.trimEnd())
      .join("\n");
  }).join("\n") + "\n";
}

/** The last line of an example: how long the message is, and its hash if some of it was cut. */
export async function footer(bytes: Bytes, isCut: boolean): Promise<string> {
  const length = `${grouped(bytes.length)} bytes`.padEnd(column);
  return isCut
    ? `${length}SHA-256 ${toHex(await sha256(bytes))}\n`
    : `${grouped(bytes.length)} bytes\n`;
}

/** Fields of one message in order, and the last line. */
export async function message(
  named: readonly (readonly [name: string, value: Uint8Array])[],
  bytes: Bytes,
): Promise<string> {
  return fields(named) +
    await footer(bytes, named.some(([, value]) => value.length > shownMax));
}

interface Head {
  readonly major: number;
  readonly argument: number;
  readonly length: number;
}

function headAt(bytes: Uint8Array, at: number): Head {
  const first = bytes[at] ?? 0;
  const [major, low] = [first >> 5, first & 0x1f];
  if (low < 24) return { major, argument: low, length: 1 };
  const size = 2 ** (low - 24);
  let argument = 0;
  for (let i = 0; i < size; i++) argument = argument * 256 + (bytes[at + 1 + i] ?? 0);
  return { major, argument, length: 1 + size };
}

const simple = new Map([[20, "false"], [21, "true"], [22, "null"]]);

/** One line for each CBOR item: its head and content in hexadecimal, then what it is. */
export async function annotated(bytes: Bytes): Promise<string> {
  const lines: string[] = [];
  let isCut = false;
  const write = (depth: number, hex: string, meaning: string) => {
    lines.push(`${`${"  ".repeat(depth)}${hex}`.padEnd(column)}  ${meaning}`.trimEnd());
  };
  const visit = (at: number, depth: number): number => {
    const { major, argument, length } = headAt(bytes, at);
    const head = toHex(bytes.subarray(at, at + length));
    const inside = at + length;
    switch (major) {
      case 0:
        write(depth, head, grouped(argument));
        return inside;
      case 1:
        write(depth, head, `−${grouped(argument + 1)}`);
        return inside;
      case 2:
      case 3: {
        const content = bytes.subarray(inside, inside + argument);
        isCut ||= content.length > shownMax;
        const meaning = major === 3 ? `"${new TextDecoder().decode(content)}"` : "";
        write(depth, content.length === 0 ? head : `${head} ${brief(content)}`, meaning);
        return inside + argument;
      }
      case 4:
      case 5: {
        const items = major === 4 ? argument : 2 * argument;
        write(depth, head, `${major === 4 ? "array" : "map"} of ${argument}`);
        let next = inside;
        for (let i = 0; i < items; i++) next = visit(next, depth + 1);
        return next;
      }
      case 6:
        write(depth, head, `tag ${argument}`);
        return visit(inside, depth);
      default:
        write(depth, head, simple.get(argument) ?? `simple ${argument}`);
        return inside;
    }
  };
  visit(0, 0);
  return `${lines.join("\n")}\n` + await footer(bytes, isCut);
}
