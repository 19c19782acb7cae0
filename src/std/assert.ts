/**
 * `@std/assert`, typed. The npm republication carries no types, so each function is given its own
 * here; to take it from JSR instead, map `@std/assert` to `jsr:@std/assert@1` and delete this file.
 *
 * @module
 */
import * as std from "deno-std/assert/mod.js";

type ErrorClass<E extends Error> = new (...args: never[]) => E;

/** Throws an `AssertionError` unless `condition` is truthy. */
export const assert: (condition: unknown, message?: string) => asserts condition = std.assert;
/** Throws unless the two are deeply equal. */
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void = std.assertEquals;
/** Throws if the two are deeply equal. */
export const assertNotEquals: <T>(actual: T, expected: T, message?: string) => void =
  std.assertNotEquals;
/** Throws if the value is `undefined` or `null`. */
export const assertExists: <T>(
  actual: T,
  message?: string,
) => asserts actual is NonNullable<T> = std.assertExists;
/** Throws unless the text holds `expected`. */
export const assertStringIncludes: (actual: string, expected: string, message?: string) => void =
  std.assertStringIncludes;
/** Throws unless the text matches. */
export const assertMatch: (actual: string, expected: RegExp, message?: string) => void =
  std.assertMatch;
/** Throws unless `fn` throws; returns what it threw. */
export const assertThrows: <E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
) => E = std.assertThrows;
/** Rejects unless `fn` rejects; resolves to what it rejected with. */
export const assertRejects: <E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  messageIncludes?: string,
) => Promise<E> = std.assertRejects;
/** Throws unless the value is an instance of the class. */
export const assertInstanceOf: <T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
  message?: string,
) => asserts actual is T = std.assertInstanceOf;
/** Throws, always. */
export const fail: (message?: string) => never = std.fail;
