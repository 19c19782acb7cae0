/**
 * Nodes that the owner had this one forget: hidden until they are met again, from start to start.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";

/** Who is forgotten. */
export class Forgotten {
  readonly #serials: Map<NodeId, number>;
  readonly #write: (serials: ReadonlyMap<NodeId, number>) => Promise<void>;

  /**
   * @param serials Who was forgotten earlier.
   * @param write Writes all of them down; rejects with the system's error.
   */
  constructor(
    serials: ReadonlyMap<NodeId, number>,
    write: (serials: ReadonlyMap<NodeId, number>) => Promise<void>,
  ) {
    this.#serials = new Map(serials);
    this.#write = write;
  }

  /** Them, each with the serial of `info` up to which it stays hidden. */
  get serials(): ReadonlyMap<NodeId, number> {
    return this.#serials;
  }

  /** Hides the node as it is under this serial. */
  add(id: NodeId, serial: number): void {
    this.#serials.set(id, serial);
  }

  /** The node is hidden no longer. Whether it was. */
  delete(id: NodeId): boolean {
    return this.#serials.delete(id);
  }

  /** Remembers all of them for the next start; rejects if that cannot be written down. */
  async keep(): Promise<void> {
    await this.#write(this.#serials);
  }
}
