/**
 * Two machines that have link-local addresses and nothing else in common: a pair of network
 * namespaces, made and removed here. Needs Linux and root.
 */
import { assert, assertEquals, fail } from "@std/assert";
import { machine } from "./machine.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

async function ip(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("ip", { args: [...args] }).output();
  if (!success) fail(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function canMakeNamespaces(): Promise<boolean> {
  if (machine.os !== "linux" || Deno.uid() !== 0) return false;
  const name = `mesh-try-${machine.pid}`;
  try {
    await ip("netns", "add", name);
    await ip("netns", "delete", name);
    return true;
  } catch {
    return false; // No `ip`, or a container that may not.
  }
}

/** A process in a namespace and what it says, line by line. */
class Peer {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(namespace: string, interfaceName: string, others: string) {
    const program = new URL("../../tests/fixtures/link_local_peer.ts", import.meta.url).pathname;
    this.#child = new Deno.Command("ip", {
      args: ["netns", "exec", namespace, Deno.execPath(), "run", "-A", "--no-check"]
        .concat(["--unstable-net", program, interfaceName, others]),
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async say(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${text}\n`));
  }

  /** The next `count` lines, sorted: what comes over different sockets has no order. */
  async hear(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        lines.push(this.#rest.slice(0, end));
        this.#rest = this.#rest.slice(end + 1);
        continue;
      }
      const { value, done } = await this.#reader.read();
      if (done) fail(`it ended after ${JSON.stringify(lines)}`);
      this.#rest += value;
    }
    return lines.sort();
  }

  async end(): Promise<void> {
    await this.say("end").catch(() => {}); // It may have ended by itself.
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel();
    await this.#child.status;
  }
}

async function linkLocalOf(namespace: string, name: string): Promise<string> {
  const text = await ip("-n", namespace, "-6", "-o", "address", "show", "dev", name);
  return /inet6 (fe80[^/]*)/.exec(text)?.[1] ?? fail(text);
}

Deno.test({
  name: "datagrams, beacons and TLS find their way between link-local addresses",
  ignore: !await canMakeNamespaces(),
  fn: async () => {
    const [left, right] = [`mesh-l-${machine.pid}`, `mesh-r-${machine.pid}`];
    const peers: Peer[] = [];
    try {
      await ip("netns", "add", left);
      await ip("netns", "add", right);
      await ip(
        "link",
        "add",
        "ml0",
        "netns",
        left,
        "type",
        "veth",
        "peer",
        "name",
        "mr0",
        "netns",
        right,
      );
      for (const [namespace, name, address] of [[left, "ml0", 1], [right, "mr0", 2]] as const) {
        await ip("-n", namespace, "address", "add", `10.77.9.${address}/24`, "dev", name);
        // No wait for the check that the address is unique: here it is.
        const noCheck = `echo 0 > /proc/sys/net/ipv6/conf/${name}/accept_dad`;
        await ip("netns", "exec", namespace, "sh", "-c", noCheck);
        await ip("-n", namespace, "link", "set", name, "up");
      }
      const [leftIp, rightIp] = [await linkLocalOf(left, "ml0"), await linkLocalOf(right, "mr0")];
      const one = new Peer(left, "ml0", rightIp);
      const two = new Peer(right, "mr0", leftIp);
      peers.push(one, two);
      assertEquals(await one.hear(2), [
        '{"follow":[{"name":"ml0","multicast":true}]}',
        '{"ready":true}',
      ]);
      await two.hear(2);
      await one.say("go");
      assertEquals(
        await one.hear(6),
        [
          `{"answered":"served"}`,
          // Its own, since the two could be nodes of one machine.
          `{"beacon":"beacon of ml0","from":"${leftIp}%ml0","on":"ml0"}`,
          `{"beacon":"beacon of ml0","from":"IPv4","on":"ml0"}`,
          `{"beacons":2}`,
          `{"datagram":"answer","from":"[${rightIp}%ml0]:7499"}`,
          `{"sent":true}`,
        ].sort(),
      );
      assertEquals(
        await two.hear(4),
        [
          `{"accepted":"${leftIp}","zone":"mr0"}`,
          `{"beacon":"beacon of ml0","from":"${leftIp}%mr0","on":"mr0"}`,
          `{"beacon":"beacon of ml0","from":"IPv4","on":"mr0"}`,
          `{"datagram":"request","from":"[${leftIp}%mr0]:7499"}`,
        ].sort(),
      );
      assert(leftIp !== rightIp);
    } finally {
      for (const peer of peers) await peer.end();
      // The pair of interfaces goes with its namespaces.
      for (const namespace of [left, right]) {
        await new Deno.Command("ip", { args: ["netns", "delete", namespace], stderr: "null" })
          .output();
      }
    }
  },
});
