/** HTTP as bytes over TLS: what a node says, exactly. @module */
import { connect, type ConnectionOptions } from "node:tls";

/** The one refusal, byte for byte. PROTOCOL §4.1. */
export const refusalText = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n" +
  "Content-Length: 8\r\nConnection: close\r\n\r\nrefused\n";

/** Sends text over TLS and gives all that comes back until the connection ends. */
export function speak(
  port: number,
  text: string | Uint8Array,
  options: ConnectionOptions = {},
): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const where = { port, host: "127.0.0.1", rejectUnauthorized: false };
    const socket = connect({ ...where, ...options }, () => socket.write(text));
    socket.on("data", (part) => heard += String(part));
    socket.on("error", () => {}); // What was heard until then is what counts.
    socket.on("close", () => resolve(heard));
  });
}
