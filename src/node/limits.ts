/**
 * The limits of the composition, each with its reason. Protocol limits stand in the rooms below.
 *
 * @module
 */
import { hours, milliseconds, minutes, seconds } from "../base/instant.ts";

/** Peers without a link whose keys are kept, so that a link can come back without a new exchange. */
export const peersMax = 4_096;
/** Links held at most: what a `links` record can list. */
export const linksMax = 32;
/** Links accepted from anybody; the slots above are for nodes with fewer than `fewLinks`. */
export const linksFree = 24;
/**
 * Links held above which one address of another machine gets no more than `linksPerAddressMax`: a
 * machine has an address or three (IPv4, link-local, global), and must not fill the free links with
 * made-up identities. A site behind one translated address still gets half of them.
 */
export const linksCrowdedAbove = 12;
/** Links with one address of another machine, once links are crowded. */
export const linksPerAddressMax = 4;
/** A node with fewer links than this is let in above `linksFree`. */
export const fewLinks = 3;
/** A link's tells that could not be read make us compare with it this often: a replay can cause it. */
export const unreadEvery = seconds(10);
/** Records that one peer pushed and that are being judged; more are dropped: some 20 datagrams' worth. */
export const pushedUnderWayMax = 64;
/** Datagrams being worked on at once; more are dropped and counted. */
export const inboxMax = 4_096;
/**
 * Probes and comparisons of one peer that are answered at once: each is a walk over all records. An
 * honest reconciliation asks 128 times at most, and a link probes some five times a second at worst.
 */
export const dearWorkBurst = 512;
/** The same per second. */
export const dearWorkRate = 32;
/** Others through which a peer is asked that has missed an answer: as SWIM and memberlist do, fewer. */
export const relayHelpers = 2;
/** Tries of asking one of them. */
export const relayTries = 2;
/** How long a helper waits for the answer that it is to bring back. */
export const relayWait = seconds(1);
/** Requests sent on and unanswered at a time. */
export const relaysMax = 64;
/** Requests sent on for one asker at once: two tries each for a few neighbours that it suspects. */
export const relayBurst = 16;
/** The same per second. */
export const relayRate = 2;
/**
 * Authors never heard of that one neighbour may bring at once by offers, pushes and comparisons: a
 * site that starts up. More are the business of a bulk transfer, or are made up.
 */
export const newAuthorsBurst = 2_048;
/** The same per second: a fleet of 10,000 that starts within half a minute, over eight links. */
export const newAuthorsRate = 50;
/**
 * Authors never heard of that all neighbours together may bring in bulk at once: a newcomer takes the
 * whole of a fleet of 50,000. More come at `newAuthorsRate`.
 */
export const bulkNewAuthorsBurst = 65_536;
/** Drops for one reason between two looks (2 s) that are called an overload. */
export const overloadShedMin = 100;
/** An overload is over when nothing was shed for so long. */
export const overloadOver = minutes(1);
/** Nodes that are served with pages of records at a time: each costs what reading 256 KiB costs. */
export const bulkServedMax = 4;
/** A node that asked for no further page for so long has left its place to another. */
export const bulkServedIdle = seconds(5);
/** Pages that one node gets at once: all that 100,000 nodes say, twice. */
export const bulkPagesBurst = 512;
/** The same per second. */
export const bulkPagesRate = 2;
/** How long one page may take, asked to received: with what it must hold at least 13 KB/s. */
export const bulkPageWait = seconds(10);
/** How long one try of a request waits for its answer: several LAN round trips under load. */
export const askWait = milliseconds(500);
/** Each further try of a request waits this much longer than the one before. */
export const askBackoff = 1.5;
/** The lateness of this process is half forgotten in this time. */
export const latenessHalfLife = seconds(2);
/** The most lateness believed: a machine that slept is not slow. */
export const latenessMax = seconds(8);
/** Turns that a round trip waits for, at both ends: each may be as late as ours. */
export const lateTurns = 4;
/** Later than this nothing is begun that can wait: fewer dials at a time, no help for strangers. */
export const paceLateAbove = milliseconds(100);
/** Tries of a request whose loss would be felt; one answer in any of them ends it. */
export const askTries = 4;
/** How long an answer to a monitor's probe may take; the monitor itself judges earlier. */
export const probeAnswerWait = seconds(10);
/** How long one dial with its exchange may take (the answerer allows 10 s as well). */
export const exchangeWait = seconds(10);
/** How long the first round trip is tried after an exchange: 8 tries of 250 ms at 20 % loss miss once in 10⁶. */
export const proveTries = 8;
/** One of those tries. */
export const proveWait = milliseconds(250);
/**
 * First round trips tried at once: with all their tries they take half of the requests that may wait
 * for an answer (`session/limits.ts`), so newcomers that never answer leave the links' probes room.
 */
export const provingMax = 256;
/** Reconciliations at once with peers that get no link: a courtesy, whose cost anybody could cause. */
export const lettingGoMax = 4;
/** Between two looks at the interfaces: carrier and addresses come and go without an event. */
export const interfacesLookEvery = seconds(2);
/** How long changes of `links` records wait for others before roles of watching follow from them. */
export const rolesCoalesce = milliseconds(500);
/** New links are published together, so that a start does not publish once per link. */
export const linksCoalesce = seconds(30);
/** Between two publications of `links`, even of lost ones. */
export const linksGapMin = seconds(1);
/**
 * So many allowances, and `linksCoalesce` at the longest, when what ends them is a silence that a
 * process which runs late may have imagined.
 */
export const linksLateSpacing = 4;
/** How long a process that runs late says nothing of further links to nodes that are reached anyhow. */
export const linksLatePatience = minutes(5);
/** An author's lost links are told on at once this often; what comes faster waits its second. */
export const urgentEvery = seconds(5);
/** Authors whose last urgent record is remembered. */
export const urgentAuthorsMax = 4_096;
/**
 * One of a newcomer's neighbours tells of it at once, on the average within this time: each draws
 * from as many times this as it has links. All at once would be a dozen records for one newcomer.
 */
export const linksNewsSpread = milliseconds(200);
/**
 * A neighbour that is not told of yet, since a path led there, is looked for so often, ± half: after a
 * power cut the paths are those of before, and end when the newcomers' own records come.
 */
export const linksReachedLook = seconds(2);
/** The first publication of `links` waits only for the links that come with it. */
export const linksFirstCoalesce = milliseconds(300);
/** How often the costs of links are compared with those told last; a drift must be there twice. */
export const costCheckEvery = minutes(10);
/** A cost that moved by this many powers of two has drifted. */
export const costDriftSteps = 2;
/** For its costs alone `links` is published no more often than this. */
export const costsToldEvery = hours(24);
/** How long a lost neighbour stands in `lost`. */
export const lostFor = seconds(60);
/** A link repeats the full exchange this often, ± a tenth. */
export const reproveEvery = hours(24);
/**
 * A link that only the peer dialled is dialled from here so long after it came, ± half: only where an
 * exchange was finished does a closed port prove a death. A process that runs late waits as long
 * again: a fleet that starts has no time.
 */
export const dialBackAfter = seconds(20);
/** Who could not be dialled back is tried again after so many times as long… */
export const dialBackBackoff = 3;
/** …and so often in all; an address translator may stand between, and then it never works. */
export const dialBackTries = 3;
/** An authentic request from a node without a link is answered by proving it, this often per node. */
export const proveStrangerEvery = seconds(10);
/** Good-byes are said within this time; then the process ends without the rest. */
export const farewellWait = seconds(2);
/** A wall clock further than this from the median of the neighbours' is warned about. */
export const clockDifferenceMax = minutes(10);
/** Neighbours that the median needs. */
export const clockVotersMin = 5;
/** A calendar that moved this much against the monotonic clock was set, or the machine slept. */
export const clockJumpMin = minutes(1);
/** From a record that the disk refused to the next try. */
export const publishAgainAfter = seconds(10);
/** From a log that the disk refused to the next try to write all of it anew. */
export const writeAgainAfter = seconds(30);
/** A clock this long after the executable was built is as suspect as one before. */
export const clockAfterBuildMax = hours(24 * 365 * 25);
/** One neighbour's clock this far from ours stops the ageing of records until it is settled. */
export const clockDisputeMin = hours(24);
/** Addresses remembered from stored records, for the slots that are kept for them. */
export const knownAddressesMax = 65_536;
/** Records read for that with each question, until all are: two milliseconds, five in a first turn. */
export const addressesReadPerQuestion = 400;
/** Addresses of one node tried when its link is silent: each may cost a connect's whole time. */
export const dialAddressesMax = 4;
/**
 * Numbers given to nodes that records name before they are given anew: nine tenths of them then
 * belong to nobody any more. For each author there are its own and some that only its links name.
 */
export const nodeNumbersPerAuthor = 8;
/** The same in a fleet of nobody, so that small fleets never begin anew. */
export const nodeNumbersSpare = 10_000;
/** Nodes looked at to find one that may be dialled: more would seldom be another's turn. */
export const pickTries = 32;
/** Records from which on they are taken apart in slices after the start: fewer take some 20 ms. */
export const readAheadFrom = 2_000;
/**
 * Records of such a slice: a millisecond. What a node does before it is ready waits for a slice at
 * every step, dozens of times: with slices of 400 for all of them, a second in a fleet of 20,000.
 */
export const readAheadSlice = 100;
/**
 * The same while a command waits for the last of them: on a machine with too much to do a turn comes
 * late, and people wait for as many as there are slices.
 */
export const readAheadAwaitedSlice = 300;
/** Nodes of a list that are sorted together, before such runs are merged: a millisecond. */
export const listingRun = 1_000;
/** Nodes whose links are followed in a turn to tell how far others are: half a millisecond. */
export const walkSlice = 1_000;
/** Entries of a list made in one turn: each takes some ten microseconds, as JSON half as many more. */
export const listingSlice = 100;
/** Lists of all nodes made at a time; each holds its order, eight bytes for each node known. */
export const listingsMax = 32;
/** Nodes named to somebody whose argument may mean any of them: who made them up may be tireless. */
export const candidatesMax = 1_000;
/** Changes that come together are looked at together. */
export const looksGap = milliseconds(20);
/**
 * The view of the fleet is made anew at most this often, for each node known: a look takes less
 * than a microsecond for each, so looking takes less than a fiftieth of the time.
 */
export const viewPerNode = milliseconds(0.05);
/** What is new is told at most this often, for each node known, while somebody watches. */
export const watchedLookPerNode = milliseconds(0.1);
/** While nobody does, this often: shared names and forgotten nodes that are back can wait. */
export const quietLookPerNode = milliseconds(6);
/**
 * Graphs of links kept for the next look at the same records: one is enough for one node. Simulated
 * nodes that have just come to agree are a few versions apart.
 */
export const graphsMax = 16;
