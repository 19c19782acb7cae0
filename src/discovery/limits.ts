/**
 * The numbers of discovery, each with its reason. Relations between them are asserted in
 * `limits_test.ts`.
 *
 * @module
 */
import { hours, milliseconds, minutes, seconds } from "../base/instant.ts";

// Beacons.

/** Trickle's Imin: a reset is answered by the link within two seconds. */
export const trickleMin = seconds(2);
/** How often Imin doubles: Imax = 2 s · 2⁷ = 256 s. */
export const trickleDoublings = 7;
/** Trickle's Imax. */
export const trickleMax = seconds(256);
/** Trickle's redundancy constant k: this many equal beacons heard make one's own superfluous. */
export const trickleRedundancy = 3;
/** When beacons go out at start and on an interface change: one lost beacon costs 100 ms, two 400. */
export const burstOffsets = [milliseconds(0), milliseconds(100), milliseconds(400)] as const;
/** Bursts on one interface begin at least this far apart: addresses often appear in a row. */
export const burstGap = seconds(1);
/**
 * A different island must be seen twice this far apart before beacons come of it, and is answered no
 * oftener: shorter is a change still spreading, and while a network forms that is nearly every beacon.
 */
export const islandConfirmation = seconds(5);
/** A different island seen longer ago than this is forgotten: two full intervals. */
export const islandMemory = seconds(512);
/** Trickle is reset at most this often per interface. */
export const resetGapMin = seconds(10);
/**
 * The gap doubles with every reset after which no link came, up to this: a node that is heard but
 * cannot be linked, or a forger, must not keep a whole network chattering.
 */
export const resetGapMax = trickleMax;
/** An id counts as heard this long: Trickle is silent up to 1.5 · Imax between two transmissions. */
export const heardFor = seconds(400);
/** Interfaces served. */
export const interfacesMax = 64;

// What beacons may cost the hearer. Each is verified with one HMAC (about 50 µs).

/** Beacons from one source address at once: a dozen nodes there may start together. */
export const beaconsPerSourceBurst = 32;
/** Beacons a second from one source address. */
export const beaconsPerSourceRate = 4;
/** Beacons from all sources at once: 340 nodes starting together. */
export const beaconsBurst = 1_024;
/** Beacons a second from all sources. */
export const beaconsRate = 128;
/** Source addresses that are told apart. */
export const sourcesMax = 1_024;

// Candidates.

/** Ids heard without a stored record and never linked: anybody can make these up. */
export const strangersMax = 256;
/** Strangers claimed from one source address. */
export const strangersPerSourceMax = 8;
/**
 * Ids with a record or an earlier link of which more is kept than their record: dialled or heard. One
 * is dialled at random every 30 s, so that these are more than an hour's.
 */
export const heldEntriesMax = 4_096;
/** Addresses an id was heard at. */
export const heardAddressesMax = 4;
/** Addresses from an id's record: 12 endpoints and 4 observed ones. */
export const recordedAddressesMax = 16;
/** Addresses dialled in one round, expanded link-local ones included. */
export const roundAddressesMax = 12;
/** Interfaces on which a link-local address without a zone is tried. */
export const linkLocalInterfacesMax = 4;
/** Ids heard or lost lately and not linked, which are looked at when links are missing. */
export const nearMax = 512;
/** After a lost link its id stays near this long. */
export const lostNearFor = minutes(5);
/** Addresses that turned out to be this node. */
export const selfAddressesMax = 256;
/** Addresses whose answering id is remembered. */
export const provenAddressesMax = 1_024;
/** For how long the id that answered at an address outweighs what beacons claim about it. */
export const provenFor = minutes(1);
/** First back-off of an id all of whose addresses failed; doubles. */
export const backoffMin = seconds(1);
/** Longest back-off of an id. */
export const backoffMax = hours(1);
/**
 * Rest, instead of a longer one than below, of an id that is heard where it was not heard lately: its
 * way may be open again. If its port is closed it was then heard so shortly before that it is tried
 * on as a one-way peer. A forger of beacons can have a known id dialled this often, within the budgets
 * of dials below.
 */
export const heardBackoff = seconds(10);
/** Back-off of an id that answered and gave no link (it has enough), or is not a node of ours. */
export const declinedBackoff = seconds(30);
/** Back-off of an id that said good-bye. */
export const leftBackoff = seconds(30);

// Dials.

/** A node accepts links freely up to this; with as many it volunteers for no newcomer. */
export const volunteerLinksMax = 24;
/**
 * Links with one address of another machine that count towards the degree. One machine can have any
 * number of identities: with those alone as links a node would think that it has enough, and never
 * look for the others.
 */
export const linksCountedPerAddress = 2;
/** A connect-back waits a random time up to this, so that crossing dials are rarer. */
export const staggerMax = milliseconds(20);
/** Connect-backs in flight, one-way retries included. */
export const connectBackDialsMax = 16;
/** Of these, kept for ids with a stored record or an earlier link. */
export const heldDialsReserve = 4;
/** Of these, kept for one-way retries while there are as many to retry. */
export const oneWayDialsReserve = 8;
/** Dials in flight to ids from records: below the degree, and unreachable ones. */
export const recordDialsMax = 8;
/** Dials in flight to addresses of `--peer`. */
export const peerDialsMax = 8;
/** Connect-backs that wait. */
export const connectBacksMax = 128;
/** A connect-back that found no room this long is given up; the id stays a candidate. */
export const connectBackPatience = seconds(2);
/** How soon a dial that found no room is looked at again. */
export const roomRetry = milliseconds(200);
/** Dials to strangers at one source address at once, and a second. */
export const strangerDialsPerSourceBurst = 3;
export const strangerDialsPerSourceRate = 0.1;
/** Dials to strangers at all addresses at once, and a second. */
export const strangerDialsBurst = 16;
export const strangerDialsRate = 2;
/** Dials to held ids at one heard address at once, and a second: the id may be claimed by anyone. */
export const heldDialsPerSourceBurst = 8;
export const heldDialsPerSourceRate = 0.5;
/**
 * Dials at one address that only records name, where nobody was heard and nobody ever answered: at
 * once, and a second (one in five minutes). Anybody's record may name anybody's address; ten thousand
 * nodes that believe it then knock there 33 times a second in all.
 */
export const recordDialsPerSourceBurst = 16;
export const recordDialsPerSourceRate = 1 / 300;
/** The same at all addresses: what is dialled at random is rare anyway. */
export const recordDialsBurst = 1_024;
export const recordDialsRate = 128;
/** Dials to held ids at all heard addresses at once, and a second. */
export const heldDialsBurst = 32;
export const heldDialsRate = 4;
/**
 * A closed port shows that a peer is heard one way only if it was heard this short before the dial:
 * who was heard earlier may have gone since. All addresses at which it is heard can be tried by then.
 */
export const oneWayHeardWithin = seconds(15);
/**
 * A dial whose port does not open must be reported failed within this: the one-way warning, due 5 s
 * after the beacon, rests on it. The host's dialler keeps to it.
 */
export const connectTimeout = milliseconds(3_500);
/** A dial without an outcome after this is written off: connect, TLS and exchange take 16 s at most. */
export const dialOutcomeMax = seconds(30);
/** A solicitation dials an id again despite its back-off if the last try is older than this. */
export const solicitationGap = seconds(5);
/** A solicitation from an id this node is linked with (it may have restarted) dials at most this often. */
export const relinkGap = seconds(30);
/** How many hearers that have links enough should answer one solicitation or foreign island. */
export const volunteers = 3;
/** Repeated solicitations of one id multiply the chance to volunteer by this. */
export const volunteerGrowth = 2;
/** A solicitation comes three times in a burst, over IPv6 and IPv4: within this they are one. */
export const solicitationTwin = seconds(1);
/**
 * For how long repeated solicitations are counted together: longer than between the first six of a
 * node without a link (Trickle doubles its intervals), so that the odds are 32 times as good by then.
 */
export const solicitationMemory = minutes(1);
/** Ids whose solicitations are counted. */
export const solicitorsMax = 512;
/** Ids per interface that count as audience, and for how long. */
export const audienceMax = 1_024;
export const audienceFor = hours(1);
/** The same of ids without a record: a minute after it was heard there is one of whoever has come. */
export const strangersFor = minutes(1);

/** One known unreachable id is dialled this often, at random. */
export const unreachablePause = seconds(30);
/** The same while there is no link at all. */
export const lonelyPause = seconds(2);
/**
 * Links above the degree that are kept: between it and here nothing is dialled and nothing let go. A
 * link that nobody needs costs its two ends a probe in five minutes; letting one go costs every node
 * two changed records, which is as much as that for weeks.
 */
export const surplusSlack = 6;
/** Between two links that a node lets go because it has more than it needs, at least. */
export const releasePauseMin = minutes(1);
/**
 * The same per node known: each release changes two records, so all releases of a fleet together
 * change two records a second at most, whatever its size.
 */
export const releasePausePerNode = seconds(1);

/**
 * Links that a node looks for in haste: with these it learns everything and is watched. Every link has
 * two ends and newcomers find volunteers, so where each makes D at once nodes end at 2·D; the rest
 * mostly comes from those who come later.
 */
export const eagerLinks = 4;
/** The same while this process runs late: what each link costs is what it lacks. */
export const lateLinks = 2;
/**
 * After a link came the next is dialled in haste no sooner: volunteers answer a newcomer together, and
 * with those and its own it would have twice as many as it wants.
 */
export const hasteGap = seconds(1);
/** Between two dials of a node that has links in haste and is still below its degree, ± half. */
export const unhurriedFillPause = seconds(20);
/** Missing links are looked for at most this often, however much is learned meanwhile. */
export const fillGap = milliseconds(50);
/** How often candidates in back-off are looked at while links are missing. */
export const fillPause = seconds(1);

// One-way peers.

/** Peers heard whose port does not open, told apart. */
export const oneWayPeersMax = 16;
/** Longest time from the start of one try to the next while such a peer is heard; the promise is 15 s. */
export const oneWayRetryMax = seconds(12);
/** First pause; doubles. A peer may have beaconed before its port was open. */
export const oneWayRetryMin = seconds(1);
/** A warning waits for the peer's other addresses at most this long after the first beacon. */
export const oneWayPatience = milliseconds(4_500);

// `--peer`.

/** Texts given with `--peer`. */
export const peersMax = 256;
/** Addresses of one text. */
export const peerAddressesMax = 16;
/** First back-off of a peer; doubles. */
export const peerBackoffMin = seconds(1);
/** Longest back-off of a peer that does not answer. */
export const peerBackoffMax = seconds(30);
/** Longest back-off of a peer that answers and gives no link while this node has others. */
export const peerDeclinedBackoffMax = hours(1);
/** A resolution without an answer after this is taken as failed. */
export const resolveMax = seconds(15);
