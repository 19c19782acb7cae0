/**
 * What the command line may ask of a running node. The node implements it; the control server
 * offers it on the control socket, whose client implements it again at the other end.
 *
 * A NODE argument is an id, a unique id prefix of 6 or more characters, or a name that resolves
 * unambiguously; whoever implements this resolves it.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";
import type {
  ForgetReport,
  LinksReport,
  NodeDetail,
  NodeEntry,
  NodeEvent,
  NodesReport,
  PingLoss,
  PingReply,
  StatusReport,
} from "./report.ts";

/** Why a request was not done. The command line turns the code into its exit code. */
export type ControlErrorCode =
  /** The argument names no known node. */
  | "no-such-node"
  /** The argument names several; they are listed. */
  | "ambiguous"
  /** The node is known, and there is no way to it now. */
  | "no-route"
  /** Nothing came back in time. */
  | "timeout"
  /** Not allowed: not a member, policy, signature. */
  | "refused"
  /** `forget`: only an unreachable node can be forgotten. */
  | "not-unreachable"
  /** The running node does not know the request: it is of another version. */
  | "not-implemented"
  /** The request was malformed. */
  | "bad-request"
  /** Anything else. */
  | "failed";

/** A node that an ambiguous argument may mean. */
export interface NodeCandidate {
  readonly id: NodeId;
  readonly name: string;
}

/** A request that was not done. The message is a sentence for people. */
export interface ControlFailure {
  readonly error: {
    readonly code: ControlErrorCode;
    readonly message: string;
    readonly candidates?: readonly NodeCandidate[];
  };
}

/** How to ping. */
export interface PingOptions {
  /** Pings to send; absent = until the signal aborts. */
  readonly count?: number;
  /** From one ping to the next, in milliseconds. */
  readonly intervalMs: number;
}

/** What the command line may ask of a running node. */
export interface NodeControl {
  status(): Promise<StatusReport | ControlFailure>;
  nodes(): Promise<NodesReport | ControlFailure>;
  node(argument: string): Promise<NodeDetail | ControlFailure>;
  links(): Promise<LinksReport | ControlFailure>;
  /**
   * Pings once per interval. One item per ping as soon as it is answered or given up; a failure
   * is the last item. Ends after `count` pings or when `signal` aborts; never throws.
   */
  ping(
    argument: string,
    options: PingOptions,
    signal: AbortSignal,
  ): AsyncIterable<PingReply | PingLoss | ControlFailure>;
  /**
   * Events from the moment of the call on, until `signal` aborts or the node stops (a failure, if
   * there was one, is the last item).
   */
  watch(signal: AbortSignal): AsyncIterable<NodeEvent | ControlFailure>;
  /** Drops an unreachable node from the store until it is met again. */
  forget(argument: string): Promise<ForgetReport | ControlFailure>;
  /** Begins a clean stop and resolves at once; the process ends within 5 s. */
  stop(): Promise<ControlFailure | undefined>;
  /**
   * The same, but the links are told that the node will be back within a minute, and the process
   * ends with the code that asks its service manager to start it again.
   */
  restart(): Promise<ControlFailure | undefined>;
}

/** What a node offers on its control socket: the same, and its longest report in slices. */
export interface ServedControl extends NodeControl {
  /**
   * The entries of `nodes`, in order. A failure is the first and only item. Ends early, and throws,
   * when `signal` aborts.
   */
  nodesInSlices(signal: AbortSignal): AsyncIterable<readonly NodeEntry[] | ControlFailure>;
}

/** A failure with a message for people. */
export function controlFailure(
  code: ControlErrorCode,
  message: string,
  candidates?: readonly NodeCandidate[],
): ControlFailure {
  return { error: { code, message, ...candidates === undefined ? {} : { candidates } } };
}

/** Whether a request was not done. */
export function isControlFailure<T extends object>(
  result: T | ControlFailure | undefined,
): result is ControlFailure {
  return result !== undefined && "error" in result;
}
