/**
 * The nodes of which there are records, as discovery needs them: asked when it matters, never kept.
 * There may be a hundred thousand, and nearly all of them are never dialled.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";

/** Who is known by a record. */
export interface KnownNodes {
  /** How many, this node included once it has published. */
  count(): number;
  /** Whether there is a record that says where the node listens. */
  has(id: NodeId): boolean;
  /** Where its record says that the node listens; link-local addresses without a zone. */
  addressesOf(id: NodeId): readonly SocketAddress[];
  /**
   * A random one, not this node, to which a path of links leads, or none; of those that pass. Looks
   * at a few dozen only.
   */
  pick(reachable: boolean, passes: (id: NodeId) => boolean): NodeId | undefined;
}
