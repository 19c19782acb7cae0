/**
 * What a store of records is made with.
 *
 * @module
 */
import type { HashKey } from "../base/half_sip_hash.ts";
import type { WallTime } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { RecordTreeShape } from "./record_tree.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** What the store asks of those around it. */
export interface RecordStoreOptions {
  /** This node: never evicted, never forgotten. */
  readonly selfId: NodeId;
  /** Whether a trusted root names the author as an administrator. Left out: nobody is named. */
  readonly namesAdministrator?: (author: NodeId) => boolean;
  /** Whether the author's records are hidden, as a revoked one's are. Left out: nobody's. */
  readonly hidesAuthor?: (author: NodeId) => boolean;
  /** Whether the author may not be evicted: linked, or reached by a path of links. Left out: nobody. */
  readonly keepsAuthor?: (author: NodeId) => boolean;
  /** When this program was built: a first-seen time before it came from a clock that was not set. */
  readonly builtAt?: WallTime;
  /** Fewer than `knownNodesMax`, for tests. */
  readonly knownNodes?: number;
  /** A secret that shapes the tree, or what stores that share memory have in common. Left out: no secret, for tests. */
  readonly sharing?: HashKey | RecordSharing;
}

/** What many stores of one process have in common, so that what they all hold is there once. */
export interface RecordSharing extends RecordTreeShape<VerifiedRecord> {
  /** The record that is held for this one: itself, or one of the same bytes that was there before. */
  record(record: VerifiedRecord): VerifiedRecord;
}

/** What was given, as what stores have in common; nothing was: no secret. */
export function sharingOf(given: HashKey | RecordSharing = [0, 0]): RecordSharing {
  return "record" in given ? given : { key: given, record: (record) => record };
}
