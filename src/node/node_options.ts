/**
 * What a node is made of, and the outside as it needs it.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { WallTime } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import type { Identity, LeafCredentials } from "../identity/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Entropy } from "../platform/entropy.ts";
import type { Network } from "../platform/network.ts";
import type { SecureDialer } from "../platform/secure_streams.ts";
import type { OpenedLog, RecordSharing } from "../sync/mod.ts";
import type { NodeId } from "../wire/node_id.ts";

/** What a node is made of and told. */
export interface NodeOptions {
  readonly identity: Identity;
  /** This start's TLS leaf. */
  readonly leaf: LeafCredentials;
  /** This start's boot nonce, 16 bytes. */
  readonly bootNonce: Bytes;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** TCP and UDP. */
  readonly port: number;
  /** Listen at this address only. */
  readonly host: IpAddress | undefined;
  /** Names of the interfaces to serve; empty = all. */
  readonly interfaceNames: readonly string[];
  readonly multicast: boolean;
  readonly peers: readonly string[];
  /** Exchanges with any address, not only with near ones. */
  readonly openToAll: boolean;
  readonly software: { readonly version: string; readonly seq: number; readonly target: string };
  readonly platform: { readonly os: string; readonly arch: string };
  /** When this program was built. */
  readonly builtAt: WallTime;
  /** Nodes that were forgotten, with the serial up to which they stay hidden. */
  readonly forgotten: ReadonlyMap<NodeId, number>;
}

/** The outside as the node needs it. */
export interface NodeOutside {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly network: Network;
  readonly dialer: SecureDialer;
  readonly recordLog: OpenedLog;
  /** What nodes of one process have in common, so that their stores take the memory of one. */
  readonly recordSharing?: RecordSharing;
  /** Lets everything else of the process have its turn. Left out: in virtual time nothing takes any. */
  readonly breathe?: () => Promise<void>;
  readonly lookUpHost: (name: string) => Promise<readonly IpAddress[]>;
  /** Writes down which nodes are forgotten; rejects with the system's error. */
  readonly keepForgotten: (forgotten: ReadonlyMap<NodeId, number>) => Promise<void>;
  readonly log: NodeLog;
}

/** Where the node says what it does. Never given anything secret. */
export interface NodeLog {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
}
