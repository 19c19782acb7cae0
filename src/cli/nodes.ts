/** `mesh nodes`. @module */
import type { WallTime } from "../base/instant.ts";
import type { NodeEntry, NodesReport } from "../control/mod.ts";
import { type Command, reportWith } from "./command.ts";
import { formatAgeOf } from "./format.ts";
import { type Cell, cell, type Column, type Output } from "./output.ts";
import { labelText, nameCell, shortId, stateCell } from "./words.ts";

const columns: readonly Column[] = [
  { title: "NAME" },
  { title: "ID" },
  { title: "STATE" },
  { title: "HOPS", right: true },
  { title: "ADDRESS" },
  { title: "VERSION" },
  { title: "SYSTEM" },
  { title: "INFO" },
  { title: "ROLES" },
  { title: "LABELS" },
];

function row(node: NodeEntry, now: WallTime): readonly Cell[] {
  return [
    nameCell(node),
    shortId(node.id),
    stateCell(node.state),
    cell(node.hops === undefined ? "-" : String(node.hops)),
    cell(node.addresses[0] ?? "-"),
    cell(node.version),
    cell([node.os, node.arch].filter((word) => word !== "").join("/")),
    cell(formatAgeOf(node.infoAt, now)),
    cell(node.roles.join(",")),
    cell(labelText(node.labels)),
  ];
}

function show(output: Output, { nodes }: NodesReport, now: WallTime): void {
  output.table(columns, nodes.map((node) => row(node, now)));
  if (nodes.every(({ state }) => state === "self")) {
    output.note(
      "No other nodes yet. Nodes on the same network find each other within a second; " +
        "see `mesh status`.",
    );
  }
}

/** Lists all known nodes. */
export const nodesCommand: Command = {
  name: "nodes",
  summary: "list all known nodes, this one included",
  arguments: [],
  options: [],
  example: "mesh nodes",
  run: (context) =>
    reportWith(
      context,
      (control) => control.nodes(),
      (report) => show(context.output, report, context.around.clock.wall()),
    ),
};
