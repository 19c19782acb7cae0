import { assertEquals } from "@std/assert";
import { toHex, utf8 } from "../base/bytes.ts";
import { sha256 } from "./digest.ts";

Deno.test("FIPS 180-4 examples: the empty message, abc, and 448 bits", async () => {
  const vectors = [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
  ] as const;
  for (const [text, expected] of vectors) {
    assertEquals(toHex(await sha256(utf8(text))), expected);
  }
});

Deno.test("parts are hashed as if they were joined", async () => {
  assertEquals(await sha256(utf8("a"), utf8(""), utf8("bc")), await sha256(utf8("abc")));
});
