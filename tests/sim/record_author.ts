/**
 * Somebody who signs records, from a number: the same number is the same author.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { wallTime } from "../../src/base/instant.ts";
import { invariant } from "../../src/base/invariant.ts";
import {
  type CoseSigner,
  type IdentityKey,
  nodeIdOf,
  privateKeyOfSeed,
  type PublicKey,
  signCose,
  signRecord,
} from "../../src/crypto/mod.ts";
import { type VerifiedRecord, verifyRecord } from "../../src/sync/verify_record.ts";
import type { CborValue } from "../../src/wire/cbor.ts";
import { encodeInfo, type InfoBody } from "../../src/wire/info.ts";
import type { NodeId } from "../../src/wire/node_id.ts";
import { encodeRecordPayload } from "../../src/wire/record.ts";

/** What a test says in a record; what it leaves out does not matter to it. */
export interface TestRecordOptions {
  readonly kind?: number;
  readonly subject?: Bytes;
  readonly serial?: number;
  readonly signedAt?: number;
  readonly body?: CborValue;
}

/** The least that an `info` says. */
export function plainInfo(name: string): InfoBody {
  return {
    name,
    endpoints: [],
    observed: [],
    capabilities: [],
    software: { version: "1.0.0", seq: 1, target: "x86_64-unknown-linux-gnu" },
    bootNonce: new Uint8Array(16).fill(7),
    labels: new Map(),
    platform: { os: "linux", arch: "x86_64" },
  };
}

/** An author of test records. */
export class RecordAuthor implements CoseSigner {
  readonly id: NodeId;
  readonly #key: IdentityKey;

  private constructor(id: NodeId, key: IdentityKey) {
    this.id = id;
    this.#key = key;
  }

  /** The author of this number, 0 to 2³² − 1. */
  static async create(number: number): Promise<RecordAuthor> {
    const seed = new Uint8Array(32);
    new DataView(seed.buffer).setUint32(0, number);
    const key = await privateKeyOfSeed(seed);
    return new RecordAuthor(await nodeIdOf(key.publicKey), key);
  }

  get publicKey(): PublicKey {
    return this.#key.publicKey;
  }

  signCose(sigStructure: Bytes): Promise<Bytes> {
    return signCose(this.#key, sigStructure);
  }

  /** A signed record's bytes, whether or not anybody would take it. */
  sign(options: TestRecordOptions): Promise<Bytes> {
    const payload = encodeRecordPayload({
      kind: options.kind ?? 0,
      subject: options.subject ?? new Uint8Array(0),
      serial: options.serial ?? 1,
      signedAt: wallTime(options.signedAt ?? 1_700_000_000_000),
      body: options.body ?? encodeInfo(plainInfo("test")),
    });
    return signRecord(this, payload);
  }

  /** A record that stands its verification. */
  async record(options: TestRecordOptions): Promise<VerifiedRecord> {
    const record = await verifyRecord(await this.sign(options));
    invariant(!(record instanceof DecodeError), "a test's record is one");
    return record;
  }
}
