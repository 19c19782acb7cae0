import { assert, assertEquals } from "@std/assert";
import { ip, MemoryNetwork } from "../../tests/sim/memory_network.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { Prng } from "../base/prng.ts";
import { Background } from "./background.ts";
import { InterfaceWatch } from "./interface_watch.ts";
import { Sockets } from "./sockets.ts";
import { Warnings } from "./warnings.ts";

const port = 7411;

/** A machine with two interfaces, of which those of these names are served. */
function watch(...names: readonly string[]) {
  const time = new VirtualTime();
  const machine = new MemoryNetwork(time, new Prng([1])).host("machine");
  machine.attach("eth0", "one", ip("203.0.113.1"));
  machine.attach("eth1", "two", ip("10.0.1.1"), ip("fe80::1"));
  const background = new Background((what, error) => {
    throw new Error(what, { cause: error });
  });
  const unheard = { handleDatagram: () => {}, handleUnbound: () => {} };
  const served: string[] = [];
  const warned: string[] = [];
  const machineWatch = new InterfaceWatch({
    clock: new VirtualClock(time),
    network: machine,
    background,
    sockets: new Sockets(machine, background, unheard, port),
    beacons: undefined,
    warnings: new Warnings(({ code }, cleared) => {
      warned.push(`${code}${cleared ? " cleared" : ""}`);
    }),
    names,
    owner: {
      handleInterfaces: (list) => {
        served.push(list.map(({ name }) => name).join());
        return Promise.resolve();
      },
      handleLook: () => {},
    },
  });
  return { machine, watch: machineWatch, served, warned };
}

Deno.test("interfaces are told of when they change, and not at every look", async () => {
  const { machine, watch: looking, served } = watch();
  await looking.look();
  await looking.look();
  machine.detach("eth1");
  await looking.look();
  await looking.look();
  assertEquals(served, ["eth0,eth1", "eth0"]);
});

Deno.test("only the interfaces that were named are served", async () => {
  const { watch: looking, served, warned } = watch("eth0");
  await looking.look();
  assertEquals(served, ["eth0"]);
  assertEquals(looking.addresses(), [ip("203.0.113.1")]);
  assertEquals(looking.zoneOf(ip("10.0.1.1")), undefined);
  assertEquals(warned, ["no-ipv6"]);
});

Deno.test("near is what no router of the world leads to, and what shares a network with us", async () => {
  const { watch: looking } = watch();
  await looking.look();
  for (const near of ["192.168.7.7", "fe80::9", "127.0.0.1", "203.0.113.77"]) {
    assert(looking.isNear(ip(near)), near);
  }
  for (const far of ["8.8.8.8", "2600::1"]) assert(!looking.isNear(ip(far)), far);
});
