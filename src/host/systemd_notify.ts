/**
 * Tells the service manager how the node is: sd_notify(3), datagrams to the socket that
 * `NOTIFY_SOCKET` names, which may be a path or (with a leading `@`) an abstract name.
 *
 * @module
 */

/**
 * Sends the assignments (`READY=1`, `STOPPING=1`, `STATUS=…`), one a line. Without a service
 * manager it does nothing; a failure never stops a node, so it only resolves to the reason.
 */
export async function notifySystemd(state: string): Promise<string | undefined> {
  const address = Deno.env.get("NOTIFY_SOCKET");
  if (address === undefined || address === "" || Deno.build.os !== "linux") return undefined;
  if (!address.startsWith("/") && !address.startsWith("@")) {
    return `NOTIFY_SOCKET has a form that is not known here: ${address}`;
  }
  const path = address.startsWith("@") ? `\0${address.slice(1)}` : address;
  try {
    // A sender needs a name of its own; an abstract one leaves nothing behind.
    const own = `\0mesh-notify-${crypto.randomUUID()}`;
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
    try {
      await socket.send(new TextEncoder().encode(state), { transport: "unixpacket", path });
    } finally {
      socket.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
