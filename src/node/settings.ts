/**
 * What a node remembers besides its key and its records: a small file of its own, never needed to
 * start. One that cannot be read, whatever the reason, is set aside.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import type { Storage } from "../platform/storage.ts";
import { type NodeId, parseNodeId } from "../wire/node_id.ts";

const settingsName = "node.json";

/** What is remembered. */
export interface Settings {
  /** The port of the last start. */
  readonly port?: number;
  /** Nodes hidden until they are met again, with the serial up to which. */
  readonly forgotten: ReadonlyMap<NodeId, number>;
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 65_535;
}

function parseSettings(text: string): Settings | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // Whoever wrote it, it is not ours to read.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const forgotten = new Map<NodeId, number>();
  if ("forgotten" in value && typeof value.forgotten === "object" && value.forgotten !== null) {
    for (const [text, serial] of Object.entries(value.forgotten)) {
      const id = parseNodeId(text);
      if (id !== undefined && Number.isSafeInteger(serial)) forgotten.set(id, serial);
    }
  }
  const port = "port" in value && isPort(value.port) ? value.port : undefined;
  return { ...port === undefined ? {} : { port }, forgotten };
}

/** Reads the file; `setAside` names the damaged one, if there was one. */
export async function readSettings(
  storage: Storage,
): Promise<{ readonly settings: Settings; readonly setAside?: string }> {
  const none: Settings = { forgotten: new Map() };
  let text: string | undefined;
  try {
    const bytes = await storage.read(settingsName);
    if (bytes === undefined) return { settings: none };
    text = new TextDecoder().decode(bytes);
  } catch {
    // Not a file at all, or one of somebody else: out of the way with it, or that says why not.
  }
  const settings = text === undefined ? undefined : parseSettings(text);
  if (settings !== undefined) return { settings };
  return { settings: none, setAside: await storage.setAside(settingsName) };
}

/** Writes the file. */
export async function writeSettings(storage: Storage, settings: Settings): Promise<void> {
  const { port, forgotten } = settings;
  const value = { port, forgotten: Object.fromEntries(forgotten) };
  await storage.replace(settingsName, utf8(`${JSON.stringify(value, undefined, 2)}\n`));
}
