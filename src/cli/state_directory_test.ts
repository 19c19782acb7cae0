import { assert, assertEquals } from "@std/assert";
import { absolutePath, chooseStateDirectory, type PathSurroundings } from "./state_directory.ts";

function around(
  variables: Readonly<Record<string, string>>,
  facts: Partial<PathSurroundings> = {},
): PathSurroundings {
  return {
    os: "linux",
    isRoot: false,
    workingDirectory: "/home/ann/here",
    environment: (name) => variables[name],
    ...facts,
  };
}

Deno.test("the option comes before the variables, and those before the usual place", () => {
  const variables: Record<string, string> = {
    MESH_STATE: "/mesh",
    STATE_DIRECTORY: "/systemd:/other",
    XDG_STATE_HOME: "/xdg",
    HOME: "/home/ann",
  };
  assertEquals(chooseStateDirectory("/option", around(variables)), "/option");
  assertEquals(chooseStateDirectory(undefined, around(variables)), "/mesh");
  delete variables.MESH_STATE;
  assertEquals(chooseStateDirectory(undefined, around(variables)), "/systemd");
  delete variables.STATE_DIRECTORY;
  assertEquals(
    chooseStateDirectory(undefined, around(variables, { isRoot: true })),
    "/var/lib/mesh",
  );
  assertEquals(chooseStateDirectory(undefined, around(variables)), "/xdg/mesh");
  delete variables.XDG_STATE_HOME;
  assertEquals(chooseStateDirectory(undefined, around(variables)), "/home/ann/.local/state/mesh");
  const none = chooseStateDirectory(undefined, around({}));
  assert(typeof none !== "string" && none.exit === 1);
});

Deno.test("empty variables and a relative $XDG_STATE_HOME count as unset", () => {
  const variables = {
    MESH_STATE: "",
    STATE_DIRECTORY: "",
    XDG_STATE_HOME: "states",
    HOME: "/home/ann",
  };
  assertEquals(chooseStateDirectory(undefined, around(variables)), "/home/ann/.local/state/mesh");
});

Deno.test("relative paths count from where the person stands", () => {
  assertEquals(chooseStateDirectory("s", around({})), "/home/ann/here/s");
  assertEquals(chooseStateDirectory("./a//b/../c/", around({})), "/home/ann/here/a/c");
  assertEquals(chooseStateDirectory("../../../..", around({})), "/");
  assertEquals(chooseStateDirectory(undefined, around({ MESH_STATE: "m" })), "/home/ann/here/m");
});

Deno.test("macOS and Windows have places of their own", () => {
  const mac = { os: "darwin" };
  const support = "Library/Application Support/mesh";
  assertEquals(
    chooseStateDirectory(undefined, around({ HOME: "/Users/ann" }, mac)),
    `/Users/ann/${support}`,
  );
  assertEquals(
    chooseStateDirectory(undefined, around({}, { ...mac, isRoot: true })),
    `/${support}`,
  );
  const windows = { os: "windows", workingDirectory: "C:\\here" };
  assertEquals(
    chooseStateDirectory(undefined, around({ LOCALAPPDATA: "C:\\Users\\ann\\AppData" }, windows)),
    "C:\\Users\\ann\\AppData\\mesh",
  );
  assertEquals(absolutePath("..\\s/t", around({}, windows)), "C:\\s\\t");
});
