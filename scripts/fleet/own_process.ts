/**
 * A process that an earlier program started, found again by its number. Numbers are given out anew,
 * so a process counts as the one that was started only if it began before its number was written
 * down and its command line names what it was started with.
 *
 * @module
 */

/** Start times are told in seconds on some systems, and those of the kernel drift a little. */
const startSlackMs = 3_000;
/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux that Deno runs on. */
const ticksPerSecond = 100;
/** Bytes of a page of memory on the machines that are measured. */
const pageBytes = 4_096;

/** A process that may have ended. */
export interface OwnProcess {
  readonly pid: number;
  /** When its number was written down: milliseconds since 1970. */
  readonly notedAt: number;
  /** A word of its command line that no other process has. */
  readonly mark: string;
}

/** What a process has used so far. */
export interface ProcessUse {
  /** User and system time. */
  readonly cpuMs: number;
  /** Resident memory: bytes, what it shares with others included. */
  readonly residentBytes: number;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // It ended, in whatever way that shows here.
    return undefined;
  }
}

/** The fields of /proc/PID/stat from the third on: the second may hold spaces. */
async function statFields(pid: number): Promise<string[] | undefined> {
  const stat = await textOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

interface Facts {
  readonly startedAt: number;
  readonly words: string;
}

async function linuxFacts(pid: number): Promise<Facts | undefined> {
  const fields = await statFields(pid);
  const words = await textOf(`/proc/${pid}/cmdline`);
  const uptime = Number((await textOf("/proc/uptime"))?.split(" ")[0]);
  // A zombie has ended: it waits for its parent.
  if (fields === undefined || words === undefined || fields[0] === "Z") return undefined;
  const ageMs = (uptime - Number(fields[19]) / ticksPerSecond) * 1_000;
  return { startedAt: Date.now() - ageMs, words: words.replaceAll("\0", " ") };
}

async function otherFacts(pid: number): Promise<Facts | undefined> {
  const { success, stdout } = await new Deno.Command("ps", {
    args: ["-ww", "-o", "lstart=,args=", "-p", `${pid}`],
    env: { LC_ALL: "C" },
  }).output();
  const line = new TextDecoder().decode(stdout);
  // `Mon Jan  2 15:04:05 2006 mesh run …`
  const [, start = "", words = ""] = /^\s*(\S+\s+\S+\s+\d+\s+\S+\s+\d+)\s+(.*)/.exec(line) ?? [];
  return success ? { startedAt: Date.parse(start), words } : undefined;
}

/** Whether it still runs. */
export async function isRunning({ pid, notedAt, mark }: OwnProcess): Promise<boolean> {
  const facts = await (Deno.build.os === "linux" ? linuxFacts(pid) : otherFacts(pid));
  return facts !== undefined && facts.startedAt <= notedAt + startSlackMs &&
    ` ${facts.words} `.includes(` ${mark} `);
}

/** Sends it a signal if it still runs; says whether it did. */
export async function signalOwn(process: OwnProcess, signal: Deno.Signal): Promise<boolean> {
  if (!await isRunning(process)) return false;
  try {
    Deno.kill(process.pid, signal);
    return true;
  } catch (error) {
    // It ended in between.
    if (error instanceof Deno.errors.NotFound || error instanceof TypeError) return false;
    throw error;
  }
}

/** What it has used (Linux); `undefined` elsewhere or if it has ended. */
export async function useOf(pid: number): Promise<ProcessUse | undefined> {
  const fields = Deno.build.os === "linux" ? await statFields(pid) : undefined;
  if (fields === undefined) return undefined;
  const [user = "", system = ""] = fields.slice(11, 13);
  return {
    cpuMs: (Number(user) + Number(system)) * 1_000 / ticksPerSecond,
    residentBytes: Number(fields[21]) * pageBytes,
  };
}
