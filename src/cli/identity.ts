/** `mesh identity show`. @module */
import { type Command, passphraseOption, passphraseSource, stateDirectoryOf } from "./command.ts";
import { exitCode, failed } from "./errors.ts";
import { cell } from "./output.ts";
import type { IdentityView } from "./surroundings.ts";

const protections: Readonly<Record<IdentityView["protection"], string>> = {
  plain: "plain: whoever can read the file can be this node",
  passphrase: "passphrase",
  credential: "credential of the service manager",
  host: "kept by the service manager, not in the state directory",
};

/** Shows who this node is and how its key is protected. Makes nothing. */
export const identityShowCommand: Command = {
  name: "identity show",
  summary: "show the identity and which protection of its key is in force",
  arguments: [],
  options: [passphraseOption],
  details: "Works without a running node.",
  example: "mesh identity show --json",
  async run(context) {
    const { output } = context;
    const directory = stateDirectoryOf(context);
    if (typeof directory !== "string") return directory;
    const passphrase = await passphraseSource(context);
    if ("exit" in passphrase) return passphrase;
    const identity = await context.around.openIdentity(directory, { create: false, passphrase });
    if ("trouble" in identity) return failed(identity.message, identity.trouble);
    const { id, publicKey, path, protection } = identity;
    if (output.json) {
      output.object({ id, publicKey, path, protection });
      return exitCode.done;
    }
    output.line(output.paint(id, "strong"));
    output.fields([
      ["public key", cell(`Ed25519 ${publicKey}`)],
      ["key file", cell(path)],
      ["protection", cell(protections[protection], protection === "plain" ? "fair" : "good")],
    ]);
    return exitCode.done;
  },
};
