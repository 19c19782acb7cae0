/**
 * Many hosts on one network for the fleet bench: Linux network namespaces on a bridge, each with an
 * interface and addresses of its own, so that nodes meet by real multicast, a host can fall silent,
 * and the bridge counts what each one sends and receives.
 *
 * @module
 */
import { isFields, parseJson } from "../../src/base/json_guard.ts";
import { command, Lan, must } from "../../tests/e2e/lan.ts";

/** Neighbour entries of all namespaces share one table, with room for 1,024 unless told otherwise. */
const neighbourEntries = 262_144;
const neighbourFiles = ["ipv4", "ipv6"].flatMap((family) =>
  [1, 2, 3].map((step) => `/proc/sys/net/${family}/neigh/default/gc_thresh${step}`)
);
/** An Ethernet header, which the bridge counts with the rest. */
const ethernetHeaderBytes = 14;

/** Sets the kernel's limits of neighbours; disposed of, they are as before. */
async function roomForNeighbours(): Promise<AsyncDisposable> {
  const before = new Map<string, string>();
  for (const file of neighbourFiles) {
    before.set(file, await Deno.readTextFile(file));
    await Deno.writeTextFile(file, `${neighbourEntries}`);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const [file, value] of before) await Deno.writeTextFile(file, value);
    },
  };
}

/** Bytes that passed the bridge's port of an interface, both directions, without Ethernet's headers. */
function bytesOf(link: unknown): number {
  const stats = isFields(link) && isFields(link["stats64"]) ? link["stats64"] : {};
  return ["rx", "tx"].reduce((sum, way) => {
    const counts = stats[way];
    if (!isFields(counts)) return NaN;
    return sum + Number(counts["bytes"]) - ethernetHeaderBytes * Number(counts["packets"]);
  }, 0);
}

const interrupts = ["SIGINT", "SIGTERM"] as const;
/** Conventional exit code of a program that a signal ended: 128 + SIGINT. */
const interruptedCode = 130;

/** Kills what runs in a network namespace, if there is one of that name. */
async function killAllIn(namespace: string): Promise<void> {
  const { stdout } = await command("ip", "netns", "pids", namespace);
  for (const pid of stdout.split("\n").filter((line) => line !== "")) {
    try {
      Deno.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // It ended by itself.
    }
  }
}

/** Hosts `h1`, `h2`, … Dispose of them: nothing stays, nor does it if the process is interrupted. */
export class FleetHosts implements AsyncDisposable {
  readonly lan: Lan;
  readonly names: readonly string[];
  /** For what belongs to the hosts; goes with them. */
  readonly directory: string;
  readonly #stack: AsyncDisposableStack;
  #isMade = false;
  #isInterrupted = false;
  #ended: Promise<void> | undefined;

  private constructor(lan: Lan, count: number, stack: AsyncDisposableStack) {
    this.lan = lan;
    this.names = Array.from({ length: count }, (_, at) => `h${at + 1}`);
    this.directory = Deno.makeTempDirSync({ prefix: "mesh-bench-" });
    this.#stack = stack;
    stack.defer(() => Deno.remove(this.directory, { recursive: true }));
    for (const signal of interrupts) {
      Deno.addSignalListener(signal, this.#handleInterrupt);
      stack.defer(() => Deno.removeSignalListener(signal, this.#handleInterrupt));
    }
  }

  /** So many hosts, without nodes. */
  static async create(count: number): Promise<FleetHosts> {
    const stack = new AsyncDisposableStack();
    try {
      stack.use(await roomForNeighbours());
      const lan = stack.use(await Lan.create({ ipv4: true }));
      const hosts = new FleetHosts(lan, count, stack);
      for (const name of hosts.names) if (!hosts.#isInterrupted) await lan.addHost(name);
      hosts.#isMade = true;
      if (hosts.#isInterrupted) await hosts.#endInterrupted();
      return hosts;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  readonly #handleInterrupt = () => {
    this.#isInterrupted = true;
    // Hosts that are being made are taken down once that is done.
    if (this.#isMade) void this.#endInterrupted();
  };

  /** Ends what runs on the hosts, then these, then this process. */
  async #endInterrupted(): Promise<void> {
    let code = interruptedCode;
    try {
      for (const name of this.names) await killAllIn(this.lan.namespace(name));
      await this[Symbol.asyncDispose]();
    } catch (error) {
      console.error(error);
      code = 1;
    }
    Deno.exit(code);
  }

  /** The words that run a program on a host; it becomes that program. */
  before(host: string): readonly string[] {
    return ["ip", "netns", "exec", this.lan.namespace(host)];
  }

  /** Bytes that all hosts sent and received so far, with IP headers and without Ethernet's. */
  async bytes(): Promise<number> {
    const text = await must("ip", "-n", this.lan.switchNamespace, "-s", "-j", "link", "show");
    const links = parseJson(text);
    if (!Array.isArray(links)) throw new Error("ip tells its counters in no form known here");
    return links.filter((link: unknown) => isFields(link) && /^p\d+$/.test(String(link["ifname"])))
      .reduce((sum: number, link: unknown) => sum + bytesOf(link), 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    // Nodes that are killed make the bench fail, which disposes as well: both wait for the one end.
    this.#ended ??= this.#stack.disposeAsync();
    return this.#ended;
  }
}
