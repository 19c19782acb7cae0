import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, fromHex } from "../base/bytes.ts";
import { nodeIdFromBytes } from "../wire/node_id.ts";
import { isChainRefusal, judgeChain } from "./chain.ts";
import { newIdentity } from "./identity.ts";

// Another implementation makes the chains, and reads ours.

async function openssl(args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args: [...args], cwd })
    .output();
  const text = new TextDecoder().decode(concatBytes(stdout, stderr));
  assert(success, `openssl ${args.join(" ")}: ${text}`);
  return text;
}

async function opensslMissing(): Promise<boolean> {
  try {
    return !(await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch {
    // Not installed: the tests are skipped by name.
    return true;
  }
}

const missing = await opensslMissing();

async function inTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "mesh-openssl-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function idOfKey(pem: string, cwd: string): Promise<string> {
  await openssl(["pkey", "-in", pem, "-pubout", "-outform", "DER", "-out", "spki.der"], cwd);
  const hash = await openssl(["dgst", "-sha256", "-r", "spki.der"], cwd);
  const bytes = fromHex(hash.slice(0, 64));
  const id = bytes === undefined ? undefined : nodeIdFromBytes(bytes);
  assert(id !== undefined);
  return id;
}

interface OpensslChain {
  readonly id: string;
  readonly leaf: Bytes;
  readonly root: Bytes;
}

/** Follows the profile with `openssl` and a configuration file alone. */
async function chainByOpenssl(
  cwd: string,
  rootExtensions: readonly string[],
  leafExtensions: readonly string[],
): Promise<OpensslChain> {
  await openssl(["genpkey", "-algorithm", "ed25519", "-out", "root.key"], cwd);
  await openssl(["genpkey", "-algorithm", "ed25519", "-out", "leaf.key"], cwd);
  const id = await idOfKey("root.key", cwd);
  await Deno.writeTextFile(
    `${cwd}/mesh.cnf`,
    [
      ...["[req]", "distinguished_name = dn", "prompt = no", "string_mask = utf8only", "[dn]"],
      ...[`CN = ${id}`, "[root]", ...rootExtensions, "[leaf]", ...leafExtensions, ""],
    ].join("\n"),
  );
  const config = ["-config", "mesh.cnf"];
  await openssl(
    [
      ...["req", "-x509", "-new", "-key", "root.key", "-days", "3650", ...config],
      ...["-extensions", "root", "-out", "root.pem"],
    ],
    cwd,
  );
  await openssl(
    ["req", "-new", "-key", "leaf.key", ...config, "-subj", "/CN=a leaf", "-out", "leaf.csr"],
    cwd,
  );
  await openssl(
    [
      ...["x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key"],
      ...["-CAcreateserial", "-days", "1", "-extfile", "mesh.cnf", "-extensions", "leaf"],
      ...["-out", "leaf.pem"],
    ],
    cwd,
  );
  for (const name of ["root", "leaf"]) {
    await openssl(["x509", "-in", `${name}.pem`, "-outform", "DER", "-out", `${name}.der`], cwd);
  }
  return {
    id,
    leaf: await Deno.readFile(`${cwd}/leaf.der`),
    root: await Deno.readFile(`${cwd}/root.der`),
  };
}

const withIdentifiers = ["subjectKeyIdentifier = hash", "authorityKeyIdentifier = keyid"];
const withoutIdentifiers = ["subjectKeyIdentifier = none", "authorityKeyIdentifier = none"];
const rootExtensions = ["basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign"];
const leafExtensions = ["keyUsage = critical, digitalSignature"];

for (
  const [what, identifiers, constraints] of [
    ["with key identifiers", withIdentifiers, []],
    ["without key identifiers", withoutIdentifiers, []],
    [
      "whose leaf says that it is no CA",
      withIdentifiers,
      ["basicConstraints = critical, CA:FALSE"],
    ],
  ] as const
) {
  Deno.test({
    name: `a chain that openssl made ${what} passes the judge`,
    ignore: missing,
    fn: () =>
      inTemporaryDirectory(async (directory) => {
        const { id, leaf, root } = await chainByOpenssl(
          directory,
          [...rootExtensions, ...identifiers],
          [...leafExtensions, ...constraints, ...identifiers],
        );
        const judged = await judgeChain({ leaf, root });
        assert(!isChainRefusal(judged), isChainRefusal(judged) ? judged.reason : "");
        assertEquals(judged.id.toString(), id);
      }),
  });
}

Deno.test({
  name: "a chain that openssl made with a lesser profile is refused",
  ignore: missing,
  fn: () =>
    inTemporaryDirectory(async (directory) => {
      const { leaf, root } = await chainByOpenssl(
        directory,
        [...rootExtensions, ...withIdentifiers],
        [...leafExtensions, "subjectAltName = DNS:mesh"],
      );
      const judged = await judgeChain({ leaf, root });
      assert(isChainRefusal(judged));
      assertEquals(judged.reason, "leaf: extension not in the profile");
    }),
});

Deno.test({
  name: "openssl verifies our chain and finds the node id in it",
  ignore: missing,
  fn: () =>
    inTemporaryDirectory(async (directory) => {
      const identity = await newIdentity();
      const credentials = await identity.newLeaf();
      const [leafPem = "", rootPem = ""] = credentials.certificateChainPem.split(
        /(?<=-----END CERTIFICATE-----\n)/,
      );
      await Deno.writeTextFile(`${directory}/leaf.pem`, leafPem);
      await Deno.writeTextFile(`${directory}/root.pem`, rootPem);
      await Deno.writeTextFile(`${directory}/leaf.key`, credentials.privateKeyPem);
      const verified = await openssl(
        ["verify", "-x509_strict", "-check_ss_sig", "-CAfile", "root.pem", "leaf.pem"],
        directory,
      );
      assert(verified.includes("leaf.pem: OK"), verified);
      const text = await openssl(["x509", "-in", "root.pem", "-noout", "-subject"], directory);
      assert(text.includes(identity.id), text);
      await openssl(
        ["x509", "-in", "root.pem", "-noout", "-pubkey", "-out", "root.pub"],
        directory,
      );
      const fromKey = await openssl(["pkey", "-in", "leaf.key", "-pubout"], directory);
      const fromLeaf = await openssl(["x509", "-in", "leaf.pem", "-noout", "-pubkey"], directory);
      assertEquals(fromKey, fromLeaf);
    }),
});
