/** `mesh restart`. @module */
import { type Command, withControl } from "./command.ts";
import { controlRefusal, exitCode } from "./errors.ts";

/** Asks the running node to end with the code that has its service manager start it again. */
export const restartCommand: Command = {
  name: "restart",
  summary: "ask the running node to end and be started again",
  arguments: [],
  options: [],
  details:
    "The node tells its links that it will be back and ends with exit code 75 within 5 s.\n" +
    "Starting it again is its service manager's task.",
  example: "mesh restart",
  run: (context) =>
    withControl(context, async (control) => {
      const failure = await control.restart();
      if (failure !== undefined) return controlRefusal(failure);
      if (context.output.json) context.output.object({ restarting: true });
      else context.output.line("The node is ending, to be started again");
      return exitCode.done;
    }),
};
