/**
 * The limits of this folder, each with its reason; their relations are asserted in `limits_test.ts`.
 *
 * @module
 */
import { hours, minutes, seconds } from "../base/instant.ts";

// Datagrams. PROTOCOL §5.

/**
 * How long grants are made in an epoch; it opens requests for as long again. Bounds what one stolen
 * secret opens to two hours; whoever asks once an hour is handed over without an exchange.
 */
export const epochLength = hours(1);
/** How far a request's time may lie from the answerer's: bounds how long a request can be replayed. */
export const timeWindow = seconds(30);
/** Peers recognised without unwrapping, per epoch (two live): far more than links, 300 bytes each. */
export const handleCacheMax = 4_096;
/** Requests an epoch's replay filter remembers: 136 a second through the 60 s a replay can live. */
export const replayFilterMax = 8_192;
/** Requests waiting for an answer at once: 32 links at 20 tries, and whole rounds of fetches beside. */
export const pendingRepliesMax = 4_096;
/** How old a request may be when its answer is believed: an answer may carry the time, so no more than the window. */
export const answerAgeMax = seconds(30);
/** Shortest time between two exchanges asked for by who-are-yous of one peer: anyone can forge one. */
export const reauthenticateInterval = seconds(10);
/** Peers whose last who-are-you is remembered. */
export const reauthenticatePeersMax = 4_096;
/** Cookies kept per grant: one per pair of own and peer's address in use. */
export const cookiesPerGrantMax = 8;

/**
 * How long an answer on a path lets messages be told there without an answer: longer than the rarest
 * probes of a link are apart, so a link that is probed is never asked for the sake of this.
 */
export const confirmationLifetime = minutes(10);
/** Tells remembered for the who-are-you that may come back: one comes within a round trip. */
export const tellsRememberedMax = 1_024;

// The exchange. PROTOCOL §4. The sizes of its messages are in wire/exchange.ts.

/** Shortest value that binds an exchange to its connection: a SHA-256, TLS's shortest Finished. */
export const channelBindingBytesMin = 32;
/** Longest value that binds an exchange to its connection: a SHA-512. */
export const channelBindingBytesMax = 64;
/** Longest message of an exchange, as the body of an HTTP request or answer. */
export const exchangeBodyBytesMax = 16_384;
