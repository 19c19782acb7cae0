import { assertEquals } from "@std/assert";
import { milliseconds, seconds } from "../../src/base/instant.ts";
import { Findings, scenarios } from "./scenarios/mod.ts";

Deno.test("a scenario's findings that do not hold are its failures, in words", () => {
  const said: string[] = [];
  const findings = new Findings((line) => said.push(line));
  findings.figure("links per node", 12.345_67, "");
  findings.below("exchanges per node", 70, "", 64);
  findings.below("exchanges per node later", 63, "", 64);
  findings.equals("pieces", 2, 1);
  findings.equals("islands", 1, 1);
  findings.within("all agree", milliseconds(1_500), seconds(2));
  findings.within("all agree again", milliseconds(2_000), seconds(2));
  findings.within("all agree at last", undefined, seconds(30));
  assertEquals(findings.failures, [
    "exchanges per node: 70 , not < 64",
    "pieces: 2 , not 1",
    "all agree again: 2 s, not < 2",
    "all agree at last: never s, not < 30",
  ]);
  assertEquals(said.length, 8);
  assertEquals(findings.all[0]?.value, "12.35");
});

Deno.test("every scenario has a name of its own, and a size that makes sense", () => {
  assertEquals(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
  assertEquals(scenarios.filter(({ nodes, nodesMin }) => nodes < nodesMin), []);
});
