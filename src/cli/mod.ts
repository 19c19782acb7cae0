/**
 * The command line. What it needs of the world comes in through `Surroundings`.
 *
 * @module
 */
export { runCommandLine } from "./dispatch.ts";
export type { ExitCode } from "./errors.ts";
export type {
  IdentityTrouble,
  IdentityView,
  OpenControl,
  ProcessSignals,
  Surroundings,
  TextSink,
  Unreachable,
} from "./surroundings.ts";
