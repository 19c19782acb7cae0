/** `mesh status`. @module */
import type { InterfaceEntry, StatusReport } from "../control/mod.ts";
import { type Command, reportWith } from "./command.ts";
import { formatCount, formatLength } from "./format.ts";
import { cell, clean, type Output } from "./output.ts";
import { updateText } from "./words.ts";

const memberships: Readonly<Record<StatusReport["membership"], string>> = {
  open: "open mesh: whoever proves a key may join",
  member: "member of its cluster",
  revoked: "revoked",
  excluded: "excluded from its cluster",
};

function interfaceText({ name, multicast }: InterfaceEntry): string {
  return multicast ? name : `${name} (no multicast)`;
}

function show(output: Output, status: StatusReport): void {
  const { membership, update } = status;
  const cluster = status.clusterId === undefined ? "" : ` ${status.clusterId}`;
  const others = status.known - 1;
  output.line(`${output.paint(clean(status.name), "strong")}  ${clean(status.id)}`);
  output.fields([
    ["running", cell(`for ${formatLength(status.upMs)}, pid ${status.pid}, port ${status.port}`)],
    [
      "membership",
      cell(memberships[membership] + cluster, membership === "member" ? "good" : "fair"),
    ],
    ["links", cell(String(status.links), status.links > 0 ? "good" : undefined)],
    ["fleet", cell(`${formatCount(status.known, "node")} known, ${status.reachable} reachable`)],
    ["interfaces", cell(status.interfaces.map(interfaceText).join(", ") || "none", undefined)],
    ["version", cell(`${status.version} (seq ${status.seq}, ${status.target})`)],
    ["update", cell(updateText(update))],
  ]);
  if (status.warnings.length > 0) {
    output.line("");
    output.line(output.paint("Warnings", "strong"));
    output.fields(status.warnings.map(({ code, message }) => [clean(code), cell(message, "fair")]));
  }
  if (others <= 0) {
    output.note("No other nodes yet. Nodes on the same network find each other within a second.");
  }
}

/** Shows how the running node is. */
export const statusCommand: Command = {
  name: "status",
  summary: "show how the running node is",
  arguments: [],
  options: [],
  example: "mesh status",
  run: (context) =>
    reportWith(context, (control) => control.status(), (status) => show(context.output, status)),
};
