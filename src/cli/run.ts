/** `mesh run`. @module */
import { getLogger } from "@logtape/logtape";
import { formatWallTime, later, milliseconds } from "../base/instant.ts";
import type { RunEnd, RunningNode, StartProblem } from "../node/mod.ts";
import {
  type Command,
  type CommandContext,
  passphraseSource,
  stateDirectoryOf,
} from "./command.ts";
import { type CommandOutcome, exitCode, failed, failedTo, startFailure } from "./errors.ts";
import { type LogOptions, readLogOptions, startLog } from "./logging.ts";
import { clean } from "./output.ts";
import { readRunOptions, runOptionSpecs } from "./run_arguments.ts";
import type { OpenControl, ProcessSignals } from "./surroundings.ts";

/** A stop may take this long; the contract says five seconds until the process is gone. */
const stopLimitMs = 4_500;

const log = getLogger(["mesh"]);

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<"stop"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("stop");
    else signal.addEventListener("abort", () => resolve("stop"), { once: true });
  });
}

/** Waits for the work, but no longer than a stop may take, nor past a second signal. */
async function withinStopLimit(
  context: CommandContext,
  signals: ProcessSignals,
  work: Promise<unknown>,
): Promise<boolean> {
  const { clock } = context.around;
  const finished = new AbortController();
  const limit = clock.wait(
    later(clock.monotonic(), milliseconds(stopLimitMs)),
    AbortSignal.any([finished.signal, signals.stopNow]),
  );
  const inTime = await Promise.race([work.then(() => true), limit.then(() => false)]);
  finished.abort();
  return inTime;
}

async function tellManager(context: CommandContext, state: string): Promise<void> {
  const trouble = await context.around.notify(state);
  if (trouble !== undefined) log.warn("Cannot tell the service manager: {trouble}", { trouble });
}

function sayReady(context: CommandContext, { format }: LogOptions, node: RunningNode): void {
  const { around, parsed } = context;
  const { id, name, port } = node;
  if (format === "json") {
    const at = formatWallTime(around.clock.wall());
    const line = { at, level: "info", event: "ready", id, name, port };
    around.stderr.write(`${JSON.stringify(line)}\n`);
  } else if (!parsed.has("quiet")) {
    around.stderr.write(`mesh is ready: ${clean(name)} ${id.slice(0, 10)} on ${port}\n`);
  }
}

/** Good-bye to the links, then the control socket goes, within the limit. */
async function stopAll(
  context: CommandContext,
  signals: ProcessSignals,
  node: RunningNode,
  control: OpenControl,
): Promise<void> {
  const stopping = (async () => {
    await tellManager(context, "STOPPING=1");
    await control.close();
    await node.stop();
  })();
  try {
    if (!await withinStopLimit(context, signals, stopping)) {
      log.warn("The stop took too long and was cut short");
    }
  } catch (error) {
    log.error("The stop went wrong: {error}", { error });
  }
}

function outcomeOf(end: RunEnd): CommandOutcome {
  switch (end.end) {
    case "stopped":
      return exitCode.done;
    case "once":
      return end.inStep ? exitCode.done : {
        exit: exitCode.timedOut,
        code: "timeout",
        message: "Found no other node to be in step with",
      };
    case "restart":
      return exitCode.restart;
    case "failed":
      return failed(end.message);
  }
}

/** A stop that comes while the node starts waits for it, so that nothing is left half done. */
async function stopDuringStart(
  context: CommandContext,
  signals: ProcessSignals,
  starting: Promise<RunningNode | StartProblem>,
): Promise<CommandOutcome> {
  const stopping = starting.then((node) => "problem" in node ? undefined : node.stop());
  try {
    await withinStopLimit(context, signals, stopping);
  } catch (error) {
    log.error("The stop went wrong: {error}", { error });
  }
  return exitCode.done;
}

async function runNode(
  context: CommandContext,
  logOptions: LogOptions,
  signals: ProcessSignals,
  stateDirectory: string,
  starting: Promise<RunningNode | StartProblem>,
): Promise<CommandOutcome> {
  const node = await Promise.race([starting, aborted(signals.stop)]);
  if (node === "stop") return await stopDuringStart(context, signals, starting);
  if ("problem" in node) return startFailure(node);
  let control: OpenControl;
  try {
    control = await context.around.serve(stateDirectory, node.control);
  } catch (error) {
    await withinStopLimit(context, signals, node.stop());
    return failedTo("open the control socket", error);
  }
  sayReady(context, logOptions, node);
  await tellManager(context, "READY=1");
  const end = await Promise.race([node.ended, aborted(signals.stop)]);
  await stopAll(context, signals, node, control);
  return end === "stop" ? exitCode.done : outcomeOf(end);
}

async function run(context: CommandContext): Promise<CommandOutcome> {
  const { parsed, around } = context;
  const stateDirectory = stateDirectoryOf(context);
  if (typeof stateDirectory !== "string") return stateDirectory;
  const logOptions = readLogOptions(parsed);
  if ("exit" in logOptions) return logOptions;
  const passphrase = await passphraseSource(context);
  if ("exit" in passphrase) return passphrase;
  const options = readRunOptions(parsed, stateDirectory, passphrase);
  if ("exit" in options) return options;
  startLog(logOptions, around);
  const signals = around.signals();
  signals.onReload(() => log.info("SIGHUP: there is no configuration to read again"));
  try {
    return await runNode(context, logOptions, signals, stateDirectory, around.start(options));
  } catch (error) {
    return failedTo("run the node", error);
  }
}

/** Runs a node in the foreground. */
export const runCommand: Command = {
  name: "run",
  summary: "run a node on this machine, in the foreground",
  arguments: [],
  options: runOptionSpecs,
  details: "SIGTERM or Ctrl-C: the node says good-bye and ends within 5 s. With --once the exit\n" +
    "code is 0 if it was in step with at least one other node, 6 if it found nobody.",
  example: "mesh run --name atlas --label rack=b2 --peer 192.0.2.7:7411",
  run,
};
