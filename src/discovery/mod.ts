/**
 * Discovery: when to beacon and whom to dial.
 *
 * @module
 */
export type { AnnouncerSnapshot } from "./announcer.ts";
export { degreeFor } from "./degree.ts";
export {
  Discovery,
  type DiscoveryOptions,
  type DiscoverySnapshot,
  type HeardBeacon,
} from "./discovery.ts";
export type { DialOutcome, DiscoveryEffect, UnlinkReason } from "./effects.ts";
export type { DialReason } from "./flights.ts";
export type { KnownNodes } from "./known_nodes.ts";
export { connectTimeout } from "./limits.ts";
export { type HeldLink, LinkSurplus, type SurplusView } from "./link_surplus.ts";
export type { ClosedReason, OneWayEffect, OneWayPeer } from "./one_way.ts";
export type { PeerSnapshot } from "./peers.ts";
