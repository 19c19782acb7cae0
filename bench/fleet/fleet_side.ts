/**
 * What the fleet bench needs of a fleet, whoever's nodes they are: this project's or memberlist's.
 *
 * @module
 */

/** When the others knew, in milliseconds after it happened. */
export interface Known {
  readonly first: number;
  readonly last: number;
}

/** Nodes on hosts of their own, one on each. Instants are milliseconds since 1970. */
export interface FleetSide extends AsyncDisposable {
  /**
   * Starts a node on each host and resolves to when the last one was ready to answer others.
   *
   * @param together All at once; else a few at a time, the next when one of them is ready.
   */
  start(hosts: readonly string[], together: boolean): Promise<number>;
  /** Resolves to when every node knew every other one as alive. Rejects past the deadline. */
  allKnowAll(withinMs: number): Promise<number>;
  /** Something that a host's node tells of itself changes: until all others know it. */
  change(host: string): Promise<Known>;
  /**
   * Does something that makes a host's node vanish: until all others say that it is gone. Rejects
   * past the deadline.
   */
  vanish(host: string, how: () => Promise<void>, withinMs: number): Promise<Known>;
  /** Starts the node of a host again, with the state it had. */
  restart(host: string): Promise<void>;
  /** Of a host's node. */
  pid(host: string): number;
}

/** The span from the happening to the first and the last of those who told. */
export function knownAfter(happenedAt: number, times: readonly number[]): Known {
  return { first: Math.min(...times) - happenedAt, last: Math.max(...times) - happenedAt };
}
