/**
 * Whether all have learned of all that started: a fleet whose nodes go on to publish never holds the
 * same everywhere at one moment, but what was to be known of a start is known once and for all.
 *
 * @module
 */
import { equalBytes } from "../../src/base/bytes.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import { readInfo, readLinks } from "../../src/sync/mod.ts";
import { infoKind, linksKind, type RecordKey, recordKey } from "../../src/wire/record_key.ts";
import type { Machine } from "../sim/world.ts";

/** A record of an author, or any newer one. */
interface Wanted {
  readonly key: RecordKey;
  readonly serial: number;
}

const noSubject = new Uint8Array(0);

/**
 * Asks, as often as one likes, whether each of these holds an `info` and a `links` that each has signed
 * since its last start, and reaches all.
 */
export function startsKnown(machines: readonly Machine[]): () => boolean {
  const wanted: Wanted[] = [];
  let authors = 0;
  /** By holder: how many of those it was seen to hold. Serials never go back. */
  const held = machines.map(() => 0);
  const holdsAll = ({ node: { archive: { store } } }: Machine, number: number) => {
    for (let at = held[number] ?? 0; at < wanted.length; at++) {
      const want = wanted[at];
      if (want !== undefined && (store.get(want.key)?.serial ?? 0) < want.serial) return false;
      held[number] = at + 1;
    }
    return true;
  };
  return () => {
    for (let author = machines[authors]; author !== undefined; author = machines[authors]) {
      const own = recordsOfStart(author);
      if (own === undefined) return false;
      wanted.push(...own);
      authors++;
    }
    return machines.every(holdsAll) &&
      machines.every(({ node }) => node.fleet.view.reachable >= machines.length);
  };
}

/** What a node has said of itself since its start; `undefined` while one of both is missing. */
function recordsOfStart(machine: Machine): readonly Wanted[] | undefined {
  const { id, node: { archive: { store } } } = machine;
  const nonce = machine.bootNonce();
  const wanted: Wanted[] = [];
  for (const kind of [infoKind, linksKind]) {
    const key = recordKey(kind, id, noSubject);
    const record = store.get(key);
    if (record === undefined) return undefined;
    const body = kind === infoKind ? readInfo(record) : readLinks(record);
    if (isDecodeError(body) || !equalBytes(body.bootNonce, nonce)) return undefined;
    wanted.push({ key, serial: record.serial });
  }
  return wanted;
}
