/** Paths for the scripts, from Node's own module: what POSIX and Windows need, no more. @module */
import * as path from "node:path";
import { fileURLToPath } from "node:url";

/** Joins parts of a path, with forward slashes in the result. */
export function join(...parts: readonly string[]): string {
  return path.join(...parts).replaceAll("\\", "/");
}

/** The folder a path stands in. */
export function dirname(of: string): string {
  return path.dirname(of).replaceAll("\\", "/");
}

/** `to` as seen from `from`. */
export function relative(from: string, to: string): string {
  return path.relative(from, to).replaceAll("\\", "/");
}

/** The path of a `file:` URL, without a slash at its end. */
export function fromFileUrl(url: URL): string {
  return fileURLToPath(url).replaceAll("\\", "/").replace(/\/$/, "");
}

/**
 * An absolute path for one given by a person. `deno task` goes to the project's directory and tells
 * in `INIT_CWD` where the person stands.
 */
export function absolute(given: string): string {
  const here = Deno.cwd();
  const project = fromFileUrl(new URL("..", import.meta.url));
  const told = here.replaceAll("\\", "/") === project ? Deno.env.get("INIT_CWD") : undefined;
  return path.resolve(told || here, given).replaceAll("\\", "/");
}
