/** `mesh id`. @module */
import { type Command, passphraseOption, passphraseSource, stateDirectoryOf } from "./command.ts";
import { exitCode, failed } from "./errors.ts";
import type { IdentityTrouble, Surroundings } from "./surroundings.ts";

async function idOfRunningNode(
  around: Surroundings,
  directory: string,
): Promise<string | undefined> {
  const control = await around.connect(directory);
  if ("unreachable" in control) return undefined;
  try {
    const status = await control.status();
    return "error" in status ? undefined : status.id;
  } finally {
    control.close();
  }
}

/** Prints the id of the state directory's identity, which it makes if there is none. */
export const idCommand: Command = {
  name: "id",
  summary: "print this node's id",
  arguments: [],
  options: [passphraseOption],
  details: "Works without a running node. Creates the identity if there is none yet.",
  example: "mesh id",
  async run(context) {
    const directory = stateDirectoryOf(context);
    if (typeof directory !== "string") return directory;
    const passphrase = await passphraseSource(context);
    if ("exit" in passphrase) return passphrase;
    const { around, output } = context;
    const unasked = { ...passphrase, ask: () => Promise.resolve(undefined) };
    let identity: { readonly id: string } | IdentityTrouble = await around.openIdentity(directory, {
      create: true,
      passphrase: unasked,
    });
    if ("trouble" in identity && identity.trouble === "locked") {
      // A running node tells its id without the passphrase; only then is a person asked.
      const id = await idOfRunningNode(around, directory);
      if (id === undefined) {
        identity = await around.openIdentity(directory, { create: true, passphrase });
      } else identity = { id };
    }
    if ("trouble" in identity) return failed(identity.message, identity.trouble);
    if (output.json) output.object({ id: identity.id });
    else output.line(identity.id);
    return exitCode.done;
  },
};
