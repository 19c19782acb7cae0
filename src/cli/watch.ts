/** `mesh watch`. @module */
import type { NodeEvent, NodeEventName } from "../control/mod.ts";
import { type Command, withControl } from "./command.ts";
import { controlRefusal, exitCode, failed } from "./errors.ts";
import { clean, type Output, type Paint } from "./output.ts";

const paints: Readonly<Record<NodeEventName, Paint | undefined>> = {
  "ready": "own",
  "link-up": "good",
  "link-down": "fair",
  "node-new": "good",
  "node-changed": undefined,
  "node-suspect": "fair",
  "node-unreachable": "bad",
  "node-reachable": "good",
  "node-revoked": "bad",
  "route-changed": undefined,
  "update-state": "own",
  "warning": "fair",
};

const nameWidth = Math.max(...Object.keys(paints).map((name) => name.length));

/** What an event adds to who and what. */
function detailText(event: NodeEvent): string {
  const { at: _at, event: _event, id: _id, name: _name, ...rest } = event;
  return Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`).join(" ");
}

function show(output: Output, event: NodeEvent): void {
  const who = [event.name, event.id?.slice(0, 10)].filter((word) => word !== undefined).join(" ");
  const name = output.paint(clean(event.event).padEnd(nameWidth), paints[event.event]);
  const at = output.paint(clean(event.at), "faint");
  output.line([at, name, clean(who), clean(detailText(event))].join("  ").trimEnd());
}

/** Prints what happens, until it is stopped. */
export const watchCommand: Command = {
  name: "watch",
  summary: "print what happens, one event a line, until stopped",
  arguments: [],
  options: [],
  example: "mesh watch --json",
  run: (context) =>
    withControl(context, async (control) => {
      const { output, around } = context;
      const { stop } = around.signals();
      const events = control.watch(stop);
      output.terminalNote("Watching; Ctrl-C ends it.");
      for await (const event of events) {
        if ("error" in event) return controlRefusal(event);
        if (output.json) output.object(event);
        else show(output, event);
        if (!output.isRead) return exitCode.done;
      }
      return stop.aborted ? exitCode.done : failed("The node ended");
    }),
};
