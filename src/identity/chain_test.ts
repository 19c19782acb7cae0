import { assert, assertEquals } from "@std/assert";
import { type Bytes, copyBytes, utf8 } from "../base/bytes.ts";
import { hex } from "../../tests/fixtures/bytes.ts";
import {
  authority,
  authorityKey,
  endEntity,
  extensions,
  identifier,
  name,
  signsCertificates,
  signsHandshakes,
  spki,
  subjectKey,
  tlv,
} from "../../tests/fixtures/certificate_pieces.ts";
import {
  build,
  genuineLeaf,
  genuineRoot,
  idOf,
  judgePieces,
  leafKey,
  otherId,
  otherKey,
  type Pieces,
  reasonOf,
  rootId,
  rootKey,
} from "../../tests/fixtures/certificates.ts";
import { rotten } from "../../tests/vectors/rotten_certificates.ts";
import { isChainRefusal, judgeChain } from "./chain.ts";
import { identityOfSeed } from "./identity.ts";

Deno.test("a genuine chain names the peer by the root's key", async () => {
  const leaf = await build(genuineLeaf);
  const judged = await judgeChain({ leaf, root: await build(genuineRoot) });
  assert(!isChainRefusal(judged), isChainRefusal(judged) ? judged.reason : "");
  assertEquals(judged.id.toString(), rootId);
  assertEquals(copyBytes(judged.publicKey), rootKey.raw);
  assertEquals(judged.leafHash, new Uint8Array(await crypto.subtle.digest("SHA-256", leaf)));
});

Deno.test("every freedom that the profile leaves is accepted", async () => {
  const utcAndUtc = hex("30 1e 17 0d 3439313233313233353935395a 17 0d 3530303130313030303030305a");
  const leapDay = hex("30 1e 17 0d 3030303232393030303030305a 17 0d 3030303232393030303030305a");
  const fourDigits = hex(
    "30 22 18 0f 32303530303130313030303030305a 18 0f 31393439313233313233353935395a",
  );
  const leaves: Record<string, Partial<Pieces>> = {
    "end-entity flag": { extensions: extensions(signsHandshakes, endEntity) },
    "extensions in another order": { extensions: extensions(endEntity, signsHandshakes) },
    "key identifiers": {
      extensions: extensions(subjectKey(identifier), signsHandshakes, authorityKey(identifier)),
    },
    "serial of 20 bytes": { serial: tlv(0x02, new Uint8Array(20).fill(0x7f)) },
    "serial with a sign byte": { serial: hex("02 02 00 80") },
    "subject of 64 bytes": { subject: name("x".repeat(64)) },
    "subject in UTF-8": { subject: name("Blatt ä 葉") },
    "subject as PrintableString": { subject: name("leaf", 0x13) },
    "expired before it began": { validity: utcAndUtc },
    "a leap day": { validity: leapDay },
    "times of four digits, backwards": { validity: fourDigits },
  };
  for (const [what, leaf] of Object.entries(leaves)) {
    assertEquals(await judgePieces(leaf, {}), "accepted", what);
  }
  const roots: Record<string, Partial<Pieces>> = {
    "key identifiers": {
      extensions: extensions(
        ...[subjectKey(identifier), authorityKey(identifier), authority, signsCertificates],
      ),
    },
    "validity long over": { validity: utcAndUtc },
  };
  for (const [what, root] of Object.entries(roots)) {
    assertEquals(await judgePieces({}, root), "accepted", what);
  }
  const printable = { issuer: name(rootId, 0x13), subject: name(rootId, 0x13) };
  assertEquals(await judgePieces({ issuer: name(rootId, 0x13) }, printable), "accepted");
});

for (const which of ["leaf", "root"] as const) {
  Deno.test(`a rotten ${which} is refused for what is rotten`, async (t) => {
    for (const [what, [pieces, reason]] of Object.entries(rotten)) {
      await t.step(what, async () => {
        const found = which === "leaf"
          ? await judgePieces(pieces, {})
          : await judgePieces({}, pieces);
        assertEquals(found, `${which}: ${reason}`);
      });
    }
  });
}

Deno.test("chains whose parts do not belong together are refused", async (t) => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  const otherRoot = await build({
    ...genuineRoot,
    issuer: name(otherId),
    subject: name(otherId),
    spki: spki(otherKey.raw),
    signer: otherKey.signer,
  });
  const cases: Record<string, readonly [Bytes, Bytes, string]> = {
    "swapped": [root, leaf, "root: not its own issuer"],
    "the root twice": [root, root, "leaf: named as its issuer"],
    "the leaf twice": [leaf, leaf, "root: not its own issuer"],
    "a stolen leaf under the thief's root": [leaf, otherRoot, "leaf: another issuer"],
    "a stolen leaf under a root with the victim's name": [
      leaf,
      await build({ ...genuineRoot, spki: spki(otherKey.raw), signer: otherKey.signer }),
      "root: not named by its id",
    ],
    "the thief's leaf under a stolen root": [
      await build({ ...genuineLeaf, spki: spki(otherKey.raw), signer: otherKey.signer }),
      root,
      "leaf: signature",
    ],
    "a self-signed leaf under a stolen root": [
      await build({ ...genuineLeaf, signer: leafKey.signer }),
      root,
      "leaf: signature",
    ],
    "a leaf signed by a leaf": [
      await build({
        ...genuineLeaf,
        issuer: name("some leaf"),
        subject: name("deeper"),
        signer: leafKey.signer,
        spki: spki(otherKey.raw),
      }),
      leaf,
      "root: not its own issuer",
    ],
    "a root that another signed": [
      leaf,
      await build({ ...genuineRoot, signer: otherKey.signer }),
      "root: signature",
    ],
    "a root issued by another name": [
      leaf,
      await build({ ...genuineRoot, issuer: name(otherId) }),
      "root: not its own issuer",
    ],
    "a root named as another node": [
      await build({ ...genuineLeaf, issuer: name(otherId) }),
      await build({ ...genuineRoot, issuer: name(otherId), subject: name(otherId) }),
      "root: not named by its id",
    ],
    "a root named in upper case": [
      await build({ ...genuineLeaf, issuer: name(rootId.toUpperCase()) }),
      await build({
        ...genuineRoot,
        issuer: name(rootId.toUpperCase()),
        subject: name(rootId.toUpperCase()),
      }),
      "root: not named by its id",
    ],
    "a root named with a byte order mark": [
      await build({ ...genuineLeaf, issuer: name(`\ufeff${rootId}`) }),
      await build({
        ...genuineRoot,
        issuer: name(`\ufeff${rootId}`),
        subject: name(`\ufeff${rootId}`),
      }),
      "root: not named by its id",
    ],
    "a leaf whose issuer differs by case": [
      await build({ ...genuineLeaf, issuer: name(rootId.toUpperCase()) }),
      root,
      "leaf: another issuer",
    ],
    "a leaf whose issuer differs by string type": [
      await build({ ...genuineLeaf, issuer: name(rootId, 0x13) }),
      root,
      "leaf: another issuer",
    ],
    "a root whose issuer differs by string type": [
      leaf,
      await build({ ...genuineRoot, issuer: name(rootId, 0x13) }),
      "root: not its own issuer",
    ],
    "a leaf named as the root": [
      await build({ ...genuineLeaf, subject: name(rootId) }),
      root,
      "leaf: named as its issuer",
    ],
    "a leaf with the root's key": [
      await build({ ...genuineLeaf, spki: spki(rootKey.raw) }),
      root,
      "leaf: the root's key",
    ],
    "a leaf that is a CA": [
      await build({ ...genuineLeaf, extensions: extensions(authority, signsHandshakes) }),
      root,
      "leaf: wrong extensions",
    ],
    "a leaf that may sign certificates": [
      await build({ ...genuineLeaf, extensions: extensions(signsCertificates) }),
      root,
      "leaf: wrong extensions",
    ],
    "a leaf without usage": [
      await build({ ...genuineLeaf, extensions: extensions(endEntity) }),
      root,
      "leaf: wrong extensions",
    ],
    "a leaf with an empty list of extensions": [
      await build({ ...genuineLeaf, extensions: extensions() }),
      root,
      "leaf: wrong extensions",
    ],
    "a root that is no CA": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(endEntity, signsCertificates) }),
      "root: wrong extensions",
    ],
    "a root without the CA flag": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(signsCertificates) }),
      "root: wrong extensions",
    ],
    "a root without usage": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(authority) }),
      "root: wrong extensions",
    ],
    "a root that signs handshakes": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(authority, signsHandshakes) }),
      "root: wrong extensions",
    ],
    "an empty leaf": [hex(""), root, "leaf: der empty"],
    "an empty root": [leaf, hex(""), "root: der empty"],
    "a junk root": [leaf, utf8("junk, not a certificate"), "root: der truncated"],
    "a leaf in PEM": [
      utf8(`-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...leaf))}\n-----END`),
      root,
      "leaf: der trailing bytes",
    ],
    "a leaf in base64": [
      utf8(btoa(String.fromCharCode(...leaf))),
      root,
      "leaf: der trailing bytes",
    ],
    "a leaf over 4 KiB": [new Uint8Array(4_097).fill(0x30), root, "leaf: too long"],
    "a root over 4 KiB": [leaf, new Uint8Array(4_097).fill(0x30), "root: too long"],
    "a bottomless leaf": [
      Array.from({ length: 1_000 }).reduce<Bytes>((c) => tlv(0x30, c), hex("05 00")),
      root,
      "leaf: der too deep",
    ],
  };
  for (const [what, [oneLeaf, oneRoot, reason]] of Object.entries(cases)) {
    await t.step(what, async () => assertEquals(await reasonOf(oneLeaf, oneRoot), reason));
  }
});

Deno.test("a certificate over 4 KiB is refused unread, however genuine", async () => {
  const long = extensions(
    signsHandshakes,
    ...Array.from({ length: 140 }, () => subjectKey(identifier)),
  );
  assertEquals(await judgePieces({ extensions: long }, {}), "leaf: too long");
});

Deno.test("a small-order root cannot make a chain that anyone may sign", async () => {
  // Under the neutral element as key, the signature with R neutral and S zero fits every message.
  const neutral = Uint8Array.of(1, ...new Uint8Array(31));
  const id = await idOf(neutral);
  const forged = (): Bytes => tlv(0x03, Uint8Array.of(0, 1), new Uint8Array(63));
  const pieces = { issuer: name(id), signatureBits: forged };
  assertEquals(
    await judgePieces(pieces, { ...pieces, subject: name(id), spki: spki(neutral) }),
    "root: public key of small order",
  );
});

Deno.test("bytes that change while they are judged change nothing", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", leaf));
  const judging = judgeChain({ leaf, root });
  leaf.fill(0);
  root.fill(0);
  const judged = await judging;
  assert(!isChainRefusal(judged));
  assertEquals(judged.leafHash, expected);
});

Deno.test("a node's own chain passes the judge", async () => {
  const identity = await identityOfSeed(new Uint8Array(32).fill(9));
  const { leaf, root, leafHash } = await identity.newLeaf();
  const judged = await judgeChain({ leaf, root });
  assert(!isChainRefusal(judged));
  assertEquals(judged, { id: identity.id, publicKey: identity.publicKey, leafHash });
});
