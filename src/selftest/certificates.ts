/**
 * Certificates: made by a library, judged by our own reader; a chain with one byte too many, which
 * the platform's TLS would let pass, must not.
 *
 * @module
 */
import { concatBytes } from "../base/bytes.ts";
import { isChainRefusal, judgeChain, newIdentity } from "../identity/mod.ts";
import { type Check, expect, withFlippedBit } from "./check.ts";

/** Makes an identity and its certificates and judges them. */
export const certificateCheck: Check = {
  name: "certificates",
  async run() {
    const identity = await newIdentity();
    const { leaf, root } = await identity.newLeaf();
    const judged = await judgeChain({ leaf, root });
    expect(
      !isChainRefusal(judged),
      `a chain of our own is refused: ${isChainRefusal(judged) ? judged.reason : ""}`,
    );
    expect(judged.id === identity.id, "the judge names another node than the one that signed");
    const forgeries = {
      "a leaf with a byte after its end": { leaf: concatBytes(leaf, Uint8Array.of(0)), root },
      "a root with a byte after its end": { leaf, root: concatBytes(root, Uint8Array.of(0)) },
      "a leaf with a flipped bit in its signature": { leaf: withFlippedBit(leaf, -1), root },
      "another node's leaf": { leaf: (await (await newIdentity()).newLeaf()).leaf, root },
      "a root in the place of the leaf": { leaf: root, root },
    };
    for (const [what, chain] of Object.entries(forgeries)) {
      expect(isChainRefusal(await judgeChain(chain)), `${what} is accepted`);
    }
    return `a chain of ${leaf.length} and ${root.length} bytes judged, ` +
      `${Object.keys(forgeries).length} forgeries refused`;
  },
};
