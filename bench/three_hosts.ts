/**
 * Three hosts on one network, each with a node: network namespaces where they can be made, else
 * three processes on the loopback interface.
 *
 * @module
 */
import { eventually } from "../scripts/eventually.ts";
import { loopbackInterface } from "../scripts/local_fleet.ts";
import { MeshProcess } from "../scripts/mesh_process.ts";
import { Lan, lanMissing } from "../tests/e2e/lan.ts";

/** The hosts. */
export const hostNames = ["a", "b", "c"] as const;
/** One of them. */
export type HostName = typeof hostNames[number];

/** From one look to the next: the error of what is measured from outside. */
export const lookEveryMs = 5;

/** Three hosts; the nodes are started one by one. Dispose of them: nothing stays. */
export class ThreeHosts implements AsyncDisposable {
  /** The network of its own that they share; `undefined` on the loopback interface. */
  readonly lan: Lan | undefined;
  readonly #binary: string;
  readonly #directory: string;
  readonly #nodes = new Map<HostName, MeshProcess>();

  private constructor(binary: string, lan: Lan | undefined) {
    this.lan = lan;
    this.#binary = binary;
    this.#directory = Deno.makeTempDirSync({ prefix: "mesh-bench-" });
  }

  /** The hosts, without nodes. */
  static async create(binary: string): Promise<ThreeHosts> {
    if (lanMissing !== undefined) return new ThreeHosts(binary, undefined);
    const lan = await Lan.create({ ipv4: true });
    for (const host of hostNames) await lan.addHost(host);
    return new ThreeHosts(binary, lan);
  }

  /** Three hosts with linked nodes. */
  static async createLinked(binary: string): Promise<ThreeHosts> {
    const hosts = await ThreeHosts.create(binary);
    try {
      await Promise.all(hostNames.map((host) => hosts.start(host).ready()));
      await hosts.linked();
      return hosts;
    } catch (error) {
      await hosts[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the node of a host, on the state it had unless `fresh`; does not wait. */
  start(host: HostName, fresh = false): MeshProcess {
    const state = `${this.#directory}/${host}`;
    if (fresh) Deno.removeSync(state, { recursive: true });
    const inside = this.lan === undefined
      ? { args: ["--name", host, "--listen", "0", "--interface", loopbackInterface()] }
      : {
        args: ["--name", host],
        before: ["ip", "netns", "exec", this.lan.namespace(host)],
      };
    const node = new MeshProcess({ state, binary: this.#binary, logLevel: "warn", ...inside });
    this.#nodes.set(host, node);
    return node;
  }

  /** The node of a host. */
  node(host: HostName): MeshProcess {
    const node = this.#nodes.get(host);
    if (node === undefined) throw new Error(`Host ${host} has no node`);
    return node;
  }

  /** Waits until each of these nodes is linked with the others. */
  async linked(...hosts: readonly HostName[]): Promise<void> {
    const named = hosts.length === 0 ? hostNames : hosts;
    const ids = await Promise.all(named.map(async (host) => (await this.node(host).ready()).id));
    for (const [at, host] of named.entries()) {
      await eventually(`${host} is linked`, async () => {
        const links = await this.node(host).links();
        return ids.every((id, other) => other === at || links.some((link) => link.id === id));
      }, { everyMs: lookEveryMs });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.end("SIGKILL")));
    await Deno.remove(this.#directory, { recursive: true });
    await this.lan?.[Symbol.asyncDispose]();
  }
}
