/**
 * Watches many nodes at once, each over its own control socket, as `mesh watch` would: one stream per
 * node in this one process. Between events that costs nothing; an event costs a line of JSON. When
 * something happened is told by the node that saw it, so a slow watcher does not show in figures.
 *
 * @module
 */
import { parseJson } from "../../src/base/json_guard.ts";
import { connectControl, type ControlConnection } from "../../src/host/control_client.ts";
import {
  type ControlFailure,
  isControlFailure,
  isNodeEvent,
  type NodeControl,
  type NodeEvent,
  RemoteControl,
} from "../../src/control/mod.ts";
import { pause } from "../eventually.ts";

/** How often an expectation looks whether it is over. */
const lookEveryMs = 20;

/** Whom to watch. */
export interface Watched {
  readonly name: string;
  readonly state: string;
}

interface Eye {
  readonly connection: ControlConnection;
  readonly closing: AbortController;
  readonly ended: Promise<void>;
}

/** Asks one node, over a connection of its own. */
export async function askNode<T extends object>(
  state: string,
  question: (control: NodeControl) => Promise<T | ControlFailure>,
): Promise<T> {
  const connection = await connectControl(state);
  if ("unreachable" in connection) throw new Error(`The node is silent: ${connection.detail}`);
  try {
    const answer = await question(new RemoteControl(connection.request));
    if (isControlFailure(answer)) throw new Error(answer.error.message);
    return answer;
  } finally {
    connection.close();
  }
}

/** When each of some nodes first told of something. */
export class Sightings {
  readonly #match: (event: NodeEvent, watcher: string) => boolean;
  readonly #times = new Map<string, number>();

  constructor(match: (event: NodeEvent, watcher: string) => boolean) {
    this.#match = match;
  }

  /** A node told of an event. */
  handleEvent(watcher: string, event: NodeEvent): void {
    if (this.#times.has(watcher) || !this.#match(event, watcher)) return;
    this.#times.set(watcher, Date.parse(event.at));
  }

  /** By the name of who told: milliseconds since 1970. */
  get times(): ReadonlyMap<string, number> {
    return this.#times;
  }

  /** Waits until so many have told; whoever is missing at the deadline is missing in `times`. */
  async of(count: number, withinMs: number): Promise<number[]> {
    const end = performance.now() + withinMs;
    while (this.#times.size < count && performance.now() < end) await pause(lookEveryMs);
    return [...this.#times.values()].sort((a, b) => a - b);
  }
}

/** Eyes on many nodes. Dispose of them. */
export class FleetEyes implements AsyncDisposable {
  readonly #eyes = new Map<string, Eye>();
  readonly #sightings = new Set<Sightings>();

  /** Begins to watch a node; resolves when its events are being told. */
  async open({ name, state }: Watched): Promise<void> {
    const connection = await connectControl(state);
    if ("unreachable" in connection) throw new Error(`${name} is silent: ${connection.detail}`);
    const closing = new AbortController();
    const answer = await connection.request("GET", "/v1/watch", closing.signal);
    const ended = this.#read(name, answer).catch(() => {
      // The node ended, or the eye was closed.
    });
    this.#eyes.set(name, { connection, closing, ended });
  }

  async #read(name: string, answer: Response): Promise<void> {
    let rest = "";
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = parseJson(line);
        if (!isNodeEvent(event)) continue;
        for (const sightings of this.#sightings) sightings.handleEvent(name, event);
      }
    }
  }

  /** From now on notes who tells of such an event; dispose of what it gives when it is over. */
  expect(match: (event: NodeEvent, watcher: string) => boolean): Sightings & Disposable {
    const sightings = new Sightings(match);
    this.#sightings.add(sightings);
    return Object.assign(sightings, {
      [Symbol.dispose]: () => void this.#sightings.delete(sightings),
    });
  }

  /** Watches a node no longer. */
  async close(name: string): Promise<void> {
    const eye = this.#eyes.get(name);
    if (eye === undefined) return;
    this.#eyes.delete(name);
    eye.closing.abort();
    await eye.ended;
    eye.connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#eyes.keys()].map((name) => this.close(name)));
  }
}

/**
 * Waits until every node says so, asking one at a time: what comes last is seen within a moment, and
 * asking costs a few requests a second however many there are. Resolves to when the last one said it
 * (milliseconds since 1970), `undefined` past the deadline.
 *
 * @param onProgress Told how many said it.
 */
export async function whenAll(
  watched: readonly Watched[],
  says: (control: NodeControl) => Promise<boolean>,
  { withinMs, everyMs = 100, onProgress }: {
    readonly withinMs: number;
    readonly everyMs?: number;
    readonly onProgress?: (done: number) => void;
  },
): Promise<number | undefined> {
  const end = performance.now() + withinMs;
  for (const [done, { state }] of watched.entries()) {
    while (true) {
      const said = await askNode(state, async (control) => ({ said: await says(control) }))
        .catch(() => ({ said: false }));
      if (said.said) break;
      if (performance.now() > end) return undefined;
      await pause(everyMs);
    }
    onProgress?.(done + 1);
  }
  return Date.now();
}
