import { assert, assertEquals } from "@std/assert";
import { parseIp } from "../base/ip.ts";
import {
  isValueError,
  parseInterface,
  parseLabel,
  parseLength,
  parseListen,
  parseName,
  parsePeer,
  parseRendezvous,
  parseSeconds,
} from "./values.ts";

function whyOf(value: string | object): string {
  assert(isValueError(value), JSON.stringify(value));
  return value.why;
}

Deno.test("--listen takes a port, or an address of this machine and a port", () => {
  assertEquals(parseListen("0"), { port: 0 });
  assertEquals(parseListen("7411"), { port: 7411 });
  const host = parseIp("192.0.2.1");
  assert(host !== undefined);
  assertEquals(parseListen("192.0.2.1:7411"), { host, port: 7411 });
  const local = parseIp("fe80::1");
  assert(local !== undefined);
  assertEquals(parseListen("[fe80::1%eth0]:7411"), { host: local, port: 7411, zone: "eth0" });
  assertEquals(whyOf(parseListen("70000")), '"70000" is no port: 0 to 65535');
  assertEquals(whyOf(parseListen("192.0.2.1")), '"192.0.2.1" lacks the port: 192.0.2.1:7411');
  assertEquals(whyOf(parseListen("fe80::1")), '"fe80::1" lacks the port: [fe80::1]:7411');
  for (const text of ["", "abc", "1.2.3.4:", "1.2.3.4:99999", ":7411", "-1", "7411x", "[::1]"]) {
    whyOf(parseListen(text));
  }
});

Deno.test("--peer takes a host and a port", () => {
  for (
    const text of [
      "192.0.2.7:7411",
      "atlas:1",
      "atlas.example.org:65535",
      "[2001:db8::7]:7411",
      "[fe80::1%eth0]:7411",
      "host_1.local.:7411",
    ]
  ) assertEquals(parsePeer(text), text);
  assertEquals(whyOf(parsePeer("atlas")), '"atlas" lacks the port: atlas:7411');
  assertEquals(
    whyOf(parsePeer("fe80::1:7411")),
    '"fe80::1:7411" lacks the port: [fe80::1:7411]:7411 (or [fe80::1]:7411, if that is meant)',
  );
  assertEquals(whyOf(parsePeer("atlas:0")), '"atlas:0": the port is 1 to 65535');
  for (
    const text of [
      "",
      ":7411",
      "atlas:",
      "atlas:99999",
      "a b:7411",
      "1.2.3:7411",
      "1.2.3.4.5:7411",
      "[::1]",
      "[::1]x:7",
      "https://atlas:7411",
      "-atlas:7411",
      "at\u0000las:7411",
    ]
  ) whyOf(parsePeer(text));
});

Deno.test("labels are K=V of plain text", () => {
  assertEquals(parseLabel("rack=b2"), ["rack", "b2"]);
  assertEquals(parseLabel("url=a=b"), ["url", "a=b"]);
  for (const text of ["rack", "=b2", "rack=", "a\u202eb=c", `k=${"x".repeat(65)}`, " k=v"]) {
    whyOf(parseLabel(text));
  }
});

Deno.test("names are plain text of at most 64 bytes", () => {
  assertEquals(parseName("Büro 2"), "Büro 2");
  assertEquals(parseName("u\u0308ber"), "\u00fcber");
  for (const text of ["", " a", "a\n", "\u001b[2J", "ü".repeat(33)]) whyOf(parseName(text));
  assertEquals(parseInterface("eth0.12"), "eth0.12");
  for (const text of ["", "a/b", "eth0:1"]) whyOf(parseInterface(text));
});

Deno.test("lengths of time need their unit", () => {
  assertEquals(parseLength("30s"), 30_000);
  assertEquals(parseLength("500ms"), 500);
  assertEquals(parseLength("2m"), 120_000);
  assertEquals(parseLength("1h"), 3_600_000);
  assertEquals(parseLength("1d"), 86_400_000);
  for (const text of ["", "30", "s", "-1s", "1.5s", "1 s", "1w", "9999999999s"]) {
    assertEquals(parseLength(text), undefined, text);
  }
  assertEquals(parseSeconds("0.2"), 0.2);
  assertEquals(parseSeconds(".5"), 0.5);
  for (const text of ["", ".", "1e3", "-1", "Infinity", "0x10"]) {
    assertEquals(parseSeconds(text), undefined, text);
  }
});

Deno.test("a rendezvous is an https place, perhaps with the id it must have", () => {
  const id = "a".repeat(51) + "a";
  for (const text of ["https://r.example:7413", `https://r.example:7413#${id}`]) {
    assertEquals(parseRendezvous(text), text);
  }
  for (const text of ["http://r.example", "r.example:7413", "https://r.example#xyz", "https://"]) {
    whyOf(parseRendezvous(text));
  }
});
