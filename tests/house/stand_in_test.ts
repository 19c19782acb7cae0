import { assert, assertEquals } from "@std/assert";
import * as real from "../../src/crypto/mod.ts";
import { root, sourceFiles } from "../../scripts/house.ts";
import { bytesOf } from "../sim/stand_in_crypto/mixing.ts";
import * as standIn from "../sim/stand_in_crypto/mod.ts";

const mapPath = "tests/sim/stand_in_import_map.json";

// The type checker's part: every export stands in for the real one. A class with private parts is
// nobody's but its own, so that one is compared by what it offers.
standIn satisfies Omit<typeof real, "IslandKey">;
standIn.IslandKey satisfies {
  open(): Promise<Pick<real.IslandKey, "mark">>;
  ofCluster(secret: Uint8Array<ArrayBuffer>): Promise<Pick<real.IslandKey, "mark">>;
};

Deno.test("the stand-in has the names of the real cryptography, and no others", () => {
  assertEquals(Object.keys(standIn).sort(), Object.keys(real).sort());
});

Deno.test("nothing that is shipped names the stand-in, and only the simulator's tasks choose it", async () => {
  const naming = (await sourceFiles("src", "build")).filter(({ text }) =>
    /stand_in_(?:crypto|import_map)/.test(text)
  );
  assertEquals(naming.map(({ path }) => path), []);
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  const choosing = Object.entries(tasks).filter(([, task]) =>
    JSON.stringify(task).includes(mapPath)
  );
  assertEquals(
    choosing.map(([name]) => name).filter((name) => !["sim", "soak"].includes(name)),
    [],
  );
});

Deno.test("the simulator's import map is that of the project, but for the cryptography", async () => {
  const project: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${root}/deno.json`),
  );
  const map: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${root}/${mapPath}`),
  );
  const replaced = new Map<string, string>();
  const others: Record<string, string> = {};
  for (const [name, target] of Object.entries(map.imports)) {
    if (target.startsWith("./stand_in_crypto/")) replaced.set(name, target);
    else others[name] = target.replace("../../src/", "./src/");
  }
  assertEquals(others, project.imports);
  assertEquals([...replaced.keys()], ["../../src/crypto/mod.ts"]);
});

Deno.test("cryptography is entered by its mod.ts, so that the stand-in is the only one in a world", async () => {
  const past: string[] = [];
  for (const { path, imports } of await sourceFiles("src")) {
    if (path.startsWith("src/crypto/") || path.endsWith("_test.ts")) continue;
    const [bad] = imports.filter((name) =>
      name.startsWith("src/crypto/") && name !== "src/crypto/mod.ts"
    );
    if (bad !== undefined) past.push(`${path}: ${bad}`);
  }
  assertEquals(past, []);
});

Deno.test("under the stand-in a wrong key opens nothing, a changed byte shows, and a signature fits one message", async () => {
  const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
  const [a, b] = await Promise.all([1, 2].map((n) => standIn.importSealKey(bytes(32, n))));
  assert(a !== undefined && b !== undefined);
  const [nonce, header, body] = [bytes(12, 3), bytes(46, 4), bytes(90, 5)];
  const datagram = await standIn.sealDatagram(a, nonce, header, body);
  const realKey = await real.importSealKey(bytes(32, 1));
  assertEquals(
    datagram.length,
    (await real.sealDatagram(realKey, nonce, header, body)).length,
  );
  const sealed = datagram.slice(header.length);
  assertEquals(await standIn.openDatagram(a, nonce, header, sealed), body);
  assertEquals(await standIn.openDatagram(b, nonce, header, sealed), undefined);
  assertEquals(await standIn.openDatagram(a, nonce, bytes(46, 9), sealed), undefined);
  for (const at of [0, 50, sealed.length - 1]) {
    const changed = sealed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assertEquals(await standIn.openDatagram(a, nonce, header, changed), undefined);
  }
  const key = await standIn.privateKeyOfSeed(bytes(32, 6));
  const other = await standIn.privateKeyOfSeed(bytes(32, 7));
  const proof = await standIn.signWith(key, "label", body);
  assertEquals(proof.length, real.signatureLength);
  assert(await standIn.verifyFrom(key.publicKey, "label", body, proof));
  assertEquals(await standIn.verifyFrom(other.publicKey, "label", body, proof), false);
  assertEquals(await standIn.verifyFrom(key.publicKey, "other", body, proof), false);
  assertEquals(await standIn.verifyFrom(key.publicKey, "label", nonce, proof), false);
  const certified = await standIn.signCertificate(key, body);
  assert(await standIn.verifySignature(key.publicKey, body, certified));
  assertEquals(await standIn.verifySignature(other.publicKey, body, certified), false);
  const secret = await standIn.importEpochSecret(bytes(32, 8));
  const handle = await standIn.wrapHandle(secret, bytes(16, 1));
  assertEquals([handle.length, await standIn.unwrapHandle(secret, handle)], [24, bytes(16, 1)]);
  const another = await standIn.importEpochSecret(bytes(32, 9));
  assertEquals(await standIn.unwrapHandle(another, handle), undefined);
});

Deno.test("under the stand-in both sides of an exchange share a secret, and a ciphertext for another none", async () => {
  const [one, two] = await Promise.all([
    standIn.createInitiatorShares(),
    standIn.createInitiatorShares(),
  ]);
  const truly = await real.createInitiatorShares();
  assertEquals(
    [one.share.length, one.encapsulationKey.length],
    [truly.share.length, truly.encapsulationKey.length],
  );
  const answered = await standIn.agreeAsResponder(one.share, one.encapsulationKey);
  assert(answered !== undefined);
  const secretFor = async (keys: real.InitiatorKeys) => {
    const secret = await standIn.agreeAsInitiator(keys, answered.share, answered.ciphertext);
    assert(secret !== undefined);
    return bytesOf(secret.key);
  };
  assertEquals(await secretFor(one.keys), bytesOf(answered.secret.key));
  assert((await secretFor(two.keys)).join() !== bytesOf(answered.secret.key).join());
  assertEquals(
    await standIn.agreeAsResponder(new Uint8Array(32), one.encapsulationKey),
    undefined,
  );
});
