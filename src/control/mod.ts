/**
 * What may be asked of a running node: the questions, the reports that answer them, and both ends of
 * the control socket's conversation.
 *
 * @module
 */
export { type ControlRequester, RemoteControl } from "./client.ts";
export {
  type ControlErrorCode,
  type ControlFailure,
  controlFailure,
  isControlFailure,
  type NodeCandidate,
  type NodeControl,
  type PingOptions,
  type ServedControl,
} from "./control.ts";
export { answerControl } from "./handler.ts";
export * from "./report.ts";
export * from "./report_guard.ts";
