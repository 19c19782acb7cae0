/**
 * What discovery asks for and what it is told about dials.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import type { DialReason } from "./flights.ts";
import type { ClosedReason, OneWayEffect } from "./one_way.ts";

/** What discovery asks for. */
export type DiscoveryEffect =
  /** Send this node's beacon on the interface, to its IPv6 and IPv4 groups. */
  | { readonly kind: "beacon"; readonly interfaceName: string; readonly solicit: boolean }
  /**
   * Dial the address, judge, run the exchange, and report it by `handleDialled`, exactly once.
   * `expect` is what was hoped for; whoever answers is who he proves to be.
   */
  | {
    readonly kind: "dial";
    readonly to: SocketAddress;
    readonly expect?: NodeId;
    readonly why: DialReason;
  }
  /** Resolve the text of `--peer` and report by `handlePeerResolved`. */
  | { readonly kind: "resolve"; readonly peer: string }
  | OneWayEffect;

/** How a dial ended. */
export type DialOutcome =
  /** Somebody finished the exchange. Whether a link follows is told by `handleLinked`. */
  | { readonly kind: "proved"; readonly id: NodeId }
  /** The exchange met this node itself. */
  | { readonly kind: "self" }
  /**
   * There was no finished exchange. `refused`, `timeout` and `unreachable` say that the port did not
   * open: a connect that the dialler itself ended after `connectTimeout` is a `timeout`. `tls` and
   * `exchange` say that it opened and nobody proved himself there; `aborted` says nothing.
   */
  | { readonly kind: "failed"; readonly reason: ClosedReason | "tls" | "exchange" | "aborted" };

/**
 * Why a link ended: `lost` the peer fell silent · `let-go` either side has links enough · `left` the
 * peer said good-bye.
 */
export type UnlinkReason = "lost" | "let-go" | "left";
