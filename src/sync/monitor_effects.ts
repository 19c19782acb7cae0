/**
 * What monitoring says, in words: what the node is to do, what became of it, how a link stands.
 *
 * @module
 */
import type { Duration, Instant } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";

/** Why a link was dropped. */
export type LinkDropReason =
  | "silent"
  | "refused"
  | "udp blocked"
  | "no direct path"
  | "good-bye"
  | "restart overdue";

/** How the last answer came: in a datagram from the peer, in an exchange, or through others. */
export type LinkPath = "udp" | "tcp" | "others";

/** What the node is to do. */
export type MonitorEffect =
  /** Send one sealed probe; its answer comes back as `handleAnswer(id, attempt, now)`. */
  | { readonly kind: "probe"; readonly id: NodeId; readonly attempt: number }
  /**
   * Only open a TCP connection and close it again, which costs neither end anything; a refusal comes
   * back as `handleRefused`.
   */
  | { readonly kind: "knock"; readonly id: NodeId }
  /** Run a full exchange over TCP; its end comes back as `handleAuthentication`. */
  | { readonly kind: "authenticate"; readonly id: NodeId }
  /** Ask through two others; an authentic answer comes back as `handleRelayed`. */
  | { readonly kind: "relay"; readonly id: NodeId }
  | { readonly kind: "suspect"; readonly id: NodeId }
  /** The suspicion ended, or the path that works is another one now. */
  | { readonly kind: "alive"; readonly id: NodeId; readonly via: LinkPath }
  /** The link is over and no longer monitored. */
  | { readonly kind: "drop"; readonly id: NodeId; readonly why: LinkDropReason };

/** How an authentication that was asked for ended. An accepted connection alone is `failed`. */
export type AuthenticationOutcome =
  | { readonly kind: "finished"; readonly address: SocketAddress }
  | { readonly kind: "refused"; readonly address: SocketAddress }
  | { readonly kind: "failed" };

/** What the two ends of a link are to one another. Not known before both ends' records name it. */
export interface LinkRole {
  /** This node is one of the peer's watchers. */
  readonly watches: boolean;
  /** Which of them, from 0: they take turns. 0 if it is none. */
  readonly turn: number;
  /** The peer is one of this node's watchers. */
  readonly isWatched: boolean;
}

/** One link as seen from here. */
export interface LinkHealth {
  readonly id: NodeId;
  readonly state: "steady" | "suspect" | "restarting";
  /** Smoothed round trip of probes; absent before the first answer. */
  readonly rtt?: Duration;
  /** Part of the probes that met no answer in time, 0…1, over roughly the last sixteen. */
  readonly loss: number;
  /** When this node last had an answer from there, on any path. */
  readonly lastHeard: Instant;
  readonly via: LinkPath;
  /** Absent while it is not known. */
  readonly role?: LinkRole;
}
