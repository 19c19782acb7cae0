import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import { ip } from "../../tests/fixtures/addresses.ts";
import { counted, hex } from "../../tests/fixtures/bytes.ts";
import {
  cookieFor,
  derivePairKey,
  type EpochSecret,
  importEpochSecret,
  importSealKey,
  openDatagram,
  sameCookie,
  sealDatagram,
  unwrapHandle,
  wrapHandle,
} from "./datagram.ts";

/** An epoch's secret whose handle key is given, for vectors that name the key. */
async function secretWithHandleKey(key: Bytes): Promise<EpochSecret> {
  const usages: KeyUsage[] = ["wrapKey", "unwrapKey"];
  const handleKey = await crypto.subtle.importKey("raw", key, "AES-KW", false, usages);
  return { ...await importEpochSecret(counted(0, 32)), handleKey };
}

Deno.test("a handle is RFC 3394 §4.3: 128 bits wrapped with a 256-bit key", async () => {
  const secret = await secretWithHandleKey(counted(0, 32));
  const data = hex("00112233445566778899AABBCCDDEEFF");
  const wrapped = hex("64E8C3F9CE0F5BA2 63E9777905818A2A 93C8191E7D6E8AE7");
  assertEquals(await wrapHandle(secret, data), wrapped);
  assertEquals(await unwrapHandle(secret, wrapped), data);
});

Deno.test("a handle with any bit changed is not ours", async () => {
  const secret = await importEpochSecret(counted(8, 32));
  const handle = await wrapHandle(secret, counted(0x80, 16));
  for (let bit = 0; bit < handle.length * 8; bit++) {
    const other = handle.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    assertEquals(await unwrapHandle(secret, other), undefined);
  }
});

Deno.test("a seal is the GCM specification's test case 16: AES-256 with associated data", async () => {
  const key = await importSealKey(hex(
    "feffe9928665731c6d6a8f9467308308 feffe9928665731c6d6a8f9467308308",
  ));
  const nonce = hex("cafebabefacedbaddecaf888");
  const header = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const body = hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72 " +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const sealed = hex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa " +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b",
  );
  const datagram = await sealDatagram(key, nonce, header, body);
  assertEquals(datagram.slice(0, header.length), header);
  assertEquals(datagram.slice(header.length), sealed);
  assertEquals(await openDatagram(key, nonce, header, sealed), body);
  assertEquals(await openDatagram(key, nonce, header.slice(1), sealed), undefined);
  assertEquals(await openDatagram(key, nonce, header, sealed.slice(1)), undefined);
  assertEquals(await openDatagram(key, nonce, header, sealed.slice(0, 15)), undefined);
});

// Computed with Python's `cryptography` and `hmac` from the formulas in PROTOCOL.
Deno.test("handle, key and cookie come from the epoch's secret as PROTOCOL says", async () => {
  const secret = await importEpochSecret(counted(8, 32));
  const peer = counted(0x80, 16);
  const handle = await wrapHandle(secret, peer);
  assertEquals(toHex(handle), "4cb8cb7e3501b007a95fabdae1b12eb7877845a4bd54669b");
  assertEquals(
    toHex(await derivePairKey(secret, peer, counted(0x40, 32))),
    "2564526691a3ebe3adb452e45f610d549bde5e04fa11b8ef02534e48ec340863",
  );
  assertEquals(
    toHex(await cookieFor(secret, handle, "eth0", ip("192.0.2.7"), 7411)),
    "ff17d44859980c82631e2b354983a518",
  );
});

Deno.test("a cookie is of one handle, one interface, one address and one port", async () => {
  const secret = await importEpochSecret(counted(8, 32));
  const handle = counted(0, 24);
  const cookie = await cookieFor(secret, handle, "eth0", ip("192.0.2.7"), 7411);
  assert(
    sameCookie(cookie, await cookieFor(secret, handle, "eth0", ip("::ffff:192.0.2.7"), 7411)),
  );
  for (
    const other of [
      cookieFor(secret, counted(1, 24), "eth0", ip("192.0.2.7"), 7411),
      cookieFor(secret, handle, "eth1", ip("192.0.2.7"), 7411),
      cookieFor(secret, handle, "eth0", ip("192.0.2.8"), 7411),
      cookieFor(secret, handle, "eth0", ip("192.0.2.7"), 7412),
      cookieFor(await importEpochSecret(counted(9, 32)), handle, "eth0", ip("192.0.2.7"), 7411),
    ]
  ) assert(!sameCookie(cookie, await other));
  assert(!sameCookie(cookie, cookie.slice(1)));
});

Deno.test("another pair, in either direction, has another key", async () => {
  const secret = await importEpochSecret(counted(8, 32));
  const key = await derivePairKey(secret, counted(0x80, 16), counted(0x40, 32));
  assertNotEquals(key, await derivePairKey(secret, counted(0x81, 16), counted(0x40, 32)));
  assertNotEquals(key, await derivePairKey(secret, counted(0x80, 16), counted(0x41, 32)));
});
