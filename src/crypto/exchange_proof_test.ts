import { assert, assertEquals } from "@std/assert";
import { type Bytes, toHex, utf8 } from "../base/bytes.ts";
import { counted, filled } from "../../tests/fixtures/bytes.ts";
import { exchangeKnownAnswer } from "./exchange_known_answer.ts";
import { proveClusterSecret, provesClusterSecret } from "./exchange_proof.ts";

Deno.test("the proofs' HMAC gives what RFC 4231 says", async () => {
  const vectors: readonly (readonly [Bytes, Bytes, string])[] = [
    [
      filled(0x0b, 20),
      utf8("Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      utf8("Jefe"),
      utf8("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      filled(0xaa, 20),
      filled(0xdd, 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ],
    [
      counted(1, 25),
      filled(0xcd, 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ],
    [
      filled(0xaa, 131),
      utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      filled(0xaa, 131),
      utf8(
        "This is a test using a larger than block-size key and a larger than block-size data. " +
          "The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ];
  for (const [key, data, result] of vectors) {
    assertEquals(toHex(await exchangeKnownAnswer.mac(key, data)), result);
  }
});

Deno.test("a proof is right for its secret, transcript and role only", async () => {
  const secret = filled(9, 32);
  const t = filled(1, 32);
  const proof = await proveClusterSecret(secret, t, "initiator");
  assert(await provesClusterSecret(secret, t, "initiator", proof));
  assert(!await provesClusterSecret(secret, t, "responder", proof));
  assert(!await provesClusterSecret(filled(8, 32), t, "initiator", proof));
  assert(!await provesClusterSecret(secret, filled(2, 32), "initiator", proof));
  assert(!await provesClusterSecret(secret, t, "initiator", proof.slice(0, 31)));
});
