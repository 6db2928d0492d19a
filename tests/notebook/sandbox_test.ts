/** Notebooks that one does not trust, and what they try. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { runNotebook } from "../../lib/notebook/mod.ts";
import { printed, save, withFiles } from "./_notebook.ts";

/** What a cell may try, and what it is told; `OUT` is outside of its folder. */
const TRIES: Record<string, [source: string, told: RegExp | string]> = {
  "writes beside itself": [`Deno.writeTextFile("a.txt", "1")`, "done"],
  "reads": [`Deno.readTextFile("a.txt")`, "done"],
  "writes outside": [
    `Deno.writeTextFile(OUT + "/x", "1")`,
    /writing .*only in/,
  ],
  "goes up": [`Deno.writeTextFile("../x", "1")`, /writing/],
  "writes by node": [
    `(await import("node:fs")).writeFileSync(OUT + "/x", "1")`,
    /writing/,
  ],
  "makes a link": [`Deno.symlink(OUT, "link")`, /making a link/],
  "makes a hard link": [`Deno.link(OUT + "/secret", "link")`, /writing/],
  "moves out": [`Deno.rename("a.txt", OUT + "/x")`, /writing/],
  "writes what Deno obeys": [
    `Deno.writeTextFile("deno.json", "{}")`,
    /writing/,
  ],
  "writes what git obeys": [`Deno.mkdir(".git")`, /writing/],
  "asks the network": [`fetch("http://127.0.0.1:80")`, /network/],
  "listens": [`Deno.listen({ port: 0 })`, /network/],
  "starts a program": [`new Deno.Command("touch").output()`, /another program/],
  "starts one by node": [
    `(await import("node:child_process")).execSync("touch " + OUT + "/x")`,
    /failed/,
  ],
  "ends a process": [`Deno.kill(Deno.ppid, "SIGTERM")`, /another program/],
  "loads native code": [`Deno.dlopen("libc.so.6", {})`, /native code/],
  "downloads code": [`import("https://deno.land/x.ts")`, /a download/],
  "asks for more": [
    `(await Deno.permissions.request({ name: "write" }), Deno.writeTextFile(OUT + "/x", "1"))`,
    /writing/,
  ],
  "looks for secrets": [
    `(() => { if (Deno.env.get("SECRET_OF_TEST")) return; throw new Error("none"); })()`,
    "none",
  ],
  "looks at its starter": [
    `Deno.readTextFile("/proc/" + Deno.ppid + "/environ")`,
    /reading/,
  ],
  "has a worker do it": [
    `new Promise((done, failed) => {
      const w = new Worker("data:text/javascript," + encodeURIComponent(
        \`try { Deno.writeTextFileSync("\${OUT}/x", "1"); postMessage(""); }
          catch (e) { postMessage(e.message); }\`), { type: "module" });
      w.onmessage = (e) => e.data ? failed(new Error(e.data)) : done();
    })`,
    /writing/,
  ],
  "goes away first": [
    `(Deno.chdir(OUT), Deno.writeTextFile("x", "1"))`,
    /give its whole path/,
  ],
};

Deno.test({
  name: "a notebook in the sandbox writes in its folder, and gets no further",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    Deno.env.set("SECRET_OF_TEST", "1");
    await withFiles(async (file) => {
      const folder = file("inside");
      await Deno.mkdir(folder);
      await Deno.writeTextFile(file("secret"), "");
      const path = join(folder, "a.ipynb");
      const cells = [
        `const OUT = ${JSON.stringify(file("."))};
const attempt = async (what) => {
  try {
    await what();
    console.log("done");
  } catch (e) {
    console.log(e.message.split("\\n")[0]);
  }
};`,
        ...Object.values(TRIES).map(([source]) =>
          `await attempt(async () => await ${source})`
        ),
        `await import("npm:no-such-package-here@1.0.0")`,
      ];
      await save(path, ...cells);
      const { notebook: ran, error } = await runNotebook(path, {
        sandbox: true,
      });
      for (const [i, [name, [, told]]] of Object.entries(TRIES).entries()) {
        const text = printed(ran.cells[i + 1]).trim();
        if (typeof told === "string") assert.equal(text, told, name);
        else assert.match(text, told, `${name}: ${text}`);
      }
      assert.match(error!, /the sandbox downloads nothing/);
      assert.ok(!existsSync(file("x")));

      // A folder that would let it out is refused before anything runs.
      await Deno.symlink(dirname(file(".")), join(folder, "way-out"));
      await assert.rejects(
        runNotebook(path, { sandbox: true }),
        /way-out is a link that leads out/,
      );
      await Deno.remove(join(folder, "way-out"));
      await Deno.writeTextFile(
        join(folder, "deno.json"),
        `{ "allowScripts": ["npm:x"] }`,
      );
      await assert.rejects(
        runNotebook(path, { sandbox: true }),
        /deno\.json has "allowScripts"/,
      );
    });
  },
});
