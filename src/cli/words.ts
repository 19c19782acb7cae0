/**
 * Words that several commands show, and their colours.
 *
 * @module
 */
import type { NodeEntry, NodeState, UpdateReport } from "../control/mod.ts";
import { type Cell, cell, type Paint } from "./output.ts";

/** Characters of an id that people see. */
const shownIdLength = 10;

const statePaints: Readonly<Record<NodeState, Paint>> = {
  self: "own",
  linked: "good",
  reachable: "fair",
  unreachable: "bad",
  revoked: "bad",
};

/** The beginning of an id. */
export function shortId(id: string): Cell {
  return cell(id.slice(0, shownIdLength), "faint");
}

/** A state in its colour. */
export function stateCell(state: NodeState): Cell {
  return cell(state, statePaints[state]);
}

/** A name, with a mark if it resolves to nobody. */
export function nameCell({ name, nameState }: Pick<NodeEntry, "name" | "nameState">): Cell {
  return nameState === "conflict" ? cell(`${name} (conflict)`, "fair") : cell(name, "strong");
}

/** How far an update is: `ready (seq 42): waiting for its ring`. */
export function updateText({ seq, state, reason }: UpdateReport): string {
  if (state === "none" || state === "") return "none";
  return `${state} (seq ${seq})${reason === undefined ? "" : `: ${reason}`}`;
}

/** Labels as they were given: `rack=b2 role=db`. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(" ");
}
