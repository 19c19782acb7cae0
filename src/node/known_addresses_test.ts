import { assert, assertEquals } from "@std/assert";
import { instant, wallTime } from "../base/instant.ts";
import { type IpAddress, parseIp } from "../base/ip.ts";
import { RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { fakeAuthor, fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { plainInfo } from "../../tests/sim/record_author.ts";
import { KnownAddresses } from "./known_addresses.ts";
import { addressesReadPerQuestion } from "./limits.ts";

const wall = wallTime(1_700_000_000_000);

function ip(text: string): IpAddress {
  const parsed = parseIp(text);
  assert(parsed !== undefined);
  return parsed;
}

const stranger = ip("203.0.113.9");

function addressOf(author: number): IpAddress {
  return ip(`10.0.${author >> 8}.${author & 255}`);
}

/** Counts how many records were read. */
class Fleet {
  readonly store = new RecordStore({ selfId: fakeAuthor(0) });
  read = 0;

  record(author: number, address: IpAddress, serial = 1): VerifiedRecord {
    const endpoint = { ip: address, port: 7411, scope: "private" } as const;
    const body = encodeInfo({ ...plainInfo(`node-${author}`), endpoints: [endpoint] });
    return Object.defineProperty(fakeRecord({ author, serial }), "body", {
      get: () => {
        this.read++;
        return body;
      },
    });
  }

  hold(record: VerifiedRecord): void {
    assertEquals(this.store.admit(record, instant(0), wall).kind, "stored");
  }
}

Deno.test("an address is known if a record names it, whether it came before the first question or later", () => {
  const fleet = new Fleet();
  fleet.hold(fleet.record(1, addressOf(1)));
  const known = new KnownAddresses(fleet.store);
  const early = fleet.record(2, addressOf(2));
  fleet.hold(early);
  known.note(early);
  assertEquals(fleet.read, 0);
  assertEquals([known.has(addressOf(1)), known.has(addressOf(2))], [true, true]);
  assert(!known.has(stranger));
  const late = fleet.record(1, stranger, 2);
  fleet.hold(late);
  known.note(late);
  assert(known.has(stranger));
});

Deno.test("of a big fleet each question reads some records, until all are known, and none twice", () => {
  const fleet = new Fleet();
  const authors = 2 * addressesReadPerQuestion + 7;
  for (let author = 1; author <= authors; author++) {
    fleet.hold(fleet.record(author, addressOf(author)));
  }
  const known = new KnownAddresses(fleet.store);
  for (const soFar of [addressesReadPerQuestion, 2 * addressesReadPerQuestion, authors, authors]) {
    assert(!known.has(stranger));
    assertEquals(fleet.read, soFar);
  }
  for (let author = 1; author <= authors; author++) assert(known.has(addressOf(author)));
});

Deno.test("what comes in while the others are being read is known at once", () => {
  const fleet = new Fleet();
  for (let author = 1; author <= addressesReadPerQuestion + 1; author++) {
    fleet.hold(fleet.record(author, addressOf(author)));
  }
  const known = new KnownAddresses(fleet.store);
  assert(!known.has(stranger));
  const late = fleet.record(9_000, stranger);
  fleet.hold(late);
  known.note(late);
  assert(known.has(stranger));
});
