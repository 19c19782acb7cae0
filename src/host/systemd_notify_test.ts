import { assertEquals } from "@std/assert";
import { notifySystemd } from "./systemd_notify.ts";

const onlyLinux = { ignore: Deno.build.os !== "linux" };

async function withVariable(value: string | undefined, work: () => Promise<void>): Promise<void> {
  const before = Deno.env.get("NOTIFY_SOCKET");
  if (value === undefined) Deno.env.delete("NOTIFY_SOCKET");
  else Deno.env.set("NOTIFY_SOCKET", value);
  try {
    await work();
  } finally {
    if (before === undefined) Deno.env.delete("NOTIFY_SOCKET");
    else Deno.env.set("NOTIFY_SOCKET", before);
  }
}

async function receivedAt(path: string, variable: string): Promise<string> {
  const manager = Deno.listenDatagram({ transport: "unixpacket", path });
  try {
    await withVariable(variable, async () => {
      assertEquals(await notifySystemd("READY=1"), undefined);
    });
    const [bytes] = await manager.receive();
    return new TextDecoder().decode(bytes);
  } finally {
    manager.close();
  }
}

Deno.test("the service manager hears it on a socket in the file system", onlyLinux, async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/notify`;
  assertEquals(await receivedAt(path, path), "READY=1");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("the service manager hears it on an abstract socket", onlyLinux, async () => {
  const name = `mesh-test-${crypto.randomUUID()}`;
  assertEquals(await receivedAt(`\0${name}`, `@${name}`), "READY=1");
});

Deno.test("without a service manager nothing happens", async () => {
  await withVariable(undefined, async () => {
    assertEquals(await notifySystemd("READY=1"), undefined);
  });
});

Deno.test("a service manager that is gone is a reason, not an exception", onlyLinux, async () => {
  await withVariable("/nonexistent/notify", async () => {
    assertEquals(typeof await notifySystemd("READY=1"), "string");
  });
  await withVariable("vsock:2:1234", async () => {
    assertEquals(typeof await notifySystemd("READY=1"), "string");
  });
});
