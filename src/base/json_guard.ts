/**
 * Checks that a parsed JSON value has the shape of a type: what another process wrote is believed
 * only after it was looked at. Fields that the shape does not name are left alone, so a newer
 * writer's additions pass through.
 *
 * @module
 */

/** Whether the value has the shape of `T`. */
export type Guard<T> = (value: unknown) => value is T;

/** Text. */
export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A finite number. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** `true` or `false`. */
export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

/** An object that is no list. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Exactly one of the values. */
export function isOneOf<const T extends string | number | boolean | null>(
  ...values: readonly T[]
): Guard<T> {
  return (value): value is T => values.some((allowed) => allowed === value);
}

/** A field that may be missing. */
export function isOptional<T>(guard: Guard<T>): Guard<T | undefined> {
  return (value): value is T | undefined => value === undefined || guard(value);
}

/** A list of such items. */
export function isListOf<T>(guard: Guard<T>): Guard<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(guard);
}

/** An object whose every field is such a value. */
export function isRecordOf<T>(guard: Guard<T>): Guard<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isFields(value) && Object.values(value).every(guard);
}

/** An object with at least these fields. */
export function isObjectOf<T extends object>(
  fields: { readonly [K in keyof T]-?: Guard<T[K]> },
): Guard<T> {
  const checks: readonly [string, (value: unknown) => boolean][] = Object.entries(fields);
  return (value): value is T =>
    isFields(value) && checks.every(([name, guard]) => guard(value[name]));
}

/** The value of the JSON text, or `undefined` if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller's guard refuses `undefined` like any other wrong shape.
    return undefined;
  }
}
