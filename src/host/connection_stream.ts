/**
 * A TCP connection of the runtime as a Node stream, for TLS to run over. `node:net` cannot dial a
 * link-local address with its interface; `Deno.connect` can. Destroying the stream closes the
 * connection, whatever state it is in.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

const READ_BYTES = 16 * 1024;

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The connection as a stream. The stream owns it from now on. */
export class ConnectionStream extends Duplex {
  readonly #connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    super({ allowHalfOpen: false });
    this.#connection = connection;
  }

  override _read(): void {
    void this.#readOnce();
  }

  async #readOnce(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      const length = await this.#connection.read(buffer);
      if (this.destroyed) return;
      this.push(length === null ? null : Buffer.from(buffer.buffer, 0, length));
    } catch (error) {
      if (!this.destroyed) this.destroy(asError(error));
    }
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    void this.#writeAll(chunk, done);
  }

  async #writeAll(chunk: Uint8Array, done: (error?: Error | null) => void): Promise<void> {
    let failure: Error | null = null;
    try {
      let written = 0;
      while (written < chunk.length) {
        written += await this.#connection.write(chunk.subarray(written));
      }
    } catch (error) {
      failure = asError(error);
    }
    done(failure);
  }

  override _final(done: (error?: Error | null) => void): void {
    void this.#closeWrite(done);
  }

  async #closeWrite(done: (error?: Error | null) => void): Promise<void> {
    try {
      await this.#connection.closeWrite();
    } catch {
      // The peer closed first: there is nobody to tell.
    }
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    try {
      this.#connection.close();
    } catch {
      // Closed before; a resource that is gone cannot leak.
    }
    done(error);
  }
}
