/**
 * The two marks in a beacon. The *tag* says which mesh a beacon is for; the *island mark* says which
 * island its sender stands on without saying so to strangers: the nodes that reach one another share
 * the smallest node id among them, and a hearer computes the mark that the sender would have if both
 * stood on the hearer's island. PROTOCOL §9.1.
 *
 * In an open mesh both are computed with fixed values and anyone can forge them: an equal mark only
 * ever suppresses a beacon, a different one only ever causes one.
 *
 * @module
 */
import { type Bytes, concatBytes, encodeUint, utf8 } from "../base/bytes.ts";
import {
  type BeaconIdForm,
  beaconTagLength,
  idFormNumber,
  islandMarkLength,
} from "../wire/beacon.ts";
import { sha256 } from "./digest.ts";

const openTagLabel = utf8("mesh v1 open tag");
const openKeyLabel = utf8("mesh v1 open");
const islandLabel = utf8("mesh v1 island");

/** The tag of every open mesh: the first 16 bytes of SHA-256("mesh v1 open tag"). */
export async function openTag(): Promise<Bytes> {
  return (await sha256(openTagLabel)).slice(0, beaconTagLength);
}

/** What an island mark is computed over. */
export interface IslandClaim {
  /** 32 bytes: the smallest id, by bytes, among the nodes the marker reaches, its own included. */
  readonly smallestId: Uint8Array;
  /**
   * Hours since 1970 in a cluster, so that marks cannot be linked for long; 0 in an open mesh, where
   * the plain id hides nothing and a node whose calendar is wrong must agree all the same.
   */
  readonly hour: number;
  readonly idForm: BeaconIdForm;
  /** 32 bytes: the id exactly as it stands in the beacon. */
  readonly id: Uint8Array;
}

/** The key under which islands are marked. */
export class IslandKey {
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** The key of every open mesh: SHA-256("mesh v1 open"). */
  static async open(): Promise<IslandKey> {
    return await IslandKey.ofCluster(await sha256(openKeyLabel));
  }

  /** The key of a cluster: its secret, 32 bytes. */
  static async ofCluster(secret: Bytes): Promise<IslandKey> {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    return new IslandKey(await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]));
  }

  /**
   * The mark, 16 bytes: HMAC-SHA-256(key, "mesh v1 island" ‖ smallest id 32 ‖ hour 8, big-endian ‖
   * id form 1 ‖ id 32), cut. Every field has one length, so none can be taken for another.
   */
  async mark(claim: IslandClaim): Promise<Bytes> {
    const input = concatBytes(
      islandLabel,
      claim.smallestId,
      encodeUint(claim.hour, 8),
      Uint8Array.of(idFormNumber(claim.idForm)),
      claim.id,
    );
    const mac = await crypto.subtle.sign("HMAC", this.#key, input);
    return new Uint8Array(mac).slice(0, islandMarkLength);
  }
}
