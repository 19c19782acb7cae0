/**
 * Which state directory a command speaks of. The order is a contract: `--state`, `$MESH_STATE`,
 * `$STATE_DIRECTORY` (systemd), then the platform's usual place.
 *
 * @module
 */
import { type CommandFailure, failed, usageFailure } from "./errors.ts";
import type { Surroundings } from "./surroundings.ts";

/** What the choice depends on. */
export type PathSurroundings = Pick<
  Surroundings,
  "os" | "isRoot" | "workingDirectory" | "environment"
>;

function isAbsolute(path: string, os: string): boolean {
  return os === "windows" ? /^(?:[A-Za-z]:[\\/]|[\\/]{2})/.test(path) : path.startsWith("/");
}

/** The path from where the person stands, without `.`, `..` and doubled separators. */
export function absolutePath(path: string, around: PathSurroundings): string {
  const separator = around.os === "windows" ? "\\" : "/";
  const full = isAbsolute(path, around.os) ? path : `${around.workingDirectory}${separator}${path}`;
  const [root] = /^(?:[A-Za-z]:[\\/]|[\\/]{1,2})/.exec(full) ?? [""];
  const parts: string[] = [];
  for (const part of full.slice(root.length).split(around.os === "windows" ? /[\\/]/ : "/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return root + parts.join(separator);
}

function usualPlace(around: PathSurroundings): string | undefined {
  const variable = (name: string) => {
    const value = around.environment(name);
    return value === undefined || !isAbsolute(value, around.os) ? undefined : value;
  };
  if (around.os === "windows") {
    const base = variable("LOCALAPPDATA") ?? variable("ProgramData");
    return base === undefined ? undefined : `${base}\\mesh`;
  }
  const home = variable("HOME");
  if (around.os === "darwin") {
    if (around.isRoot) return "/Library/Application Support/mesh";
    return home === undefined ? undefined : `${home}/Library/Application Support/mesh`;
  }
  if (around.isRoot) return "/var/lib/mesh";
  // A relative $XDG_STATE_HOME is invalid and to be ignored (XDG Base Directory Specification).
  const states = variable("XDG_STATE_HOME");
  if (states !== undefined) return `${states}/mesh`;
  return home === undefined ? undefined : `${home}/.local/state/mesh`;
}

/** The absolute path of the state directory. Variables that are set to nothing count as unset. */
export function chooseStateDirectory(
  option: string | undefined,
  around: PathSurroundings,
): string | CommandFailure {
  if (option === "") return usageFailure("--state needs a value: --state DIR");
  const told = option || around.environment("MESH_STATE") ||
    // systemd lists several directories with colons between them; the first is the unit's own.
    around.environment("STATE_DIRECTORY")?.split(around.os === "windows" ? ";" : ":")[0];
  if (told !== undefined && told !== "") return absolutePath(told, around);
  const usual = usualPlace(around);
  if (usual !== undefined) return absolutePath(usual, around);
  return failed("Cannot tell where the state directory is: name it with --state DIR");
}
