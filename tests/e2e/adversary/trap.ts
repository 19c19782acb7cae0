/** A TLS port for honest nodes to fall into. @module */
import type { Bytes } from "../../../src/base/bytes.ts";
import { HandTls, type Presentation } from "./tls_by_hand.ts";

/** A TLS port that presents something, and what those who dialled it sent. */
export class Trap implements AsyncDisposable {
  readonly port: number;
  /** Dials so far. */
  dialled = 0;
  /** Dials that came to their end. */
  ended = 0;
  /** Application data heard, per dial that got as far. */
  readonly heard: Bytes[] = [];
  /** While there is none, whoever dials is cut off. */
  presentation: Presentation | undefined;
  /** Said to whoever sent anything. */
  answer: Bytes = new Uint8Array(0);
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serving: Promise<void>;
  readonly #open = new Set<Promise<void>>();
  readonly #connections = new Set<Deno.Conn>();

  constructor() {
    this.port = this.#listener.addr.transport === "tcp" ? this.#listener.addr.port : 0;
    this.#serving = this.#serve();
  }

  async #serve(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        const trapping = this.#trap(connection).finally(() => {
          this.#open.delete(trapping);
          this.#connections.delete(connection);
        });
        this.#open.add(trapping);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #trap(connection: Deno.Conn): Promise<void> {
    const { presentation } = this;
    if (presentation === undefined) return connection.close();
    this.dialled++;
    try {
      const tls = await HandTls.server(connection, presentation);
      const data = await tls.read();
      if (data !== undefined) {
        this.heard.push(data);
        await tls.write(this.answer);
      }
      tls.close();
    } catch {
      // The node broke off, which is what it should do; `heard` tells the rest.
    }
    this.ended++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // Closed by its own handling in the same moment.
      }
    }
    await this.#serving;
    await Promise.all(this.#open);
  }
}
