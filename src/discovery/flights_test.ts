import { assertEquals } from "@std/assert";
import { instant } from "../base/instant.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { type DialReason, Flights } from "./flights.ts";

/** Begins as many as there is room for. */
function fill(flights: Flights, why: DialReason, held: boolean, oneWayPeers = 0): number {
  let begun = 0;
  for (; begun < 100 && flights.hasRoom(why, held, oneWayPeers); begun++) {
    const number = flights.size;
    const to = socketAddress(ip(`10.0.0.${number + 1}`), 7411);
    flights.begin({ to, why, expect: idOf(number), held, since: instant(0) });
  }
  return begun;
}

Deno.test("strangers leave four of sixteen connect-backs to held ids", () => {
  const flights = new Flights();
  assertEquals(fill(flights, "beacon", false), 12);
  assertEquals(fill(flights, "beacon", true), 4);
});

Deno.test("one-way peers keep up to eight of the sixteen", () => {
  const flights = new Flights();
  assertEquals(fill(flights, "beacon", true, 16), 8);
  assertEquals(fill(flights, "one-way", true, 16), 8);
  const few = new Flights();
  assertEquals(fill(few, "beacon", true, 3), 13);
});

Deno.test("dials from records and to peers have room of their own", () => {
  const flights = new Flights();
  fill(flights, "beacon", true);
  assertEquals(fill(flights, "degree", true), 8);
  assertEquals(fill(flights, "unreachable", true), 0);
  assertEquals(fill(flights, "peer", true), 8);
});

Deno.test("a flight ends once, and frees its id", () => {
  const flights = new Flights();
  fill(flights, "peer", true);
  assertEquals(flights.hasId(idOf(0)), true);
  assertEquals(flights.end("10.0.0.1:7411")?.expect, idOf(0));
  assertEquals(flights.end("10.0.0.1:7411"), undefined);
  assertEquals(flights.hasId(idOf(0)), false);
  assertEquals(flights.hasAddress("10.0.0.1:7411"), false);
});
