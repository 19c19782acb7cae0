/**
 * Limits of staying in step, each with its reason. Relations are asserted in the tests.
 *
 * @module
 */
import { days, type Duration, hours, milliseconds, minutes, seconds } from "../base/instant.ts";

// Records held (record_store.ts).

/** Most nodes known: the biggest fleet this is for is half of it. */
export const knownNodesMax = 100_000;
/** Records of self kinds we do not read, per author: room for a newer version's, not for a flood. */
export const unknownSelfKindsPerAuthorMax = 4;
/** Most subjects of one administrator and kind: twice the nodes known. */
export const administratorSubjectsMax = 200_000;
/** Authors whose ids are remembered: those that speak at one time, also of a big fleet; 250 bytes each. */
export const authorIdsKept = 4_096;
/** How long a record stays in fingerprints and offers after its signing, or since first seen. */
export const recordLifetime: Duration = days(60);
/** How long it is still held then, so that nobody is asked for it while others hold it a little longer. */
export const recordGrace: Duration = days(1);
/** How long bytes that were refused are not asked for again. */
export const refusalMemory: Duration = minutes(10);
/** Most refused hashes remembered: some ten minutes of fetches at full speed, 16 bytes each. */
export const refusalsMax = 8_192;
/** Most tombstones: one for every record of half the nodes known. */
export const tombstonesMax = 100_000;
/** How long a tombstone stands: past the life of any copy that another node first saw last. */
export const tombstoneLifetime: Duration = days(62);
/** Most newcomers looked at to find one who may make room; the search starts at those heard of last. */
export const evictionSearchMax = 256;
/** How often the records are looked through for those that have aged: days matter, not minutes. */
export const expiryCheckInterval: Duration = minutes(10);
/** Most authors remembered as having signed two payloads under one serial. */
export const flaggedAuthorsMax = 4_096;

// Own records (own_records.ts).

/** How often an own record is signed anew: twice in its lifetime, so that one may be missed. */
export const refreshInterval: Duration = days(25);
/** The share of the interval that chance takes off, so that a fleet does not refresh at once. */
export const refreshJitter = 0.2;

// Reconcile.

/** A range of so few records is listed: a list costs 62 bytes each, a split some 25 a part. */
export const listedRecordsMax = 3;
/** Most parts of one split: more would say little that the next round does not say cheaper. */
export const partsPerSplitMax = 32;
/** Most rounds of one reconciliation: 10,000 records with 10 differences take seven. */
export const reconcileRoundsMax = 128;
/** Passes over everything: one to find, one to see that it worked, one for what changed meanwhile. */
export const reconcilePassesMax = 3;
/** Times an answerer may narrow the kinds: each leaves fewer, an honest one does it once. */
export const kindNarrowingsMax = 2;
/** Ranges waiting to be compared; an honest walk has hundreds, one that is led astray ends here. */
export const waitingRangesMax = 4_096;
/** Keys being fetched or pushed at a time; the walk waits for them. */
export const transferredKeysMax = 256;
/** Keys fetched and pushed by one reconciliation: more is a first sync, which has HTTPS. */
export const reconciledKeysMax = 8_192;
/** Before a peer is compared again with which a reconciliation brought nothing: a liar's price. */
export const reconcilePause = minutes(5);
/** Before a peer is compared again that brought something but is not yet equal. */
export const reconcileAgain = seconds(1);
/** Comparisons that this node walks at once: what one finds the next need not. */
export const comparisonsAtOnce = 2;
/** How long what differs may be on its way by push before it is looked for by comparing. */
export const comparisonSettle = seconds(1);
/** While records come in one upon the other a comparison waits for a pause of this length… */
export const comparisonQuiet = milliseconds(300);
/** …but no longer than this. */
export const comparisonPatience = seconds(10);
/**
 * The same two for a process that runs late: the stores of a fleet that forms differ all the time, and
 * a comparison costs it as many hashes as what it finds would.
 */
export const lateComparisonSettle = seconds(20);
export const lateComparisonPatience = seconds(30);
/** How often it looks whether it still runs late: lateness halves in that time. */
export const lateComparisonLook = seconds(2);
/** Keys per fetch: a datagram answers two to four records, and what is left is asked again. */
export const fetchKeysPerRequest = 8;

// Records in bulk.

/**
 * So many records missing are taken over HTTPS: a handshake and exchange cost what a hundred records
 * cost by datagrams, and it takes a second to begin.
 */
export const bulkAbove = 128;
/** Where this share of what the neighbour holds is missing, everything is taken without searching. */
export const bulkWholeShare = 1 / 4;
/** Else a walk that has transferred `bulkAbove` goes on by datagrams while fewer ranges are left. */
export const bulkRangesLeft = 32;
/** Pages of one transfer: 256 MiB, more than all nodes that can be known have to say. */
export const bulkPagesMax = 1_024;
/** How long one neighbour may take; then the next one goes on. */
export const bulkTimeMax = minutes(2);
/** Before a neighbour that was busy with others is asked again. */
export const bulkBusyPause = seconds(5);
/** Before one that broke off, or delivered all and still differs, is asked again. */
export const bulkFailedPause = minutes(1);
/** Before one that lied is asked again. */
export const bulkLiarPause = hours(1);
/** How long a transfer that was broken off may be gone on with: the next comparison begins within it. */
export const bulkResumable = seconds(30);
/** Neighbours that are waited for, and whose pauses are remembered. */
export const bulkPeersMax = 1_024;
/** Before a neighbour that is to take much from here, at its own pace, is compared with again. */
export const bulkOtherSide = seconds(30);
/** Records of a page that are verified at once: the platform does three times as many a second then. */
export const bulkVerifiedAtOnce = 64;

// Push.

/** How often a stream of changes is told on one link: what comes within it goes together. */
export const coalesceDelay = seconds(1);
/** So many allowances more for a process that runs late: fewer tells, of more changes each. */
export const lateSpacing = 4;
/** Changes after a quiet while that need not wait for that: a start's few records, a host that leaves. */
export const promptTells = 4;
/** Before an offer goes: bodies run ahead of it, and what comes with it goes with it. */
export const offerDelay = milliseconds(20);
/**
 * Before the second end of a link offers what the first should have: several hops' time, so that a
 * link carries an offer once; short beside the time a digest would take to find what was lost.
 */
export const secondDelay = milliseconds(250);
/** With so few links at either end nobody waits for the other: each link may be the only way. */
export const plainLinksMax = 5;
/**
 * Links that carry one change, on the average, however many there are: half of them tell a node at
 * once, the others if need be. With 15 links, a fleet of 10,000, all sit out once in a million; eight
 * would leave somebody out at one change in ten.
 */
export const activeLinks = 9;
/** Links that get an own change with its body: nobody else has it yet, so no body is sent twice. */
export const ownBodyLinks = 4;
/**
 * Links that get the body of what came from others. Two reach seven nodes of ten before an offer
 * does, each body taking one datagram in place of three; three would mostly bring it twice.
 */
export const relayedBodyLinks = 2;
/**
 * Longest record that is told on so, but for urgent ones and by a process that runs late, which lacks
 * time and not bytes: a longer one costs more twice than fetched.
 */
export const relayedBodyBytesMax = 320;
/**
 * A process that runs late waits its allowance, but no longer than this, for bodies before it asks for
 * what was offered: each is one datagram in place of three, and what is asked for then goes into one
 * request.
 */
export const latePullDelayMax = seconds(3);
/** How long an offerer may take to deliver before the next one is asked. */
export const pullRetryDelay = milliseconds(200);
/** Changes waiting for one link; more are left to reconciliation. */
export const pendingOffersMax = 1_024;
/** Once so many wait, no neighbour has more than its share of the rest. */
export const crowdedOffers = 512;
/** That share: a flood from one leaves room for all others' changes. */
export const pendingOffersPerSource = 256;
/** Versions remembered that a link has itself shown. */
export const shownVersionsMax = 1_024;
/** Records being pulled at a time; more are left to reconciliation. */
export const pullsMax = 4_096;
/** Of these from one link: one that offers made-up records leaves room for what others offer. */
export const pullsPerLinkMax = 1_024;
/** Offerers remembered for one pull. */
export const offerersMax = 8;

// Monitor.

/** Nodes that watch one node: one may fail with it, and two find a death in 2 s on the average. */
export const watchersPerNode = 2;
/** Between two probes of a link that this node watches, or of which it does not know who does. */
export const probeInterval = seconds(6);
/** Between two probes of a link that others watch: it must not stay broken or out of step for ever. */
export const restingProbeInterval = minutes(5);
/**
 * Between two probes of a link that only this node can dial, since an address translator stands
 * between: those forget a UDP mapping after 30 s.
 */
export const mappedProbeInterval = seconds(20);
/** Links whose mapping is kept open: they cost 15 B/s each. The rest is dialled when it is needed. */
export const mappedLinksMax = 4;
/** A node that hears so long nothing from a watcher of its own asks it: it may be cut off. */
export const watcherSilence = seconds(20);
/** How long a node goes on watching after it learned that others do: they may learn it later. */
export const watchHandover = seconds(20);
/**
 * How long the answer to a regular probe may take, at least, before the probe is repeated: a round
 * trip of a local network and a collection of garbage. Being wrong costs a datagram.
 */
export const repeatAfterMin = milliseconds(100);
/**
 * How long after that before the link is suspected, at least: with the first, well above a turn of a
 * busy processor. Being wrong costs an exchange, no link.
 */
export const missAfterMin = milliseconds(150);
/** Both while no round trip has been measured. */
export const missAfterUnmeasured = milliseconds(250);
/**
 * So often a link whose answers may take longer than that is measured again at once: it was proven
 * while somebody was busy, or it is long.
 */
export const remeasuringsMax = 3;
/** The same at most, on links whose measured round trips are slow, and for a node that is. */
export const missAfterMax = seconds(2);
/** A node that is slow itself takes up to this much more patience, in lengths of the usual one. */
export const selfDoubtMax = 4;
/** Between two tries once a probe was missed. */
export const tryInterval = milliseconds(200);
/** Fewest unanswered tries before silence counts. */
export const probeTriesMin = 6;
/** Most tries, however lossy the link. */
export const probeTriesMax = 20;
/** The chance that tries all fail on a link that lives: one round in ten million. */
export const falseAlarmChance = 1e-7;
/**
 * How long the authentication begun by a suspicion has to be connected, beside what two answers may
 * take: after so long systems repeat a lost first packet.
 */
export const authenticationWait = seconds(1);
/**
 * How long one may take from when the peer's machine has taken the connection: a process stopped for
 * five seconds, or one of many on a busy machine, is not given up; dropping it would add to the load.
 */
export const connectedWait = seconds(8);
/** Unanswered UDP probes without which a TCP refusal proves nothing. */
export const refusalMissesMin = 2;
/** How long an exchange finished at an address lets a refusal there prove that the node is gone. */
export const provenAddressLifetime = hours(24);
/** Addresses remembered per link at which an exchange was finished. */
export const provenAddressesMax = 4;
/** Rounds in a row in which the peer answered on other ways only, until the link is given up as useless. */
export const indirectRoundsMax = 3;
/** How long a peer that said it is restarting keeps its link. */
export const restartingLinkLifetime = seconds(60);
/** An answer that took longer says nothing about the peer's present. */
export const answerAgeMax = seconds(10);
/** Running this much later than asked means that we were slow, not the peer. */
export const lateAfter = milliseconds(300);
/** Gaps of our own forgiven to a silent link in a row. */
export const forgivenGapsMax = 5;
/** Unanswered probes remembered per link: those of two rounds. */
export const outstandingProbesMax = 2 * (probeTriesMax + 1);
/** Links monitored at a time: the 32 a node may hold, and room while one replaces another. */
export const monitoredLinksMax = 40;

/** A reporter is heeded about one peer this often, or its word would be a way to make others probe. */
export const reportedLossPause: Duration = minutes(10);
/** Those who hear of a loss together probe within this time of each other, not all at once. */
export const reportedLossSpread: Duration = milliseconds(100);
/** Reports remembered: 32 links, each reported by as many. */
export const reportedLossesMax = 1_024;

// The record log (record_log.ts).

/** The log is written anew once this many bytes more than twice its last whole size are in it. */
export const logCompactionBytesMin = 1_048_576;
/** Bytes of a compaction written at once: a millisecond's encoding, between which all else has its turn. */
export const compactionSliceBytes = 65_536;
/** Bytes of a block of restored records: some ten of them, of which one that stays keeps the rest. */
export const restoreBlockBytes = 4_096;
/** Records of a log taken back in one turn: some five milliseconds, beside the one between turns. */
export const restoreSlice = 2_000;
/** Records of a damaged log verified at once: the platform does some dozens in parallel. */
export const restoreBatch = 64;

/** Fingerprints kept for the next time they are asked for: some comparisons' worth, 200 bytes each. */
export const fingerprintsKept = 4_096;
