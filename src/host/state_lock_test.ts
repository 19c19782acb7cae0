import { assertEquals, assertRejects, assertStringIncludes, fail } from "@std/assert";
import { lockState, type StateLock } from "./state_lock.ts";
import { StorageError } from "./storage_error.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

async function withDirectory(test: (path: string) => Promise<void>) {
  const path = await Deno.makeTempDir();
  try {
    await test(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

async function mustLock(path: string): Promise<StateLock> {
  const lock = await lockState(path);
  return "heldBy" in lock ? fail(`held by ${lock.heldBy}`) : lock;
}

/** Starts a process that takes the lock, says so, and stays. */
async function startHolder(path: string) {
  const module = new URL("./state_lock.ts", import.meta.url).href;
  const configuration = new URL("../../deno.json", import.meta.url).pathname;
  const program = `const { lockState } = await import(${JSON.stringify(module)});
    console.log("heldBy" in await lockState(${JSON.stringify(path)}));
    setInterval(() => {}, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", configuration, "--ext", "ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value), "false\n");
  return { child, end: () => reader.cancel() };
}

Deno.test("a second holder is told who the first is, until the first lets go", () =>
  withDirectory(async (path) => {
    const first = await mustLock(path);
    assertEquals(await lockState(path), { heldBy: Deno.pid });
    await first.release();
    await first.release();
    const second = await mustLock(path);
    // The first one's release, once more, must not take the second one's lock.
    await first.release();
    assertEquals(await lockState(path), { heldBy: Deno.pid });
    await second.release();
  }));

Deno.test("a process that is killed leaves no lock behind", () =>
  withDirectory(async (path) => {
    const { child, end } = await startHolder(path);
    assertEquals(await lockState(path), { heldBy: child.pid });
    child.kill("SIGKILL");
    await child.status;
    await end();
    await (await mustLock(path)).release();
  }));

Deno.test("what stands in the file from long ago does not matter", () =>
  withDirectory(async (path) => {
    await Deno.writeTextFile(`${path}/lock`, "99999999 and more than one line\n\n");
    const lock = await mustLock(path);
    assertEquals(await Deno.readTextFile(`${path}/lock`), `${Deno.pid}\n`);
    await lock.release();
  }));

Deno.test("a lock that cannot be opened says which directory must be writable", async () => {
  await withDirectory(async (path) => {
    await Deno.mkdir(`${path}/lock`);
    for (const directory of [path, `${path}/none`]) {
      const error = await assertRejects(() => lockState(directory), StorageError);
      assertStringIncludes(error.message, `${directory}/lock`);
      assertStringIncludes(error.message, "must be able to write");
    }
  });
});
