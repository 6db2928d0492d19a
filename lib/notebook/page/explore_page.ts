/**
 * What makes a page of a report one that can be asked: the data that its
 * outputs have for it, unread, and the script of lib/explore/page, both
 * compressed. A loader that the page's policy allows by its hash starts the
 * script, which it allows by its own.
 */
import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const root = resolve(import.meta.dirname!, "../../..");

/** The media type of what lib/explore puts beside an output's HTML. */
const TYPE = "application/vnd.ferlab.explore+json";
/** Characters of compressed data that no report needs. */
const MOST = 20_000_000;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What a page's outputs hold for its script. */
export class Explored {
  readonly #outputs = new Map<string, { ids: string[]; asked: string }>();
  readonly #trials = new Set<string>();

  /**
   * Takes an output's data, if it has any: texts that nobody reads here. Gives
   * the output's HTML for a page, where that is another than a front end's.
   */
  take(id: string, data: Record<string, unknown>): string | undefined {
    const given = data[TYPE] as Record<string, unknown> | null | undefined;
    if (typeof given !== "object" || given === null) return;
    const { version, asked, trials, picture } = given;
    const isText = (text: unknown): text is string =>
      typeof text === "string" && text.length <= MOST && BASE64.test(text);
    if (version !== 1 || !isText(asked)) return;
    if (isText(trials)) this.#trials.add(trials);
    const known = this.#outputs.get(asked);
    if (known) known.ids.push(id);
    else this.#outputs.set(asked, { ids: [id], asked });
    return typeof picture === "string" ? picture : undefined;
  }

  get isEmpty(): boolean {
    return this.#trials.size === 0;
  }

  /** The page's data, as text that ends no script element. */
  json(script: string): string {
    return JSON.stringify({
      outputs: [...this.#outputs.values()],
      trials: [...this.#trials],
      script: gzipSync(script, { level: 9 }).toString("base64"),
    });
  }
}

/** Starts the script when it is asked for, and not before. */
export const LOADER = `(() => {
"use strict";
const tools = document.querySelector(".tools");
const button = document.createElement("button");
button.type = "button";
button.className = "ask";
button.textContent = "Question this report";
button.setAttribute("aria-expanded", "false");
tools.prepend(button);
const load = async (isOpen, trial) => {
  document.removeEventListener("click", pick);
  button.removeEventListener("click", first);
  try {
    const held = JSON.parse(document.getElementById("explore--data").textContent);
    const bytes = Uint8Array.from(atob(held.script), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.body.append(script);
    await ferlabAsk(isOpen, trial);
  } catch (error) {
    const note = document.createElement("p");
    note.className = "note";
    note.setAttribute("role", "alert");
    note.textContent = "This report cannot be questioned, and stands as it is written: " +
      String(error?.message ?? error).split("\\n")[0].slice(0, 200);
    button.replaceWith(note);
  }
};
const first = () => load(true);
button.addEventListener("click", first);
const pick = (event) => {
  const trial = event.target.closest?.("[data-trial]")?.dataset.trial;
  if (trial !== undefined) load(true, trial);
};
document.addEventListener("click", pick);
if (location.hash.startsWith("#ask=")) load(false);
})();`;

/** The page's data and loader; both scripts for its policy. */
export async function exploreParts(
  of: Explored,
): Promise<{ html: string; scripts: string[] }> {
  const script = await pageScript();
  const html =
    `<script type="application/json" id="explore--data">${of.json(script)}` +
    `</script>\n<script>${LOADER}</script>`;
  return { html, scripts: [LOADER, script] };
}

const lib = join(root, "lib");
/** Whose modules the script is made of. */
const ROOMS = ["explore", "reports", "rows", "charts", "statistics", "study"];
/** Stands in for what a browser has of its own, or has no need of. */
const STANDS_IN: Record<string, string> = {
  linkedom: "explore/page/document.ts",
  "node:crypto": "explore/page/hash.ts",
  zod: "explore/page/schemas.ts",
};

/** The sources' hash, by which a script that was made is known again. */
async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  const files = [
    ...[join(root, "deno.lock"), import.meta.filename!],
    ...globSync(ROOMS.map((room) => join(lib, room, "**/*.ts"))),
  ];
  for (const file of files.sort()) hash.update(await Deno.readFile(file));
  return hash.digest("hex").slice(0, 16);
}

/** The script of lib/explore/page, made once of its sources. */
export async function pageScript(): Promise<string> {
  const file = join(root, ".ferlab", `explore-${await sourcesHash()}.js`);
  try {
    return await Deno.readTextFile(file);
  } catch { /* it is made */ }
  const script = await bundled();
  await Deno.mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${Deno.pid}.tmp`;
  await Deno.writeTextFile(partial, script);
  await Deno.rename(partial, file);
  return script;
}

async function bundled(): Promise<string> {
  const esbuild = await import("esbuild");
  try {
    const { outputFiles: [{ text }] } = await esbuild.build({
      entryPoints: [join(lib, "explore/page/main.ts")],
      ...{ bundle: true, write: false, minify: true, format: "esm" },
      ...{ target: "es2022", absWorkingDir: root, legalComments: "none" },
      ...{ charset: "utf8", logLevel: "silent" },
      plugins: [{
        name: "what a page needs",
        setup(build) {
          build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
            if (kind === "entry-point" || !importer.startsWith(lib)) return;
            const isOfCharts = importer.startsWith(join(lib, "charts"));
            if (path === "zod" || path in STANDS_IN && isOfCharts) {
              return { path: join(lib, STANDS_IN[path]), sideEffects: false };
            }
            // Of a module only what is used: none does anything by itself.
            if (path.startsWith(".")) {
              return { path: join(importer, "..", path), sideEffects: false };
            }
            if (/^(d3|@observablehq\/plot)$/.test(path)) return;
            return { path, namespace: "nothing", sideEffects: false };
          });
          build.onLoad(
            { filter: /.*/, namespace: "nothing" },
            () => ({ contents: "module.exports = {}", loader: "js" }),
          );
        },
      }],
    });
    // Nothing is exported; as a module it would start later than it is asked to.
    return `(() => {${text}})();`;
  } finally {
    await esbuild.stop();
  }
}
