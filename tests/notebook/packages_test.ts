/** Notebooks that import what a frozen deno.lock does not have. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  rerunCells,
  runNotebook,
  startSession,
  stopSession,
} from "../../lib/notebook/mod.ts";
import { printed, save } from "./_notebook.ts";
import { withEnv } from "../_env.ts";
import { inFolder } from "../_folder.ts";

/** The answers of a registry that has these packages, in version 1.0.0. */
function registry(tarballs: Map<string, Uint8Array<ArrayBuffer>>) {
  return (request: Request): Response => {
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
  };
}

const FROZEN = `{
  // as in FERLab's own
  "lock": { "frozen": true },
}`;

/**
 * A project with this deno.json and deno.lock, a registry of two packages on
 * this machine, and an empty cache of Deno's.
 */
async function withRegistry(
  config: string,
  lock: string | undefined,
  work: (dir: string) => Promise<void>,
) {
  await inFolder(async (dir) => {
    await Deno.writeTextFile(join(dir, "deno.json"), config);
    if (lock) await Deno.writeTextFile(join(dir, "deno.lock"), lock);
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
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      registry(tarballs),
    );
    await withEnv({
      NPM_CONFIG_REGISTRY: `http://127.0.0.1:${server.addr.port}/`,
      DENO_DIR: join(dir, "cache"),
      XDG_RUNTIME_DIR: dir,
    }, () => work(dir));
  });
}
const EMPTY_LOCK = `{ "version": "5" }`;

const write = (dir: string, ...sources: string[]) =>
  save(join(dir, "n.ipynb"), ...sources);

/** Runs cells of a project; what was warned of. */
async function run(dir: string, ...cells: string[]) {
  const warnings: string[] = [];
  await write(dir, ...cells);
  const { ok, error, notebook: ran } = await runNotebook(join(dir, "n.ipynb"), {
    onEvent: (e) => e.type === "warning" && warnings.push(e.message),
  });
  const outputs = ran.cells.map((cell) => printed(cell).trim());
  return { ok, error, warnings, outputs };
}

Deno.test("a notebook's packages are added to a frozen lock, once, and told", () =>
  withRegistry(FROZEN, EMPTY_LOCK, async (dir) => {
    await Deno.writeTextFile(
      join(dir, "m.ts"),
      `export { default as small } from "npm:small@1";`,
    );
    const cells = [
      `import tiny from "npm:tiny@1.0.0";\nconsole.log(tiny);`,
      `import { small } from "./m.ts";\nconsole.log(small);`,
    ];
    const first = await run(dir, ...cells);
    assert.equal(first.error, undefined);
    assert.deepEqual(first.outputs, ["tiny", "small"]);
    assert.equal(first.warnings.length, 1);
    assert.match(
      first.warnings[0],
      /deno\.lock is frozen and has npm:tiny@1\.0\.0, npm:small@1 from now on/,
    );
    const text = await Deno.readTextFile(join(dir, "deno.lock"));
    const { specifiers, npm } = JSON.parse(text);
    assert.deepEqual(specifiers, {
      "npm:small@1": "1.0.0",
      "npm:tiny@1.0.0": "1.0.0",
    });
    assert.match(npm["tiny@1.0.0"].integrity, /^sha512-/);
    const second = await run(dir, ...cells);
    assert.deepEqual([second.ok, second.warnings], [true, []]);
    assert.equal(await Deno.readTextFile(join(dir, "deno.lock")), text);

    // One that cannot be got is named, and the remedy.
    const none = await run(dir, `import "npm:absent@1";`);
    assert.match(
      none.warnings[0],
      /lacks npm:absent@1, which cannot be added: ./,
    );
    assert.match(
      none.error!,
      /cell 1: .*`deno cache --frozen=false npm:absent@1`/,
    );

    for (const text of ["{ broken", "", "null", "[]"]) {
      await Deno.writeTextFile(join(dir, "deno.lock"), text);
      await assert.rejects(run(dir, `import "npm:small@1";`), {
        message: /deno\.lock.*(mend it, or remove it|may be corrupt)/,
      });
    }
  }));

Deno.test("where the lock is not frozen nothing is added or told", () =>
  withRegistry("{}", undefined, async (dir) => {
    const { ok, warnings } = await run(dir, `import "npm:tiny@1.0.0";`);
    assert.deepEqual([ok, warnings], [true, []]);
  }));

Deno.test("a session admits its notebook's packages before its kernel starts", () =>
  withRegistry(FROZEN, EMPTY_LOCK, async (dir) => {
    const file = join(dir, "n.ipynb");
    const importing = (name: string) =>
      write(dir, `import it from "npm:${name}@1.0.0";\nconsole.log(it);`);
    await importing("tiny");
    const warnings: string[] = [];
    const session = await startSession(file, (w) => warnings.push(w));
    try {
      assert.match(warnings.join(), /is frozen and has npm:tiny@1\.0\.0 from/);
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
  }));
