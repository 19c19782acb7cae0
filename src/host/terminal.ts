/**
 * The two output streams of the process, and a question whose answer is not shown.
 *
 * @module
 */

/** An output stream. */
export interface OutputStream {
  /** Writes all of it; `false` once nobody reads any more (or the disk is full). Never throws. */
  write(text: string): boolean;
  readonly isTerminal: boolean;
}

type Stream = typeof Deno.stdout | typeof Deno.stderr;

function outputStream(stream: Stream): OutputStream {
  const encoder = new TextEncoder();
  let isOpen = true;
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      if (!isOpen) return false;
      const bytes = encoder.encode(text);
      try {
        for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
      } catch {
        // A closed pipe is how a reader says that it has enough: reported by the result.
        isOpen = false;
      }
      return isOpen;
    },
  };
}

/** Standard output. */
export function standardOutput(): OutputStream {
  return outputStream(Deno.stdout);
}

/** Standard error. */
export function standardError(): OutputStream {
  return outputStream(Deno.stderr);
}

/** Bytes of an answer: a passphrase is a sentence at most. */
const answerBytesMax = 4_096;

/**
 * Asks on the terminal without showing what is typed; `undefined` if there is no terminal, or if
 * the answer was broken off (Ctrl-C, Ctrl-D).
 */
export function askSecret(question: string): string | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  const say = standardError();
  say.write(question);
  const typed: number[] = [];
  const one = new Uint8Array(1);
  // Raw: neither shown nor gathered into lines by the terminal.
  Deno.stdin.setRaw(true);
  try {
    while (Deno.stdin.readSync(one) !== null) {
      const byte = one[0] ?? 0;
      if (byte === 0x03 || byte === 0x04) return undefined;
      if (byte === 0x0d || byte === 0x0a) return new TextDecoder().decode(new Uint8Array(typed));
      if (byte === 0x15) typed.length = 0;
      else if (byte === 0x7f || byte === 0x08) dropCharacter(typed);
      else if (typed.length < answerBytesMax) typed.push(byte);
    }
    return undefined;
  } finally {
    Deno.stdin.setRaw(false);
    say.write("\n");
    typed.fill(0);
  }
}

/** Takes the last UTF-8 character away: its continuation bytes, then its first. */
function dropCharacter(typed: number[]): void {
  while (typed.length > 0) {
    const byte = typed.pop() ?? 0;
    if ((byte & 0xc0) !== 0x80) return;
  }
}
