/**
 * Every primitive that the product rests on, against an answer that its own specification prints.
 * A primitive that is wrong the same way in both directions passes every round trip; only a known
 * answer finds it.
 *
 * @module
 */
import { type Bytes, equalBytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  datagramKnownAnswer,
  exchangeKnownAnswer,
  identityKnownAnswer,
  importSealKey,
  keyProtectionKnownAnswer,
  openDatagram,
  parsePublicKey,
  sealDatagram,
  sha256,
  unwrapHandle,
  verifySignature,
  wrapHandle,
} from "../crypto/mod.ts";
import { type Check, expect, expectAnswer, literal, withFlippedBit } from "./check.ts";
import { kemCiphertext, kemSeed, kemShared } from "./ml_kem_answer.ts";

function filled(length: number, value: number): Bytes {
  return new Uint8Array(length).fill(value);
}

function counted(first: number, length: number): Bytes {
  return new Uint8Array(length).map((_, i) => first + i);
}

const noBytes: Bytes = new Uint8Array(0);

/** FIPS 180-4; NIST "Examples with Intermediate Values": one block, two blocks. */
const sha256Check: Check = {
  name: "sha-256",
  async run() {
    expectAnswer(
      'the digest of "abc"',
      await sha256(utf8("abc")),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expectAnswer(
      "the digest of two blocks",
      await sha256(utf8("abcdbcdecdefdefgefghfghighij"), utf8("hijkijkljklmklmnlmnomnopnopq")),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
    return "FIPS 180-4: 2 answers right";
  },
};

/** RFC 4231 §4.3, test case 2. */
const hmacCheck: Check = {
  name: "hmac-sha-256",
  async run() {
    expectAnswer(
      "the tag of test case 2",
      await exchangeKnownAnswer.mac(utf8("Jefe"), utf8("what do ya want for nothing?")),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    return "RFC 4231: test case 2 right";
  },
};

/** RFC 5869 appendix A.1, and A.3 without salt and info. */
const hkdfCheck: Check = {
  name: "hkdf-sha-256",
  async run() {
    const secret = filled(22, 0x0b);
    expectAnswer(
      "the key of test case 1",
      await exchangeKnownAnswer.expand(secret, counted(0, 13), counted(0xf0, 10), 42),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    expectAnswer(
      "the key of test case 3",
      await exchangeKnownAnswer.expand(secret, noBytes, noBytes, 42),
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
    return "RFC 5869: 2 answers right";
  },
};

/** RFC 8032 §7.1, test 2. */
const ed25519Check: Check = {
  name: "ed25519",
  async run() {
    const message = literal("72");
    const signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const key = parsePublicKey(
      literal("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
    );
    expect(!(key instanceof DecodeError), "the key of test 2 is refused");
    expectAnswer(
      "the signature of test 2",
      await identityKnownAnswer.sign(
        literal("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
        message,
      ),
      signature,
    );
    const right = literal(signature);
    expect(await verifySignature(key, message, right), "the signature of test 2 is refused");
    expect(
      !await verifySignature(key, message, withFlippedBit(right, 0)),
      "a signature with a flipped bit is accepted",
    );
    expect(
      !await verifySignature(key, literal("73"), right),
      "a signature over another message is accepted",
    );
    expect(
      parsePublicKey(filled(32, 0)) instanceof DecodeError,
      "a public key of small order is accepted",
    );
    return "RFC 8032: test 2 signed, verified, 3 forgeries refused";
  },
};

/** RFC 7748 §6.1. */
const x25519Check: Check = {
  name: "x25519",
  async run() {
    expectAnswer(
      "the shared secret of §6.1",
      await exchangeKnownAnswer.x25519(
        literal("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
        literal("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
      ),
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    );
    return "RFC 7748: §6.1 right";
  },
};

/** FIPS 203 §6.3: the right way, and implicit rejection. */
const kemCheck: Check = {
  name: "ml-kem-768",
  async run() {
    const [seed, ciphertext] = [literal(kemSeed), literal(kemCiphertext)];
    const shared = await exchangeKnownAnswer.decapsulate(seed, ciphertext);
    expectAnswer("the decapsulated secret", shared, kemShared);
    const other = await exchangeKnownAnswer.decapsulate(seed, withFlippedBit(ciphertext, 500));
    expect(!equalBytes(other, shared), "a changed ciphertext gives the same secret");
    return "FIPS 203: C2SP vector right, a changed ciphertext gives another secret";
  },
};

/** McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16. */
const gcmCheck: Check = {
  name: "aes-256-gcm",
  async run() {
    const key = await importSealKey(
      literal("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
    );
    const nonce = literal("cafebabefacedbaddecaf888");
    const header = literal("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    const body = literal(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    const sealed = (await sealDatagram(key, nonce, header, body)).slice(header.length);
    expectAnswer(
      "the sealed text of test case 16",
      sealed,
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
        "76fc6ece0f4e1768cddf8853bb2d551b",
    );
    const opened = await openDatagram(key, nonce, header, sealed);
    expect(opened !== undefined && equalBytes(opened, body), "what was sealed does not open");
    for (const at of [0, -1]) {
      const forged = await openDatagram(key, nonce, header, withFlippedBit(sealed, at));
      expect(forged === undefined, "a sealed text with a flipped bit opens");
    }
    expect(
      await openDatagram(key, nonce, withFlippedBit(header, 0), sealed) === undefined,
      "a sealed text opens under another header",
    );
    return "McGrew and Viega: test case 16 sealed, opened, 3 forgeries refused";
  },
};

/** RFC 3394 §4.3: 128 bits under a key of 256. */
const keyWrapCheck: Check = {
  name: "aes-kw",
  async run() {
    const key = await datagramKnownAnswer.handleKey(counted(0, 32));
    const data = literal("00112233445566778899aabbccddeeff");
    const wrapped = await wrapHandle(key, data);
    expectAnswer(
      "the wrapped key of §4.3",
      wrapped,
      "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7",
    );
    const unwrapped = await unwrapHandle(key, wrapped);
    expect(
      unwrapped !== undefined && equalBytes(unwrapped, data),
      "what was wrapped does not unwrap",
    );
    expect(
      await unwrapHandle(key, withFlippedBit(wrapped, -1)) === undefined,
      "a wrapped key with a flipped bit unwraps",
    );
    return "RFC 3394: §4.3 wrapped, unwrapped, a forgery refused";
  },
};

/** RFC 9106 §5.3: 32 KiB, 3 passes, 4 lanes. */
const argonCheck: Check = {
  name: "argon2id",
  async run() {
    expectAnswer(
      "the tag of §5.3",
      await keyProtectionKnownAnswer.argon2id(filled(32, 0x01), {
        nonce: filled(16, 0x02),
        memory: 32,
        passes: 3,
        parallelism: 4,
        secretValue: filled(8, 0x03),
        associatedData: filled(12, 0x04),
      }),
      "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
    );
    return "RFC 9106: §5.3 right";
  },
};

/** No test tells good randomness; this finds a generator that stands still or gives nothing. */
const randomnessCheck: Check = {
  name: "randomness",
  run({ entropy }) {
    const [first, second] = [entropy.bytes(32), entropy.bytes(32)];
    expect(first.length === 32 && second.length === 32, "32 bytes were asked and did not come");
    expect(!equalBytes(first, second), "two draws of 32 bytes are the same");
    for (const draw of [first, second]) {
      // Fewer than 8 different values among 32 bytes: a chance below 2⁻⁸⁰.
      expect(new Set(draw).size >= 8, "a draw of 32 bytes repeats itself");
    }
    return Promise.resolve("two draws of 32 bytes differ");
  },
};

/** The primitives, lowest first. */
export const primitiveChecks: readonly Check[] = [
  sha256Check,
  hmacCheck,
  hkdfCheck,
  ed25519Check,
  x25519Check,
  kemCheck,
  gcmCheck,
  keyWrapCheck,
  argonCheck,
  randomnessCheck,
];
