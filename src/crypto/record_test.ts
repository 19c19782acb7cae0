import { assert, assertEquals } from "@std/assert";
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { encodeSigStructure } from "../wire/cose_sign1.ts";
import { eddsaSig01, signPass02 } from "../../tests/vectors/cose_sign1.ts";
import { privateKeyOfSeed, signCose } from "./identity_key.ts";
import { type CoseSignature, verifyCose } from "./record.ts";

function bytes(hex: string): Bytes {
  return fromHex(hex) ?? new Uint8Array(0);
}

const example: CoseSignature = {
  protectedHeader: bytes(eddsaSig01.protectedHeader),
  externalAad: bytes(eddsaSig01.externalAad),
  payload: bytes(eddsaSig01.payload),
  signature: bytes(eddsaSig01.signature),
};

Deno.test("the working group's EdDSA COSE_Sign1 verifies", async () => {
  assertEquals(
    toHex(encodeSigStructure(example.protectedHeader, example.externalAad, example.payload)),
    eddsaSig01.toBeSigned,
  );
  assert(await verifyCose(bytes(eddsaSig01.publicKey), example));
});

Deno.test("signing as the working group's example did gives its signature", async () => {
  const key = await privateKeyOfSeed(bytes(eddsaSig01.seed));
  assertEquals(toHex(await signCose(key, bytes(eddsaSig01.toBeSigned))), eddsaSig01.signature);
});

Deno.test("external data is signed along", async () => {
  const { protectedHeader, externalAad, payload } = signPass02;
  assertEquals(
    toHex(encodeSigStructure(bytes(protectedHeader), bytes(externalAad), bytes(payload))),
    signPass02.toBeSigned,
  );
  const other = { ...example, externalAad: bytes(externalAad) };
  assertEquals(await verifyCose(bytes(eddsaSig01.publicKey), other), false);
});

Deno.test("a signature of a wrong length, or under a key that is none, is no signature", async () => {
  const key = bytes(eddsaSig01.publicKey);
  const short = { ...example, signature: example.signature.slice(1) };
  assertEquals(await verifyCose(key, short), false);
  assertEquals(await verifyCose(key.slice(1), example), false);
});
