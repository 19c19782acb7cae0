/**
 * Many hosts on one network for the fleet bench: Linux network namespaces on a bridge, each with an
 * interface and addresses of its own, so that nodes meet by real multicast, a host can fall silent,
 * and the bridge counts what each one sends and receives.
 *
 * @module
 */
import { isFields, parseJson } from "../../src/base/json_guard.ts";
import { Lan, must } from "../../tests/e2e/lan.ts";

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

/** Hosts `h1`, `h2`, … Dispose of them: nothing stays; if the process is interrupted nothing runs on. */
export class FleetHosts implements AsyncDisposable {
  readonly lan: Lan;
  readonly names: readonly string[];
  readonly #stack: AsyncDisposableStack;

  private constructor(lan: Lan, names: readonly string[], stack: AsyncDisposableStack) {
    this.lan = lan;
    this.names = names;
    this.#stack = stack;
  }

  /** So many hosts, without nodes. */
  static async create(count: number): Promise<FleetHosts> {
    await using stack = new AsyncDisposableStack();
    stack.use(await roomForNeighbours());
    const lan = stack.use(await Lan.create({ ipv4: true }));
    const names = Array.from({ length: count }, (_, at) => `h${at + 1}`);
    for (const name of names) await lan.addHost(name);
    const hosts = new FleetHosts(lan, names, stack.move());
    for (const signal of interrupts) Deno.addSignalListener(signal, hosts.#handleInterrupt);
    return hosts;
  }

  readonly #handleInterrupt = () => {
    this.#endAll().then(() => Deno.exit(130), (error: unknown) => {
      console.error(error);
      Deno.exit(1);
    });
  };

  /** Ends what runs on the hosts, then these. */
  async #endAll(): Promise<void> {
    for (const name of this.names) {
      const pids = await must("ip", "netns", "pids", this.lan.namespace(name));
      for (const pid of pids.split("\n").filter((line) => line !== "")) {
        Deno.kill(Number(pid), "SIGKILL");
      }
    }
    await this[Symbol.asyncDispose]();
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of interrupts) Deno.removeSignalListener(signal, this.#handleInterrupt);
    await this.#stack[Symbol.asyncDispose]();
  }
}
