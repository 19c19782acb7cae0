/**
 * A world of whole nodes in one process: real machines, real cryptography, real performers, on
 * clocks, networks, streams and disks in memory. Everything follows from one seed, but for the keys
 * that the platform draws inside exchanges, which decide nothing.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import { type Duration, seconds, type WallTime, wallTime } from "../../src/base/instant.ts";
import { invariant } from "../../src/base/invariant.ts";
import type { IpAddress } from "../../src/base/ip.ts";
import { Prng } from "../../src/base/prng.ts";
import { type Identity, identityOfSeed } from "../../src/identity/mod.ts";
import { ControlAnswers } from "../../src/node/control_answers.ts";
import { Node } from "../../src/node/node.ts";
import type { NodeOptions } from "../../src/node/node_options.ts";
import type { NodeEvent } from "../../src/control/mod.ts";
import type { Entropy } from "../../src/platform/entropy.ts";
import type { SecureDialer } from "../../src/platform/secure_streams.ts";
import { openRecordLog } from "../../src/sync/mod.ts";
import type { NodeId } from "../../src/wire/node_id.ts";
import { SeededEntropy } from "../fixtures/entropy.ts";
import { CryptoGate } from "./crypto_gate.ts";
import { KeptRecords } from "./kept_records.ts";
import { SharedRecords } from "./shared_records.ts";
import { ip, type MemoryHost, MemoryNetwork } from "./memory_network.ts";
import { MemoryStorage } from "./memory_storage.ts";
import { MemoryStreams } from "./memory_streams.ts";
import { QuickEntropy } from "./quick_entropy.ts";
import { VirtualClock, VirtualTime } from "./virtual_clock.ts";

/** When the program in these worlds was built. */
export const worldBuiltAt: WallTime = wallTime(Date.UTC(2026, 5, 1));
/** What a right clock shows when a world begins. */
export const worldBeginsAt: WallTime = wallTime(Date.UTC(2026, 6, 1));

/** Machines in the picture of a world, for a message that a person reads. */
const picturedMax = 50;

/** What a machine of a world is, beyond the usual. */
export interface MachineOptions {
  /** Network that its `eth0` is on; `lan` unless given. */
  readonly lan?: string;
  /** Addresses of its `eth0`; the next free IPv4 address unless given. */
  readonly ips?: readonly IpAddress[];
  /** What its calendar shows when the world begins. */
  readonly wall?: WallTime;
  /** The machine whose key this one has too. */
  readonly cloneOf?: Machine;
  /** How many of its seconds pass in a second. Default 1. */
  readonly clockRate?: number;
  /** Whether a crash may leave garbage on its disk where something was being written. */
  readonly diskGarbles?: boolean;
}

/** What kind of world it is. */
export interface WorldOptions {
  /**
   * For hundreds of nodes and more: machines keep no list of events, identities no list of
   * signatures, disks lose nothing and cost nothing, entropy is drawn quickly. Together with the
   * stand-in for cryptography (`stand_in_import_map.json`) a thousand nodes are affordable.
   */
  readonly isLarge?: boolean;
}

/** One world, from a seed. */
export class World implements Disposable {
  readonly seed: number;
  readonly prng: Prng;
  readonly time: VirtualTime;
  readonly network: MemoryNetwork;
  readonly streams: MemoryStreams;
  readonly gate: CryptoGate;
  readonly machines: Machine[] = [];
  /** What the stores of all its nodes have in common. */
  readonly records = new SharedRecords();
  /** Work of any node that failed: there must be none. */
  readonly failures: string[] = [];
  /** Every signature that any identity of this world has made under a record, in hexadecimal. */
  readonly signatures = new Set<string>();
  readonly isLarge: boolean;
  readonly #byId = new Map<NodeId, Machine>();

  constructor(seed: number, { isLarge = false }: WorldOptions = {}) {
    this.seed = seed;
    this.isLarge = isLarge;
    this.prng = new Prng([seed, 1]);
    this.gate = CryptoGate.install();
    const { gate } = this;
    this.time = new VirtualTime(() => gate.quiet());
    this.network = new MemoryNetwork(this.time, new Prng([seed, 2]));
    this.streams = new MemoryStreams(this.time, this.entropy([seed, 3]));
  }

  /** Entropy of this seed. */
  entropy(seed: readonly number[]): Entropy {
    return this.isLarge ? new QuickEntropy(seed) : new SeededEntropy(seed);
  }

  /** A new machine on which no node runs yet. */
  async machine(name: string, options: MachineOptions = {}): Promise<Machine> {
    const number = this.machines.length + 1;
    const identity = options.cloneOf?.identity ?? this.#witnessed(
      await identityOfSeed(new SeededEntropy([this.seed, 4, number]).bytes(32)),
    );
    const host = this.network.host(name);
    const { lan = "lan", ips = [ip(`10.0.${number >> 7}.${(number & 127) + 1}`)] } = options;
    host.attach("eth0", lan, ...ips);
    const machine = new Machine(this, name, number, identity, host, options);
    this.machines.push(machine);
    if (!this.#byId.has(machine.id)) this.#byId.set(machine.id, machine);
    return machine;
  }

  /** The identity, each of whose records' signatures is noted. */
  #witnessed(identity: Identity): Identity {
    if (this.isLarge) return identity;
    return {
      id: identity.id,
      publicKey: identity.publicKey,
      protection: identity.protection,
      sign: (label, data) => identity.sign(label, data),
      signCose: async (sigStructure) => {
        const signature = await identity.signCose(sigStructure);
        this.signatures.add(toHex(signature));
        return signature;
      },
      rootCertificate: () => identity.rootCertificate(),
      newLeaf: () => identity.newLeaf(),
    };
  }

  /** Machines of these names, each with a node that has just started. */
  async nodes(...names: readonly string[]): Promise<Machine[]> {
    const machines: Machine[] = [];
    for (const name of names) machines.push(await this.machine(name));
    await Promise.all(machines.map((machine) => machine.start()));
    return machines;
  }

  /** Two machines of these names with a link between their nodes. */
  async pair(a: string, b: string): Promise<[Machine, Machine]> {
    const [one, other] = await this.nodes(a, b);
    invariant(one !== undefined && other !== undefined, "there are two");
    await this.until("a link", () => one.isLinked(other) && other.isLinked(one));
    return [one, other];
  }

  /** Lets time pass. */
  async run(length: Duration): Promise<void> {
    await this.time.advance(length);
  }

  /** Lets time pass until it holds; fails if that takes longer than `limit`. */
  async until(what: string, holds: () => boolean, limit: Duration = seconds(10)): Promise<void> {
    if (await this.time.advanceUntil(holds, limit)) return;
    throw new Error(
      `Not within ${
        limit / 1_000
      } s of virtual time (seed ${this.seed}): ${what}\n${this.picture()}`,
    );
  }

  /** Waits for work that needs time to pass. */
  async done<T>(what: string, work: Promise<T>, limit: Duration = seconds(60)): Promise<T> {
    let isOver = false;
    const watched = work.finally(() => {
      isOver = true;
    });
    watched.catch(() => undefined); // It is awaited below; until then its failure is no news.
    await this.until(what, () => isOver, limit);
    return await watched;
  }

  /** Whether more than one machine has this identity. */
  isCloned(id: NodeId): boolean {
    return this.machines.filter((machine) => machine.id === id).length > 1;
  }

  /** The machine with that id; of clones the first. */
  machineOf(id: NodeId): Machine | undefined {
    return this.#byId.get(id);
  }

  /** The name of the machine with that id, or the id. */
  nameOf(id: NodeId): string {
    return this.#byId.get(id)?.name ?? id;
  }

  /** Who is linked with whom, for a failure's message. */
  picture(): string {
    return this.machines.filter(({ isRunning }) => isRunning).slice(0, picturedMax).map((machine) =>
      `${machine.name}: ${
        machine.linkNames().join(" ")
      } (${machine.node.fleet.view.known} known, ` +
      `${machine.node.fleet.view.reachable} reachable)`
    ).join("\n");
  }

  /** The end of a scenario: stops what runs, and no work of any node has failed. */
  async end(): Promise<void> {
    await this.done("all stop", Promise.all(this.machines.map((machine) => machine.stop())));
    assertEquals(this.failures, []);
  }

  [Symbol.dispose](): void {
    this.gate[Symbol.dispose]();
  }
}

interface Process {
  readonly node: Node;
  readonly control: ControlAnswers;
  readonly clock: VirtualClock;
  readonly closePort: () => void;
  readonly watching: AbortController;
}

/** What a start of a node may be told, and how its dialler may be bent. */
export interface StartOptions extends Partial<NodeOptions> {
  /** Changes what the node dials with. */
  readonly bendDialer?: (dialer: SecureDialer) => SecureDialer;
}

/** A machine: its disk and key, and the node that runs there, from start to start. */
export class Machine {
  readonly world: World;
  readonly name: string;
  readonly identity: Identity;
  readonly host: MemoryHost;
  readonly storage: MemoryStorage;
  /** Its disk in a large world. */
  readonly #kept = new KeptRecords();
  /** Everything its nodes told watchers. */
  readonly events: NodeEvent[] = [];
  /** What is kept of forgotten nodes from start to start. */
  forgotten: ReadonlyMap<NodeId, number> = new Map();
  readonly port = 7411;
  /** The network its `eth0` belongs to. */
  readonly lan: string;
  readonly #number: number;
  readonly #clockRate: number;
  readonly #ips: readonly IpAddress[];
  #wall: WallTime;
  #starts = 0;
  #startedAt = 0;
  #eventsAtStart = 0;
  #isCrashed = false;
  #process: Process | undefined;

  constructor(
    world: World,
    name: string,
    number: number,
    identity: Identity,
    host: MemoryHost,
    options: MachineOptions,
  ) {
    this.world = world;
    this.name = name;
    this.identity = identity;
    this.host = host;
    this.#number = number;
    this.#wall = options.wall ?? worldBeginsAt;
    this.lan = options.lan ?? "lan";
    this.#ips = host.attachments[0]?.ips ?? [];
    this.#clockRate = options.clockRate ?? 1;
    this.storage = new MemoryStorage({
      prng: new Prng([world.seed, 5, number]),
      garbles: options.diskGarbles ?? false,
    });
  }

  get id(): NodeId {
    return this.identity.id;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** When its process was started last, in milliseconds since the world began. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** How many events there were when its process was started last. */
  get eventsAtStart(): number {
    return this.#eventsAtStart;
  }

  /** Boot nonces are told to others: whose nonce is higher is for a test to choose. */
  bootNonce(): Bytes {
    return new SeededEntropy([this.world.seed, 6, this.#number, this.#starts]).bytes(16);
  }

  get #running(): Process {
    if (this.#process === undefined) throw new Error(`No node runs on ${this.name}`);
    return this.#process;
  }

  /** The node that runs here. */
  get node(): Node {
    return this.#running.node;
  }

  /** What its owner may ask of it. */
  get control(): ControlAnswers {
    return this.#running.control;
  }

  get clock(): VirtualClock {
    return this.#running.clock;
  }

  /** Starts a node; resolves when it can answer others. */
  async start(options: StartOptions = {}): Promise<Machine> {
    const { world, host, storage, identity, port, name } = this;
    if (this.#process !== undefined) throw new Error(`A node runs on ${name} already`);
    this.#starts++;
    this.#startedAt = world.time.now;
    this.#eventsAtStart = this.events.length;
    if (this.#isCrashed) {
      this.#isCrashed = false;
      storage.restart();
    }
    const entropy = world.entropy([world.seed, 7, this.#number, this.#starts]);
    const clock = new VirtualClock(world.time, {
      wallOrigin: this.#wall,
      rate: this.#clockRate,
      lateness: () => host.lateness(),
    });
    const leaf = await identity.newLeaf();
    const chain = { leaf: leaf.leaf, root: leaf.root };
    const dialer = world.streams.dialer(host, chain);
    const { bendDialer = (straight: SecureDialer) => straight, ...changed } = options;
    const node = await Node.create({
      identity,
      leaf,
      bootNonce: this.bootNonce(),
      name,
      labels: {},
      port,
      host: undefined,
      interfaceNames: [],
      multicast: true,
      peers: [],
      openToAll: false,
      software: { version: "0.1.0", seq: 0, target: "x86_64-unknown-linux-gnu" },
      platform: { os: "linux", arch: "x86_64" },
      builtAt: worldBuiltAt,
      forgotten: this.forgotten,
      ...changed,
    }, {
      clock,
      entropy,
      network: host,
      dialer: bendDialer(dialer),
      recordSharing: world.records,
      recordLog: world.isLarge
        ? this.#kept.open(clock.monotonic(), clock.wall())
        : await openRecordLog(storage, entropy),
      lookUpHost: () => Promise.resolve([]),
      keepForgotten: (forgotten) => {
        this.forgotten = new Map(forgotten);
        return Promise.resolve();
      },
      log: {
        debug: () => {},
        info: () => {},
        warn: (message, facts = {}) => {
          if (!message.startsWith("{what} failed") || clock.isHalted) return;
          const { what, error } = facts;
          const reason = error instanceof Error ? error.stack ?? error.message : String(error);
          world.failures.push(`${name}: ${String(what)}: ${reason}`);
        },
      },
    });
    const closePort = world.streams.listen(host, port, {
      chain,
      handler: (connection, request) => node.authenticator.handle(connection, request),
    });
    const watching = new AbortController();
    if (!world.isLarge) this.#hand(node, watching.signal, (event) => this.events.push(event));
    const control = new ControlAnswers(node, {
      clock,
      name,
      version: "0.1.0",
      seq: 0,
      target: "x86_64-unknown-linux-gnu",
      pid: this.#number,
      port,
      readySince: clock.monotonic(),
      readyAt: clock.wall(),
      requestEnd: () => {},
    });
    this.#process = { node, control, clock, closePort, watching };
    await node.start();
    return this;
  }

  /** Hands over what the node that runs now tells watchers, until it ends. */
  watch(handle: (event: NodeEvent) => void): void {
    const { node, watching } = this.#running;
    this.#hand(node, watching.signal, handle);
  }

  #hand(node: Node, signal: AbortSignal, handle: (event: NodeEvent) => void): void {
    const events = node.events.watch(signal);
    const handing = (async () => {
      for await (const event of events) handle(event);
    })();
    handing.catch((error: unknown) => this.world.failures.push(`${this.name}: ${String(error)}`));
  }

  /** A clean stop; needs time to pass. */
  async stop(kind: "leaving" | "restarting" = "leaving"): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    const limit = new AbortController();
    const callOff = this.world.time.after(seconds(2), () => limit.abort());
    await running.node.stop(kind, limit.signal);
    callOff();
    this.#end(running);
  }

  /** The process is killed: its port is closed from now on, nobody is told. */
  kill(): void {
    const running = this.#running;
    running.clock.halt();
    this.#end(running);
    this.host.releaseAll();
  }

  #end({ node, watching, closePort }: Process): void {
    watching.abort();
    closePort();
    if (this.world.isLarge) this.#kept.keep(node.archive.store);
    this.#process = undefined;
  }

  /** The machine loses its power: what was not synced is lost, or half of it. */
  crash(): void {
    this.storage.crashAfter(0);
    this.#isCrashed = true;
    this.kill();
  }

  /** Its `eth0` is attached where it was when the machine was made, if it is attached nowhere. */
  plugIn(): void {
    if (this.host.attachments.some(({ name }) => name === "eth0")) return;
    this.host.attach("eth0", this.lan, ...this.#ips);
  }

  /** Somebody sets its calendar this far from the right time; it stays so over restarts. */
  setWallAhead(aheadMs: number): void {
    this.#wall = wallTime(worldBeginsAt + aheadMs);
    this.#process?.clock.setWall(wallTime(this.#wall + this.world.time.now));
  }

  /** Ids of the nodes it has links with, as their machines' names, sorted. */
  linkNames(): string[] {
    return this.node.peers.links().map((peer) => this.world.nameOf(peer.id)).sort();
  }

  /** Whether it holds a link with the node of that machine. */
  isLinked(other: Machine): boolean {
    return this.node.peers.get(other.id)?.linked === true;
  }

  /** How it sees the other's node. */
  stateOf(other: Machine): string | undefined {
    return this.node.fleet.view.get(other.id)?.state;
  }

  /** Its warnings' codes, sorted, without the one that every node of an open mesh shows. */
  warningCodes(): string[] {
    return this.node.warnings.all().map(({ code }) => code)
      .filter((code) => code !== "open-mesh" && code !== "no-ipv6");
  }

  /** All records it holds, as bytes in hex with their keys: what nodes agree on. */
  recordDigest(): string {
    return [...this.node.archive.store.records()].map(({ hash }) => hash.toHex()).join("\n");
  }

  /** How often something happened that is counted. */
  count(reason: string): number {
    return this.node.counters.of(reason);
  }
}
