/**
 * The self test: proves on this machine that the program can do its work, without network, state
 * directory or configuration.
 *
 * @module
 */
export { runSelfTest } from "./run.ts";
export type { SelfTestCheck, SelfTestOptions, SelfTestReport } from "./report.ts";
