/** The pages name files, functions, folders and headings that are there. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = new URL("../", import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), "utf8");
const namesIn = (folder: string) => readdirSync(join(root, folder));

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "data/README.md"],
  ...namesIn("docs").filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const sources = ["lib", "tasks", "tests"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path}`)
);
/** Files and folders of a name, which a page may shorten from the left. */
const placesOf = (name: string) =>
  sources.filter((path) => `/${path}`.endsWith(`/${name.replace(/\/$/, "")}`));

Deno.test("docs/architecture.md names files that are there, and functions that their files have", () => {
  const page = read("docs/architecture.md").replace(/\s+/g, " ");
  const names = [
    ...page.matchAll(/`((?:lib|tasks|tests)\/[\w/.]+|[\w/]+\.ts)`/g),
  ]
    .map(([, name]) => name).filter((name) => !name.includes("NAME"));
  assert.ok(names.length > 60);
  assert.deepEqual(names.filter((name) => placesOf(name).length === 0), []);
  // `splitsOf` (`read/dataset_of.ts`), `update` in `step.ts`
  const pairs = [...page.matchAll(/`(\w+)` (?:\(|in )`([\w/]+\.ts)`/g)];
  assert.ok(pairs.length > 20);
  for (const [text, name, file] of pairs) {
    const isThere = placesOf(file)
      .some((path) => new RegExp(`\\b${name}\\b`).test(read(path)));
    assert.ok(isThere, text);
  }
});

/** Without what is shown as code. */
const textOf = (page: string) =>
  read(page).replace(/^```[^]*?^```/gm, "").replace(/`[^`]*`/g, "");

/** A heading as links name it. */
const anchorOf = (heading: string) =>
  heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");

Deno.test("links between the pages lead somewhere", () => {
  const broken = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/g)]
      .filter(([, path, anchor]) => {
        const target = path === "" ? page : join(dirname(page), path);
        if (!existsSync(join(root, target))) return true;
        if (!anchor || !target.endsWith(".md")) return false;
        const headings = [...read(target).matchAll(/^#+ (.*)$/gm)];
        return !headings.some(([, heading]) => anchorOf(heading) === anchor);
      })
      .map(([link]) => `${page}: ${link}`)
  );
  assert.deepEqual(broken, []);
});

Deno.test("README.md links every notebook", () => {
  const page = read("README.md");
  const notebooks = namesIn("notebooks")
    .filter((name) => /^[^.]+\.ipynb$/.test(name));
  assert.ok(notebooks.length > 0);
  assert.deepEqual(
    notebooks.filter((name) => !page.includes(`(notebooks/${name})`)),
    [],
  );
});
