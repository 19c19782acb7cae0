import { assert, assertEquals, assertMatch, assertRejects, fail } from "@std/assert";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { DirectoryStorage } from "./directory_storage.ts";
import { machine } from "./machine.ts";
import { StorageError } from "./storage_error.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

const noModes = !machine.hasFileModes;

async function withDirectory(test: (path: string) => Promise<void>) {
  const path = await Deno.makeTempDir();
  try {
    await test(`${path}/state`);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

function text(bytes: Bytes | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

async function refusal(attempt: () => Promise<unknown>): Promise<StorageError> {
  return await assertRejects(attempt, StorageError);
}

Deno.test(
  "the directory and all files in it are their owner's alone",
  { ignore: noModes },
  () =>
    withDirectory(async (path) => {
      const storage = await DirectoryStorage.open(`${path}/deep/er`);
      await storage.replace("a", utf8("1"));
      await storage.createExclusive("b", utf8("2"));
      await (await storage.openAppend("c")).close();
      assertEquals(
        ["", "/a", "/b", "/c"].map((name) => modeOf(`${path}/deep/er${name}`).toString(8)),
        ["700", "600", "600", "600"],
      );
      assertEquals(modeOf(path), 0o700);
    }),
);

Deno.test("what was written is read back, replaced whole, removed, and absent before and after", () =>
  withDirectory(async (path) => {
    const storage = await DirectoryStorage.open(path);
    assertEquals(await storage.read("x"), undefined);
    await storage.replace("x", utf8("one, the longer one"));
    await storage.replace("x", utf8("two"));
    assertEquals(text(await storage.read("x")), "two");
    assertEquals((await storage.inspect("x"))?.sizeBytes, 3);
    await storage.remove("x");
    await storage.remove("x");
    assertEquals(await storage.read("x"), undefined);
    assertEquals(await storage.inspect("x"), undefined);
    assertEquals([...Deno.readDirSync(path)], []);
  }));

Deno.test("of many that create one file at once exactly one does, and its bytes are there whole", () =>
  withDirectory(async (path) => {
    const first = await DirectoryStorage.open(path);
    const second = await DirectoryStorage.open(path);
    const outcomes = await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) =>
          (n % 2 === 0 ? first : second).createExclusive(
            "identity.key",
            utf8(`key ${n} `.repeat(99)),
          ),
      ),
    );
    assertEquals(outcomes.filter((created) => created).length, 1);
    const winner = outcomes.indexOf(true);
    assertEquals(text(await first.read("identity.key")), `key ${winner} `.repeat(99));
    assertEquals([...Deno.readDirSync(path)].map(({ name }) => name), ["identity.key"]);
  }));

Deno.test("a key that others can read is refused with the command that closes it", {
  ignore: noModes,
}, () =>
  withDirectory(async (path) => {
    const storage = await DirectoryStorage.open(path);
    await storage.replace("identity.key", utf8("secret"));
    await storage.replace("records.log", utf8("public"));
    for (const mode of [0o640, 0o604, 0o660]) {
      await Deno.chmod(`${path}/identity.key`, mode);
      await Deno.chmod(`${path}/records.log`, mode);
      const error = await refusal(() => storage.read("identity.key"));
      assertEquals(error.code, "file-open-to-others");
      assertEquals(
        error.message,
        `"${path}/identity.key" can be read by others; type: chmod 600 ${path}/identity.key`,
      );
      assertEquals(text(await storage.read("records.log")), "public");
    }
    await Deno.chmod(`${path}/identity.key`, 0o600);
    assertEquals(text(await storage.read("identity.key")), "secret");
  }));

Deno.test("a directory that others can enter is refused, but an empty one is closed", {
  ignore: noModes,
}, () =>
  withDirectory(async (path) => {
    await Deno.mkdir(path, { mode: 0o755 });
    await Deno.chmod(path, 0o755);
    const storage = await DirectoryStorage.open(path);
    assertEquals(modeOf(path), 0o700);
    await storage.replace("x", utf8("1"));
    for (const mode of [0o750, 0o707, 0o777]) {
      await Deno.chmod(path, mode);
      const error = await refusal(() => DirectoryStorage.open(path));
      assertEquals(error.code, "directory-open-to-others");
      assertMatch(error.message, new RegExp(`; type: chmod 700 ${path}$`));
    }
  }));

Deno.test(
  "a remedy can be typed as it stands, whatever the path",
  { ignore: noModes },
  () =>
    withDirectory(async (path) => {
      const odd = `${path} it's $HOME; *`;
      await Deno.mkdir(odd);
      await Deno.writeTextFile(`${odd}/file`, "");
      await Deno.chmod(odd, 0o755);
      const { message } = await refusal(() => DirectoryStorage.open(odd));
      const command = message.split("; type: ")[1] ?? fail(message);
      const { success } = await new Deno.Command("sh", { args: ["-c", command] }).output();
      assert(success);
      await DirectoryStorage.open(odd);
    }),
);

Deno.test("links and what is no file are refused, and replacing a link leaves its target alone", {
  ignore: noModes,
}, () =>
  withDirectory(async (path) => {
    const storage = await DirectoryStorage.open(path);
    const target = `${path}.target`;
    await Deno.writeTextFile(target, "theirs");
    await Deno.symlink(target, `${path}/link`);
    await Deno.mkdir(`${path}/directory`);
    assertEquals((await refusal(() => storage.read("link"))).code, "not-a-file");
    assertEquals((await refusal(() => storage.openAppend("link"))).code, "not-a-file");
    assertEquals(await storage.createExclusive("link", utf8("ours")), false);
    assertEquals((await refusal(() => storage.read("directory"))).code, "not-a-file");
    assertEquals((await refusal(() => storage.openAppend("directory"))).code, "not-a-file");
    assertMatch((await refusal(() => storage.read("link"))).message, /it is a symbolic link$/);
    await storage.replace("link", utf8("ours"));
    assertEquals(await Deno.readTextFile(target), "theirs");
    assertEquals(text(await storage.read("link")), "ours");
    const file = `${path}/link`;
    assertEquals((await refusal(() => DirectoryStorage.open(file))).code, "not-a-directory");
    assertEquals((await refusal(() => DirectoryStorage.open(`${file}/x`))).code, "not-a-directory");
  }));

Deno.test("appends land in the order they were asked for, after what was there", () =>
  withDirectory(async (path) => {
    const storage = await DirectoryStorage.open(path);
    const first = await storage.openAppend("log");
    await first.append(utf8("begin "));
    await first.close();
    await first.close();
    const file = await storage.openAppend("log");
    const many = Array.from({ length: 50 }, (_, n) => {
      const bytes = utf8(`${n} `);
      return n % 3 === 0 ? file.append(bytes) : file.appendLazily(bytes);
    });
    // Closing waits for what is under way.
    await Promise.all([...many, file.close()]);
    const expected = `begin ${Array.from({ length: 50 }, (_, n) => `${n} `).join("")}`;
    assertEquals(text(await storage.read("log")), expected);
    await refusal(() => file.append(utf8("late")));
  }));

Deno.test("a disk that is full takes back what a failed append left, and later ones work", {
  ignore: machine.os !== "linux" || Deno.uid() !== 0,
}, () =>
  withDirectory(async (path) => {
    await Deno.mkdir(path, { mode: 0o700 });
    const mount = ["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", path];
    const mounted = await new Deno.Command("mount", { args: mount, stderr: "null" }).output();
    if (!mounted.success) return; // Some containers let nobody mount.
    try {
      const storage = await DirectoryStorage.open(path);
      const file = await storage.openAppend("log");
      await file.append(utf8("begin "));
      const error = await refusal(() => file.append(new Uint8Array(100_000)));
      assertEquals(error.code, "unusable");
      assertMatch(error.message, /^Cannot append to ".*\/log": /);
      await file.append(utf8("end"));
      assertEquals(text(await storage.read("log")), "begin end");
      await refusal(() => storage.replace("other", new Uint8Array(100_000)));
      assertEquals([...Deno.readDirSync(path)].map(({ name }) => name), ["log"]);
      await file.close();
    } finally {
      await new Deno.Command("umount", { args: [path] }).output();
    }
  }));

Deno.test("damaged files are kept under names of their own", () =>
  withDirectory(async (path) => {
    const storage = await DirectoryStorage.open(path);
    for (const [n, name] of ["log.damaged-1", "log.damaged-2", "log.damaged-3"].entries()) {
      await storage.replace("log", utf8(`damage ${n}`));
      assertEquals(await storage.setAside("log"), name);
      assertEquals(text(await storage.read(name)), `damage ${n}`);
    }
    assertEquals(await storage.read("log"), undefined);
    assertMatch((await refusal(() => storage.setAside("none"))).message, /no such file/);
  }));

Deno.test("old leftovers of a crash are removed, nothing else is", () =>
  withDirectory(async (path) => {
    const storage = await DirectoryStorage.open(path);
    await storage.replace("log", utf8("kept"));
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await Deno.writeTextFile(`${path}/.log.1234.tmp`, "half");
    await Deno.utime(`${path}/.log.1234.tmp`, anHourAgo, anHourAgo);
    await Deno.writeTextFile(`${path}/.identity.key.5678.tmp`, "another process writes it now");
    await Deno.writeTextFile(`${path}/.profile`, "a person's");
    assertEquals(await storage.removeLeftovers(), 1);
    assertEquals(
      [...Deno.readDirSync(path)].map(({ name }) => name).sort(),
      [".identity.key.5678.tmp", ".profile", "log"],
    );
  }));
