import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ipFromBytes, parseIp } from "./ip.ts";

/** What an IPv4 address looks like (RFC 6943 §3.1.1, the strict form), as one expression. */
const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const strict = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

Deno.test("a text is an IPv4 address exactly if it is four decimal octets without leading zeros", () => {
  const part = fc.oneof(
    fc.nat(300).map(String),
    fc.constantFrom("", "0", "00", "01", "255", "256"),
  );
  const letter = fc.constantFrom("0", "1", "2", "9", ".", " ", "a", "-", "٣");
  const text = fc.oneof(
    fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join(".")),
    fc.string({ unit: letter, maxLength: 15, size: "max" }),
  );
  fc.assert(
    fc.property(text, (one) => {
      assertEquals<string | undefined>(parseIp(one), strict.test(one) ? one : undefined);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("an IPv4 address has one text", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
    const ip = ipFromBytes(bytes);
    assertEquals(ip === undefined ? undefined : parseIp(ip), ip);
  }));
});
