/**
 * Two honest nodes in processes of their own, linked with each other and with nobody else, and the
 * frame of an attack on them: after every attack both live, are still linked without a break, agree
 * on the same records, answer pings, have changed nothing that they say of themselves, and have not
 * grown beyond a bound.
 *
 * On loopback without multicast, so that nodes of other tests on this machine are never met.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeBase64 } from "@std/encoding";
import { type Bytes, copyBytes } from "../../../src/base/bytes.ts";
import { isControlFailure, type NodeEvent } from "../../../src/control/mod.ts";
import type { NodeId } from "../../../src/wire/node_id.ts";
import { loopbackInterface } from "../../../scripts/local_fleet.ts";
import { eventually } from "../eventually.ts";
import { NodeProcess, type NodeProcessOptions } from "../node_process.ts";

/** Most that a node may grow through a whole file of attacks, unless the file says otherwise. */
const defaultGrowthBytesMax = 96 * 1024 * 1024;
/** How long the nodes have to come to rest after an attack. */
const settleMs = 30_000;

/** Options of `mesh run` for a node that nobody finds by chance. */
export const secluded: readonly string[] = [
  ...["--interface", loopbackInterface(), "--listen", "0", "--no-multicast"],
];

/** Resident memory of a process. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Round trips to a node from another, both honest. */
export async function pingAnswers(from: NodeProcess, to: NodeId): Promise<boolean> {
  const replies = await from.ask(async (control) => {
    // A datagram may be lost in the flood that some attacks are: one answer in five is enough.
    const options = { count: 5, intervalMs: 500 };
    for await (const reply of control.ping(to, options, AbortSignal.timeout(10_000))) {
      if (isControlFailure(reply)) return reply;
      if (!("lost" in reply)) return [reply];
    }
    return [];
  });
  return replies.length > 0;
}

/** The exact `info` record of a node as another one holds it. */
export async function infoHeldBy(node: NodeProcess, id: NodeId): Promise<Bytes> {
  const { record } = await node.ask((control) => control.node(id));
  return copyBytes(decodeBase64(record.bytes));
}

interface Honest {
  readonly process: NodeProcess;
  readonly id: NodeId;
  readonly port: number;
  readonly pid: number;
  /** Its own record as published at the start. */
  readonly info: Bytes;
  readonly residentBytes: number;
  /** Everything that happened since. */
  readonly events: NodeEvent[];
}

/** How to start the two. */
export interface HonestPairOptions {
  /** Options for both, beside those that seclude them. */
  readonly args?: readonly string[];
  readonly namespace?: string;
  /** Replaces the options that seclude the nodes. */
  readonly seclusion?: readonly string[];
  /** Most that a node may grow through all attacks. */
  readonly growthBytesMax?: number;
}

/** Two honest nodes, linked. */
export class HonestPair implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #watching: AbortController;
  readonly #growthBytesMax: number;
  readonly a: Honest;
  readonly b: Honest;

  private constructor(
    stack: AsyncDisposableStack,
    watching: AbortController,
    growthBytesMax: number,
    a: Honest,
    b: Honest,
  ) {
    this.#stack = stack;
    this.#growthBytesMax = growthBytesMax;
    this.#watching = watching;
    this.a = a;
    this.b = b;
  }

  /** Starts them and waits until they are linked and agree. */
  static async start(options: HonestPairOptions = {}): Promise<HonestPair> {
    await using stack = new AsyncDisposableStack();
    const { args = [], namespace, seclusion = secluded } = options;
    const place: NodeProcessOptions = namespace === undefined ? {} : { namespace };
    const start = async (name: string, more: readonly string[]) =>
      stack.use(
        await NodeProcess.start({
          ...place,
          args: [...seclusion, "--name", name, ...args, ...more],
        }),
      );
    const a = await start("a", []);
    const b = await start("b", ["--peer", `127.0.0.1:${(await a.ready()).port}`]);
    await a.linkedWith(b);
    await b.linkedWith(a);
    await eventually("each knows the other", async () => {
      const known = await Promise.all([a, b].map(async (node) => (await node.nodes()).length));
      return known.every((count) => count === 2);
    });
    const watching = new AbortController();
    const [honestA, honestB] = await Promise.all([a, b].map(async (process): Promise<Honest> => {
      const { id, pid, port } = await process.status();
      const info = await infoHeldBy(process, id);
      const events: NodeEvent[] = [];
      // Ends with the signal; a node that dies is found by the next look at it.
      void process.ask(async (control) => {
        for await (const event of control.watch(watching.signal)) {
          if (!isControlFailure(event)) events.push(event);
        }
        return {};
      }).catch(() => undefined);
      return { process, id, port, pid, info, residentBytes: await residentBytes(pid), events };
    }));
    assert(honestA !== undefined && honestB !== undefined);
    const { growthBytesMax = defaultGrowthBytesMax } = options;
    return new HonestPair(stack.move(), watching, growthBytesMax, honestA, honestB);
  }

  /** The two. */
  get both(): readonly [Honest, Honest] {
    return [this.a, this.b];
  }

  #other(one: Honest): Honest {
    return one === this.a ? this.b : this.a;
  }

  /**
   * Throws unless the two have come through unharmed.
   *
   * @param others Ids that may stand in `nodes` beside the two: those that proved themselves.
   */
  async assertUnharmed(others: readonly NodeId[]): Promise<void> {
    try {
      await eventually("unharmed", () => this.#isUnharmed(others), settleMs);
    } catch (error) {
      const logs = this.both.map(({ process }) => process.log()).join("\n---\n").slice(-6_000);
      throw new Error(`${error}: ${error instanceof Error ? error.cause : ""}\n${logs}`, {
        cause: error,
      });
    }
  }

  async #isUnharmed(others: readonly NodeId[]): Promise<true> {
    const known = new Set<NodeId>([this.a.id, this.b.id, ...others]);
    for (const honest of this.both) {
      const { process, pid, events } = honest;
      const other = this.#other(honest);
      const status = await process.status();
      assertEquals(status.pid, pid, "the process was replaced");
      assertEquals(status.id, honest.id);
      const links = await process.links();
      assert(links.some(({ id }) => id === other.id), "the honest link is gone");
      const broken = events.filter(({ event, id }) => event === "link-down" && id === other.id);
      assertEquals(broken, [], "the honest link was dropped");
      for (const { id } of links) assert(known.has(id), `linked with ${id}`);
      for (const { id } of await process.nodes()) assert(known.has(id), `knows ${id}`);
      for (const { id, info } of this.both) assertEquals(await infoHeldBy(process, id), info);
      assert(await pingAnswers(process, other.id), "no answer to a ping");
      const grown = await residentBytes(pid) - honest.residentBytes;
      assert(grown < this.#growthBytesMax, `grew by ${grown} bytes`);
    }
    assertEquals(await held(this.a.process), await held(this.b.process));
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching.abort();
    await this.#stack.disposeAsync();
  }
}

/** What a node holds, as far as its control tells: every `info` record and every list of links. */
async function held(node: NodeProcess): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const { id } of await node.nodes()) {
    const { record, links } = await node.ask((control) => control.node(id));
    all[id] = `${record.bytes} ${links.map((link) => link.id).sort().join(" ")}`;
  }
  return all;
}

/** What an attack has at hand. */
export interface AttackContext {
  readonly pair: HonestPair;
  /** Closed at the attack's end. */
  readonly stack: AsyncDisposableStack;
  /** Notes an id that proved itself, and so may be known from now on. */
  readonly allow: (id: NodeId) => void;
}

/** Registers one attack as a test of its own. */
export type AttackTest = (
  name: string,
  attack: (context: AttackContext) => Promise<void>,
  options?: { readonly ignore?: boolean },
) => void;

/** Makes a file's attacks run one after the other on one pair. */
export function attacksOnOnePair(
  start: () => Promise<HonestPair> = () => HonestPair.start(),
  missing?: string,
): AttackTest {
  let pair: HonestPair | undefined;
  const allowed: NodeId[] = [];
  Deno.test.beforeAll(async () => {
    if (missing === undefined) pair = await start();
  });
  Deno.test.afterAll(async () => {
    await pair?.[Symbol.asyncDispose]();
  });
  return (name, attack, { ignore = false } = {}) => {
    Deno.test({ name, ignore: ignore || missing !== undefined }, async () => {
      assert(pair !== undefined);
      {
        await using stack = new AsyncDisposableStack();
        await attack({ pair, stack, allow: (id) => allowed.push(id) });
      }
      await pair.assertUnharmed(allowed);
    });
  };
}
