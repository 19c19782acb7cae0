/**
 * Three real nodes on this machine: they find each other, one changes, one is killed, and the others
 * know. Each step is checked. Nothing leaves the machine, nothing stays behind.
 *
 *     deno task demo [--stay] [--for 20s] [--bin PATH]
 *
 * Exit code: 0 = every step was reached; 1 = one was not, and why; 2 = wrong usage.
 *
 * @module
 */
import { optionLines } from "../src/cli/option_lines.ts";
import type { OptionSpec } from "../src/cli/options.ts";
import { parseLength } from "../src/cli/values.ts";
import { standardError, standardOutput } from "../src/host/terminal.ts";
import { stopSignals } from "../src/host/process_signals.ts";
import { DemoStory, StepError } from "./demo_story.ts";
import { pause } from "./eventually.ts";
import { Fleet, loopbackInterface, NodeLostError } from "./local_fleet.ts";
import { root } from "./house.ts";
import { LiveScreen } from "./live_screen.ts";
import { absolute } from "./paths.ts";
import { readWords } from "./script_words.ts";

const optionSpecs: readonly OptionSpec[] = [
  { name: "stay", help: "keep the nodes up until Ctrl-C, and say how to play with them" },
  { name: "for", value: "LENGTH", help: "stay so long at most: 20s, 5m, …" },
  { name: "bin", value: "PATH", help: "run this executable instead of the source" },
  { name: "help", short: "h", help: "show this help" },
];

const help = `Usage: deno task demo [options]

Three real nodes on this machine find each other; one changes, one is killed, the others know.

Options:
${optionLines(optionSpecs).join("\n")}

Example:
  deno task demo --stay`;

/** Conventional exit code of a program that a signal ended: 128 + SIGINT. */
const interrupted = 130;
/** From one look to the next while the nodes stay. */
const stayLookMs = 500;

interface DemoOptions {
  /** How long the nodes stay when the story is over; `undefined` = not at all. */
  readonly stayMs?: number;
  readonly binary?: string;
}

/** Says why the words cannot be read and gives the exit code. */
function readOptions(args: readonly string[]): DemoOptions | number {
  const error = standardError();
  const parsed = readWords(args, { name: "demo", options: optionSpecs, help });
  if (typeof parsed === "number") return parsed;
  const length = parsed.value("for");
  const lengthMs = length === undefined ? Infinity : parseLength(length);
  if (parsed.words.length > 0 || lengthMs === undefined) {
    const word = parsed.words[0];
    error.write(
      word === undefined
        ? `demo: --for is a length of time, as 20s or 5m, not "${length}"\n`
        : `demo: There is no argument "${word}" here. See: deno task demo --help\n`,
    );
    return 2;
  }
  const binary = parsed.value("bin");
  return {
    ...parsed.has("stay") || length !== undefined ? { stayMs: lengthMs } : {},
    ...binary === undefined ? {} : { binary: absolute(binary) },
  };
}

/** The words with which a person runs mesh here, to be copied. */
function typedCommand(binary: string | undefined): string {
  if (binary !== undefined) return binary;
  const deno = Deno.execPath().replaceAll("\\", "/");
  const typed = deno.includes("/node_modules/")
    ? `npx -y deno@${Deno.version.deno}`
    : isOnPath(deno)
    ? "deno"
    : deno;
  return `${typed} task mesh`;
}

function isOnPath(program: string): boolean {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const name = program.slice(program.lastIndexOf("/") + 1);
  for (const folder of (Deno.env.get("PATH") ?? "").split(separator)) {
    try {
      return Deno.realPathSync(`${folder}/${name}`).replaceAll("\\", "/") === program;
    } catch {
      // Not in this folder; the first folder that has it decides.
    }
  }
  return false;
}

function sayHowToPlay(screen: LiveScreen, fleet: Fleet, binary: string | undefined): void {
  const mesh = typedCommand(binary);
  const state = (name: string) => `--state ${fleet.stateOf(name)}`;
  const place = binary === undefined ? `, in ${root}` : "";
  screen.say(
    "",
    `The nodes stay up. Play with them from another terminal${place}:`,
    "",
    `  ${mesh} nodes ${state("demo-a")}`,
    `  ${mesh} links ${state("demo-a")}`,
    `  ${mesh} ping demo-b -c 3 ${state("demo-a")}`,
    `  ${mesh} watch ${state("demo-a")}`,
    `  ${mesh} run ${state("demo-d")} ${fleet.argsOf("demo-d").join(" ")}`,
    `  kill -9 ${fleet.get("demo-c").pid}`,
    "",
    "`run` adds a node of yours (stop it first), `kill` shows how the others miss one.",
    "Ctrl-C here stops the three and removes all states.",
  );
}

async function play(
  options: DemoOptions,
  fleet: Fleet,
  screen: LiveScreen,
  stop: AbortSignal,
): Promise<void> {
  const story = new DemoStory(fleet, screen, stop);
  try {
    await story.play();
    if (options.stayMs === undefined) return;
    await story.mend();
    sayHowToPlay(screen, fleet, options.binary);
    const end = performance.now() + options.stayMs;
    while (!stop.aborted && performance.now() < end && screen.isRead) {
      await story.look();
      await pause(Math.min(stayLookMs, Math.max(0, end - performance.now())), stop);
    }
  } catch (error) {
    if (error instanceof StepError || error instanceof NodeLostError) {
      screen.say(...story.logLines());
    }
    throw error;
  }
}

async function demo(options: DemoOptions): Promise<number> {
  const screen = new LiveScreen(standardOutput());
  const error = standardError();
  const signals = stopSignals();
  const stop = new AbortController();
  signals.stop.addEventListener("abort", () => stop.abort());
  signals.onReload(() => stop.abort());
  const begun = performance.now();
  let code = 0;
  const fleet = new Fleet({
    prefix: "mesh-demo-",
    hurry: signals.stopNow,
    ...options.binary === undefined ? {} : { binary: options.binary },
  });
  try {
    screen.say(
      `Three mesh nodes on this machine (${loopbackInterface()} only: nothing leaves it)`,
      "",
    );
    await play(options, fleet, screen, stop.signal);
  } catch (reason) {
    if (stop.signal.aborted) code = interrupted;
    else {
      code = 1;
      error.write(`✗ ${reason instanceof Error ? reason.message : String(reason)}\n`);
    }
  } finally {
    screen.settle();
    await fleet[Symbol.asyncDispose]();
  }
  if (code === 0) {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
    screen.say("", `Done in ${seconds} s. All nodes are stopped and ${fleet.directory} is gone.`);
  } else error.write("The nodes are stopped and their states removed.\n");
  return code;
}

if (import.meta.main) {
  const options = readOptions(Deno.args);
  Deno.exit(typeof options === "number" ? options : await demo(options));
}
