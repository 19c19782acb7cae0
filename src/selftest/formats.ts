/**
 * The two encodings that come from outside, against examples of theirs.
 *
 * @module
 */
import { equalBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  identityKnownAnswer,
  parsePublicKey,
  signRecord,
  verifyCose,
  verifyRecordSignature,
} from "../crypto/mod.ts";
import { newIdentity } from "../identity/mod.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { decodeCoseSign1, encodeSigStructure } from "../wire/cose_sign1.ts";
import { type Check, expect, expectAnswer, literal, withFlippedBit } from "./check.ts";

/** RFC 8949 appendix A: [bytes, value]. */
const cborAnswers: readonly (readonly [string, CborValue])[] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["1903e8", 1_000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000],
  ["20", -1],
  ["3903e7", -1_000],
  ["f4", false],
  ["f6", null],
  ["4401020304", Uint8Array.of(1, 2, 3, 4)],
  ["6449455446", "IETF"],
  ["62c3bc", "ü"],
  ["80", []],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a201020304", new Map([[1, 2], [3, 4]])],
  ["a26161016162820203", new Map<string, CborValue>([["a", 1], ["b", [2, 3]]])],
];

/** Of the same appendix but the last three: what the deterministic subset leaves out. */
const cborRefused: readonly string[] = [
  "1bffffffffffffffff", // past 53 bits
  "f97e00", // not a number
  "f7", // undefined
  "c11a514b67b0", // a tag
  "9fff", // indefinite length
  "5f42010243030405ff", // indefinite length
  "1817", // 23 in two bytes
  "a203040102", // keys out of order
  "0000", // a byte too many
];

const cborCheck: Check = {
  name: "cbor",
  run() {
    for (const [hex, value] of cborAnswers) {
      expectAnswer(`the encoding of ${hex}`, encodeCbor(value), hex);
      const decoded = decodeCbor(literal(hex));
      expect(!(decoded instanceof DecodeError), `${hex} is refused`);
      expectAnswer(`the value of ${hex}, encoded again,`, encodeCbor(decoded), hex);
    }
    for (const hex of cborRefused) {
      expect(decodeCbor(literal(hex)) instanceof DecodeError, `${hex} is accepted`);
    }
    return Promise.resolve(
      `RFC 8949: ${cborAnswers.length} answers right, ${cborRefused.length} forms refused`,
    );
  },
};

/** COSE working group examples, eddsa-examples/eddsa-sig-01. */
const eddsaSig01 = {
  seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  protectedHeader: "a201270300",
  payload: "546869732069732074686520636f6e74656e742e",
  toBeSigned: "846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e",
  signature: "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87" +
    "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d",
} as const;

const coseCheck: Check = {
  name: "cose-sign1",
  async run() {
    const protectedHeader = literal(eddsaSig01.protectedHeader);
    const externalAad = new Uint8Array(0);
    const payload = literal(eddsaSig01.payload);
    const signature = literal(eddsaSig01.signature);
    const toBeSigned = encodeSigStructure(protectedHeader, externalAad, payload);
    expectAnswer("what eddsa-sig-01 signs", toBeSigned, eddsaSig01.toBeSigned);
    expectAnswer(
      "the signature of eddsa-sig-01",
      await identityKnownAnswer.sign(literal(eddsaSig01.seed), toBeSigned),
      eddsaSig01.signature,
    );
    const key = parsePublicKey(literal(eddsaSig01.publicKey));
    expect(!(key instanceof DecodeError), "the key of eddsa-sig-01 is refused");
    const cose = { protectedHeader, externalAad, payload, signature };
    expect(await verifyCose(key, cose), "the signature of eddsa-sig-01 is refused");
    expect(
      !await verifyCose(key, { ...cose, externalAad: literal("00") }),
      "a signature over other external data is accepted",
    );

    // The record's own envelope, by the same signer.
    const bytes = await signRecord(await newIdentity(), payload);
    const record = decodeCoseSign1(bytes);
    expect(!(record instanceof DecodeError), "an envelope of our own is refused");
    expect(equalBytes(record.payload, payload), "an envelope gives another payload back");
    expect(await verifyRecordSignature(record), "a record's signature is refused");
    const forged = decodeCoseSign1(withFlippedBit(bytes, -80));
    expect(
      forged instanceof DecodeError || !await verifyRecordSignature(forged),
      "a record with a flipped bit is accepted",
    );
    return "COSE examples: eddsa-sig-01 signed and verified, 2 forgeries refused";
  },
};

/** The encodings. */
export const formatChecks: readonly Check[] = [cborCheck, coseCheck];
