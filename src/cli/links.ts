/** `mesh links`. @module */
import type { WallTime } from "../base/instant.ts";
import type { LinkEntry, LinksReport } from "../control/mod.ts";
import { type Command, reportWith } from "./command.ts";
import { formatAge, formatAgeOf, formatPercent, formatRtt } from "./format.ts";
import { type Cell, cell, type Column, type Output } from "./output.ts";
import { shortId } from "./words.ts";

const columns: readonly Column[] = [
  { title: "NAME" },
  { title: "ID" },
  { title: "ADDRESS" },
  { title: "INTERFACE" },
  { title: "DIALLED" },
  { title: "RTT", right: true },
  { title: "LOSS", right: true },
  { title: "VIA" },
  { title: "HEARD" },
  { title: "PROVEN" },
];

function row(link: LinkEntry, now: WallTime): readonly Cell[] {
  return [
    cell(link.name, "strong"),
    shortId(link.id),
    cell(link.address),
    cell(link.interface ?? ""),
    cell(link.direction),
    cell(formatRtt(link.rttMs)),
    cell(formatPercent(link.loss * 100), link.loss > 0 ? "fair" : undefined),
    cell(link.via, link.via === "tcp" ? "fair" : undefined),
    cell(formatAge(link.lastHeardMs)),
    cell(formatAgeOf(link.provenAt, now)),
  ];
}

function show(output: Output, { links }: LinksReport, now: WallTime): void {
  if (links.length > 0) output.table(columns, links.map((link) => row(link, now)));
  else {
    output.note(
      "No links yet. Nodes on the same network find each other within a second; " +
        "see `mesh status`.",
    );
  }
}

/** Lists the links that the node holds now. */
export const linksCommand: Command = {
  name: "links",
  summary: "list the links this node holds now",
  arguments: [],
  options: [],
  details: "A link is a pair of nodes that have proven themselves to each other.",
  example: "mesh links",
  run: (context) =>
    reportWith(
      context,
      (control) => control.links(),
      (report) => show(context.output, report, context.around.clock.wall()),
    ),
};
