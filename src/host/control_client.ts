/**
 * The control socket's asking end: finds the node that runs on a state directory.
 *
 * @module
 */
import { findControlSocket, readControlPort } from "./control_place.ts";

/** Why no node could be asked. */
export interface ControlUnreachable {
  /** `no-node`: none runs there. `denied`: one may, and this user may not ask it. */
  readonly unreachable: "no-node" | "denied";
  readonly detail: string;
}

/** A way to ask a running node. */
export interface ControlConnection {
  /** Sends a request; rejects if that breaks or the signal aborts. */
  request(method: "GET" | "POST", path: string, signal: AbortSignal): Promise<Response>;
  close(): void;
}

function unreachable(error: unknown, where: string): ControlUnreachable {
  const denied = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
  const detail = error instanceof Error ? error.message : String(error);
  return { unreachable: denied ? "denied" : "no-node", detail: `${where}: ${detail}` };
}

/** Finds the node that runs on the state directory. Never rejects. */
export async function connectControl(
  stateDirectory: string,
): Promise<ControlConnection | ControlUnreachable> {
  let where = stateDirectory;
  try {
    if (Deno.build.os === "windows") {
      const place = await readControlPort(stateDirectory);
      if (place === undefined) return { unreachable: "no-node", detail: where };
      where = `127.0.0.1:${place.port}`;
      (await Deno.connect({ hostname: "127.0.0.1", port: place.port })).close();
      const headers = { authorization: `Bearer ${place.token}` };
      const base = `http://${where}`;
      return {
        request: (method, path, signal) => fetch(base + path, { method, headers, signal }),
        close: () => {},
      };
    }
    where = await findControlSocket(stateDirectory);
    // A connection of its own first: only it says why it failed.
    (await Deno.connect({ transport: "unix", path: where })).close();
    const client = Deno.createHttpClient({ proxy: { transport: "unix", path: where } });
    return {
      request: (method, path, signal) =>
        fetch(`http://127.0.0.1${path}`, { method, signal, client }),
      close: () => client.close(),
    };
  } catch (error) {
    return unreachable(error, where);
  }
}
