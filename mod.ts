/**
 * mesh as a library: start a node inside a Deno program, read the fleet it sees, watch what happens.
 *
 * ```ts
 * import { isStartProblem, startNode } from "@mesh/mesh";
 *
 * const node = await startNode({
 *   stateDirectory: "/var/lib/my-program/mesh",
 *   listen: { port: 0 },
 *   peers: [],
 *   rendezvous: [],
 *   multicast: true,
 *   interfaces: [],
 *   labels: { role: "database" },
 *   allowOpenStreams: false,
 *   passphrase: { ask: () => Promise.resolve(undefined) },
 * });
 * if (isStartProblem(node)) throw new Error(node.problem.message);
 * const fleet = await node.control.nodes();
 * await node.stop();
 * ```
 *
 * The node logs through `@logtape/logtape` under the category `mesh`; a program that configures
 * nothing hears nothing.
 *
 * @module
 */
export {
  type ControlErrorCode,
  type ControlFailure,
  type ForgetReport,
  type InterfaceEntry,
  isControlFailure,
  type LinkEntry,
  type LinksReport,
  type ListedLink,
  type Membership,
  type NameState,
  type NodeControl,
  type NodeDetail,
  type NodeEntry,
  type NodeEvent,
  type NodeEventName,
  type NodesReport,
  type NodeState,
  type PingLoss,
  type PingOptions,
  type PingReply,
  type StatusReport,
  type UpdateReport,
  type Warning,
} from "./src/control/mod.ts";
export {
  isStartProblem,
  type ListenOptions,
  type PassphraseSource,
  type RunEnd,
  type RunningNode,
  type RunOptions,
  startNode,
  type StartProblem,
} from "./src/node/mod.ts";
export type { NodeId } from "./src/wire/node_id.ts";
export { productVersion as version } from "./src/version.ts";
