import { assertEquals } from "@std/assert";
import { LiveScreen } from "./live_screen.ts";

/** What a terminal shows after the text: lines, of which some may have been erased. */
function shown(text: string): string[] {
  const lines = [""];
  // deno-lint-ignore no-control-regex
  for (const piece of text.split(/(\u001b\[\d+A\r\u001b\[J|\n)/)) {
    const up = piece.startsWith("\u001b") ? Number.parseInt(piece.slice(2)) : 0;
    if (up > 0) lines.splice(lines.length - 1 - up, up);
    else if (piece === "\n") lines.push("");
    else lines[lines.length - 1] += piece;
  }
  return lines.slice(0, -1);
}

function screenInto(written: string[], isLive: boolean): LiveScreen {
  const write = (text: string) => written.push(text) > 0;
  return new LiveScreen({ isTerminal: isLive, write }, isLive);
}

Deno.test("on a terminal what changes stays below what was said", () => {
  const written: string[] = [];
  const screen = screenInto(written, true);
  screen.show(["a 1", "b 1"], ["waiting"]);
  screen.say("first");
  screen.show(["a 2"]);
  screen.say("second");
  assertEquals(shown(written.join("")), ["first", "second", "a 2"]);
  screen.settle();
  screen.show(["b 1"]);
  assertEquals(shown(written.join("")), ["first", "second", "a 2", "b 1"]);
});

Deno.test("elsewhere each line that changed is printed once, and nothing fleeting", () => {
  const written: string[] = [];
  const screen = screenInto(written, false);
  screen.show(["a 1", "b 1"], ["waiting"]);
  screen.show(["a 1", "b 2"], ["waiting"]);
  screen.say("done");
  screen.show(["a 1", "b 2"]);
  assertEquals(written.join(""), "a 1\nb 1\nb 2\ndone\n");
});

Deno.test("a screen notices that nobody reads any more", () => {
  const screen = new LiveScreen({ isTerminal: false, write: () => false });
  assertEquals(screen.isRead, true);
  screen.say("anybody?");
  assertEquals(screen.isRead, false);
});
