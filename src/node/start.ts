/**
 * Starts a node.
 *
 * @module
 */
import type { RunningNode, RunOptions, StartProblem } from "./run_options.ts";

/** Starts a node; resolves once it can answer others, or to why not. */
export function startNode(_options: RunOptions): Promise<RunningNode | StartProblem> {
  return Promise.resolve({
    problem: { code: "not-implemented", message: "`mesh run` is not in this version" },
  });
}
