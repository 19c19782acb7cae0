/**
 * Starts a node on this machine: chooses the host's implementations, opens what must be open, in an
 * order that leaves nothing behind when a step fails.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { wallTime } from "../base/instant.ts";
import {
  DenoNetwork,
  DirectoryStorage,
  lockState,
  lookUpHost,
  machine,
  nextTurn,
  readCredential,
  StorageError,
  SystemClock,
  SystemEntropy,
  TlsDialer,
} from "../host/mod.ts";
import { type Identity, isIdentityProblem } from "../identity/mod.ts";
import type { Storage } from "../platform/storage.ts";
import { openRecordLog } from "../sync/mod.ts";
import { productBuiltAt, productSeq, productVersion } from "../version.ts";
import { bootNonceLength } from "../wire/limits.ts";
import { Node } from "./node.ts";
import { openNodeIdentity } from "./node_identity.ts";
import { listenHost, openPort } from "./open_port.ts";
import type { RunningNode, RunOptions, StartProblem } from "./run_options.ts";
import { Running } from "./running.ts";
import { readSettings, type Settings, writeSettings } from "./settings.ts";
import { StartError } from "./start_error.ts";

const log = getLogger(["mesh", "node"]);

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
    breathe: nextTurn,
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
