import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Bytes, copyBytes, toHex, utf8 } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { verifyFrom } from "../crypto/mod.ts";
import type { Storage } from "../platform/storage.ts";
import { MemoryStorage, SimulatedCrash } from "../../tests/sim/memory_storage.ts";
import { isChainRefusal, judgeChain } from "./chain.ts";
import {
  type Identity,
  identityOfSeed,
  isIdentityProblem,
  loadOrCreateIdentity,
} from "./identity.ts";
import {
  IdentityProblem,
  inspectKeyFile,
  keyFileName,
  type KeySecrets,
  protectKeyFile,
  resetKeyFile,
} from "./key_file.ts";
import { decodePem, encodePem } from "./pem.ts";

/** The root certificate of the seed 00 01 … 1f. */
const goldenRoot = [
  "3082017130820123a003020102020101300506032b6570303f313d303b06035504030c347562696967376d6661",
  "346379667468786866667174636565707462726673346965776e797373657a36337a6474747978736773713020",
  "170d3730303130313030303030305a180f39393939313233313233353935395a303f313d303b06035504030c34",
  "7562696967376d6661346379667468786866667174636565707462726673346965776e797373657a36337a6474",
  "74797873677371302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc",
  "8664125531b8a3423040300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020204301d",
  "0603551d0e04160414a050837d85070582ccf7394b0988847cc312cb88300506032b6570034100a58e61f4df51",
  "59471ecc9fca5c7f6e574ce04d45a900aa3f1577fa15920fcc6683025516f47e1262b2200173eaacb2ad201513",
  "1304f4bab9fc2b205eea357709",
].join("");

function disk(): MemoryStorage {
  return new MemoryStorage({ prng: new Prng([1]) });
}

async function identityIn(storage: Storage, secrets: KeySecrets = {}): Promise<Identity> {
  const loaded = await loadOrCreateIdentity(storage, secrets);
  assert(!isIdentityProblem(loaded), isIdentityProblem(loaded) ? loaded.message : "");
  return loaded;
}

async function problemIn(storage: Storage, secrets: KeySecrets = {}): Promise<IdentityProblem> {
  const loaded = await loadOrCreateIdentity(storage, secrets);
  assert(isIdentityProblem(loaded), "an identity where a problem should be");
  return loaded;
}

async function fileOf(storage: Storage): Promise<string> {
  return new TextDecoder().decode(await storage.read(keyFileName));
}

const credential = new Uint8Array(32).fill(7);

Deno.test("the identity made at the first start is there at every later one", async () => {
  const storage = disk();
  const first = await identityIn(storage);
  const second = await identityIn(storage);
  assertEquals(second.id, first.id);
  assertEquals(second.publicKey, first.publicKey);
  assertEquals(await second.rootCertificate(), await first.rootCertificate());
  assertEquals(storage.names, [keyFileName]);
  assertEquals(first.protection, "plain");
});

Deno.test("two first starts at once make one identity", async () => {
  for (let round = 0; round < 20; round++) {
    const storage = disk();
    const [a, b, c] = await Promise.all([
      identityIn(storage),
      identityIn(storage),
      identityIn(storage),
    ]);
    assertEquals([b.id, c.id], [a.id, a.id]);
    assertEquals((await identityIn(storage)).id, a.id);
  }
});

Deno.test("a crash at any step of the first start leaves no file or a whole one", async () => {
  for (let step = 0;; step++) {
    const storage = disk();
    storage.crashAfter(step);
    const loaded = await loadOrCreateIdentity(storage);
    storage.restart();
    const names = storage.names;
    assert(names.length === 0 || names.includes(keyFileName));
    const after = await identityIn(storage);
    if (!isIdentityProblem(loaded)) {
      assertEquals(after.id, loaded.id);
      break;
    }
    assertEquals(loaded.reason, "storage");
    assert(loaded.cause instanceof SimulatedCrash);
    assert(step < 100);
  }
});

Deno.test("a leaf is fresh at each call, under one root, and never the root's key", async () => {
  const identity = await identityIn(disk());
  const [a, b] = [await identity.newLeaf(), await identity.newLeaf()];
  assertEquals(a.root, b.root);
  assert(toHex(a.leafHash) !== toHex(b.leafHash));
  assert(a.privateKeyPem !== b.privateKeyPem);
  for (const { leaf, root, leafHash } of [a, b]) {
    const judged = await judgeChain({ leaf, root });
    assert(!isChainRefusal(judged));
    assertEquals(judged, { id: identity.id, publicKey: identity.publicKey, leafHash });
  }
  const pems = a.certificateChainPem.split(/(?<=-----END CERTIFICATE-----\n)/).map(decodePem);
  assertEquals(pems.slice(0, 2), [
    { label: "CERTIFICATE", bytes: a.leaf },
    { label: "CERTIFICATE", bytes: a.root },
  ]);
});

Deno.test("the root certificate follows from the key alone, byte for byte", async () => {
  const seed = new Uint8Array(32).map((_, i) => i);
  const [first, second] = [await identityOfSeed(seed), await identityOfSeed(seed)];
  const root = await first.rootCertificate();
  assertEquals(await second.rootCertificate(), root);
  // Made once by a library and read with openssl: were it written otherwise one day, ids would stay,
  // but whoever compared certificates would see another.
  assertEquals(toHex(root), goldenRoot);
});

Deno.test("what an identity signs is its key's, under the purpose named", async () => {
  const identity = await identityIn(disk());
  const signature = await identity.sign("mesh v1 test", utf8("data"));
  assert(await verifyFrom(identity.publicKey, "mesh v1 test", utf8("data"), signature));
  assert(!await verifyFrom(identity.publicKey, "mesh v1 other", utf8("data"), signature));
});

Deno.test("a key under a passphrase opens with it, asks for it, and refuses another", async () => {
  const storage = disk();
  const made = await identityIn(storage, { passphrase: "open sesame" });
  assertEquals(made.protection, "passphrase");
  assertStringIncludes(await fileOf(storage), "BEGIN MESH PROTECTED KEY");
  assertEquals((await identityIn(storage, { passphrase: "open sesame" })).id, made.id);
  assertEquals((await problemIn(storage)).reason, "passphrase-needed");
  assertEquals((await problemIn(storage, { passphrase: "wrong" })).reason, "wrong-secret");
  assertEquals((await problemIn(storage, { passphrase: "" })).reason, "unusable-secret");
  assertEquals(await inspectKeyFile(storage), "passphrase");
});

Deno.test("a key under a credential opens with it, asks for it, and refuses another", async () => {
  const storage = disk();
  const made = await identityIn(storage, { credential });
  assertEquals(made.protection, "credential");
  assertEquals((await identityIn(storage, { credential })).id, made.id);
  assertEquals((await problemIn(storage)).reason, "credential-needed");
  const other = new Uint8Array(32).fill(8);
  assertEquals((await problemIn(storage, { credential: other })).reason, "wrong-secret");
  assertEquals(await inspectKeyFile(storage), "credential");
});

Deno.test("a weak secret makes no key, and neither do two at once", async () => {
  const storage = disk();
  assertEquals((await problemIn(storage, { passphrase: "" })).reason, "unusable-secret");
  assertEquals(
    (await problemIn(storage, { credential: new Uint8Array(31) })).reason,
    "unusable-secret",
  );
  assertEquals(
    (await problemIn(storage, { passphrase: "one", credential })).reason,
    "ambiguous",
  );
  assertEquals(storage.names, []);
});

Deno.test("a credential that is a private key is the identity, and nothing is written", async () => {
  const source = disk();
  const made = await identityIn(source);
  const key = utf8(await fileOf(source));
  const storage = disk();
  const loaded = await identityIn(storage, { credential: key });
  assertEquals(loaded.id, made.id);
  assertEquals(loaded.protection, "host");
  assertEquals(storage.names, []);
});

Deno.test("a key in the credential and another in the file are not chosen between", async () => {
  const source = disk();
  await identityIn(source);
  const key = utf8(await fileOf(source));
  const storage = disk();
  const own = await identityIn(storage);
  assertEquals((await problemIn(storage, { credential: key })).reason, "ambiguous");
  assertEquals((await identityIn(storage)).id, own.id);
});

Deno.test("a credential that looks like a key but is none is refused", async () => {
  const storage = disk();
  const bad = [
    "-----BEGIN PRIVATE KEY-----\n",
    encodePem("PRIVATE KEY", new Uint8Array(48)),
    encodePem("CERTIFICATE", new Uint8Array(48)),
  ];
  for (const text of bad) {
    assertEquals((await problemIn(storage, { credential: utf8(text) })).reason, "unusable-secret");
  }
  assertEquals(storage.names, []);
});

Deno.test("a damaged key file is refused, says what to do, and is left as it is", async () => {
  const source = disk();
  await identityIn(source);
  const whole = await fileOf(source);
  const damagedFiles: readonly (readonly [string, Bytes])[] = [
    ["empty", utf8("")],
    ["zeros", new Uint8Array(119)],
    ["half of it", utf8(whole.slice(0, whole.length / 2))],
    ["a letter lost", utf8(whole.replace("MC4CAQ", "MC4CA"))],
    ["another algorithm", utf8(whole.replace("MC4CAQAwBQYDK2Vw", "MC4CAQAwBQYDK2Vx"))],
    ["another kind", utf8(whole.replaceAll("PRIVATE KEY", "CERTIFICATE"))],
    ["something behind", utf8(`${whole}x`)],
    ["twice", utf8(whole + whole)],
    ["too long", utf8(whole + " ".repeat(5_000))],
    ["a protected key of nonsense", utf8(encodePem("MESH PROTECTED KEY", utf8("nonsense")))],
  ];
  for (const [what, bytes] of damagedFiles) {
    const storage = disk();
    await storage.replace(keyFileName, bytes);
    const problem = await problemIn(storage);
    assertEquals(problem.reason, "damaged", what);
    assertStringIncludes(problem.message, "Restore it from a backup");
    assertStringIncludes(problem.message, "move the file away");
    assertEquals(await storage.read(keyFileName), bytes, what);
    assert(
      await inspectKeyFile(storage) instanceof IdentityProblem || what === "another algorithm",
    );
  }
});

Deno.test("a key file with other line ends and widths is the same key", async () => {
  const storage = disk();
  const made = await identityIn(storage);
  const whole = await fileOf(storage);
  const variants = [
    whole.replaceAll("\n", "\r\n"),
    `\n${whole}\n\n`,
    whole.trimEnd(),
    whole.replace(/KEY-----\n(.{20})/, "KEY-----\n$1\n"),
  ];
  for (const variant of variants) {
    await storage.replace(keyFileName, utf8(variant));
    assertEquals((await identityIn(storage)).id, made.id);
  }
});

Deno.test("a disk that does not answer is a problem, not a new identity", async () => {
  const storage = disk();
  const refusing: Storage = {
    read: () => Promise.reject(new Error("permission denied")),
    replace: (name, bytes) => storage.replace(name, bytes),
    createExclusive: (name, bytes) => storage.createExclusive(name, bytes),
    openAppend: (name) => storage.openAppend(name),
    rename: (from, to) => storage.rename(from, to),
    setAside: (name) => storage.setAside(name),
    remove: (name) => storage.remove(name),
  };
  const problem = await problemIn(refusing);
  assertEquals(problem.reason, "storage");
  assertEquals(problem.message, 'Cannot read key file "identity.key": permission denied');
  assertEquals(storage.names, []);
  const full = new MemoryStorage({ prng: new Prng([1]), bytesMax: 10 });
  assertEquals((await problemIn(full)).reason, "storage");
});

Deno.test("protecting a key, changing its secret and laying it bare keep the id", async () => {
  const storage = disk();
  const { id } = await identityIn(storage);
  const steps = [
    [{}, { kind: "passphrase", passphrase: "a" }, { passphrase: "a" }],
    [{ passphrase: "a" }, { kind: "credential", credential }, { credential }],
    [{ credential }, undefined, {}],
  ] as const;
  for (const [before, next, after] of steps) {
    assertEquals(await protectKeyFile(storage, before, next), next?.kind ?? "plain");
    assertEquals(await inspectKeyFile(storage), next?.kind ?? "plain");
    assertEquals((await identityIn(storage, after)).id, id);
  }
});

Deno.test("a key is not protected without opening it, or under nothing", async () => {
  const storage = disk();
  const missing = await protectKeyFile(storage, {}, undefined);
  assert(missing instanceof IdentityProblem);
  assertEquals(missing.reason, "missing");
  await identityIn(storage, { credential });
  const before = await storage.read(keyFileName);
  const attempts = [
    await protectKeyFile(storage, {}, undefined),
    await protectKeyFile(storage, { credential: new Uint8Array(32) }, undefined),
    await protectKeyFile(storage, { credential }, { kind: "passphrase", passphrase: "" }),
  ];
  const reasons = attempts.map((attempt) =>
    attempt instanceof IdentityProblem ? attempt.reason : attempt
  );
  assertEquals(reasons, ["credential-needed", "wrong-secret", "unusable-secret"]);
  assertEquals(await storage.read(keyFileName), before);
});

Deno.test("a reset keeps the old key aside and makes room for another identity", async () => {
  const storage = disk();
  assertEquals(await resetKeyFile(storage), undefined);
  const old = await identityIn(storage);
  const bytes = copyBytes(await storage.read(keyFileName) ?? utf8(""));
  const aside = await resetKeyFile(storage);
  assert(typeof aside === "string");
  assertEquals(await storage.read(aside), bytes);
  assert((await identityIn(storage)).id !== old.id);
});
