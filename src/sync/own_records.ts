/**
 * This node's own records: their serials, their signing, and that nobody sees one before it is on
 * the disk. PROTOCOL §7.5.
 *
 * A serial is taken before anything is awaited and never given out twice, whatever fails later: a
 * record whose write failed may be on the disk after all.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  type Duration,
  earliest,
  type Instant,
  later,
  scaled,
  type WallTime,
  wallTime,
} from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import { type CoseSigner, signRecord } from "../crypto/mod.ts";
import type { CborValue } from "../wire/cbor.ts";
import { encodeInfo, type InfoBody } from "../wire/info.ts";
import { linksMax, lostMax, recordBytesMax } from "../wire/limits.ts";
import { encodeLinks, type LinksBody } from "../wire/links.ts";
import { encodeRecordPayload } from "../wire/record.ts";
import { infoKind, isAdministratorKind, linksKind } from "../wire/record_key.ts";
import { fitInfo, recordBytesWith } from "./fit_info.ts";
import { refreshInterval, refreshJitter } from "./limits.ts";
import { type VerifiedRecord, verifyRecord } from "./verify_record.ts";

/** What own records need. */
export interface OwnRecordsOptions {
  readonly signer: CoseSigner;
  /** Resolves once the record is on the disk, as `RecordLog.appendOwn`; rejects with the system's error. */
  readonly keep: (record: VerifiedRecord) => Promise<void>;
  /** The highest own serial that the disk knows of; 0 for none. */
  readonly ownSerial: number;
  readonly prng: Prng;
}

/** Why nothing was published. */
export type PublishProblem =
  /** The disk refused; `cause` is the system's error. Try again later: the next serial is higher. */
  | { readonly kind: "not kept"; readonly cause: unknown }
  /** Somebody with this key has signed the highest serial there is: the identity is worn out. */
  | { readonly kind: "serials exhausted" }
  /** The body is none that others would take. */
  | { readonly kind: "refused"; readonly reason: string };

/** What came of publishing. */
export type PublishOutcome =
  | { readonly kind: "published"; readonly record: VerifiedRecord }
  | PublishProblem;

/** What came of publishing `info`, with how much of it did not fit. */
export type PublishInfoOutcome = PublishOutcome & {
  readonly droppedEndpoints: number;
  readonly droppedLabels: number;
};

/** A kind whose record wants to be composed and published anew. */
export interface RefreshEffect {
  readonly kind: "refresh";
  readonly recordKind: number;
}

/**
 * The time to sign with: the own clock's, except while that is before the program was built; then
 * the median of the neighbours' clocks, if there is one.
 */
export function signingTime(
  own: WallTime,
  builtAt: WallTime,
  neighboursMedian: () => WallTime | undefined,
): WallTime {
  return own >= builtAt ? own : neighboursMedian() ?? own;
}

/** The own records of one node. */
export class OwnRecords {
  readonly #signer: CoseSigner;
  readonly #keep: (record: VerifiedRecord) => Promise<void>;
  readonly #prng: Prng;
  readonly #refreshAt = new Map<number, Instant>();
  #serial: number;

  constructor(options: OwnRecordsOptions) {
    this.#signer = options.signer;
    this.#keep = options.keep;
    this.#prng = options.prng;
    this.#serial = options.ownSerial;
  }

  /** The highest serial given out or met. */
  get serial(): number {
    return this.#serial;
  }

  /**
   * The one jump of a node whose disk was restored from a backup: an own record with this serial
   * was met, so whatever is published from now on lies above it. `true` if that changed anything;
   * then every kind is to be published again.
   */
  jumpAbove(serial: number): boolean {
    if (serial <= this.#serial) return false;
    this.#serial = serial;
    return true;
  }

  /** max(previous + 1, Unix milliseconds); `undefined` past 2⁵³ − 1. */
  #takeSerial(wall: WallTime): number | undefined {
    if (this.#serial >= Number.MAX_SAFE_INTEGER) return undefined;
    this.#serial = Math.max(
      this.#serial + 1,
      Math.min(Number.MAX_SAFE_INTEGER - 1, Math.floor(wall)),
    );
    return this.#serial;
  }

  /**
   * Signs the body as the newest record of its self kind and keeps it. Never rejects.
   *
   * @param wall The time to sign with (`signingTime`).
   */
  async publish(
    kind: number,
    body: CborValue,
    wall: WallTime,
    now: Instant,
  ): Promise<PublishOutcome> {
    if (isAdministratorKind(kind)) return { kind: "refused", reason: "not a self kind" };
    if (recordBytesWith(kind, body) > recordBytesMax) {
      return { kind: "refused", reason: "record too big" };
    }
    const serial = this.#takeSerial(wall);
    if (serial === undefined) return { kind: "serials exhausted" };
    try {
      const bytes: Bytes = await signRecord(
        this.#signer,
        encodeRecordPayload({
          kind,
          subject: new Uint8Array(0),
          serial,
          signedAt: wallTime(Math.max(0, Math.floor(wall))),
          body,
        }),
      );
      // Judged as every other node will judge it: better no record than one that is refused.
      const record = await verifyRecord(bytes);
      if (record instanceof DecodeError) return { kind: "refused", reason: record.reason };
      await this.#keep(record);
      this.#refreshAt.set(kind, later(now, this.#refreshDelay()));
      return { kind: "published", record };
    } catch (cause) {
      return { kind: "not kept", cause };
    }
  }

  /** Publishes `info`, without what does not fit (`fitInfo` says in which order). */
  async publishInfo(info: InfoBody, wall: WallTime, now: Instant): Promise<PublishInfoOutcome> {
    const fitted = fitInfo(info);
    const outcome = await this.publish(infoKind, encodeInfo(fitted.info), wall, now);
    const { droppedEndpoints, droppedLabels } = fitted;
    return { ...outcome, droppedEndpoints, droppedLabels };
  }

  /** Publishes `links`; past the limits only the first ones listed. */
  publishLinks(body: LinksBody, wall: WallTime, now: Instant): Promise<PublishOutcome> {
    const links = body.links.slice(0, linksMax);
    const lost = body.lost.slice(0, lostMax);
    return this.publish(linksKind, encodeLinks({ ...body, links, lost }), wall, now);
  }

  #refreshDelay(): Duration {
    return scaled(refreshInterval, 1 - refreshJitter * this.#prng.unit());
  }

  /** When a record wants to be signed anew. */
  nextTimeout(): Instant | undefined {
    return earliest(...this.#refreshAt.values());
  }

  /** The kinds whose records have grown old; each is named again after another interval at the latest. */
  handleTimeout(now: Instant): readonly RefreshEffect[] {
    const effects: RefreshEffect[] = [];
    for (const [recordKind, at] of this.#refreshAt) {
      if (now < at) continue;
      this.#refreshAt.set(recordKind, later(now, this.#refreshDelay()));
      effects.push({ kind: "refresh", recordKind });
    }
    return effects;
  }
}
