/**
 * The examples and tables of PROTOCOL.md, made by the code with fixed inputs, so that the document
 * cannot lag behind. `--check` fails with one line per block that differs, `--write` mends them,
 * without either everything is printed.
 * `deno run -A scripts/protocol_examples.ts [--check|--write]`
 *
 * In the document an example is a fence that begins "```hex NAME", a table stands between
 * `<!-- table: NAME -->` and `<!-- end -->`.
 *
 * @module
 */
import { root } from "./house.ts";
import { beaconExamples } from "./protocol/beacon_examples.ts";
import { makeCast } from "./protocol/cast.ts";
import { datagramExamples } from "./protocol/datagram_examples.ts";
import { exampleExchange } from "./protocol/exchange_examples.ts";
import { identityExamples } from "./protocol/identity_examples.ts";
import { messageExamples } from "./protocol/message_examples.ts";
import {
  costsTable,
  fleetTable,
  limitsTable,
  sizesTable,
  trafficTable,
} from "./protocol/tables.ts";

/** Text of each block by its name: `hex NAME` or `table: NAME`. */
export async function protocolBlocks(): Promise<ReadonlyMap<string, string>> {
  const cast = await makeCast();
  const exchange = await exampleExchange(cast);
  const examples = {
    ...await identityExamples(cast),
    ...exchange.examples,
    ...await datagramExamples(cast),
    ...await messageExamples(cast, exchange.hash),
    ...await beaconExamples(cast),
  };
  const tables = {
    limits: limitsTable(),
    sizes: await sizesTable(cast),
    costs: costsTable(cast),
    fleet: fleetTable(cast),
    traffic: await trafficTable(cast, exchange),
  };
  return new Map([
    ...Object.entries(examples).map(([name, text]) => [`hex ${name}`, text] as const),
    ...Object.entries(tables).map(([name, text]) => [`table: ${name}`, text] as const),
  ]);
}

const blockPattern = new RegExp(
  "(```(hex [a-z0-9-]+)\\n)([\\s\\S]*?)(```)|(<!-- (table: [a-z]+) -->\\n)([\\s\\S]*?)(<!-- end -->)",
  "g",
);

/** A table without the padding that the formatter gives its columns. */
function unpadded(text: string): string {
  return text.trim().replace(/ +\|/g, " |").replace(/\| +/g, "| ").replace(/-{3,}/g, "---");
}

/** What differs between the document and the code, one line each. */
export function differences(
  document: string,
  blocks: ReadonlyMap<string, string>,
): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const match of document.matchAll(blockPattern)) {
    const name = match[2] ?? match[6] ?? "";
    const shown = match[3] ?? match[7] ?? "";
    const text = blocks.get(name);
    if (seen.has(name)) found.push(`${name}: stands there twice`);
    seen.add(name);
    if (text === undefined) found.push(`${name}: nothing in the code is called so`);
    else if (match[2] === undefined ? unpadded(shown) !== unpadded(text) : shown !== text) {
      found.push(`${name}: differs from what the code makes`);
    }
  }
  for (const name of blocks.keys()) {
    if (!seen.has(name)) found.push(`${name}: is missing`);
  }
  return found;
}

/** The document with every block as the code makes it. */
export function mended(document: string, blocks: ReadonlyMap<string, string>): string {
  return document.replace(blockPattern, (...match: unknown[]) => {
    const [whole, fence, example, , close, mark, table, , end] = match.map(String);
    const isExample = match[2] !== undefined;
    const text = blocks.get((isExample ? example : table) ?? "");
    if (text === undefined) return whole ?? "";
    return isExample ? `${fence}${text}${close}` : `${mark}\n${text}\n${end}`;
  });
}

if (import.meta.main) {
  const path = `${root}/PROTOCOL.md`;
  const blocks = await protocolBlocks();
  if (Deno.args.includes("--write")) {
    await Deno.writeTextFile(path, mended(await Deno.readTextFile(path), blocks));
  } else if (Deno.args.includes("--check")) {
    const found = differences(await Deno.readTextFile(path), blocks);
    for (const line of found) console.error(`PROTOCOL.md: ${line}`);
    if (found.length > 0) {
      console.error("Look, then: deno run -A scripts/protocol_examples.ts --write");
      Deno.exit(1);
    }
    console.log(`PROTOCOL.md shows what the code makes: ${blocks.size} examples and tables`);
  } else {
    for (const [name, text] of blocks) console.log(`--- ${name}\n${text}`);
  }
}
