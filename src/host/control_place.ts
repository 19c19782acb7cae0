/**
 * Where the control socket lies: `control.sock` in the state directory, or, where that path is too
 * long for a socket, in a private directory with a random name whose path `control.path` in the
 * state directory tells. On Windows, which has no Unix sockets here, a loopback port and a token
 * stand in `control.port`.
 *
 * Only who holds the lock of the state directory may place or remove a socket: then whatever lies
 * there was left by a node that is gone.
 *
 * @module
 */
import { join } from "node:path";
import { isNumber, isObjectOf, isText, parseJson } from "../base/json_guard.ts";
import { toHex, utf8 } from "../base/bytes.ts";
import { SystemEntropy } from "./system_entropy.ts";

/** Bytes a socket path may have: `sun_path` of Linux holds 108 with the terminating zero. */
export const socketPathBytesMax = 107;

const socketName = "control.sock";
const pointerName = "control.path";
const portName = "control.port";
/** 128 bits: nobody makes the directory first. */
const randomNameBytes = 16;

/** A loopback port and what must be shown there (Windows). */
export interface ControlPort {
  readonly port: number;
  /** 64 hexadecimal characters. */
  readonly token: string;
}

const isControlPort = isObjectOf<ControlPort>({ port: isNumber, token: isText });

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Writes beside and renames, so that no reader meets half a file; mode 0600. */
async function writePrivately(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await removeIfThere(temporary);
  await Deno.writeTextFile(temporary, text, { mode: 0o600, createNew: true });
  await Deno.rename(temporary, path);
}

function fits(path: string): boolean {
  return utf8(path).length <= socketPathBytesMax;
}

/** A fresh private directory that is short enough to hold the socket. */
async function makeShortDirectory(): Promise<string> {
  const name = `mesh-${toHex(new SystemEntropy().bytes(randomNameBytes))}`;
  const bases = [Deno.env.get("XDG_RUNTIME_DIR"), Deno.env.get("TMPDIR"), "/tmp"];
  let failure: unknown;
  for (const base of bases) {
    if (base === undefined || !base.startsWith("/") || !fits(join(base, name, socketName))) {
      continue;
    }
    try {
      await Deno.mkdir(join(base, name), { mode: 0o700 });
      return join(base, name);
    } catch (error) {
      failure = error;
    }
  }
  throw new Error("Cannot make a short directory for the control socket", { cause: failure });
}

/**
 * Clears away what a node that is gone has left and resolves to the path to listen on. The caller
 * holds the lock of the state directory.
 */
export async function placeControlSocket(stateDirectory: string): Promise<string> {
  await removeControlSocket(stateDirectory);
  const usual = join(stateDirectory, socketName);
  if (fits(usual)) return usual;
  const path = join(await makeShortDirectory(), socketName);
  await writePrivately(join(stateDirectory, pointerName), path);
  return path;
}

/** Removes the socket, and the short directory if there is one. The caller holds the lock. */
export async function removeControlSocket(stateDirectory: string): Promise<void> {
  const usual = join(stateDirectory, socketName);
  if (fits(usual)) await removeIfThere(usual);
  const pointed = await pointedSocket(stateDirectory);
  if (pointed !== undefined) {
    await removeIfThere(pointed);
    await removeIfThere(pointed.slice(0, -socketName.length - 1));
  }
  await removeIfThere(join(stateDirectory, pointerName));
  await removeIfThere(join(stateDirectory, portName));
}

/**
 * The socket that `control.path` tells, if its directory is private and of the same owner as the
 * state directory: after a reboot somebody else may have made a directory of that name.
 */
async function pointedSocket(stateDirectory: string): Promise<string | undefined> {
  const path = await readIfThere(join(stateDirectory, pointerName));
  if (path === undefined || !/\/mesh-[0-9a-f]{32}\/control\.sock$/.test(path)) return undefined;
  try {
    const directory = await Deno.lstat(path.slice(0, -socketName.length - 1));
    const state = await Deno.stat(stateDirectory);
    const isPrivate = directory.isDirectory && directory.uid === state.uid &&
      ((directory.mode ?? 0o777) & 0o077) === 0;
    return isPrivate ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The socket of the node on this state directory, whether or not anybody listens there. */
export async function findControlSocket(stateDirectory: string): Promise<string> {
  return await pointedSocket(stateDirectory) ?? join(stateDirectory, socketName);
}

/** Tells where the loopback port is (Windows). The caller holds the lock. */
export async function writeControlPort(stateDirectory: string, place: ControlPort): Promise<void> {
  await writePrivately(join(stateDirectory, portName), JSON.stringify(place));
}

/** Where the loopback port is (Windows); `undefined` if no node has told. */
export async function readControlPort(stateDirectory: string): Promise<ControlPort | undefined> {
  const text = await readIfThere(join(stateDirectory, portName));
  const place = text === undefined ? undefined : parseJson(text);
  return isControlPort(place) ? place : undefined;
}
