import { assertEquals } from "@std/assert";
import { productVersion } from "../version.ts";
import project from "../../deno.json" with { type: "json" };

Deno.test("the program and its project file name one version", () => {
  assertEquals(productVersion, project.version);
});
