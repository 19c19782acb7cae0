/**
 * Starts a node on this machine: chooses the host's implementations, opens what must be open, in an
 * order that leaves nothing behind when a step fails.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { type Instant, later, milliseconds, wallTime } from "../base/instant.ts";
import { type IpAddress, parseIp } from "../base/ip.ts";
import {
  DenoNetwork,
  DirectoryStorage,
  isAddressTaken,
  ListenError,
  listenTls,
  lockState,
  lookUpHost,
  machine,
  readCredential,
  StorageError,
  SystemClock,
  SystemEntropy,
  TlsDialer,
  type TlsListener,
} from "../host/mod.ts";
import { type Identity, isIdentityProblem, type LeafCredentials } from "../identity/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { Network } from "../platform/network.ts";
import type { SecureHandler } from "../platform/secure_streams.ts";
import type { Storage } from "../platform/storage.ts";
import { openRecordLog } from "../sync/mod.ts";
import { productBuiltAt, productSeq, productVersion } from "../version.ts";
import { bootNonceLength } from "../wire/limits.ts";
import { formatSocketAddress, socketAddress } from "../wire/socket_address.ts";
import { ControlAnswers } from "./control_answers.ts";
import { farewellWait } from "./limits.ts";
import { Node } from "./node.ts";
import { openNodeIdentity } from "./node_identity.ts";
import type { RunEnd, RunningNode, RunOptions, StartProblem } from "./run_options.ts";
import { readSettings, type Settings, writeSettings } from "./settings.ts";

/** The port when nobody says otherwise. */
const defaultPort = 7411;
/** Free TCP ports that are tried until one is free for datagrams too. */
const freePortTries = 16;
/** Addresses that mean every address of the machine. */
const anyAddress: ReadonlySet<IpAddress | undefined> = new Set(["0.0.0.0", "::"].map(parseIp));

const log = getLogger(["mesh", "node"]);

type ProblemCode = StartProblem["problem"]["code"];

/** A step of the start that did not work: ends the start with a sentence. */
class StartError extends Error {
  override readonly name = "StartError";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Starts a node; resolves once it can answer others, or to why not. */
export async function startNode(options: RunOptions): Promise<RunningNode | StartProblem> {
  const undo = new AsyncDisposableStack();
  try {
    const running = await start(options, undo);
    return running;
  } catch (error) {
    await undo.disposeAsync();
    if (error instanceof StartError) {
      return { problem: { code: error.code, message: error.message } };
    }
    if (error instanceof StorageError) {
      return { problem: { code: "state-directory", message: error.message } };
    }
    const message = error instanceof Error ? error.message : String(error);
    return { problem: { code: "failed", message: `The node did not start: ${message}` } };
  }
}

async function openIdentity(storage: Storage, options: RunOptions): Promise<Identity> {
  const credential = await readCredential();
  const identity = await openNodeIdentity(storage, {
    create: true,
    passphrase: options.passphrase,
    ...credential === undefined ? {} : { credential },
  });
  if (!isIdentityProblem(identity)) return identity;
  const locked = identity.reason === "passphrase-needed" || identity.reason === "wrong-secret";
  throw new StartError(locked ? "passphrase" : "identity", identity.message);
}

/** The address to listen at; `undefined` = every one, which is also what 0.0.0.0 and [::] ask for. */
function listenHost(options: RunOptions, network: Network): IpAddress | undefined {
  const { host } = options.listen;
  if (host === undefined || anyAddress.has(host)) return undefined;
  const isOurs = network.interfaces().some(({ addresses }) =>
    addresses.some(({ ip }) => ip === host)
  );
  if (isOurs) return host;
  throw new StartError(
    "no-interface",
    `Cannot listen at ${host}: no interface of this machine has that address. ` +
      "Without an address --listen PORT serves all of them.",
  );
}

/** Refuses a port that another program has for datagrams at an address that would be served. */
async function refusePortTakenByUdp(
  network: Network,
  { interfaces }: RunOptions,
  host: IpAddress | undefined,
  port: number,
): Promise<void> {
  for (const { name, addresses } of network.interfaces()) {
    if (interfaces.length > 0 && !interfaces.includes(name)) continue;
    for (const { ip } of addresses) {
      if (host !== undefined && ip !== host) continue;
      const address = socketAddress(ip, port, name);
      try {
        (await network.bindDatagram(address, name)).close();
      } catch (error) {
        // Whatever else is wrong with an address is tried again at every look at the interfaces.
        if (!isAddressTaken(error)) continue;
        const shown = formatSocketAddress(address);
        const message = `Cannot listen on port ${port}: UDP ${shown} is taken`;
        throw new ListenError(message, "EADDRINUSE", error);
      }
    }
  }
}

/** Opens the TLS port: the one asked for, the one kept, or a free one in its place. */
async function openPort(
  options: RunOptions,
  network: Network,
  host: IpAddress | undefined,
  settings: Settings,
  clock: Clock,
  leaf: LeafCredentials,
  guards: {
    readonly handler: SecureHandler;
    readonly isKnownAddress: (ip: IpAddress) => boolean;
  },
): Promise<TlsListener> {
  const { zone, port: asked } = options.listen;
  const wanted = asked === undefined || asked === 0 ? settings.port ?? asked ?? defaultPort : asked;
  const listen = async (port: number) => {
    const listener = await listenTls({
      clock,
      credentials: leaf,
      port,
      ...host === undefined ? {} : { host },
      ...zone === undefined ? {} : { hostZone: zone },
      isKnownAddress: guards.isKnownAddress,
      acceptsOn: (interfaceName) =>
        options.interfaces.length === 0 ||
        (interfaceName !== undefined && options.interfaces.includes(interfaceName)),
    }, guards.handler);
    try {
      await refusePortTakenByUdp(network, options, host, listener.port);
      return listener;
    } catch (error) {
      await listener.close();
      throw error;
    }
  };
  for (let port = wanted, tries = 1;; port = 0, tries++) {
    try {
      return await listen(port);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      if (asked === 0 && tries < freePortTries) {
        log.warn("{reason}; taking a free port instead", { reason: error.message });
        continue;
      }
      throw new StartError(
        "port-taken",
        `${error.message}. Is another node running? Choose another port: --listen PORT (0 = any free).`,
      );
    }
  }
}

async function start(options: RunOptions, undo: AsyncDisposableStack): Promise<RunningNode> {
  if (options.rendezvous.length > 0) {
    throw new StartError("not-implemented", "--rendezvous is not in this version");
  }
  const clock = new SystemClock();
  const entropy = new SystemEntropy();
  const network = new DenoNetwork(clock);
  const missing = options.interfaces.filter((name) =>
    !network.interfaces().some((one) => one.name === name)
  );
  if (missing.length > 0) {
    log.warn("No interface {names} with an address now; it is served when it appears", {
      names: missing.join(", "),
    });
  }
  const storage = await DirectoryStorage.open(options.stateDirectory);
  const lock = await lockState(options.stateDirectory);
  if ("heldBy" in lock) {
    const holder = lock.heldBy === undefined ? "" : ` (pid ${lock.heldBy})`;
    throw new StartError(
      "already-running",
      `A node is already running${holder} on ${options.stateDirectory}`,
    );
  }
  undo.defer(() => lock.release());
  // Half-written files of a start that was killed; nobody else writes here while we hold the lock.
  await storage.removeLeftovers();
  const host = listenHost(options, network);
  const { settings, setAside } = await readSettings(storage);
  if (setAside !== undefined) {
    log.warn("Settings were damaged and set aside: {setAside}", { setAside });
  }
  const identity = await openIdentity(storage, options);
  const leaf = await identity.newLeaf();
  const recordLog = await openRecordLog(storage, entropy);

  // The port is open before the node that answers there is made: it needs to know the port.
  const made: { node?: Node } = {};
  const listener = await openPort(options, network, host, settings, clock, leaf, {
    handler: async (connection, request) =>
      await made.node?.authenticator.handle(connection, request),
    isKnownAddress: (ip) => made.node?.isKnownAddress(ip) ?? false,
  });
  undo.defer(() => listener.close());
  const { port } = listener;
  const name = options.name ?? machine.hostName;
  const node = await Node.create({
    identity,
    leaf,
    bootNonce: entropy.bytes(bootNonceLength),
    name,
    labels: options.labels,
    port,
    host,
    interfaceNames: options.interfaces,
    multicast: options.multicast,
    peers: options.peers,
    openToAll: options.peers.length > 0 || options.listen.host !== undefined,
    software: { version: productVersion, seq: productSeq, target: machine.target },
    platform: { os: machine.os, arch: machine.arch },
    builtAt: wallTime(productBuiltAt),
    forgotten: settings.forgotten,
  }, {
    clock,
    entropy,
    network,
    dialer: new TlsDialer({ clock, credentials: leaf }),
    recordLog,
    lookUpHost,
    keepForgotten: (forgotten) => writeSettings(storage, { port, forgotten }),
    log,
  });
  made.node = node;
  if (settings.port !== port) await keepPort(storage, { ...settings, port });
  if (options.allowOpenStreams) {
    node.warnings.raise(
      "open-streams",
      "--allow-open-streams is on; this version opens no streams yet.",
    );
  }
  await node.start();
  return new Running(node, { clock, name, port, options, undo: undo.move() });
}

/** Remembers the port. A node that cannot (a full disk) serves all the same. */
async function keepPort(storage: Storage, settings: Settings): Promise<void> {
  try {
    await writeSettings(storage, settings);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn("The port is not remembered for the next start: {reason}", { reason });
  }
}

interface RunningParts {
  readonly clock: Clock;
  readonly name: string;
  readonly port: number;
  readonly options: RunOptions;
  /** Lock and port. */
  readonly undo: AsyncDisposableStack;
}

class Running implements RunningNode {
  readonly name: string;
  readonly port: number;
  readonly control: ControlAnswers;
  readonly ended: Promise<RunEnd>;
  readonly #node: Node;
  readonly #parts: RunningParts;
  readonly #end: (end: RunEnd) => void;
  #farewell: "leaving" | "restarting" = "leaving";
  #stopping: Promise<void> | undefined;

  constructor(node: Node, parts: RunningParts) {
    const { clock, name, port, options } = parts;
    this.#node = node;
    this.#parts = parts;
    this.name = name;
    this.port = port;
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.control = new ControlAnswers(node, {
      clock,
      name,
      version: productVersion,
      seq: productSeq,
      target: machine.target,
      pid: machine.pid,
      port,
      readySince: clock.monotonic(),
      readyAt: clock.wall(),
      requestEnd: (end) => {
        if (end === "restart") this.#farewell = "restarting";
        resolve({ end });
      },
    });
    if (options.once !== undefined) {
      node.own(this.#once(later(clock.monotonic(), milliseconds(options.once.forMs))));
    }
  }

  get id() {
    return this.#node.id;
  }

  /** In step with one peer, or the time is over. */
  async #once(until: Instant): Promise<void> {
    const done = new AbortController();
    const inStep = await Promise.race([
      this.#node.inStep.then(() => true),
      this.#parts.clock.wait(until, done.signal).then(() => false),
    ]);
    done.abort();
    this.#end({ end: "once", inStep });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock, undo } = this.#parts;
    const limit = new AbortController();
    const done = new AbortController();
    const timer = clock.wait(later(clock.monotonic(), farewellWait), done.signal).then(() =>
      limit.abort()
    );
    try {
      await this.#node.stop(this.#farewell, limit.signal);
    } finally {
      done.abort();
      await timer;
      await undo.disposeAsync();
    }
  }
}
