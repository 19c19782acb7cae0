/**
 * Commands that the contract names and this version does not have: they say so, and nothing else.
 *
 * @module
 */

/** Their first words. A command leaves this list when it is built. */
export const plannedCommands: readonly string[] = [
  "routes",
  "trace",
  "doctor",
  "metrics",
  "leave",
  "forward",
  "connect",
  "proxy",
  "send",
  "inbox",
  "cluster",
  "invite",
  "join",
  "revoke",
  "policy",
  "root",
  "import",
  "release",
  "update",
  "service",
  "identity protect",
  "identity reset",
  "rendezvous",
  "amt",
  "wake",
  "dashboard",
  "completions",
];
