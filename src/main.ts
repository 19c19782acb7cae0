/**
 * The only entry point: gives the command line the world it needs and ends with its exit code.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { runCommandLine, type Surroundings } from "./cli/mod.ts";
import {
  askSecret,
  connectControl,
  DirectoryStorage,
  machine,
  notifySystemd,
  openScratch,
  readCredential,
  serveControl,
  standardError,
  standardOutput,
  stopSignals,
  StorageError,
  surviveNetworkErrors,
  SystemClock,
  SystemEntropy,
} from "./host/mod.ts";
import { answerControl, RemoteControl } from "./control/mod.ts";
import { openNodeIdentity, startNode } from "./node/mod.ts";
import { toHex } from "./base/bytes.ts";

/**
 * `deno task` goes to the project's directory before it starts the program, and tells in
 * `INIT_CWD` where the person stands. A program that was started elsewhere stands where it is.
 */
function workingDirectory(): string {
  const here = Deno.cwd();
  const told = Deno.env.get("INIT_CWD");
  if (told === undefined || told === "" || Deno.build.standalone) return here;
  const project = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  return decodeURIComponent(project) === here ? told : here;
}

const openIdentity: Surroundings["openIdentity"] = async (stateDirectory, options) => {
  try {
    return await openIdentityIn(stateDirectory, options);
  } catch (error) {
    // A directory that cannot be used says itself what to do.
    if (error instanceof StorageError) return { trouble: "failed", message: error.message };
    throw error;
  }
};

const openIdentityIn: Surroundings["openIdentity"] = async (stateDirectory, options) => {
  const credential = await readCredential();
  // Only who may make an identity makes a directory for it.
  const storage = options.create
    ? await DirectoryStorage.open(stateDirectory)
    : new DirectoryStorage(stateDirectory);
  const identity = await openNodeIdentity(storage, {
    ...options,
    ...credential === undefined ? {} : { credential },
  });
  if ("reason" in identity) {
    const { reason, message } = identity;
    if (reason === "missing") return { trouble: "missing", message };
    const isLocked = reason === "passphrase-needed" || reason === "credential-needed";
    return { trouble: isLocked ? "locked" : "failed", message };
  }
  const { id, publicKey, protection } = identity;
  return { id, publicKey: toHex(publicKey), path: `${stateDirectory}/identity.key`, protection };
};

/** A node lives on when a stranger's connection makes the runtime's own code stumble. */
const startGuarded: Surroundings["start"] = (options) => {
  const log = getLogger(["mesh"]);
  surviveNetworkErrors(new SystemClock(), (error, passedOver) => {
    log.error("An error of the network that nobody caught: {error} ({passedOver} more before)", {
      error,
      passedOver,
    });
  });
  return startNode(options);
};

const surroundings: Surroundings = {
  args: Deno.args,
  stdout: standardOutput(),
  stderr: standardError(),
  clock: new SystemClock(),
  os: machine.os,
  isRoot: Deno.uid() === 0,
  workingDirectory: workingDirectory(),
  target: machine.target,
  runtime: `deno ${machine.runtime}`,
  environment: (name) => Deno.env.get(name),
  readText: (path) => Deno.readTextFile(path),
  askSecret,
  signals: () => stopSignals(),
  notify: notifySystemd,
  async connect(stateDirectory) {
    const connection = await connectControl(stateDirectory);
    if ("unreachable" in connection) return connection;
    return Object.assign(new RemoteControl(connection.request), { close: connection.close });
  },
  serve: (stateDirectory, control) =>
    serveControl(stateDirectory, (request, closing) => answerControl(request, control, closing)),
  start: startGuarded,
  openIdentity,
  async selfTest(options) {
    const { runSelfTest } = await import("./selftest/mod.ts");
    return await runSelfTest({ ...options, entropy: new SystemEntropy(), openScratch });
  },
};

Deno.exit(await runCommandLine(surroundings));
