/** `deno task doctor` on a machine where nearly everything is broken. */
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { failed, tried } from "../tasks/doctor.ts";
import { folderTest as test } from "./_folder.ts";

const ROOT = resolve(import.meta.dirname!, "..");

test("the doctor goes on where a part kills its process, and names the remedy", async (dir) => {
  const files = {
    "deno.json": JSON.stringify({
      imports: { "nodejs-polars": "./dies.ts", "sharp": "./throws.ts" },
    }),
    "dies.ts":
      `Deno.kill(Deno.pid, "SIGKILL"); while (true);\nexport default 0;`,
    "throws.ts": `throw new Error("file too short");\nexport default 0;`,
    "lib/tensorflow/cli.ts": `console.error("error: FERLAB_TENSORFLOW names ` +
      `/x, which does not exist; set it to another");\nDeno.exit(1);`,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(dir, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(dir, name), text);
  }
  const own = ["tasks/doctor.ts", "tasks/chromium.ts"];
  for (const file of [...own, "lib/notebook/kernel/kernelspec.ts"]) {
    await Deno.mkdir(join(dir, file, ".."), { recursive: true });
    await Deno.copyFile(join(ROOT, file), join(dir, file));
  }
  // A kernel that is registered, of a copy that is gone.
  const kernel = join(dir, "jupyter/kernels/deno");
  await Deno.mkdir(kernel, { recursive: true });
  const argv = [Deno.execPath(), "run", "/gone/lib/notebook/kernel/proxy.ts"];
  await Deno.writeTextFile(
    join(kernel, "kernel.json"),
    JSON.stringify({ argv }),
  );
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-R", "-E", "-S", "--allow-run", "tasks/doctor.ts"],
    cwd: dir,
    env: {
      ...{ PATH: dir, FERLAB_DATA_DIR: "" },
      ...{ XDG_CACHE_HOME: join(dir, "deno.json", "cache") },
      ...{ HTTPS_PROXY: "http://me:secret@127.0.0.1:1/" },
      ...{ FERLAB_JUPYTER: "", JUPYTER_DATA_DIR: join(dir, "jupyter") },
      ...{ CHROMIUM: "", FERLAB_CHROMIUM: "" },
    },
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const reinstall =
    "→ remove the folder node_modules and run `deno install --reload`";
  for (
    const part of [
      "ok Deno",
      "–  Node        not found",
      /^NO Python {6}not found → install Python 3\.11/m,
      `NO polars      damaged: it ended with signal SIGKILL ${reinstall}`,
      `NO sharp       file too short ${reinstall}`,
      "which does not exist → set it to another\n",
      "–  Jupyter     not yet; `deno task lab` makes it",
      "NO kernel      /gone/lib/notebook/kernel/proxy.ts is gone → `deno task lab --install`",
      "ok disk",
      /^NO cache {7}cannot write in .*: .* → make room there, or set/m,
      "NO proxy       HTTPS_PROXY: 127.0.0.1:1 does not answer → correct",
      "–  data        none",
      /^\d to mend$/m,
    ]
  ) {
    const found = typeof part === "string"
      ? text.includes(part)
      : part.test(text);
    assert.ok(found, `${part}\n${text}`);
  }
  assert.equal(code, 1);
});

Deno.test("a part that is only slow is no damaged one", async () => {
  const slow = await tried(Deno.execPath(), ["eval", "while (true);"], 50);
  assert.deepEqual(failed("sharp", slow, "reinstall", "cannot start: "), [
    ...["sharp", "wrong", "did not answer in 0.05 s"],
    "try again when the machine is less busy",
  ]);
  const broken = await tried(Deno.execPath(), ["eval", "throw 1;"]);
  assert.deepEqual(failed("sharp", broken, "reinstall", "cannot start: "), [
    ...["sharp", "wrong", "cannot start: 1", "reinstall"],
  ]);
});

test("a task that a signal of damaged code ends says what helps", async (dir) => {
  const file = join(dir, "dies.ts");
  await Deno.writeTextFile(
    file,
    `if (Deno.args[0] === "die") Deno.kill(Deno.pid, "SIGILL");\nDeno.exit(7);`,
  );
  const run = (arg: string) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", join(ROOT, "tasks/guard.ts"), file, arg],
    }).output();
  const { code, stderr } = await run("die");
  assert.equal(code, 128 + 4);
  assert.match(
    new TextDecoder().decode(stderr),
    /SIGILL.*`deno task doctor`/,
  );
  assert.equal((await run("live")).code, 7);
});
