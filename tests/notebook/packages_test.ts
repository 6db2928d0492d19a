/** Notebooks that import what a frozen deno.lock does not have. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  rerunCells,
  runNotebook,
  startSession,
  stopSession,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { code, notebook, printed } from "./_notebook.ts";
import { inFolder } from "../_folder.ts";

/** A registry of two packages on this machine, in an empty cache of Deno's. */
async function withRegistry(work: (dir: string) => Promise<void>) {
  await inFolder(async (dir) => {
    const tarballs = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const name of ["tiny", "small"]) {
      const folder = join(dir, "sources", name, "package");
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(
        join(folder, "package.json"),
        JSON.stringify({ name, version: "1.0.0", type: "module" }),
      );
      await Deno.writeTextFile(
        join(folder, "index.js"),
        `export default "${name}";`,
      );
      const tar = await new Deno.Command("tar", {
        args: ["-C", join(folder, ".."), "-czf", "-", "package"],
      }).output();
      tarballs.set(name, tar.stdout);
    }
    const server = Deno.serve({
      port: 0,
      hostname: "127.0.0.1",
      onListen() {},
    }, (request) => {
      const { origin, pathname } = new URL(request.url);
      const [, name, tgz] = pathname.split("/");
      const tarball = tarballs.get(name);
      if (!tarball) return new Response("no such package", { status: 404 });
      if (tgz) return new Response(tarball);
      const integrity = "sha512-" +
        createHash("sha512").update(tarball).digest("base64");
      const version = "1.0.0";
      const dist = { tarball: `${origin}/${name}/${name}.tgz`, integrity };
      return Response.json({
        name,
        versions: { [version]: { name, version, dist } },
        "dist-tags": { latest: version },
      });
    });
    const set = {
      NPM_CONFIG_REGISTRY: `http://127.0.0.1:${server.addr.port}/`,
      DENO_DIR: join(dir, "cache"),
    };
    const before = Object.keys(set).map((n) => [n, Deno.env.get(n)] as const);
    for (const [name, value] of Object.entries(set)) Deno.env.set(name, value);
    try {
      await work(dir);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
      await server.shutdown();
    }
  });
}

/** Runs cells in a project whose lock is frozen; what was warned of. */
async function run(dir: string, ...cells: string[]) {
  const warnings: string[] = [];
  const file = join(dir, "n.ipynb");
  await writeNotebook(file, notebook(...cells.map((source) => code(source))));
  const { ok, error, notebook: ran } = await runNotebook(file, {
    onEvent: (e) => e.type === "warning" && warnings.push(e.message),
  });
  const outputs = ran.cells.map((cell) => printed(cell).trim());
  return { ok, error, warnings, outputs };
}

Deno.test("a notebook's packages are added to a frozen lock, once, and told", () =>
  withRegistry(async (dir) => {
    await Deno.writeTextFile(
      join(dir, "deno.json"),
      `{
  // as in FERLab's own
  "lock": { "frozen": true },
}`,
    );
    const lock = join(dir, "deno.lock");
    await Deno.writeTextFile(lock, `{ "version": "5" }`);
    await Deno.writeTextFile(
      join(dir, "m.ts"),
      `export { default as small } from "npm:small@1";`,
    );
    const cells = [
      `import tiny from "npm:tiny@1.0.0";\nconsole.log(tiny);`,
      `import { small } from "./m.ts";\nconsole.log(small);`,
    ];
    const first = await run(dir, ...cells);
    assert.deepEqual([first.error, first.outputs], [
      undefined,
      ["tiny", "small"],
    ]);
    assert.equal(first.warnings.length, 1);
    assert.match(
      first.warnings[0],
      /deno\.lock is frozen and has npm:tiny@1\.0\.0, npm:small@1 from now on/,
    );
    const text = await Deno.readTextFile(lock);
    const { specifiers, npm } = JSON.parse(text);
    assert.deepEqual(specifiers, {
      "npm:small@1": "1.0.0",
      "npm:tiny@1.0.0": "1.0.0",
    });
    assert.match(npm["tiny@1.0.0"].integrity, /^sha512-/);
    const second = await run(dir, ...cells);
    assert.deepEqual([second.ok, second.warnings], [true, []]);
    assert.equal(await Deno.readTextFile(lock), text);
  }));

Deno.test("a package that a frozen lock cannot get is named, and the remedy", () =>
  withRegistry(async (dir) => {
    const config = `{ "lock": { "frozen": true } }`;
    await Deno.writeTextFile(join(dir, "deno.json"), config);
    await Deno.writeTextFile(join(dir, "deno.lock"), `{ "version": "5" }`);
    const { error, warnings } = await run(dir, `import "npm:absent@1";`);
    assert.match(warnings[0], /lacks npm:absent@1, which cannot be added: ./);
    assert.match(error!, /cell 1: .*`deno cache --frozen=false npm:absent@1`/);
  }));

Deno.test("where the lock is not frozen nothing is added or told", () =>
  withRegistry(async (dir) => {
    await Deno.writeTextFile(join(dir, "deno.json"), "{}");
    const { ok, warnings } = await run(dir, `import "npm:tiny@1.0.0";`);
    assert.deepEqual([ok, warnings], [true, []]);
  }));

Deno.test("a session admits its notebook's packages before its kernel starts", () =>
  withRegistry(async (dir) => {
    const before = Deno.env.get("XDG_RUNTIME_DIR");
    Deno.env.set("XDG_RUNTIME_DIR", dir);
    try {
      const config = `{ "lock": { "frozen": true } }`;
      await Deno.writeTextFile(join(dir, "deno.json"), config);
      await Deno.writeTextFile(join(dir, "deno.lock"), `{ "version": "5" }`);
      const file = join(dir, "n.ipynb");
      const importing = (name: string) =>
        writeNotebook(
          file,
          notebook(
            code(`import it from "npm:${name}@1.0.0";\nconsole.log(it);`),
          ),
        );
      await importing("tiny");
      const warnings: string[] = [];
      const told = (w: string) => warnings.push(w);
      const session = await startSession(file, told);
      try {
        assert.match(
          warnings.join(),
          /is frozen and has npm:tiny@1\.0\.0 from/,
        );
        const kept = { cells: ["1"], out: join(dir, "out.ipynb") };
        const one = await rerunCells(file, kept);
        assert.deepEqual([one.ok, one.error], [true, undefined]);
        // The kernel keeps the lock file that it began with.
        await importing("small");
        const two = await rerunCells(file, kept);
        assert.match(two.error!, /npm:small@1\.0\.0`, then a new kernel/);
      } finally {
        await stopSession(session);
      }
    } finally {
      if (before === undefined) Deno.env.delete("XDG_RUNTIME_DIR");
      else Deno.env.set("XDG_RUNTIME_DIR", before);
    }
  }));

Deno.test("a lock file that is none is named", () =>
  withRegistry(async (dir) => {
    const config = `{ "lock": { "frozen": true } }`;
    await Deno.writeTextFile(join(dir, "deno.json"), config);
    for (const text of ["{ broken", "", "null", "[]"]) {
      await Deno.writeTextFile(join(dir, "deno.lock"), text);
      await assert.rejects(run(dir, `import "npm:tiny@1";`), {
        message: /deno\.lock.*(mend it, or remove it|may be corrupt)/,
      });
    }
  }));
