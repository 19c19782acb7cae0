/**
 * A fleet that was assembled and did not form: its links are made by hand and its records laid into
 * every store at once, so that what a large fleet costs at rest can be measured without the time that
 * forming it takes. From then on it is a fleet as any other.
 *
 * What is skipped: finding one another, exchanges over connections, and the spreading of the first
 * records. What is not: every node signs its own records, and every link is proven by both ends'
 * sealed round trips under keys that they granted each other.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { milliseconds, seconds } from "../../src/base/instant.ts";
import { invariant } from "../../src/base/invariant.ts";
import { degreeFor } from "../../src/discovery/degree.ts";
import { surplusSlack } from "../../src/discovery/limits.ts";
import { RecordStore } from "../../src/sync/mod.ts";
import { socketAddress } from "../../src/wire/socket_address.ts";
import { Fleet, type FleetOptions } from "./fleet.ts";
import { messageKindOf } from "./message_kinds.ts";
import type { Machine } from "./world.ts";

/** Two machines whose nodes are to be neighbours. */
type Pair = readonly [Machine, Machine];

/** After this all links are proven, and what each node says of them is signed. */
const provenWithin = milliseconds(450);

/** Makes a fleet that stands. */
export async function assembledFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = await Fleet.make({ ...options, loss: 0 });
  const { world, machines } = fleet;
  const { network } = world;
  // Until all know all nobody is to look for, or to tell, what is about to be laid before him.
  network.carriesBeacons = false;
  network.filter = (bytes) => signsOfLife.has(messageKindOf(bytes)) ? bytes : undefined;
  await Promise.all(machines.map((machine) => machine.start()));
  layBefore(fleet);
  const entropy = world.entropy([options.seed, 9]);
  for (const [one, other] of randomPairs(fleet)) {
    await introduce(one, other, entropy.bytes(32));
  }
  await world.run(provenWithin);
  layBefore(fleet);
  // A new link begins a comparison: of what was held then, of which nothing is true any more.
  const isAtRest = () => machines.every(({ node }) => node.gauges().comparisons === 0);
  const rested = await fleet.until(isAtRest, comparedWithin, seconds(1));
  invariant(rested !== undefined, "comparisons that nobody answers end");
  network.carriesBeacons = true;
  network.filter = (bytes) => bytes;
  network.loss = options.loss;
  return fleet;
}

/** Within this time whoever asked in vain has given up. */
const comparedWithin = seconds(30);

/** What proves links and keeps them. */
const signsOfLife = new Set(["ping", "ping answer", "probe", "probe answer"]);

/** Lays what each node says of itself into the stores of all. */
function layBefore({ world, machines }: Fleet): void {
  const [first] = machines;
  invariant(first !== undefined, "a fleet has machines");
  const [now, wall] = [first.clock.monotonic(), first.clock.wall()];
  const all = new RecordStore({ selfId: first.id, sharing: world.records });
  for (const { id, node } of machines) {
    for (const record of node.archive.store.byAuthor(id)) all.admit(record, now, wall);
  }
  for (const { node } of machines) {
    node.archive.store.adopt(all, now);
    node.fleet.handleChange();
  }
}

/**
 * A random overlay as discovery leaves it: everybody has the degree, nobody more than is let be, and
 * of those that a node seeks every other one is on its own network; all are where no router joins
 * the networks.
 */
function randomPairs(fleet: Fleet): Pair[] {
  const { machines, prng, world: { network: { isRouted } } } = fleet;
  const degree = Math.min(degreeFor(machines.length), machines.length - 1);
  const most = degree + surplusSlack;
  const byLan = Map.groupBy(machines, (machine) => fleet.lanOf(machine));
  const links = new Map(machines.map((machine) => [machine, new Set<Machine>()] as const));
  const pairs: Pair[] = [];
  for (const machine of machines) {
    const own = links.get(machine);
    invariant(own !== undefined, "all are there");
    // Late in the order those with room are few; then a link with whoever has most room will do.
    for (let tries = 0; own.size < degree && tries < 50 * degree; tries++) {
      const near = byLan.get(fleet.lanOf(machine)) ?? machines;
      const other = prng.pick(tries % 2 === 0 || !isRouted ? near : machines);
      const others = other === undefined ? undefined : links.get(other);
      if (other === undefined || others === undefined || other === machine) continue;
      if (own.has(other) || others.size >= most) continue;
      own.add(other);
      others.add(machine);
      pairs.push([machine, other]);
    }
  }
  return pairs;
}

/** Hands both what an exchange would have told them, as if each had dialled. */
async function introduce(one: Machine, other: Machine, hash: Bytes): Promise<void> {
  await adopt(one, other, hash);
  await adopt(other, one, hash);
}

async function adopt(machine: Machine, peer: Machine, hash: Bytes): Promise<void> {
  const theirs = await peer.node.authenticator.offerTo(machine.id);
  const place = { local: addressOf(machine), remote: addressOf(peer) };
  machine.node.links.handleProven({
    peer: peer.id,
    publicKey: peer.identity.publicKey,
    role: "initiator",
    hash,
    version: 1,
    proof: "not judged",
    theirs,
  }, place);
}

function addressOf({ host, port }: Machine) {
  const [at] = host.attachments;
  const own = at?.ips[0];
  invariant(at !== undefined && own !== undefined, "a machine of a fleet has an address");
  return socketAddress(own, port, at.name);
}
