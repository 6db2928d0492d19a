/** The rooms of lib/ import one way; who uses a room does so by its door. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const root = new URL("../", import.meta.url).pathname;

/** What a study is made of. */
const TRAINING = [
  ...["train", "profile", "models", "data", "weights", "faults", "nn"],
  ...["tensorflow", "statistics"],
];

/** Each room and all that it may import, what those import included. */
const ROOMS: Record<string, string[]> = {
  tensorflow: [],
  nn: ["tensorflow"],
  models: ["nn", "tensorflow"],
  weights: [],
  faults: ["weights"],
  data: ["tensorflow", "weights", "faults"],
  statistics: [],
  train: [
    ...["models", "data", "weights", "faults", "nn", "tensorflow"],
    "statistics",
  ],
  trained: [
    ...["train", "models", "data", "weights", "faults", "nn", "tensorflow"],
    "statistics",
  ],
  profile: ["models", "nn", "tensorflow", "statistics"],
  study: TRAINING,
  charts: ["statistics"],
  rows: ["study", "charts", ...TRAINING],
  reports: ["rows", "study", "charts", ...TRAINING],
  explore: ["reports", "rows", "study", "charts", "notebook", ...TRAINING],
  notebook: [],
};

/** The folders of lib/notebook; each imports only those before it. */
const NOTEBOOK = ["file", "code", "kernel", "run", "check", "page", "commands"];

/** The specifiers of all static and dynamic imports; comments do not count. */
function specifiersOf(source: string): string[] {
  const found: string[] = [];
  // Strings and templates are matched first, so that what looks like a
  // comment in them is none.
  const code = source.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, text) => text ?? " ",
  );
  const pattern =
    /(?:^|[\n;}])\s*(?:import|export)\b[^"'`;()=]*?\bfrom\s*["']([^"'\n]+)["']|(?:^|[\n;}])\s*import\s*["']([^"'\n]+)["']|\bimport\s*\(\s*["'`]([^"'`\n]+)["'`]/g;
  for (const match of code.matchAll(pattern)) {
    found.push(match[1] ?? match[2] ?? match[3]);
  }
  return found;
}

/**
 * Whether a file is a room's door for others than rooms: its mod.ts, that of a
 * folder in it, or commands.ts.
 */
const isDoor = (path: string) =>
  /^lib\/\w+\/((\w+\/)*mod|commands)\.ts$/.test(path);

/** Files that look into a room on purpose, and why. */
const LOOKS_IN: Record<string, string> = {
  "tasks/doctor.ts": "works where no package can be loaded",
  "tasks/lab.ts": "starts before any package is there",
  "tests/browser/hand_test.ts": "opens a table as reports write it",
  "tests/explore/board_test.ts": "reads claims as the board's page does",
  "tests/notebooks/display_test.ts": "reads what a terminal shows",
  "tests/study/terminal_test.ts": "reads what a terminal shows",
};

/** What a file imports against the rule, one line each. */
function violations(file: string, source: string): string[] {
  const [own, room] = file.split("/");
  if (file in LOOKS_IN) return [];
  const bad: string[] = [];
  for (const specifier of specifiersOf(source)) {
    if (!specifier.startsWith(".")) continue;
    const target = normalize(join(dirname(file), specifier));
    const [top, other] = target.split("/");
    const says = `${file} imports ${specifier}`;
    if (top !== "lib") {
      if (own === "lib") bad.push(`${says}, which is outside lib/`);
      continue;
    }
    const [from, to] = [file, target].map((path) =>
      path.match(/^lib\/notebook\/(\w+)\//)?.[1] ?? ""
    ).map((folder) => NOTEBOOK.indexOf(folder));
    if (from >= 0 && to > from) {
      bad.push(`${says}, which does not stand before it`);
    }
    // A room's own tests look into it.
    if (own !== "tasks" && other === room || target === "lib/lab.ts") continue;
    if (own === "lib") {
      if (room.endsWith(".ts") ? !ROOMS[other] : !ROOMS[room]) {
        bad.push(`${says}, and no such room is known`);
        continue;
      }
      if (!room.endsWith(".ts") && !ROOMS[room].includes(other)) {
        bad.push(`${says}, which does not stand above it`);
        continue;
      }
    }
    const isOpen = own === "lib"
      ? target === `lib/${other}/mod.ts`
      : isDoor(target);
    if (!isOpen) bad.push(`${says}, which is not that room's door (mod.ts)`);
  }
  return bad;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sources(path);
      return path.endsWith(".ts") ? [path] : [];
    });
}

Deno.test("rooms import rooms above them, tasks and tests any, all by their doors", () => {
  const files = ["lib", "tasks", "tests"].flatMap(sources);
  assert.ok(files.length > 0);
  assert.deepEqual(
    files.flatMap((f) => violations(f, readFileSync(join(root, f), "utf8"))),
    [],
  );
});

Deno.test("docs/architecture.md lists the rooms, each below those that it imports", () => {
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const listed = [...page.matchAll(/^\| `lib\/(\w+)` /gm)].map(([, r]) => r);
  assert.deepEqual(listed.toSorted(), Object.keys(ROOMS).sort());
  const high = listed.filter((room, i) =>
    ROOMS[room].some((other) => listed.indexOf(other) > i)
  );
  assert.deepEqual(high, []);
});

Deno.test("the import check catches each way of breaking the rule", () => {
  const count = (file: string, source: string) =>
    violations(file, source).length;
  const up = "lib/tensorflow/a.ts";
  assert.equal(count(up, `import { x } from "../nn/mod.ts";`), 1);
  assert.equal(count(up, `import type {\n  x,\n} from "../nn/mod.ts";`), 1);
  assert.equal(count(up, `export * from "../train/mod.ts";`), 1);
  assert.equal(count(up, `import "../nn/mod.ts";`), 1);
  assert.equal(count(up, `const m = await import("../nn/mod.ts");`), 1);
  assert.equal(count("lib/nn/a.ts", `import "../tensorflow/ops.ts";`), 1);
  assert.equal(count("lib/charts/a.ts", `import "../../tasks/x.ts";`), 1);
  assert.equal(count("lib/unknown/a.ts", `import "../nn/mod.ts";`), 1);
  assert.equal(count("lib/lab.ts", `import "./nn/layers.ts";`), 1);
  const cells = "lib/notebook/file/cells.ts";
  assert.equal(count(cells, `import "../run/run.ts";`), 1);
  assert.equal(count("tasks/a.ts", `import "../lib/nn/layers.ts";`), 1);
  assert.equal(count("tests/nn/a.ts", `import "../../lib/models/vit.ts";`), 1);
});

Deno.test("the import check lets through what the rule allows", () => {
  const source = `// import "../train/mod.ts";
/* import "../train/mod.ts"; */
import { tf } from "../tensorflow/mod.ts";
import { z } from "zod";
import { a } from "./a.ts";
const url = "https://a.b/c"; const note = "// see";`;
  assert.deepEqual(violations("lib/nn/b.ts", source), []);
  assert.deepEqual(violations("lib/lab.ts", `import "./study/mod.ts";`), []);
  for (const door of ["mod.ts", "store/mod.ts", "commands.ts"]) {
    const task = `import "../lib/study/${door}";`;
    assert.deepEqual(violations("tasks/a.ts", task), []);
  }
  const own =
    `import "../../lib/nn/layers.ts"; import "../../lib/models/mod.ts";`;
  assert.deepEqual(violations("tests/nn/a_test.ts", own), []);
});

Deno.test("commands that look at records or data load no TensorFlow", async () => {
  for (
    const command of [
      ...["list", "show", "compare", "export"].map((name) => `study/${name}`),
      ...["audit", "info", "convert", "cache"].map((name) => `data/${name}`),
    ]
  ) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", `tasks/${command}.ts`],
      cwd: root,
    }).output();
    interface Module {
      specifier: string;
      dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
    }
    const info: { roots: string[]; modules: Module[] } = JSON.parse(
      new TextDecoder().decode(stdout),
    );
    const known = new Map(info.modules.map((m) => [m.specifier, m]));
    const loaded = new Set(info.roots);
    for (const specifier of loaded) {
      for (const d of known.get(specifier)?.dependencies ?? []) {
        if (d.code && !d.isDynamic) loaded.add(d.code.specifier);
      }
    }
    assert.ok(loaded.size > 3, command);
    const found = [...loaded].filter((s) => s.includes("/lib/tensorflow/mod"));
    assert.deepEqual(found, [], command);
  }
});

/** Loads all that a notebook has, and tells the CommonJS packages among it. */
const LOADED = `
import { createRequire } from "node:module";
await import("ferlab");
const require = createRequire(import.meta.url);
const packages = () => [...new Set(Object.keys(require.cache).flatMap((path) =>
  /\\/node_modules\\/\\.deno\\/((?:@[^+/]+\\+)?[^@/]+@[^_/]+)/.exec(path)?.[1] ?? []
))];
const before = packages();
createRequire(require.resolve("@tensorflow/tfjs-node-gpu/package.json"))("rimraf");
console.log(JSON.stringify([before, packages()]));
`;

Deno.test("what tfjs-node-gpu installs itself with is never loaded", async () => {
  interface Lock {
    specifiers: Record<string, string>;
    npm: Record<string, { dependencies?: string[] }>;
  }
  const { specifiers, npm } = JSON.parse(
    readFileSync(join(root, "deno.lock"), "utf8"),
  ) as Lock;
  const named = (dependency: string) =>
    npm[dependency]
      ? dependency
      : Object.keys(npm).find((key) => key.startsWith(`${dependency}@`))!;
  const nameOf = (key: string) => key.replace(/(?<=.)@.*/, "");
  /** The packages that `keys` bring, themselves included. */
  const closure = (keys: string[]) => {
    const all = new Set(keys);
    for (const key of all) {
      npm[key]?.dependencies?.forEach((name) => all.add(named(name)));
    }
    return all;
  };
  const key = Object.keys(npm).find((key) =>
    key.startsWith("@tensorflow/tfjs-node-gpu@")
  )!;
  const used = ["@tensorflow/tfjs", "google-protobuf"];
  const others = Object.entries(specifiers)
    .map(([specifier, version]) =>
      `${specifier.slice(4).replace(/(?<=.)@.*/, "")}@${version}`
    )
    .filter((other) => other !== key);
  const wanted = closure([...others, ...used.map(named)]);
  const unused = [
    ...closure(
      npm[key].dependencies!.filter((name) => !used.includes(name)).map(named),
    ),
  ].filter((key) => !wanted.has(key)).map((key) => key.replace(/_.*/, ""));
  const names = unused.map(nameOf);
  for (const name of ["@mapbox/node-pre-gyp", "tar", "rimraf", "adm-zip"]) {
    assert.ok(names.includes(name), name);
  }

  const imported = ["lib", "tasks", "tests"].flatMap(sources).flatMap((file) =>
    specifiersOf(readFileSync(join(root, file), "utf8"))
  );
  assert.deepEqual(imported.filter((name) => names.includes(name)), []);

  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", LOADED],
    cwd: root,
  }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stderr));
  const [before, after] = JSON.parse(text.decode(stdout).replaceAll("+", "/"));
  const unwanted = (names: string[]) =>
    names.filter((name) => unused.includes(name));
  assert.ok(before.includes(key.replace(/_.*/, "")), before.join());
  assert.deepEqual(unwanted(before), []);
  assert.match(unwanted(after).join(), /rimraf@/, "what is loaded is seen");
});
