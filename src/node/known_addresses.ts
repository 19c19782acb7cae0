/**
 * The addresses that records name: some of the port's slots are kept for these. Collected from when
 * first somebody asks, a few records with each question: those of a big fleet take a fifth of a
 * second, and whoever connects can ask. Until all are read some are taken for strangers, who have
 * slots as well; the more connect, the sooner that is over.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { isDecodeError } from "../base/decode.ts";
import type { IpAddress } from "../base/ip.ts";
import { readInfo, type RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import { keyBound } from "../wire/key_range.ts";
import { infoKind } from "../wire/record_key.ts";
import { addressesReadPerQuestion, knownAddressesMax } from "./limits.ts";

const infosFrom = keyBound(new Uint8Array([infoKind]));
const infosBefore = keyBound(new Uint8Array([infoKind + 1]));

/** The addresses that records name. */
export class KnownAddresses {
  readonly #store: RecordStore;
  readonly #known = new BoundedMap<IpAddress, true>(knownAddressesMax);
  /** What was held when first somebody asked, as far as it is not read yet. */
  #unread: Iterator<VerifiedRecord> | "nobody asked" | undefined = "nobody asked";

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /** Whether a record that was read so far names the address. */
  has(ip: IpAddress): boolean {
    if (this.#unread === "nobody asked") this.#unread = this.#store.range(infosFrom, infosBefore);
    for (let count = 0; this.#unread !== undefined && count < addressesReadPerQuestion; count++) {
      const { done, value } = this.#unread.next();
      if (done === true) this.#unread = undefined;
      else this.#read(value);
    }
    return this.#known.has(ip);
  }

  /** The addresses in the record, which came in now, are known ones from now on. */
  note(record: VerifiedRecord): void {
    if (this.#unread !== "nobody asked") this.#read(record);
  }

  #read(record: VerifiedRecord): void {
    const info = readInfo(record);
    if (isDecodeError(info)) return;
    for (const { ip } of info.endpoints) this.#known.set(ip, true);
    for (const { ip } of info.observed) this.#known.set(ip, true);
  }
}
