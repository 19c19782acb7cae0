/**
 * The tables of PROTOCOL §10 and §11, from the code's own limits and the sizes of its own messages.
 *
 * @module
 */
import { type Duration, seconds } from "../../src/base/instant.ts";
import { sha256 } from "../../src/crypto/mod.ts";
import { degreeFor } from "../../src/discovery/mod.ts";
import * as discovery from "../../src/discovery/limits.ts";
import * as host from "../../src/host/limits.ts";
import * as identity from "../../src/identity/limits.ts";
import * as node from "../../src/node/limits.ts";
import * as session from "../../src/session/limits.ts";
import * as sync from "../../src/sync/limits.ts";
import { beaconBytesLength, beaconBytesMax } from "../../src/wire/beacon.ts";
import {
  answerOverhead,
  datagramBytesMax,
  requestMessageMax,
  requestOverhead,
  tellOverhead,
  whoAreYouLength,
} from "../../src/wire/datagram.ts";
import {
  m1BytesLength,
  m1BytesMax,
  m2BytesLength,
  m2BytesMax,
  m3BytesMax,
  m4BytesMax,
  membershipItemsMax,
  offerBytesMax,
} from "../../src/wire/exchange.ts";
import { allKinds } from "../../src/wire/key_range.ts";
import * as wire from "../../src/wire/limits.ts";
import { encodeAnswer, encodeRequest } from "../../src/wire/message.ts";
import { offerOf } from "../../src/wire/offer.ts";
import { type Cast, ipOf } from "./cast.ts";
import type { ExampleExchange } from "./exchange_examples.ts";

function number(value: number): string {
  const rounded = Number.isInteger(value) ? String(value) : value.toFixed(1);
  return rounded.replace(/\B(?=(?:\d{3})+(?:\.|$))/g, ",");
}

function time(length: Duration): string {
  const units = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1_000, "s"]] as const;
  for (const [size, unit] of units) {
    if (length >= size && length % (size / 10) === 0) return `${number(length / size)} ${unit}`;
  }
  return `${number(length)} ms`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n") + "\n";
}

const bytes = (value: number) => `${number(value)} B`;

/** Everything that bounds what a peer may send, ask or make a node hold. */
export function limitsTable(): string {
  return table(["limit", "value"], [
    ["§2 certificate", bytes(identity.certificateBytesMax)],
    ["§3 body of a request", bytes(host.REQUEST_BODY_BYTES_MAX)],
    ["§3 request line and headers", bytes(host.HEADER_BYTES_MAX)],
    ["§3 header fields", number(host.HEADERS_MAX)],
    ["§3 path with query", `${host.PATH_LENGTH_MAX} characters`],
    ["§3 unfinished handshakes", number(host.HANDSHAKES_MAX)],
    ["§3 of these, only for addresses in stored records", number(host.HANDSHAKES_KEPT_FOR_KNOWN)],
    ["§3 unfinished handshakes of one source address", number(host.HANDSHAKES_PER_SOURCE_MAX)],
    [
      "§3 connections waiting for a turn, in all and of one source",
      `${host.QUEUED_MAX}, ${host.QUEUED_PER_SOURCE_MAX}`,
    ],
    [
      "§3 TLS handshake, whole exchange, wait for a turn",
      [host.TLS_LIMIT, host.EXCHANGE_LIMIT, host.QUEUE_LIMIT].map(time).join(", "),
    ],
    ["§4 m1", `${number(m1BytesLength)} B usual, ${number(m1BytesMax)} B accepted`],
    ["§4 m2", `${number(m2BytesLength)} B usual, ${number(m2BytesMax)} B accepted`],
    ["§4 m3, m4", [m3BytesMax, m4BytesMax].map(bytes).join(", ")],
    ["§4 offer, before it is sealed", bytes(offerBytesMax)],
    ["§4 statements of a membership chain", number(membershipItemsMax)],
    [
      "§4 value of a channel binding",
      `${session.channelBindingBytesMin} to ${bytes(session.channelBindingBytesMax)}`,
    ],
    ["§5 datagram, UDP payload", bytes(datagramBytesMax)],
    ["§5 message in a request", bytes(requestMessageMax)],
    ["§5 message in an answer, room for the next epoch kept", bytes(wire.answerMessageMax)],
    ["§5 epoch; a grant opens requests twice as long", time(session.epochLength)],
    ["§5 window of a request's time", `± ${time(session.timeWindow)}`],
    ["§5 age of a request when its answer is believed", time(session.answerAgeMax)],
    ["§5 handles cached per epoch", number(session.handleCacheMax)],
    [
      "§5 age of the last answer on a path where something is told",
      time(session.confirmationLifetime),
    ],
    ["§5 tells remembered for a who-are-you", number(session.tellsRememberedMax)],
    ["§5 requests and tells remembered against replay per epoch", number(session.replayFilterMax)],
    ["§5 requests waiting for an answer", number(session.pendingRepliesMax)],
    [
      "§5 exchanges asked for by who-are-yous, per peer",
      `1 in ${time(session.reauthenticateInterval)}`,
    ],
    ["§6 message", bytes(wire.messageBytesMax)],
    ["§6 items of one list", number(wire.messageItemsMax)],
    ["§6 kind ranges", number(wire.kindRangesMax)],
    ["§6 key ranges of one comparison", number(wire.compareRangesMax)],
    ["§6 parts of one split", number(wire.splitPartsMax)],
    [
      "§6 probes and comparisons of one peer, answered",
      `${node.dearWorkBurst} at once, ${node.dearWorkRate}/s`,
    ],
    ["§7 record", bytes(wire.recordBytesMax)],
    ["§7 subject", bytes(wire.subjectBytesMax)],
    ["§7 name", bytes(wire.nameBytesMax)],
    [
      "§7 own endpoints, observed endpoints",
      `${wire.endpointsMax}, ${wire.observedEndpointsMax}`,
    ],
    [
      "§7 labels; key and value of one",
      `${wire.labelsMax}; ${bytes(wire.labelBytesMax)} each`,
    ],
    ["§7 capabilities", number(wire.capabilitiesMax)],
    ["§7 links listed, lost ones listed", `${wire.linksMax}, ${wire.lostMax}`],
    ["§7 known nodes", number(sync.knownNodesMax)],
    ["§7 records of unknown self kinds per author", number(sync.unknownSelfKindsPerAuthorMax)],
    ["§7 subjects of one administrator and kind", number(sync.administratorSubjectsMax)],
    ["§7 lifetime of a record; grace", `${time(sync.recordLifetime)}; ${time(sync.recordGrace)}`],
    ["§7 lifetime of a tombstone", time(sync.tombstoneLifetime)],
    ["§7 refused bytes are not asked for again", time(sync.refusalMemory)],
    [
      "§7 refresh of own records",
      `${time(sync.refreshInterval)} − up to ${sync.refreshJitter * 100} %`,
    ],
    ["§8 links held", number(node.linksMax)],
    ["§8 links accepted from anybody", number(node.linksFree)],
    [
      "§8 of these, with one address of another machine once so many are held",
      `${node.linksPerAddressMax}, ${node.linksCrowdedAbove}`,
    ],
    [
      "§8 newcomers proven at once; reconciled with at once before they are let go",
      `${node.provingMax}; ${node.lettingGoMax}`,
    ],
    [
      "§8 rounds, passes of one reconciliation",
      `${sync.reconcileRoundsMax}, ${sync.reconcilePassesMax}`,
    ],
    ["§8 keys transferred by one reconciliation", number(sync.reconciledKeysMax)],
    [
      "§8 authors never heard of, from one neighbour",
      `${number(node.newAuthorsBurst)} at once, ${node.newAuthorsRate}/s`,
    ],
    [
      "§8 authors never heard of, in bulk, from all neighbours",
      `${number(node.bulkNewAuthorsBurst)} at once, ${node.newAuthorsRate}/s`,
    ],
    ["§8 records missing that are taken in bulk", number(sync.bulkAbove)],
    [
      "§8 page of records; ranges of one request",
      `${bytes(wire.bulkPageBytesMax)}; ${wire.bulkRangesMax}`,
    ],
    [
      "§8 one page; pages from one neighbour, and their time",
      `${time(node.bulkPageWait)}; ${number(sync.bulkPagesMax)}, ${time(sync.bulkTimeMax)}`,
    ],
    [
      "§8 nodes served with pages at a time; pages of one",
      `${node.bulkServedMax}; ${node.bulkPagesBurst} at once, ${node.bulkPagesRate}/s`,
    ],
    [
      "§8 changes waiting per link; of one neighbour's once half are taken",
      `${number(sync.pendingOffersMax)}; ${number(sync.pendingOffersPerSource)}`,
    ],
    [
      "§8 tells of changes on one link, but for urgent ones",
      `${sync.promptTells} at once, 1 in ${time(sync.coalesceDelay)}`,
    ],
    [
      "§8 pulls under way; of these from one link",
      `${number(sync.pullsMax)}; ${number(sync.pullsPerLinkMax)}`,
    ],
    ["§8 records that one peer pushed, being judged", number(node.pushedUnderWayMax)],
    ["§8 comparisons for tells that could not be read, per link", `1 in ${time(node.unreadEvery)}`],
    [
      "§8 watchers of a node; probes of a watched link, of another",
      `${sync.watchersPerNode}; every ${time(sync.probeInterval)}, every ${
        time(sync.restingProbeInterval)
      }`,
    ],
    [
      "§8 requests sent on for others, for one of them",
      `${node.relaysMax} under way; ${node.relayBurst} at once, ${node.relayRate}/s`,
    ],
    ["§8 datagram sent on, and its answer", bytes(wire.relayedBytesMax)],
    [
      "§8 links kept open through a translator",
      `${sync.mappedLinksMax}, every ${time(sync.mappedProbeInterval)}`,
    ],
    ["§9 beacon", `${bytes(beaconBytesLength)} sent, ${bytes(beaconBytesMax)} accepted`],
    [
      "§9 beacons judged per source address",
      `${discovery.beaconsPerSourceBurst} at once, ${discovery.beaconsPerSourceRate}/s`,
    ],
    [
      "§9 beacons judged in all",
      `${number(discovery.beaconsBurst)} at once, ${discovery.beaconsRate}/s`,
    ],
    [
      "§9 dials at one address that only records name",
      `${discovery.recordDialsPerSourceBurst} at once, 1 in ${
        time(seconds(1 / discovery.recordDialsPerSourceRate))
      }`,
    ],
    ["§9 links with one other machine's address that count", `${discovery.linksCountedPerAddress}`],
    [
      "§9 dials that strangers' beacons cause",
      `${discovery.strangerDialsBurst} at once, ${discovery.strangerDialsRate}/s`,
    ],
  ]);
}

const udp4 = 20 + 8;
const udp6 = 40 + 8;

interface Sizes {
  readonly probe: number;
  readonly probeAnswer: number;
  readonly rows: readonly (readonly [string, number])[];
}

async function measure({ ann }: Cast): Promise<Sizes> {
  const digest = (await sha256(ann.info.bytes)).slice(0, 16);
  const probe = encodeRequest({ kind: "probe", kinds: allKinds, digest }).length;
  const requests = {
    ping: encodeRequest({ kind: "ping" }).length,
    offer: encodeRequest({ kind: "offer", offers: [offerOf(ann.info)] }).length,
    push: encodeRequest({ kind: "push", records: [ann.info.bytes] }).length,
    fetch: encodeRequest({ kind: "fetch", keys: [ann.info.key] }).length,
  };
  const answers = {
    ping: encodeAnswer({ kind: "ping", seenIp: ipOf("192.168.1.1"), seenPort: 7411 }).length,
    fetch: encodeAnswer({ kind: "fetch", records: [ann.info.bytes] }).length,
  };
  return {
    probe: requestOverhead + probe,
    probeAnswer: answerOverhead + probe,
    rows: [
      ["probe, request", requestOverhead + probe],
      ["probe, answer", answerOverhead + probe],
      ["ping, request", requestOverhead + requests.ping],
      ["ping, answer (IPv4 seen)", answerOverhead + answers.ping],
      ["offer of one self record, told", tellOverhead + requests.offer],
      [`Ann's info of ${ann.info.bytes.length} B, told`, tellOverhead + requests.push],
      ["fetch of one self record, request", requestOverhead + requests.fetch],
      [
        `fetch, answer with Ann's info of ${ann.info.bytes.length} B`,
        answerOverhead + answers.fetch,
      ],
      ["who are you", whoAreYouLength],
      ["beacon", beaconBytesLength],
    ],
  };
}

/** Bytes of each datagram, with IP and UDP headers. */
export async function sizesTable(cast: Cast): Promise<string> {
  const { rows } = await measure(cast);
  return table(
    ["datagram", "UDP payload", "over IPv4", "over IPv6"],
    rows.map(([what, size]) => [what, ...[size, size + udp4, size + udp6].map(bytes)]),
  );
}

/** TLS records, HTTP headers, TCP and IP headers of one exchange beside certificates and bodies. */
const exchangeFraming = 3_000;

/** What a node sends and receives while nothing changes. */
export async function trafficTable(cast: Cast, exchange: ExampleExchange): Promise<string> {
  const { probe, probeAnswer } = await measure(cast);
  const probeSeconds = sync.probeInterval / 1_000;
  const exchangeBytes = (header: number) => probe + probeAnswer + 2 * header;
  const restingSeconds = sync.restingProbeInterval / 1_000;
  const degree = 12;
  // Each end of a link may probe it; two of a node's links are watched by it, and it by two.
  const watching = (header: number) =>
    2 * sync.watchersPerNode * exchangeBytes(header) / probeSeconds;
  const resting = (header: number) =>
    (2 * degree - 2 * sync.watchersPerNode) * exchangeBytes(header) / restingSeconds;
  const trickleSeconds = discovery.trickleMax / 1_000;
  // Redundancy k suppresses the rest; one more for the families and for phases that differ.
  const heard = discovery.trickleRedundancy + 1;
  const beacons = heard * (2 * beaconBytesLength + udp4 + udp6) / trickleSeconds;
  const { m1, m2, m3, m4 } = exchange;
  const bodies = m1.length + m2.length + m3.length + m4.length;
  const chains = 2 * (cast.ann.leaf.length + cast.ann.root.length);
  const proof = bodies + chains + exchangeFraming;
  const proofs = degree * proof / (node.reproveEvery / 1_000);
  const sum = (header: number) => watching(header) + resting(header) + beacons + proofs;
  const rate = (value: number) => `${value.toFixed(1)} B/s`;
  return table(["what, in and out together", "IPv4", "IPv6"], [
    ["one probe and its answer", ...[udp4, udp6].map((header) => bytes(exchangeBytes(header)))],
    [
      `watching two and being watched by two, every ${probeSeconds} s`,
      ...[udp4, udp6].map((header) => rate(watching(header))),
    ],
    [
      `both ends' probes of all else on ${degree} links, every ${time(sync.restingProbeInterval)}`,
      ...[udp4, udp6].map((header) => rate(resting(header))),
    ],
    [
      `beacons heard and sent on a network, both families, every ${trickleSeconds} s`,
      rate(beacons),
      rate(beacons),
    ],
    [
      `each link's exchange repeated once in 24 h, ${number(proof)} B`,
      rate(proofs),
      rate(proofs),
    ],
    ["**sum per node**", ...[udp4, udp6].map((header) => `**${rate(sum(header))}**`)],
  ]);
}

/** Bytes of Ann's `links` with 13 more neighbours: each is 16 bytes, a head and a cost. */
function longLinks(cast: Cast): number {
  return cast.annLinks.bytes.length + 13 * 19 + 3;
}

interface ChangeCosts {
  readonly short: number;
  readonly long: number;
  readonly streamed: number;
}

/** Bytes that one node sends for one change; as many come in. */
function changeCosts(cast: Cast, header: number): ChangeCosts {
  const turns = sync.activeLinks / 2;
  const offerLength = encodeRequest({ kind: "offer", offers: [offerOf(cast.ann.info)] }).length;
  const listHead = 3;
  const oneOffer = offerLength - listHead;
  const told = (message: number) => tellOverhead + header + message;
  const keyLength = 35;
  const fetched = (size: number) =>
    requestOverhead + header + listHead + keyLength + answerOverhead + header + listHead + size + 3;
  const [short, long] = [cast.ann.info.bytes.length, longLinks(cast)];
  // Who is offered it before a body comes: `tests/sim/push_fleet.ts`, at 5 ms a link.
  const missed = 0.3;
  const offersPerTell = Math.floor((requestMessageMax - 5) / oneOffer);
  const streamedOffers = turns * (oneOffer + told(5) / offersPerTell);
  // Eight keys are asked, three come; five are asked again, three come; and the last two.
  const asked = 3 * (requestOverhead + header + 5) + (8 + 5 + 2) * keyLength;
  const answered = 3 * (answerOverhead + header + 5);
  return {
    short: sync.relayedBodyLinks * told(listHead + 3 + short) +
      (turns - sync.relayedBodyLinks) * told(offerLength) + missed * fetched(short),
    long: turns * told(offerLength) + fetched(long),
    streamed: streamedOffers + (asked + answered) / 8 + 3 + (short + long) / 2,
  };
}

/** What one changed record costs a node. */
export function costsTable(cast: Cast): string {
  const row = (what: string, costOf: (costs: ChangeCosts) => number) => [
    what,
    ...[udp4, udp6].map((header) => bytes(Math.round(2 * costOf(changeCosts(cast, header))))),
  ];
  return table(["one changed record, per node, in and out together", "IPv4", "IPv6"], [
    row(`alone, ${cast.ann.info.bytes.length} B`, ({ short }) => short),
    row(`alone, ${longLinks(cast)} B`, ({ long }) => long),
    row("in a stream, the mean of both", ({ streamed }) => streamed),
  ]);
}

/** What happenings in a fleet of 10,000 cost each of its nodes. */
export function fleetTable(cast: Cast): string {
  const fleet = 10_000;
  const degree = degreeFor(fleet);
  const { long, streamed } = changeCosts(cast, udp4);
  const perHour = (records: number, each: number) =>
    `${number(Math.round(2 * records * each / 3_600))} B/s`;
  const inAll = (records: number) => `${number(Math.round(2 * records * streamed / 1e6))} MB`;
  // Leaving: each neighbour's links. In their place: as many again, within 30 s. Coming back: its
  // info, its links at once and 30 s later, and each neighbour's.
  const churned = fleet / 100 * (degree + degree + 3 + degree);
  const restarted = fleet * 4;
  const updated = fleet * 3;
  return table(["10,000 nodes, IPv4", "records", "per node"], [
    ["nothing", "0", "as above"],
    ["one change", "1", bytes(Math.round(2 * long))],
    [
      "1 % leave and return in an hour, told in streams",
      number(churned),
      perHour(churned, streamed),
    ],
    ["the same, if every change came alone", number(churned), perHour(churned, long)],
    [
      "all restart at once: an `info` and three `links` each",
      number(restarted),
      `${inAll(restarted)} in all`,
    ],
    [
      "all are updated within an hour: an `info` and two `links` each",
      number(updated),
      `${inAll(updated)} in all, ${perHour(updated, streamed)}`,
    ],
  ]);
}
