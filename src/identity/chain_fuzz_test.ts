import { assert } from "@std/assert";
import { type Bytes, concatBytes, equalBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { flipped } from "../../tests/fixtures/bytes.ts";
import { build, genuineLeaf, genuineRoot, reasonOf } from "../../tests/fixtures/certificates.ts";
import { ChainRefusal, judgeChain } from "./chain.ts";
import { decodeCertificate, encodeCertificate } from "./profile.ts";

Deno.test("no truncation of a genuine certificate passes", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  for (let length = 0; length < leaf.length; length++) {
    assert(await reasonOf(leaf.slice(0, length), root) !== "accepted", `leaf cut to ${length}`);
  }
  for (let length = 0; length < root.length; length++) {
    assert(await reasonOf(leaf, root.slice(0, length)) !== "accepted", `root cut to ${length}`);
  }
});

Deno.test("no flip of one bit in a genuine chain passes", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  for (let bit = 0; bit < leaf.length * 8; bit++) {
    assert(
      await reasonOf(flipped(leaf, bit >> 3, 1 << (bit & 7)), root) !== "accepted",
      `bit ${bit} of the leaf`,
    );
  }
  for (let bit = 0; bit < root.length * 8; bit++) {
    assert(
      await reasonOf(leaf, flipped(root, bit >> 3, 1 << (bit & 7))) !== "accepted",
      `bit ${bit} of the root`,
    );
  }
});

Deno.test("no byte added anywhere in a genuine chain passes", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  for (const added of [0x00, 0x05, 0x30, 0xff]) {
    for (let at = 0; at <= leaf.length; at++) {
      const longer = concatBytes(leaf.subarray(0, at), Uint8Array.of(added), leaf.subarray(at));
      assert(await reasonOf(longer, root) !== "accepted", `${added} at ${at} of the leaf`);
    }
    for (let at = 0; at <= root.length; at++) {
      const longer = concatBytes(root.subarray(0, at), Uint8Array.of(added), root.subarray(at));
      assert(await reasonOf(leaf, longer) !== "accepted", `${added} at ${at} of the root`);
    }
  }
});

function mutated(source: Bytes, prng: Prng): Bytes {
  if (prng.below(10) === 0) {
    return Uint8Array.from({ length: prng.below(64) }, () => prng.below(256));
  }
  const bytes = source.slice();
  for (let i = 1 + prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
  if (prng.below(4) > 0) return bytes;
  const [at, until] = [prng.below(bytes.length), prng.below(bytes.length)];
  return concatBytes(bytes.subarray(0, at), bytes.subarray(until));
}

Deno.test("random and mutated certificates never throw, and what is read can be written", async () => {
  const seed = [...crypto.getRandomValues(new Uint32Array(4))];
  const prng = new Prng(seed);
  const [leaf, root] = [await build(genuineLeaf), await build(genuineRoot)];
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutated(round % 2 === 0 ? leaf : root, prng);
    const read = decodeCertificate(bytes);
    const faithful = read instanceof DecodeError || equalBytes(encodeCertificate(read), bytes);
    assert(faithful, `seed ${seed.join(" ")}, round ${round}`);
  }
});

Deno.test("random and mutated chains never throw and never pass", async () => {
  const seed = [...crypto.getRandomValues(new Uint32Array(4))];
  const prng = new Prng(seed);
  const [leaf, root] = [await build(genuineLeaf), await build(genuineRoot)];
  for (let round = 0; round < 10_000; round++) {
    const chain = round % 2 === 0
      ? { leaf: mutated(leaf, prng), root }
      : { leaf, root: mutated(root, prng) };
    const judged = await judgeChain(chain);
    const same = equalBytes(chain.leaf, leaf) && equalBytes(chain.root, root);
    assert(same || judged instanceof ChainRefusal, `seed ${seed.join(" ")}, round ${round}`);
  }
});
