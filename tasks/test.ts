/** `deno task test`: static checks, the library, then all tests. */
import { countRun, outputOf } from "./summary.ts";
import {
  checkNotebooks,
  findingText,
  formatNotebook,
} from "../lib/notebook/mod.ts";
import { ensureLibrary } from "../lib/tensorflow/commands.ts";

let passed = 0;
let failed = 0;
let skipped = 0;

function heading(text: string) {
  console.log(`\n== ${text}`);
}

/** Runs one check; what it throws counts as its failure. */
async function step(name: string, work: () => Promise<boolean>) {
  heading(name);
  let good = false;
  try {
    good = await work();
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
  }
  if (good) passed++;
  else failed++;
  console.log(good ? `passed: ${name}` : `FAILED: ${name}`);
  return good;
}

/** Runs Deno with its output shown as it comes. */
async function deno(...args: string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), { args, stdin: "null" });
  return (await command.spawn().status).success;
}

/** So many parts run at once: many tests wait for another program. */
const AT_ONCE = Math.min(2, navigator.hardwareConcurrency);

/** What takes longest begins first, so that no core is left alone at the end. */
const LONGEST = ["study", "notebooks", "notebook", "train", "browser"];

/** What runs as a process of its own: Deno's arguments by what they check. */
function partsOf(): Map<string, string[]> {
  const entries = [...Deno.readDirSync("tests")];
  const rooms = entries.filter((e) => e.isDirectory && e.name !== "fixtures")
    .map((e) => e.name);
  const files = entries.filter((e) => e.name.endsWith("_test.ts"));
  const rank = (name: string) => LONGEST.indexOf(name) >>> 0;
  const test = (...paths: string[]) => ["test", "-A", "--no-check", ...paths];
  return new Map([
    ["types", ["check", "lib", "tasks", "tests"]],
    ...rooms.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
      .map((name) => [`tests/${name}`, test(`tests/${name}/`)] as const),
    ["tests/*", test(...files.map((e) => `tests/${e.name}`))],
  ]);
}

/** Runs all parts and shows the output of each at its end. */
async function runParts(parts: Map<string, string[]>) {
  const left = [...parts];
  const work = async () => {
    for (let part; (part = left.shift());) {
      const [name, args] = part;
      console.log(`running ${name}`);
      const { output, code } = await outputOf(args);
      heading(name);
      console.log(output.trim());
      const isGood = code === 0;
      const counts = args[0] === "test"
        ? countRun(output, code)
        : { passed: +isGood, failed: +!isGood, skipped: 0 };
      passed += counts.passed;
      failed += counts.failed;
      skipped += counts.skipped;
      if (counts.failed > 0) console.log(`FAILED: ${name}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Runs everything and exits. */
async function main() {
  Deno.chdir(new URL("..", import.meta.url).pathname);

  await step("format", () => deno("fmt", "--check"));
  await step("lint", () => deno("lint"));
  const notebooks = [...Deno.readDirSync("notebooks")]
    .filter(({ name }) => name.endsWith(".ipynb"))
    .map(({ name }) => `notebooks/${name}`).sort();
  await step(`format of ${notebooks.length} notebooks`, async () => {
    const lines: string[] = [];
    for (const file of notebooks) {
      const { changed, errors } = await formatNotebook(file, { check: true });
      lines.push(...errors.map((error) => `${file} ${error}`));
      // Code stays as it was laid out for its readers: a grid a profile in a
      // line, an import of thirty names in five.
      lines.push(
        ...changed.filter((cell) => cell.startsWith("markdown"))
          .map((cell) => `${file} ${cell}: not formatted`),
      );
    }
    lines.forEach((line) => console.log(line));
    return !lines.length;
  });
  await step(`check of ${notebooks.length} notebooks`, async () => {
    const findings = await checkNotebooks(notebooks);
    for (const finding of findings) console.log(findingText(finding));
    return !findings.length;
  });
  const ready = await step("TensorFlow", async () => {
    const { dir, version } = await ensureLibrary();
    console.log(`libtensorflow ${version ?? "of unknown version"} in ${dir}`);
    return true;
  });
  heading("types and tests");
  const parts = partsOf();
  await runParts(ready ? parts : new Map([...parts].slice(0, 1)));

  const left = skipped ? `, ${skipped} skipped` : "";
  console.log(`\n${passed} passed, ${failed} failed${left}`);
  Deno.exit(failed > 0 ? 1 : 0);
}

// `deno test` without a path takes this file for a test, by its name.
if (import.meta.main) await main();
