/**
 * What a node warns its owner of, in words that say what to do.
 *
 * @module
 */
import type { LogDamage } from "../sync/mod.ts";
import type { Warnings } from "./warnings.ts";

/** Names shown of those that more than one node claims. */
const namesShownMax = 8;

/** The record store was not whole when it was opened. */
export function warnOfDamage(warnings: Warnings, damage: LogDamage): void {
  warnings.raise(
    "store-damaged",
    damage.isForeign
      ? "The record store was written by another version of mesh and cannot be read by this " +
        `one: it is now ${damage.setAside}. What is missing comes back from other nodes.`
      : `The record store was damaged: ${damage.entriesKept} entries were kept, the damaged ` +
        `file is ${damage.setAside}. What is missing comes back from other nodes.`,
  );
}

/** Records cannot be written down; `clearWritten` when they can. */
export function warnOfUnwritten(warnings: Warnings, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  warnings.raise(
    "store-damaged",
    `Records cannot be written to disk: ${reason}. They are kept in memory; make room or mend ` +
      "the disk, and they are fetched again after a restart.",
    "write",
  );
}

/** They can be written again. */
export function clearUnwritten(warnings: Warnings): void {
  warnings.clear("store-damaged", "write");
}

/** Nobody is refused. */
export function warnOfOpenMesh(warnings: Warnings): void {
  warnings.raise(
    "open-mesh",
    "No cluster is configured: records are exchanged with any node that proves a key and comes " +
      "from a near address. Nothing else is granted to anyone.",
  );
}

/** The node's own record could not be made or written. */
export function warnOfUnpublished(warnings: Warnings, why: string): void {
  warnings.raise(
    "publishing",
    `This node's own record is not published: ${why}. Others see an older one; it is tried ` +
      "again.",
  );
}

/** Somebody else has this node's key. */
export function warnOfDuplicate(warnings: Warnings): void {
  warnings.raise(
    "duplicate-identity",
    "Another node runs under this node's key (a cloned disk or state directory?). Give one of " +
      "them a new identity: stop it, move identity.key out of its state directory, start it.",
  );
}

/** Names that more than one node claims; none clears it. */
export function warnOfConflicts(warnings: Warnings, names: readonly string[]): void {
  const shown = names.map((name) => `"${name}"`).slice(0, namesShownMax).join(", ");
  warnings.set(
    names.length > 0,
    "name-conflict",
    `More than one node claims ${shown}; such ` +
      "a name does not resolve. Use ids, or start the nodes with different --name.",
  );
}
