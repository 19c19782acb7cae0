/** `mesh node NODE`. @module */
import type { WallTime } from "../base/instant.ts";
import type { NodeDetail } from "../control/mod.ts";
import { type Command, reportWith } from "./command.ts";
import { formatAgeOf, formatCount } from "./format.ts";
import { cell, clean, type Output } from "./output.ts";
import { labelText, stateCell, updateText } from "./words.ts";

function stateText(node: NodeDetail): string {
  if (node.hops === undefined || node.hops === 0) return node.state;
  const via = node.via === undefined || node.via === node.id ? "" : ` via ${node.via.slice(0, 10)}`;
  return `${node.state}, ${formatCount(node.hops, "hop")}${via}`;
}

function show(output: Output, node: NodeDetail, now: WallTime): void {
  const { record } = node;
  output.line(`${output.paint(clean(node.name), "strong")}  ${clean(node.id)}`);
  output.fields([
    ["state", { ...stateCell(node.state), text: clean(stateText(node)) }],
    ["name", cell(node.nameState, node.nameState === "conflict" ? "fair" : undefined)],
    ["addresses", cell(node.addresses.join("  "))],
    ["version", cell(node.version)],
    ["system", cell([node.os, node.arch].filter((word) => word !== "").join("/"))],
    ["roles", cell(node.roles.join(", "))],
    ["labels", cell(labelText(node.labels))],
    ["update", cell(updateText(node.update))],
    ["info", cell(`serial ${node.serial}, signed ${formatAgeOf(node.infoAt, now)}`)],
    ["record", cell(`${Math.floor(record.bytes.replace(/=+$/, "").length * 3 / 4)} bytes`)],
  ]);
  if (node.links.length === 0) return;
  output.line("");
  output.table(
    [{ title: "LINK TO" }, { title: "COST", right: true }],
    node.links.map(({ id, costMs }) => [cell(id), cell(`${costMs} ms`)]),
  );
}

/** Shows one node with its record and its links. */
export const nodeCommand: Command = {
  name: "node",
  summary: "show one node, its record and its links",
  arguments: ["NODE"],
  options: [],
  example: "mesh node atlas --json",
  run: (context) =>
    reportWith(
      context,
      (control) => control.node(context.parsed.words[0] ?? ""),
      (node) => show(context.output, node, context.around.clock.wall()),
    ),
};
