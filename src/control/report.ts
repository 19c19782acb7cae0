/**
 * What a node reports about itself and the fleet: field by field the JSON that the command line
 * prints, so these names are stable. Add, never rename.
 *
 * Instants are RFC 3339 in UTC (`formatWallTime`), durations end in `Ms` and count milliseconds,
 * sizes end in `Bytes`, ids are full, addresses are in the form of `formatSocketAddress` with this
 * node's interface names. Text that came from records (names, labels, systems) is as received:
 * whoever shows it escapes it.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";

/** Whether this node belongs to a cluster: `open` is none at all. */
export type Membership = "open" | "member" | "revoked" | "excluded";

/** How a node stands, seen from the one that reports. */
export type NodeState = "self" | "linked" | "reachable" | "unreachable" | "revoked";

/** Where a name comes from; a `conflict` resolves to nobody. */
export type NameState = "certified" | "claimed" | "conflict";

/** How far a node is with an update. `state` is a word of the update part; `none` = nothing known. */
export interface UpdateReport {
  /** Release sequence number the state speaks of. */
  readonly seq: number;
  readonly state: string;
  readonly reason?: string;
}

/** Something a person should know. Codes are stable, messages are for reading. */
export interface Warning {
  /**
   * `open-mesh`, `open-streams`, `one-way`, `no-multicast`, `no-ipv6`, `duplicate-identity`,
   * `clock`, `store-damaged`, `name-conflict`, `overload`, `update-held`, `no-restarter`;
   * `peer-unresolved` (the name in a `--peer` has no address) and `publishing` (an own record could
   * not be written to disk) have joined them, others may.
   */
  readonly code: string;
  readonly message: string;
}

/** A network interface that the node uses. */
export interface InterfaceEntry {
  readonly name: string;
  /** Kernel index; absent where the system does not tell. */
  readonly index?: number;
  /** Whether beacons are sent and heard on it. */
  readonly multicast: boolean;
}

/** `mesh status`. */
export interface StatusReport {
  readonly id: NodeId;
  readonly name: string;
  readonly version: string;
  readonly seq: number;
  readonly target: string;
  /** The node's own process. */
  readonly pid: number;
  /** Since the node was ready. */
  readonly upMs: number;
  /** TCP and UDP. */
  readonly port: number;
  readonly membership: Membership;
  readonly clusterId?: string;
  readonly interfaces: readonly InterfaceEntry[];
  /** Links held now. */
  readonly links: number;
  /** Entries in `nodes`, this one included. */
  readonly known: number;
  /** Of these, how many are `self`, `linked` or `reachable`. */
  readonly reachable: number;
  readonly update: UpdateReport;
  readonly warnings: readonly Warning[];
  /**
   * How often since its start the node dropped, refused or noticed something, by reason: a fixed
   * phrase each. Reasons that never occurred are left out; SECURITY.md names those of attacks.
   */
  readonly counts: Readonly<Record<string, number>>;
}

/** An entry of `mesh nodes`. */
export interface NodeEntry {
  readonly id: NodeId;
  readonly name: string;
  readonly nameState: NameState;
  readonly state: NodeState;
  /** Serial of its `info` record; 0 while there is none. */
  readonly serial: number;
  /** When its `info` record was signed, by its own clock. */
  readonly infoAt: string;
  /** Links to pass: 0 for this node, 1 for a linked one; absent if unreachable. */
  readonly hops?: number;
  /** First node on the way there; absent for this node, itself for a linked one. */
  readonly via?: NodeId;
  readonly addresses: readonly string[];
  readonly version: string;
  readonly os: string;
  readonly arch: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly roles: readonly string[];
  readonly update: UpdateReport;
}

/** `mesh nodes`: all known nodes with this one, sorted by name, then id. */
export interface NodesReport {
  readonly nodes: readonly NodeEntry[];
}

/** The signed record that an entry was read from. */
export interface RecordReport {
  /** The exact bytes, base64 (RFC 4648 §4). */
  readonly bytes: string;
  readonly author: NodeId;
  readonly serial: number;
  readonly signedAt: string;
}

/** A link that a node lists. */
export interface ListedLink {
  readonly id: NodeId;
  readonly costMs: number;
}

/** `mesh node NODE`. */
export interface NodeDetail extends NodeEntry {
  readonly record: RecordReport;
  readonly links: readonly ListedLink[];
}

/** An entry of `mesh links`: one per neighbour. */
export interface LinkEntry {
  readonly id: NodeId;
  readonly name: string;
  readonly address: string;
  readonly interface?: string;
  /** Who dialled, seen from here. */
  readonly direction: "out" | "in" | "both";
  /** When the two last proved themselves to each other. */
  readonly provenAt: string;
  /** Smoothed round trip. */
  readonly rttMs: number;
  /** How long ago the neighbour last gave a sign of life. */
  readonly lastHeardMs: number;
  /** Share of probes without an answer, 0 to 1. */
  readonly loss: number;
  readonly via: "udp" | "tcp";
}

/** `mesh links`. */
export interface LinksReport {
  readonly links: readonly LinkEntry[];
}

/** One answer to a ping. */
export interface PingReply {
  /** Counts from 1. */
  readonly seq: number;
  readonly rttMs: number;
  readonly hops: number;
  /** First node on the way; the pinged node itself if it is linked. */
  readonly via: NodeId;
}

/** One ping that nobody answered in time. */
export interface PingLoss {
  readonly seq: number;
  readonly lost: true;
}

/** The last line of `mesh ping`. The three times are `null` when nothing came back. */
export interface PingSummary {
  readonly sent: number;
  readonly received: number;
  /** 0 to 100. */
  readonly lossPercent: number;
  readonly minMs: number | null;
  readonly avgMs: number | null;
  readonly maxMs: number | null;
}

/** What `mesh forget` did. */
export interface ForgetReport {
  readonly id: NodeId;
  readonly name: string;
  readonly forgotten: true;
}

/** What can happen, as `mesh watch` names it. */
export const nodeEventNames = [
  "ready",
  "link-up",
  "link-down",
  "node-new",
  "node-changed",
  "node-suspect",
  "node-unreachable",
  "node-reachable",
  "node-revoked",
  "route-changed",
  "update-state",
  "warning",
] as const;

/** What can happen. */
export type NodeEventName = typeof nodeEventNames[number];

/** A line of `mesh watch`. Events that concern a node name it. */
export interface NodeEvent {
  /** RFC 3339 in UTC. */
  readonly at: string;
  readonly event: NodeEventName;
  readonly id?: NodeId;
  readonly name?: string;
  /** `ready`: TCP and UDP. */
  readonly port?: number;
  /** `link-up`, `link-down`. */
  readonly address?: string;
  /** `link-up`: who dialled. */
  readonly direction?: "out" | "in" | "both";
  /** `link-down`, `update-state`: why, in words. */
  readonly reason?: string;
  /** `node-new`, `node-changed`, `node-reachable`, `node-unreachable`: the record's serial. */
  readonly serial?: number;
  /** The same events: how it stands now. A suspicion that was wrong leaves both out. */
  readonly state?: string;
  /** `route-changed`. */
  readonly nextHop?: NodeId;
  /** `route-changed`. */
  readonly hops?: number;
  /** `update-state`. */
  readonly seq?: number;
  /** `warning`. */
  readonly code?: string;
  /** `warning`. */
  readonly message?: string;
  /** `warning`: present when it no longer holds. */
  readonly cleared?: true;
}
