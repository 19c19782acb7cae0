/**
 * Why a start ended before there was a node.
 *
 * @module
 */
import type { StartProblem } from "./run_options.ts";

type ProblemCode = StartProblem["problem"]["code"];

/** A step of the start that did not work: ends the start with a sentence. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.code = code;
  }
}
