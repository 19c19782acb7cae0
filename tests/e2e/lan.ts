/**
 * A small network of real hosts for tests: Linux network namespaces joined by a bridge that stands
 * in a namespace of its own, so nothing outside is touched. Needs root and `ip`.
 *
 * @module
 */

/** What a command said. */
export interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function command(...words: readonly string[]): Promise<CommandOutput> {
  const [program = "", ...args] = words;
  const output = await new Deno.Command(program, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/** Runs a command that must succeed. */
export async function must(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(...words);
  if (code !== 0) throw new Error(`"${words.join(" ")}" failed (${code}): ${stderr}${stdout}`);
  return stdout;
}

/** Whether the program can be found. */
export async function has(program: string): Promise<boolean> {
  return (await command("sh", "-c", `command -v ${program}`)).code === 0;
}

/** Why namespaces cannot be made here; `undefined` if they can. */
async function namespacesMissing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "not Linux";
  if (Deno.uid() !== 0) return "not root";
  if (!await has("ip")) return "no ip";
  if (!await has("nft")) return "no nft";
  const name = `mesh-try-${Deno.pid}`;
  if ((await command("ip", "netns", "add", name)).code !== 0) return "ip netns add is refused";
  await command("ip", "netns", "del", name);
  return undefined;
}

/** Why tests with namespaces are skipped here; `undefined` if they run. */
export const lanMissing = await namespacesMissing();
if (lanMissing !== undefined) {
  console.warn(`Tests with network namespaces are skipped: ${lanMissing}.`);
}

/** How the hosts of a LAN are addressed. */
export interface LanOptions {
  /** Gives each host 10.77.0.N/24. */
  readonly ipv4?: boolean;
  /** Leaves IPv6 on, so that each host has a link-local address. On unless said otherwise. */
  readonly ipv6?: boolean;
}

let made = 0;

/** Where `ip netns exec` looks for files that a namespace has in place of those in /etc. */
function nameServerDirectory(namespace: string): string {
  return `/etc/netns/${namespace}`;
}

/** Hosts on one bridge. Dispose of it: the namespaces go, and with them all interfaces. */
export class Lan implements AsyncDisposable {
  readonly #prefix: string;
  readonly #options: LanOptions;
  readonly #hosts: string[] = [];
  /** The namespace that holds the bridge. */
  readonly switchNamespace: string;

  private constructor(options: LanOptions) {
    this.#options = options;
    this.#prefix = `mesh${Deno.pid}-${++made}`;
    this.switchNamespace = `${this.#prefix}-switch`;
  }

  /** A LAN without hosts. */
  static async create(options: LanOptions = {}): Promise<Lan> {
    const lan = new Lan(options);
    const ns = lan.switchNamespace;
    await must("ip", "netns", "add", ns);
    // Without this the bridge would wait for a spanning tree and swallow the first beacons.
    await must("ip", "-n", ns, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
    await must("ip", "-n", ns, "link", "set", "br0", "up");
    return lan;
  }

  /** The namespace's full name of a host. */
  namespace(host: string): string {
    return `${this.#prefix}-${host}`;
  }

  /** Adds a host; with `plugged: false` it has only its loopback until `plug`. */
  async addHost(host: string, options: { plugged?: boolean } = {}): Promise<string> {
    const ns = this.namespace(host);
    this.#hosts.push(host);
    await must("ip", "netns", "add", ns);
    if (this.#options.ipv6 === false) {
      await must("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
      await must(
        "ip",
        "netns",
        "exec",
        ns,
        "sysctl",
        "-qw",
        "net.ipv6.conf.default.disable_ipv6=1",
      );
    } else {
      // Duplicate address detection would keep a fresh link-local address unusable for a second.
      await must("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0");
    }
    await must("ip", "-n", ns, "link", "set", "lo", "up");
    if (options.plugged !== false) await this.plug(host);
    return ns;
  }

  #port(host: string): string {
    return `p${this.#hosts.indexOf(host)}`;
  }

  /** Gives the host its interface `eth0` on the bridge. */
  async plug(host: string): Promise<void> {
    const ns = this.namespace(host);
    const port = this.#port(host);
    const pair = ["link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", ns];
    await must("ip", "-n", this.switchNamespace, ...pair);
    await must("ip", "-n", this.switchNamespace, "link", "set", port, "master", "br0", "up");
    await must("ip", "-n", ns, "link", "set", "eth0", "up");
    if (this.#options.ipv4 === true) {
      await must("ip", "-n", ns, "addr", "add", `${this.ipv4(host)}/24`, "dev", "eth0");
      await must("ip", "-n", ns, "route", "add", "224.0.0.0/4", "dev", "eth0");
    }
  }

  /** The host's IPv4 address, where the LAN has any. */
  ipv4(host: string): string {
    return `10.77.0.${this.#hosts.indexOf(host) + 1}`;
  }

  /** Takes the host's interface away. */
  async unplug(host: string): Promise<void> {
    await must("ip", "-n", this.switchNamespace, "link", "del", this.#port(host));
  }

  /** Cuts the cable at the bridge: the host's own interface stays up and configured. */
  async cut(host: string): Promise<void> {
    await must("ip", "-n", this.switchNamespace, "link", "set", this.#port(host), "nomaster");
  }

  /** Mends the cable. */
  async mend(host: string): Promise<void> {
    await must("ip", "-n", this.switchNamespace, "link", "set", this.#port(host), "master", "br0");
  }

  /** Runs a command on a host. */
  on(host: string, ...words: readonly string[]): Promise<string> {
    return must("ip", "netns", "exec", this.namespace(host), ...words);
  }

  /** Replaces the host's filter: lines of an nftables input chain. No lines: everything passes. */
  async filterInput(host: string, ...rules: readonly string[]): Promise<void> {
    await this.on(host, "nft", "flush", "ruleset");
    if (rules.length === 0) return;
    const lines = ["type filter hook input priority 0", ...rules].map((rule) => `${rule}\n`);
    const table = `table inet mesh {\nchain input {\n${lines.join("")}}\n}\n`;
    await this.on(host, "nft", table);
  }

  /** Drops `percent` of what each host receives. */
  async lose(percent: number): Promise<void> {
    for (const host of this.#hosts) {
      await this.filterInput(host, `iifname "eth0" numgen random mod 100 < ${percent} drop`);
    }
  }

  /** What a host asks for names: `ip netns exec` shows this file there as /etc/resolv.conf. */
  async setNameServer(host: string, address: string): Promise<void> {
    const directory = nameServerDirectory(this.namespace(host));
    await Deno.mkdir(directory, { recursive: true });
    const lines = [`nameserver ${address}`, "options timeout:1 attempts:1", ""];
    await Deno.writeTextFile(`${directory}/resolv.conf`, lines.join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#hosts) {
      await command("ip", "netns", "del", this.namespace(host));
      await command("rm", "-rf", nameServerDirectory(this.namespace(host)));
    }
    await command("ip", "netns", "del", this.switchNamespace);
  }
}
