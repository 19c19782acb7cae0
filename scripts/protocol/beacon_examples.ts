/** Example of PROTOCOL §9: Ann's first beacon. @module */
import { DecodeError } from "../../src/base/decode.ts";
import { invariant } from "../../src/base/invariant.ts";
import { IslandKey, openTag } from "../../src/crypto/mod.ts";
import { decodeBeacon, encodeBeacon } from "../../src/wire/beacon.ts";
import { nodeIdToBytes } from "../../src/wire/node_id.ts";
import type { Cast } from "./cast.ts";
import { message } from "./hex.ts";

/** By name in the document. */
export async function beaconExamples({ ann }: Cast): Promise<Record<string, string>> {
  const id = nodeIdToBytes(ann.identity.id);
  const key = await IslandKey.open();
  const island = await key.mark({ smallestId: id, hour: 0, idForm: "plain", id });
  const tag = await openTag();
  const bytes = encodeBeacon({ solicitation: true, tag, idForm: "plain", id, port: 7411, island });
  invariant(!(decodeBeacon(bytes) instanceof DecodeError), "the example decodes");
  return {
    "beacon": await message([
      ['"mesh"', bytes.subarray(0, 4)],
      ["version", bytes.subarray(4, 5)],
      ["flags", bytes.subarray(5, 6)],
      ["tag", bytes.subarray(6, 22)],
      ["id form", bytes.subarray(22, 23)],
      ["id", bytes.subarray(23, 55)],
      ["port", bytes.subarray(55, 57)],
      ["island", bytes.subarray(57, 73)],
    ], bytes),
  };
}
