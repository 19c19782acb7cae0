import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { root } from "../../scripts/house.ts";
import { eventually } from "./eventually.ts";

const decoder = new TextDecoder();

/** A demo whose states go to a directory of its own. */
class Demo implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "mesh-test-" });
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<string>;
  #output = "";

  constructor(...args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--cached-only", `${root}/scripts/demo.ts`, ...args],
      env: { TMPDIR: this.directory },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#read();
  }

  async #read(): Promise<string> {
    const errors = new Response(this.#child.stderr).text();
    for await (const chunk of this.#child.stdout) this.#output += decoder.decode(chunk);
    return await errors;
  }

  /** Standard output so far. */
  get output(): string {
    return this.#output;
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Its exit code and standard error. */
  async end(): Promise<{ readonly code: number; readonly errors: string }> {
    const errors = await this.#ended;
    return { code: (await this.#child.status).code, errors };
  }

  /** Processes and files that are still there. */
  remains(): string[] {
    const pids = [...this.#output.matchAll(/\(pid (\d+)/g)].map(([, pid = ""]) => pid);
    const running = pids.filter((pid) => {
      try {
        Deno.kill(Number(pid), "SIGCONT");
        return true;
      } catch {
        // There is no such process any more.
        return false;
      }
    });
    return [...running, ...[...Deno.readDirSync(this.directory)].map(({ name }) => name)];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("the demo reaches every step and leaves nothing behind", async () => {
  using demo = new Demo();
  const { code, errors } = await demo.end();
  assertEquals(code, 0, `${demo.output}\n${errors}`);
  assertEquals(demo.output.match(/^✓ /gm)?.length, 6, demo.output);
  assertStringIncludes(demo.output, "demo-c unreachable");
  assertEquals(demo.remains(), []);
});

Deno.test("a demo that is interrupted leaves nothing behind", async () => {
  using demo = new Demo();
  await eventually("the nodes are ready", () => demo.output.includes("✓ three nodes are ready"));
  demo.signal("SIGINT");
  const { code } = await demo.end();
  assertEquals(code, 130);
  assertEquals(demo.remains(), []);
});

Deno.test("a demo that fails says why, shows what the nodes logged, and leaves nothing", async () => {
  // The runtime itself is no mesh: it ends at once, with a message of its own.
  using demo = new Demo("--bin", Deno.execPath());
  const { code, errors } = await demo.end();
  assertEquals(code, 1);
  assert(/✗ demo-[abc] ended by itself/.test(errors), errors);
  assertStringIncludes(demo.output, "The last lines of demo-a:");
  assertEquals(demo.remains(), []);
});
