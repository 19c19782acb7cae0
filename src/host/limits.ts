/**
 * The limits of this folder, each with its reason. Those of the TLS port are PROTOCOL §3.4's
 * too; the others only keep this machine safe.
 *
 * @module
 */
import { milliseconds, seconds } from "../base/instant.ts";

/** Handshakes and exchanges that are not finished yet, all sources together. */
export const HANDSHAKES_MAX = 64;
/** Of these, how many only addresses from stored records may take: a flood never locks out friends. */
export const HANDSHAKES_KEPT_FOR_KNOWN = 16;
/** Unfinished ones from one source address; what is more waits its turn. */
export const HANDSHAKES_PER_SOURCE_MAX = 4;
/** Connections that wait their turn, all sources together; each costs a file descriptor. */
export const QUEUED_MAX = 256;
/** Connections that wait their turn from one source address: a small site behind one NAT. */
export const QUEUED_PER_SOURCE_MAX = 64;
/** Connections whose exchange is done and that are still open for larger transfers. */
export const FINISHED_MAX = 64;
/** From the start of a connection's turn to the end of its TLS handshake. */
export const TLS_LIMIT = seconds(3);
/**
 * A timer that fires this late says that this machine does not get the processor: then a handshake
 * that ran out of time was not slow, it was not served, and gets more time. What is begun anew
 * instead costs the same again, and fifty nodes on two processors then never finish any.
 */
export const LATE_TIMER = milliseconds(50);
/** How often one gets more time for that: its place is another's in half a minute at the latest. */
export const LATE_EXTENSIONS_MAX = 3;
/** From the start of a connection's turn to the end of its exchange. */
export const EXCHANGE_LIMIT = seconds(10);
/** Longest wait for a turn; a dialler has given up by then. */
export const QUEUE_LIMIT = seconds(10);
/** A connection whose exchange is done is closed after this time without a request. */
export const FINISHED_IDLE_LIMIT = seconds(30);
/** A refusal has this long to reach a peer that still sends, before the connection is cut. */
export const LINGER_LIMIT = milliseconds(500);

/** Body of a request to the TLS port: the largest message of the exchange is half of it. */
export const REQUEST_BODY_BYTES_MAX = 16 * 1024;
/** Request line and headers together; ours are under 300 bytes, those of a browser under 4 KiB. */
export const HEADER_BYTES_MAX = 8 * 1024;
/** Header fields of one request; ours have 4, a browser about 20. */
export const HEADERS_MAX = 64;
/** Path with query; ours are under 100 bytes. */
export const PATH_LENGTH_MAX = 512;
/** Body of an answer to a request of ours that does not ask for more: as that of a request. */
export const ANSWER_BODY_BYTES_MAX = 16 * 1024;

/** TCP connect of a dial. Three SYNs are sent in this time (0, 1 and 3 s). */
export const CONNECT_LIMIT = milliseconds(3_500);
/** Dials whose handshake and exchange run at once: about 4 ms of processor each, so more only queue. */
export const DIAL_TURNS = 4;
/** Longest wait of a connected dial for its turn: the listener gives TLS 3 s from its accept. */
export const DIAL_TURN_PATIENCE = seconds(2);
/** TLS handshake of a dial: a little more than the listener gives, so that its verdict arrives. */
export const DIAL_TLS_LIMIT = seconds(4);
/** A handshake that fails after this long failed for want of time: fewer are then begun at once. */
export const SLOW_TLS = seconds(1);
/** One request on a dialled connection, unless its signal aborts it sooner. */
export const REQUEST_LIMIT = seconds(10);

/** Receive buffer of a UDP socket: above any datagram of ours, so that a too long one shows as such. */
export const DATAGRAM_BUFFER_BYTES = 2_048;
/** Receive errors in a row that are passed over at once; then each costs `RECEIVE_ERROR_PAUSE`. */
export const RECEIVE_ERRORS_AT_ONCE = 16;
/** Keeps a socket that only gives errors from taking the processor. */
export const RECEIVE_ERROR_PAUSE = milliseconds(100);
/** Beacons received and not yet taken; the oldest is dropped for a new one. */
export const BEACON_INBOX_MAX = 256;

/** How often the interfaces are looked at. The look costs 0.1 ms. */
export const INTERFACE_POLL = seconds(1);
/** How old the list of interfaces may be that names an accepted connection's interface. */
export const INTERFACE_CACHE = milliseconds(250);

/** Longest wait given to the runtime's timer, which overflows at 2³¹ ms. */
export const TIMER_MAX = seconds(86_400);
/** Names under which damaged files are kept; past it the last one is overwritten. */
export const SET_ASIDE_MAX = 99;

/** A temporary file this old was left by a crash: a disk that takes longer to write one is worse off. */
export const LEFTOVER_AGE_MS = 60_000;
