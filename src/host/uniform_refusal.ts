/**
 * The one refusal of the TLS port, the same for everybody and everything, so that it tells nothing.
 * PROTOCOL §3.
 *
 * @module
 */
import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Counters } from "../base/counters.ts";
import { utf8 } from "../base/bytes.ts";
import { later } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { LINGER_LIMIT } from "./limits.ts";
import { callAt } from "./system_clock.ts";

const REFUSAL_BODY = utf8("refused\n");

/** The refusal as bytes: what the HTTP server writes for `answer` must be the same. */
const REFUSAL_BYTES = utf8(
  "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n" +
    `Content-Length: ${REFUSAL_BODY.length}\r\nConnection: close\r\n\r\nrefused\n`,
);

/** Refuses, and counts the reasons that nobody outside is told. */
export class UniformRefusal {
  readonly #clock: Clock;
  readonly #shed: Counters;

  constructor(clock: Clock, shed: Counters) {
    this.#clock = clock;
    this.#shed = shed;
  }

  /** Refuses through the HTTP server; the connection ends with it. */
  answer(response: ServerResponse, reason: string): void {
    this.#shed.count(reason);
    const socket = response.socket;
    response.sendDate = false;
    response.writeHead(403, "Forbidden", {
      "Content-Type": "text/plain",
      "Content-Length": REFUSAL_BODY.length,
      "Connection": "close",
    });
    response.end(REFUSAL_BODY);
    if (socket !== null) this.#linger(socket);
  }

  /** Refuses where the HTTP server has no response to give. */
  answerRaw(socket: Duplex, reason: string): void {
    this.#shed.count(reason);
    socket.on("error", () => {}); // It may break while it is refused.
    if (socket.writable) socket.end(REFUSAL_BYTES);
    this.#linger(socket);
  }

  /** Cuts a refused connection that its client keeps open. */
  #linger(socket: Duplex): void {
    if (socket.destroyed) return;
    const until = later(this.#clock.monotonic(), LINGER_LIMIT);
    const callOff = callAt(this.#clock, until, () => socket.destroy());
    socket.once("close", callOff);
  }
}
