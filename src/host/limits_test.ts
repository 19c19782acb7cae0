import { assert } from "@std/assert";
import { connectTimeout } from "../discovery/mod.ts";
import { exchangeBodyBytesMax } from "../session/mod.ts";
import * as limits from "./limits.ts";

Deno.test("the limits of the TLS port fit each other", () => {
  assert(limits.HANDSHAKES_KEPT_FOR_KNOWN < limits.HANDSHAKES_MAX);
  assert(
    limits.HANDSHAKES_PER_SOURCE_MAX <= limits.HANDSHAKES_MAX - limits.HANDSHAKES_KEPT_FOR_KNOWN,
  );
  assert(limits.QUEUED_PER_SOURCE_MAX < limits.QUEUED_MAX);
  assert(limits.TLS_LIMIT < limits.EXCHANGE_LIMIT);
  assert(limits.TLS_LIMIT < limits.DIAL_TLS_LIMIT);
  assert(limits.DIAL_TLS_LIMIT <= limits.EXCHANGE_LIMIT);
  assert(limits.REQUEST_LIMIT <= limits.EXCHANGE_LIMIT);
  assert(limits.PATH_LENGTH_MAX < limits.HEADER_BYTES_MAX);
  assert(limits.REQUEST_BODY_BYTES_MAX <= limits.ANSWER_BODY_BYTES_MAX);
});

Deno.test("what discovery and the exchange rest on holds here", () => {
  assert(limits.CONNECT_LIMIT <= connectTimeout);
  assert(limits.REQUEST_BODY_BYTES_MAX >= exchangeBodyBytesMax);
  assert(limits.ANSWER_BODY_BYTES_MAX >= exchangeBodyBytesMax);
});

Deno.test("the largest datagram fits the receive buffer, and one byte more still shows", () => {
  assert(limits.DATAGRAM_BUFFER_BYTES > 1_232);
});

Deno.test("all descriptors of the TLS port together stay under a default limit of 1,024", () => {
  assert(limits.HANDSHAKES_MAX + limits.QUEUED_MAX + limits.FINISHED_MAX < 512);
});
