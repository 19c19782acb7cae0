/**
 * What it takes to start a node, read and checked, and what a started node offers to its process.
 *
 * @module
 */
import type { IpAddress } from "../base/ip.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { ServedControl } from "../control/mod.ts";

/** Where to listen, TCP and UDP alike. */
export interface ListenOptions {
  /** Only at this address; absent = at every address of the interfaces in use. */
  readonly host?: IpAddress;
  /** Interface of a link-local `host`. */
  readonly zone?: string;
  /** 0 = any free one; absent = the kept one, else 7411. */
  readonly port?: number;
}

/** Where the passphrase of a protected key comes from. */
export interface PassphraseSource {
  /** Told beforehand, by a file or the environment; it also protects a key that is made new. */
  readonly told?: string;
  /** Asks a person; `undefined` if there is nobody to ask. */
  ask(): Promise<string | undefined>;
}

/** What `mesh run` was told. */
export interface RunOptions {
  /** Absolute path of the state directory; created if it is missing. */
  readonly stateDirectory: string;
  /** Absent = the host's name. Plain text, at most 64 bytes. */
  readonly name?: string;
  readonly listen: ListenOptions;
  /** `HOST:PORT`, HOST a name or an address (IPv6 in brackets, with a zone if link-local). */
  readonly peers: readonly string[];
  /** Rendezvous services: `https://HOST:PORT[#ID]`. */
  readonly rendezvous: readonly string[];
  /** Whether beacons are sent and heard. */
  readonly multicast: boolean;
  /** Names of the interfaces for discovery and listening; empty = all. */
  readonly interfaces: readonly string[];
  /** At most 16 entries; keys and values are plain text of at most 64 bytes. */
  readonly labels: Readonly<Record<string, string>>;
  /** Members of an open mesh may open streams to this node. */
  readonly allowOpenStreams: boolean;
  /** Start, find, synchronise, leave: at most this long. Absent = stay. */
  readonly once?: { readonly forMs: number };
  /** For the node's key; see `openNodeIdentity`. */
  readonly passphrase: PassphraseSource;
}

/** How a node came to its end by itself. */
export type RunEnd =
  /** Somebody asked it to stop, through its control. */
  | { readonly end: "stopped" }
  /** `once` is over; whether it was in step with at least one peer. */
  | { readonly end: "once"; readonly inStep: boolean }
  /** It put another executable in place and wants to be started again. */
  | { readonly end: "restart" }
  /** It cannot go on. */
  | { readonly end: "failed"; readonly message: string };

/** A node that is able to answer others. */
export interface RunningNode {
  readonly id: NodeId;
  readonly name: string;
  readonly port: number;
  /** Answers the command line. */
  readonly control: ServedControl;
  /** Resolves when the node comes to its end without `stop`; never rejects. */
  readonly ended: Promise<RunEnd>;
  /** Says good-bye to the links and releases everything. Safe to call twice and after `ended`. */
  stop(): Promise<void>;
}

/** Why a node did not start. */
export interface StartProblem {
  readonly problem: {
    readonly code:
      | "already-running"
      | "port-taken"
      | "identity"
      | "passphrase"
      | "state-directory"
      | "no-interface"
      | "not-implemented"
      | "failed";
    /** A sentence for people: `already running (pid 4711)`. */
    readonly message: string;
  };
}

/** Whether a node did not start. */
export function isStartProblem(result: RunningNode | StartProblem): result is StartProblem {
  return "problem" in result;
}
