import { assert, assertEquals } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { hex } from "../../tests/fixtures/bytes.ts";
import { decodeDer, type DerNode, encodeDer } from "./der.ts";

function refusal(text: string): string {
  const read = decodeDer(hex(text));
  return read instanceof DecodeError ? read.reason : "accepted";
}

function rewritten(node: DerNode): Bytes {
  return node.children.length > 0
    ? encodeDer(node.tag, ...node.children.map(rewritten))
    : encodeDer(node.tag, node.content);
}

Deno.test("values in their one form are read", () => {
  const good = [
    "01 01 00",
    "01 01 ff",
    "02 01 00",
    "02 01 80",
    "02 02 00 80",
    "02 02 ff 7f",
    "03 01 00",
    "03 02 07 80",
    "04 00",
    "06 03 2b 65 70",
    "06 04 2a 86 48 01",
    "0c 02 c3 a4",
    "13 03 61 2e 3f",
    "17 0d 3730303130313030303030305a",
    "18 0f 39393939313233313233353935395a",
    "30 00",
    "31 08 02 01 01 04 03 00 00 00",
    "30 06 02 01 01 04 01 ff",
    "a0 03 02 01 02",
    "80 02 ff ff",
    `04 81 80 ${"00".repeat(128)}`,
    `04 82 01 00 ${"00".repeat(256)}`,
  ];
  for (const text of good) {
    const node = decodeDer(hex(text));
    assert(!(node instanceof DecodeError), `${text}: ${refusal(text)}`);
    assertEquals(toHex(rewritten(node)), toHex(hex(text)));
    assertEquals(node.bytes, hex(text));
  }
});

Deno.test("every other form is refused for what it is", () => {
  const bad: readonly (readonly [string, string])[] = [
    ["", "der empty"],
    ["30", "der truncated"],
    ["30 01", "der truncated"],
    ["30 02 02 01", "der truncated"],
    ["04 81", "der truncated"],
    ["04 82 01", "der truncated"],
    ["30 00 00", "der trailing bytes"],
    ["30 80 00 00", "der indefinite length"],
    ["24 80 04 01 00 00 00", "der indefinite length"],
    ["04 81 01 00", "der length not minimal"],
    ["04 82 00 01 00", "der length not minimal"],
    [`04 82 00 80 ${"00".repeat(128)}`, "der length not minimal"],
    ["04 83 00 00 01 00", "der length too long"],
    ["04 84 00 00 00 01 00", "der length too long"],
    ["04 ff 00", "der length too long"],
    ["1f 01 00", "der long tag"],
    ["bf 01 00", "der long tag"],
    ["01 00", "der boolean"],
    ["01 01 01", "der boolean"],
    ["01 02 ff ff", "der boolean"],
    ["02 00", "der integer"],
    ["02 02 00 7f", "der integer"],
    ["02 02 ff 80", "der integer"],
    ["03 00", "der bit string"],
    ["03 01 01", "der bit string"],
    ["03 02 08 00", "der bit string"],
    ["03 02 01 01", "der bit string"],
    ["03 02 07 40", "der bit string"],
    ["06 00", "der object identifier"],
    ["06 01 80", "der object identifier"],
    ["06 03 80 2b 65", "der object identifier"],
    ["06 03 2b 80 01", "der object identifier"],
    ["06 02 2b ff", "der object identifier"],
    ["0c 01 80", "der utf-8 string"],
    ["0c 02 c0 80", "der utf-8 string"],
    ["0c 03 ed a0 80", "der utf-8 string"],
    ["13 01 2a", "der printable string"],
    ["17 0b 373030313031303030305a", "der time"],
    ["17 0d 3730313330313030303030305a", "der time"],
    ["17 0d 3031303232393030303030305a", "der time"],
    ["18 0d 3730303130313030303030305a", "der time"],
    ["18 0f 32303439313233313233353935395a", "der time"],
    ["31 06 02 01 02 02 01 01", "der set order"],
    ["05 00", "der type not used"],
    ["00 00", "der type not used"],
    ["16 01 61", "der type not used"],
    ["24 03 04 01 00", "der type not used"],
    ["23 04 03 02 00 01", "der type not used"],
    ["10 00", "der type not used"],
    ["60 00", "der type not used"],
    ["c0 00", "der type not used"],
    [
      Array.from({ length: 10 }).reduce<string>((c) => toHex(encodeDer(0x30, hex(c))), ""),
      "der too deep",
    ],
  ];
  for (const [text, reason] of bad) assertEquals(refusal(text), reason, text);
});

Deno.test("whatever is read is written again in the same bytes, and nothing throws", () => {
  const seed = [...crypto.getRandomValues(new Uint32Array(4))];
  const prng = new Prng(seed);
  const tags = [0x01, 0x02, 0x03, 0x04, 0x06, 0x0c, 0x13, 0x17, 0x30, 0x31, 0xa0, 0x80];
  let read = 0;
  const value = (depth: number): Bytes => {
    const tag = prng.pick(tags) ?? 0x04;
    if ((tag & 0x20) !== 0 && depth < 5) {
      return encodeDer(tag, ...Array.from({ length: prng.below(3) }, () => value(depth + 1)));
    }
    return encodeDer(tag, Uint8Array.from({ length: prng.below(4) }, () => prng.below(256)));
  };
  for (let round = 0; round < 100_000; round++) {
    const bytes = value(0);
    if (prng.below(2) === 0) bytes[prng.below(bytes.length)] = prng.below(256);
    const node = decodeDer(bytes);
    if (node instanceof DecodeError) continue;
    read++;
    assertEquals(toHex(rewritten(node)), toHex(bytes), `seed ${seed.join(" ")}, round ${round}`);
  }
  assert(read > 1_000, `only ${read} were read`);
});
