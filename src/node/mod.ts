/**
 * The node: what it reports, what may be asked of it, and how it is started.
 *
 * @module
 */
import type { RunningNode, RunOptions, StartProblem } from "./run_options.ts";

export {
  type ControlErrorCode,
  type ControlFailure,
  controlFailure,
  isControlFailure,
  type NodeCandidate,
  type NodeControl,
  type PingOptions,
} from "./control.ts";
export { type ControlRequester, RemoteControl } from "./control_client.ts";
export { answerControl } from "./control_handler.ts";
export * from "./report.ts";
export * from "./report_guard.ts";
export { type OpenIdentityOptions, openNodeIdentity } from "./node_identity.ts";
export {
  isStartProblem,
  type ListenOptions,
  type PassphraseSource,
  type RunEnd,
  type RunningNode,
  type RunOptions,
  type StartProblem,
} from "./run_options.ts";

/** Starts a node; resolves once it can answer others, or to why not. */
export async function startNode(options: RunOptions): Promise<RunningNode | StartProblem> {
  // Loaded when it is needed: the other commands start in a third of the time without it.
  const start = await import("./start.ts");
  return await start.startNode(options);
}
