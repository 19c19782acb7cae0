/**
 * Whose id a record's key makes. An id is a digest, which the platform computes on another thread;
 * the few authors that speak again and again are therefore remembered. What is remembered follows
 * from the key's bytes alone, so it is never wrong and nobody can change it for others.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { DecodeError } from "../base/decode.ts";
import { nodeIdOf, parsePublicKey } from "../crypto/mod.ts";
import type { NodeId } from "../wire/node_id.ts";
import { authorIdsKept } from "./limits.ts";

const known = new BoundedMap<string, NodeId>(authorIdsKept);

/** The id of the author with this raw key, which is judged: a key that nobody can have is refused. */
export async function authorIdOf(raw: Uint8Array): Promise<NodeId | DecodeError> {
  const name = String.fromCharCode(...raw);
  const remembered = known.get(name);
  if (remembered !== undefined) return remembered;
  const key = parsePublicKey(raw);
  if (key instanceof DecodeError) return key;
  const id = await nodeIdOf(key);
  known.set(name, id);
  return id;
}
