/**
 * The control socket's listening end: HTTP for the user who may read the key (mode 0600 in a 0700
 * directory), and for nobody else. What is asked and answered is `node/`'s.
 *
 * @module
 */
import { toHex } from "../base/bytes.ts";
import { placeControlSocket, removeControlSocket, writeControlPort } from "./control_place.ts";
import { SystemEntropy } from "./system_entropy.ts";

/** Answers a request; `closing` aborts when the socket closes, so that streams end. Never rejects. */
export type ControlAnswerer = (request: Request, closing: AbortSignal) => Promise<Response>;

/** A control socket that answers. */
export interface ControlServer {
  /** Ends the streams, lets answers under way finish, removes the socket. */
  close(): Promise<void>;
}

/** 256 bits in hexadecimal: nobody guesses it while the port is open. */
const tokenBytes = 32;

/**
 * Opens the control socket. The caller holds the lock of the state directory. Rejects with the
 * system's error.
 */
export async function serveControl(
  stateDirectory: string,
  answer: ControlAnswerer,
): Promise<ControlServer> {
  const closing = new AbortController();
  const server = Deno.build.os === "windows"
    ? await servePort(stateDirectory, answer, closing.signal)
    : await serveSocket(stateDirectory, answer, closing.signal);
  return {
    async close(): Promise<void> {
      closing.abort();
      await server.shutdown();
      await removeControlSocket(stateDirectory);
    },
  };
}

async function serveSocket(
  stateDirectory: string,
  answer: ControlAnswerer,
  closing: AbortSignal,
): Promise<Deno.HttpServer> {
  const path = await placeControlSocket(stateDirectory);
  const server = Deno.serve(
    { path, onListen: () => {} },
    (request) => answer(request, closing),
  );
  // The runtime makes the socket 0755; until here the directory's 0700 protects it alone.
  await Deno.chmod(path, 0o600);
  return server;
}

/** Windows: built, not run by the project's own tests. */
async function servePort(
  stateDirectory: string,
  answer: ControlAnswerer,
  closing: AbortSignal,
): Promise<Deno.HttpServer> {
  await removeControlSocket(stateDirectory);
  const token = toHex(new SystemEntropy().bytes(tokenBytes));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const isRight = request.headers.get("authorization") === `Bearer ${token}`;
      return isRight ? await answer(request, closing) : new Response(null, { status: 403 });
    },
  );
  await writeControlPort(stateDirectory, { port: server.addr.port, token });
  return server;
}
