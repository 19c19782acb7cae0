import { assertEquals, assertInstanceOf } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { type CborValue, encodeCbor } from "./cbor.ts";
import { costExponentOf, decodeLinks, encodeLinks, type LinksBody, prefixHexOf } from "./links.ts";
import { nodeIdFromBytes } from "./node_id.ts";

const body: LinksBody = {
  bootNonce: new Uint8Array(16).fill(9),
  links: [{ peer: "aa".repeat(16), costExponent: 3 }, { peer: "bb".repeat(16), costExponent: 15 }],
  lost: ["cc".repeat(16)],
};

Deno.test("a links body has these bytes", () => {
  assertEquals(
    toHex(encodeCbor(encodeLinks(body))),
    [
      "a3 01 50 " + "09".repeat(16),
      "02 82 82 50 " + "aa".repeat(16) + "03 82 50 " + "bb".repeat(16) + "0f",
      "03 81 50 " + "cc".repeat(16),
    ].join("").replaceAll(" ", ""),
  );
});

Deno.test("a links body reads back, also with no link at all", () => {
  assertEquals(decodeLinks(encodeLinks(body)), body);
  const none = { ...body, links: [], lost: [] };
  assertEquals(decodeLinks(encodeLinks(none)), none);
});

Deno.test("a links body over a limit, or with a neighbour twice, is refused", () => {
  const nonce = body.bootNonce;
  const peer = (n: number) => new Uint8Array(16).fill(n);
  const wrong: readonly (readonly [ReadonlyMap<number, CborValue>, string])[] = [
    [new Map([[2, []]]), "no boot nonce"],
    [new Map([[1, nonce]]), "no links"],
    [new Map<number, CborValue>([[1, nonce.slice(1)], [2, []]]), "a short boot nonce"],
    [
      new Map<number, CborValue>([[1, nonce], [2, [[peer(1), 0], [peer(1), 1]]]]),
      "a neighbour twice",
    ],
    [new Map<number, CborValue>([[1, nonce], [2, [[peer(1), 16]]]]), "exponent 16"],
    [new Map<number, CborValue>([[1, nonce], [2, [[peer(1).slice(1), 1]]]]), "a short prefix"],
    [new Map<number, CborValue>([[1, nonce], [2, [[peer(1)]]]]), "no cost"],
    [
      new Map<number, CborValue>([
        [1, nonce],
        [2, [...new Array(33).keys()].map((n) => [peer(n), 1])],
      ]),
      "33 links",
    ],
    [
      new Map<number, CborValue>([[1, nonce], [2, []], [3, [1, 2, 3, 4, 5].map(peer)]]),
      "five lost",
    ],
    [
      new Map<number, CborValue>([[1, nonce], [2, []], [3, [peer(1), peer(1)]]]),
      "a lost one twice",
    ],
    [new Map<number, CborValue>([[1, nonce], [2, []], [3, 7]]), "a number for the lost"],
  ];
  for (const [value, why] of wrong) assertInstanceOf(decodeLinks(value), DecodeError, why);
  for (const value of [null, [], 5, undefined]) assertInstanceOf(decodeLinks(value), DecodeError);
});

Deno.test("a cost is told as the power of two not below it, up to 2¹⁵ ms", () => {
  const told = [0, 0.3, 1, 1.5, 2, 3, 4, 100, 32_768, 1e9].map(costExponentOf);
  assertEquals(told, [0, 0, 0, 1, 1, 2, 2, 7, 15, 15]);
});

Deno.test("a neighbour is named by the first 16 bytes of his id", () => {
  const id = nodeIdFromBytes(Uint8Array.from({ length: 32 }, (_, i) => i));
  assertEquals(id === undefined ? "" : prefixHexOf(id), "000102030405060708090a0b0c0d0e0f");
});
