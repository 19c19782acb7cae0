/**
 * Checks that JSON from a control socket is what `report.ts` says: the node behind it may be of
 * another version than the command line that asks.
 *
 * @module
 */
import {
  type Guard,
  isBoolean,
  isListOf,
  isNumber,
  isObjectOf,
  isOneOf,
  isOptional,
  isRecordOf,
  isText,
} from "../base/json_guard.ts";
import { type NodeId, parseNodeId } from "../wire/node_id.ts";
import type { ControlErrorCode, ControlFailure, NodeCandidate } from "./control.ts";
import {
  type ForgetReport,
  type InterfaceEntry,
  type LinkEntry,
  type LinksReport,
  type ListedLink,
  type NodeDetail,
  type NodeEntry,
  type NodeEvent,
  nodeEventNames,
  type NodesReport,
  type PingLoss,
  type PingReply,
  type RecordReport,
  type StatusReport,
  type UpdateReport,
  type Warning,
} from "./report.ts";

function isNodeId(value: unknown): value is NodeId {
  return isText(value) && parseNodeId(value) === value;
}

const isUpdate: Guard<UpdateReport> = isObjectOf<UpdateReport>({
  seq: isNumber,
  state: isText,
  reason: isOptional(isText),
});

/** `mesh status`. */
export const isStatusReport: Guard<StatusReport> = isObjectOf<StatusReport>({
  id: isNodeId,
  name: isText,
  version: isText,
  seq: isNumber,
  target: isText,
  pid: isNumber,
  upMs: isNumber,
  port: isNumber,
  membership: isOneOf("open", "member", "revoked", "excluded"),
  clusterId: isOptional(isText),
  interfaces: isListOf(isObjectOf<InterfaceEntry>({
    name: isText,
    index: isOptional(isNumber),
    multicast: isBoolean,
  })),
  links: isNumber,
  known: isNumber,
  reachable: isNumber,
  update: isUpdate,
  warnings: isListOf(isObjectOf<Warning>({ code: isText, message: isText })),
  counts: isRecordOf(isNumber),
});

const entryFields = {
  id: isNodeId,
  name: isText,
  nameState: isOneOf("certified", "claimed", "conflict"),
  state: isOneOf("self", "linked", "reachable", "unreachable", "revoked"),
  serial: isNumber,
  infoAt: isText,
  hops: isOptional(isNumber),
  via: isOptional(isNodeId),
  addresses: isListOf(isText),
  version: isText,
  os: isText,
  arch: isText,
  labels: isRecordOf(isText),
  roles: isListOf(isText),
  update: isUpdate,
};

/** `mesh nodes`. */
export const isNodesReport: Guard<NodesReport> = isObjectOf<NodesReport>({
  nodes: isListOf(isObjectOf<NodeEntry>(entryFields)),
});

/** `mesh node NODE`. */
export const isNodeDetail: Guard<NodeDetail> = isObjectOf<NodeDetail>({
  ...entryFields,
  record: isObjectOf<RecordReport>({
    bytes: isText,
    author: isNodeId,
    serial: isNumber,
    signedAt: isText,
  }),
  links: isListOf(isObjectOf<ListedLink>({ id: isNodeId, costMs: isNumber })),
});

/** `mesh links`. */
export const isLinksReport: Guard<LinksReport> = isObjectOf<LinksReport>({
  links: isListOf(isObjectOf<LinkEntry>({
    id: isNodeId,
    name: isText,
    address: isText,
    interface: isOptional(isText),
    direction: isOneOf("out", "in", "both"),
    provenAt: isText,
    rttMs: isNumber,
    lastHeardMs: isNumber,
    loss: isNumber,
    via: isOneOf("udp", "tcp"),
  })),
});

/** An answer to a ping. */
export const isPingReply: Guard<PingReply> = isObjectOf<PingReply>({
  seq: isNumber,
  rttMs: isNumber,
  hops: isNumber,
  via: isNodeId,
});

/** A ping without an answer. */
export const isPingLoss: Guard<PingLoss> = isObjectOf<PingLoss>({
  seq: isNumber,
  lost: isOneOf(true),
});

/** A line of `mesh watch`. */
export const isNodeEvent: Guard<NodeEvent> = isObjectOf<NodeEvent>({
  at: isText,
  event: isOneOf(...nodeEventNames),
  id: isOptional(isNodeId),
  name: isOptional(isText),
  port: isOptional(isNumber),
  address: isOptional(isText),
  direction: isOptional(isOneOf("out", "in", "both")),
  reason: isOptional(isText),
  serial: isOptional(isNumber),
  state: isOptional(isText),
  nextHop: isOptional(isNodeId),
  hops: isOptional(isNumber),
  seq: isOptional(isNumber),
  code: isOptional(isText),
  message: isOptional(isText),
  cleared: isOptional(isOneOf(true)),
});

/** `mesh forget`. */
export const isForgetReport: Guard<ForgetReport> = isObjectOf<ForgetReport>({
  id: isNodeId,
  name: isText,
  forgotten: isOneOf(true),
});

const isErrorCode: Guard<ControlErrorCode> = isOneOf(
  "no-such-node",
  "ambiguous",
  "no-route",
  "timeout",
  "refused",
  "not-unreachable",
  "not-implemented",
  "bad-request",
  "failed",
);

/** A request that was not done. */
export const isFailureReport: Guard<ControlFailure> = isObjectOf<ControlFailure>({
  error: isObjectOf<ControlFailure["error"]>({
    code: isErrorCode,
    message: isText,
    candidates: isOptional(isListOf(isObjectOf<NodeCandidate>({ id: isNodeId, name: isText }))),
  }),
});
