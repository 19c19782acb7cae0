/**
 * The self test: proves on this machine that the program can do its work, without network, state
 * directory or configuration, and leaves nothing behind.
 *
 * @module
 */
export { runSelfTest } from "./run_checks.ts";
export type {
  ScratchDirectory,
  SelfTestCheck,
  SelfTestMeans,
  SelfTestOptions,
  SelfTestReport,
} from "./report.ts";
