/** `mesh stop`. @module */
import { type Command, withControl } from "./command.ts";
import { controlRefusal, exitCode } from "./errors.ts";

/** Asks the running node to say good-bye and end. */
export const stopCommand: Command = {
  name: "stop",
  summary: "ask the running node to say good-bye and end",
  arguments: [],
  options: [],
  details: "The same as SIGTERM: the node ends within 5 s.",
  example: "mesh stop",
  run: (context) =>
    withControl(context, async (control) => {
      const failure = await control.stop();
      if (failure !== undefined) return controlRefusal(failure);
      if (context.output.json) context.output.object({ stopping: true });
      else context.output.line("The node is stopping");
      return exitCode.done;
    }),
};
