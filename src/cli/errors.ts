/**
 * How a command ends: exit codes and failures. The codes are a contract.
 *
 * @module
 */
import type { ControlFailure, NodeCandidate } from "../control/mod.ts";
import type { StartProblem } from "../node/mod.ts";
import type { Unreachable } from "./surroundings.ts";

/** Exit codes. */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  noNode: 3,
  noSuchNode: 4,
  refused: 5,
  timedOut: 6,
  restart: 75,
} as const;

/** An exit code of this program. */
export type ExitCode = typeof exitCode[keyof typeof exitCode];

/** A command that did not do what it was asked. */
export interface CommandFailure {
  readonly exit: ExitCode;
  /** Stable, for programs. */
  readonly code: string;
  /** A sentence, for people. */
  readonly message: string;
  /** What to do next, if we know it. */
  readonly hint?: string;
  /** Nodes that the argument may have meant. */
  readonly candidates?: readonly NodeCandidate[];
}

/** How a command ends. */
export type CommandOutcome = ExitCode | CommandFailure;

/** Wrong usage. */
export function usageFailure(message: string, hint?: string): CommandFailure {
  return {
    exit: exitCode.usage,
    code: "usage",
    message,
    ...hint === undefined ? {} : { hint },
  };
}

/** Something this version does not do yet, said honestly. */
export function notImplemented(what: string): CommandFailure {
  return {
    exit: exitCode.failed,
    code: "not-implemented",
    message: `${what} is not in this version`,
  };
}

/** Anything that went wrong and has no exit code of its own. */
export function failed(message: string, code = "failed"): CommandFailure {
  return { exit: exitCode.failed, code, message };
}

/** Says what an exception says, action first. */
export function failedTo(action: string, error: unknown): CommandFailure {
  return failed(`Cannot ${action}: ${error instanceof Error ? error.message : String(error)}`);
}

const exitOfControl: Readonly<Record<ControlFailure["error"]["code"], ExitCode>> = {
  "no-such-node": exitCode.noSuchNode,
  "ambiguous": exitCode.noSuchNode,
  "no-route": exitCode.timedOut,
  "timeout": exitCode.timedOut,
  "refused": exitCode.refused,
  "not-unreachable": exitCode.failed,
  "not-implemented": exitCode.failed,
  "bad-request": exitCode.failed,
  "failed": exitCode.failed,
};

/** What the running node said no to. */
export function controlRefusal({ error }: ControlFailure): CommandFailure {
  return {
    exit: exitOfControl[error.code],
    code: error.code,
    message: error.message,
    ...error.candidates === undefined ? {} : { candidates: error.candidates },
  };
}

/** A node did not start. */
export function startFailure({ problem }: StartProblem): CommandFailure {
  return failed(problem.message, problem.code);
}

/** No node could be asked. */
export function unreachableFailure(
  reason: Unreachable,
  stateDirectory: string,
): CommandFailure {
  if (reason.unreachable === "denied") {
    return failed(
      `Cannot ask the node on this state directory (${stateDirectory}): permission denied. ` +
        "Ask as the user who runs it",
      "denied",
    );
  }
  return {
    exit: exitCode.noNode,
    code: "no-node",
    message: `No node is running on this state directory (${stateDirectory}). Start one: mesh run`,
  };
}
