import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { parseIp } from "../base/ip.ts";
import { plainInfo } from "../../tests/sim/record_author.ts";
import { type CborValue, encodeCbor } from "./cbor.ts";
import { decodeInfo, encodeInfo, type InfoBody } from "./info.ts";

const ip4 = parseIp("192.0.2.1");
const ip6 = parseIp("fe80::1");
assert(ip4 !== undefined && ip6 !== undefined);

const full: InfoBody = {
  ...plainInfo("böx"),
  endpoints: [
    { ip: ip4, port: 7411, scope: "global" },
    { ip: ip6, port: 7411, scope: "link-local" },
  ],
  observed: [{ ip: ip4, port: 1, scope: "global" }],
  capabilities: [1, 2, 65_535],
  labels: new Map([["rack", "a 7"], ["empty", ""]]),
  update: { seq: 3, state: "held", reason: "no restarter" },
};

/** The plain body with one key changed; `undefined` leaves the key out. */
function changed(key: number, value: CborValue | undefined): CborValue {
  const body = encodeInfo(full);
  assert(body instanceof Map);
  const copy = new Map<number, CborValue>(body);
  if (value === undefined) copy.delete(key);
  else copy.set(key, value);
  return copy;
}

Deno.test("an info body has these bytes", () => {
  assertEquals(
    toHex(encodeCbor(encodeInfo(full))),
    [
      "a9",
      "01 64 62c3b678",
      "02 82 83 44 c0000201 191cf3 03 83 50 fe800000000000000000000000000001 191cf3 01",
      "03 81 83 44 c0000201 01 03",
      "04 83 01 02 19ffff",
      "05 83 65 312e302e30 01 78 18 " + toHex(new TextEncoder().encode(full.software.target)),
      "06 50 " + "07".repeat(16),
      "07 a2 64 7261636b 63 612037 65 656d707479 60",
      "08 83 03 64 68656c64 6c 6e6f20726573746172746572",
      "09 82 65 6c696e7578 66 7838365f3634",
    ].join("").replaceAll(" ", ""),
  );
});

Deno.test("an info body reads back, and without what it may leave out", () => {
  assertEquals(decodeInfo(encodeInfo(full)), full);
  const least = plainInfo("x");
  assertEquals(decodeInfo(encodeInfo(least)), least);
});

Deno.test("keys that a reader does not know are skipped", () => {
  assertEquals(decodeInfo(changed(10, "later")), full);
  const body = encodeInfo(full);
  assert(body instanceof Map);
  const mixed = new Map<number | string, CborValue>([...body, ["word", 1]]);
  assertEquals(decodeInfo(mixed), full);
});

Deno.test("hostile text is refused wherever text stands", () => {
  const hostile = [
    "",
    "\u001b[31mred",
    "a\nb",
    "a\u0000",
    "\u202Eevil",
    "zero\u200Bwidth",
    " padded",
    "u\u0308", // not NFC
    "\uE000",
  ];
  for (const text of hostile) {
    const shown = JSON.stringify(text);
    assertInstanceOf(decodeInfo(changed(1, text)), DecodeError, shown);
    assertInstanceOf(decodeInfo(changed(5, [text, 1, "t"])), DecodeError, shown);
    assertInstanceOf(decodeInfo(changed(5, ["1", 1, text])), DecodeError, shown);
    assertInstanceOf(decodeInfo(changed(7, new Map([[text, "v"]]))), DecodeError, shown);
    if (text !== "") {
      assertInstanceOf(decodeInfo(changed(7, new Map([["k", text]]))), DecodeError, shown);
    }
    assertInstanceOf(decodeInfo(changed(8, [1, text])), DecodeError, shown);
    assertInstanceOf(decodeInfo(changed(8, [1, "held", text])), DecodeError, shown);
    assertInstanceOf(decodeInfo(changed(9, [text, "arch"])), DecodeError, shown);
    assertInstanceOf(decodeInfo(changed(9, ["os", text])), DecodeError, shown);
  }
});

Deno.test("what is over a limit or of a wrong type is refused", () => {
  const endpoint = [Uint8Array.of(1, 2, 3, 4), 7411, 3];
  const mapped = Uint8Array.of(...new Uint8Array(10), 255, 255, 1, 2, 3, 4);
  const wrong: readonly (readonly [number, CborValue | undefined, string])[] = [
    [1, undefined, "no name"],
    [1, "x".repeat(65), "a long name"],
    [1, "ü".repeat(33), "a name long in bytes"],
    [1, 5, "a number for a name"],
    [2, new Array(13).fill(endpoint), "thirteen endpoints"],
    [2, [[Uint8Array.of(1, 2, 3, 4, 5), 7411, 3]], "an address of five bytes"],
    [2, [[mapped, 7411, 3]], "a mapped address"],
    [2, [[endpoint[0] ?? 0, 0, 3]], "port 0"],
    [2, [[endpoint[0] ?? 0, 65_536, 3]], "port 65,536"],
    [2, [[endpoint[0] ?? 0, 1, 4]], "scope 4"],
    [2, [[endpoint[0] ?? 0, 1, 3, 0]], "four parts"],
    [3, new Array(5).fill(endpoint), "five observed endpoints"],
    [4, [1, 1], "a repeated capability"],
    [4, [65_536], "a high capability"],
    [4, [...new Array(33).keys()], "33 capabilities"],
    [5, undefined, "no software"],
    [5, ["1", 1], "no target"],
    [5, ["v".repeat(33), 1, "t"], "a long version"],
    [5, ["1", 1, "t".repeat(49)], "a long target"],
    [6, undefined, "no boot nonce"],
    [6, new Uint8Array(15), "a short boot nonce"],
    [7, new Map([...new Array(17).keys()].map((i) => [`k${i}`, "v"])), "17 labels"],
    [7, new Map([["k".repeat(65), "v"]]), "a long label key"],
    [7, new Map([["k", "v".repeat(65)]]), "a long label"],
    [7, new Map([[1, "v"]]), "a number for a label key"],
    [7, [], "a list for labels"],
    [8, [1], "an update without state"],
    [8, [1, "held", "because", 1], "an update with four parts"],
    [8, [1, "s".repeat(33)], "a long state"],
    [8, [1, "held", "r".repeat(129)], "a long reason"],
    [9, undefined, "no platform"],
    [9, ["linux"], "no architecture"],
    [9, ["linux", "x", "y"], "three platform parts"],
  ];
  for (const [key, value, why] of wrong) {
    assertInstanceOf(decodeInfo(changed(key, value)), DecodeError, why);
  }
  for (const body of [null, [], 1, "x", new Uint8Array(3), undefined]) {
    assertInstanceOf(decodeInfo(body), DecodeError);
  }
});
