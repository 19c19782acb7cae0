/**
 * The node: how it is started, on which key, and what a running one is.
 *
 * @module
 */
import type { RunningNode, RunOptions, StartProblem } from "./run_options.ts";

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
