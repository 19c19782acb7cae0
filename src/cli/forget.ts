/** `mesh forget NODE`. @module */
import { type Command, reportWith } from "./command.ts";
import { clean } from "./output.ts";

/** Drops an unreachable node. */
export const forgetCommand: Command = {
  name: "forget",
  summary: "drop an unreachable node from this node's picture",
  arguments: ["NODE"],
  options: [],
  details: "It comes back when it is met again. A node that can be reached cannot be forgotten.",
  example: "mesh forget old-laptop",
  run: (context) =>
    reportWith(
      context,
      (control) => control.forget(context.parsed.words[0] ?? ""),
      ({ id, name }) => context.output.line(`Forgot ${clean(name)} (${clean(id.slice(0, 10))})`),
    ),
};
