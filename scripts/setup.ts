/**
 * Installs what the tests need and this machine lacks: Debian's packages, as root. Elsewhere it
 * only says what is missing; the tests that need it are then skipped by name.
 * `deno task setup`
 *
 * @module
 */

/** Programs the tests use, and the Debian packages that hold them. */
const programs: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  openssl: "openssl",
  curl: "curl",
  "ssh-keygen": "openssh-client",
  "systemd-analyze": "systemd",
  faketime: "faketime",
  script: "bsdutils",
};

async function run(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
      env: { DEBIAN_FRONTEND: "noninteractive" },
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function missing(): Promise<string[]> {
  const found: string[] = [];
  for (const program of Object.keys(programs)) {
    if (!await run("sh", "-c", `command -v ${program} >/dev/null 2>&1`)) found.push(program);
  }
  return found;
}

const before = await missing();
if (before.length > 0 && Deno.build.os === "linux" && Deno.uid() === 0) {
  const packages = [...new Set(before.map((program) => programs[program] ?? program))];
  console.log(`Installing ${packages.join(", ")} …`);
  const options = ["-o", "Acquire::Retries=3", "-qq"];
  if (await run("apt-get", ...options, "update")) {
    await run("apt-get", ...options, "install", "-y", "--no-install-recommends", ...packages);
  }
}
const after = await missing();
console.log(
  after.length === 0
    ? "Everything the tests need is here."
    : `Missing: ${after.join(", ")}. The tests that need them will be skipped by name.`,
);
