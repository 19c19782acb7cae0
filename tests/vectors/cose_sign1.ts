/**
 * COSE working group examples (github.com/cose-wg/Examples), those that hold a `COSE_Sign1`:
 * `eddsa-examples/eddsa-sig-01.json` (Ed25519) and, for a Sig_structure with external data,
 * `sign1-tests/sign-pass-02.json` (its signature is ECDSA, only the bytes to be signed are used).
 *
 * @module
 */

/** EdDSA-01: EdDSA - 25519 - sign0. Hexadecimal, fields as in the file. */
export const eddsaSig01 = {
  publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  protectedHeader: "a201270300",
  externalAad: "",
  payload: "546869732069732074686520636f6e74656e742e",
  toBeSigned: "846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e",
  signature: "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87" +
    "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d",
  message: "d28445a201270300a10442313154546869732069732074686520636f6e74656e742e5840" +
    "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87" +
    "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d",
} as const;

/** sign-pass-02: External. Hexadecimal. */
export const signPass02 = {
  protectedHeader: "a10126",
  externalAad: "11aa22bb33cc44dd55006699",
  payload: "546869732069732074686520636f6e74656e742e",
  toBeSigned: "846a5369676e61747572653143a101264c11aa22bb33cc44dd5500669954" +
    "546869732069732074686520636f6e74656e742e",
} as const;
