/**
 * What a check is, and how it says what is wrong.
 *
 * @module
 */
import { type Bytes, copyBytes, fromHex, toHex } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import type { SelfTestMeans, SelfTestOptions } from "./report.ts";

/** All that a check may use. */
export type CheckContext = SelfTestOptions & SelfTestMeans;

/** A check: resolves to what was seen in words, rejects with what is wrong. */
export interface Check {
  /** Words joined by hyphens; stable. */
  readonly name: string;
  readonly run: (context: CheckContext) => Promise<string>;
}

/** What a check found wrong; the message is the report's detail. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

/** Fails the check with `detail` unless `condition` holds. */
export function expect(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new CheckFailure(detail);
}

/** Fails the check unless the bytes are the known answer, in hexadecimal. */
export function expectAnswer(what: string, seen: Uint8Array, known: string): void {
  const text = toHex(seen);
  if (text === known) return;
  throw new CheckFailure(`${what} is ${excerpt(text)} instead of ${excerpt(known)}`);
}

function excerpt(hex: string): string {
  return hex.length <= 32 ? hex : `${hex.slice(0, 32)}… (${hex.length / 2} bytes)`;
}

/** Bytes that stand in the source in hexadecimal. */
export function literal(hex: string): Bytes {
  const bytes = fromHex(hex);
  invariant(bytes !== undefined, "a literal is hexadecimal");
  return bytes;
}

/** The same bytes but for one bit, counted from the end if negative. */
export function withFlippedBit(bytes: Uint8Array, at: number): Bytes {
  const changed = copyBytes(bytes);
  const index = at < 0 ? changed.length + at : at;
  invariant(index >= 0 && index < changed.length, "the byte is there");
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}
