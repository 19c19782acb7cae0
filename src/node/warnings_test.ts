import { assertEquals } from "@std/assert";
import { Warnings } from "./warnings.ts";

function watched() {
  const told: string[] = [];
  const warnings = new Warnings(({ code, message }, cleared) =>
    told.push(`${cleared ? "-" : "+"}${code}: ${message}`)
  );
  return { warnings, told };
}

Deno.test("a warning is told when it comes, when it says something else, and when it goes", () => {
  const { warnings, told } = watched();
  warnings.raise("clock", "late");
  warnings.raise("clock", "late");
  warnings.raise("clock", "very late");
  warnings.clear("clock");
  warnings.clear("clock");
  assertEquals(told, ["+clock: late", "+clock: very late", "-clock: very late"]);
  assertEquals(warnings.all(), []);
});

Deno.test("warnings of one code about different things stand beside each other", () => {
  const { warnings } = watched();
  warnings.set(true, "one-way", "a is deaf", "a");
  warnings.set(true, "one-way", "b is deaf", "b");
  warnings.set(true, "clock", "late");
  warnings.set(false, "one-way", "a is deaf", "a");
  assertEquals(warnings.all(), [
    { code: "clock", message: "late" },
    { code: "one-way", message: "b is deaf" },
  ]);
});

Deno.test("one code, however often, leaves room for the others, and can still change and go", () => {
  const { warnings, told } = watched();
  for (let i = 0; i < 300; i++) warnings.raise("one-way", `${i} is deaf`, `${i}`);
  warnings.raise("clock", "late");
  assertEquals(warnings.all().length, 33);
  assertEquals(warnings.all()[0]?.code, "clock");
  warnings.raise("one-way", "0 is deaf still", "0");
  assertEquals(told.at(-1), "+one-way: 0 is deaf still");
  warnings.clear("one-way", "1");
  warnings.raise("one-way", "new", "new");
  assertEquals(told.at(-1), "+one-way: new");
});
