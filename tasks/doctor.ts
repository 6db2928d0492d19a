/**
 * `deno task doctor`: what is right on this machine, and what mends the rest.
 * It works where things are broken: it needs no package, and tries each native
 * part in a process of its own.
 */
import { existsSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { findChromium } from "./chromium.ts";
import {
  isOurs,
  jupyterData,
  registered,
} from "../lib/notebook/kernel/kernelspec.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const DENO = "2.9.6";
const SPACE = 2; // GB that an install and a few runs need
const LIMIT = 60_000; // ms that a part may take to load
const ANSWER = 5000; // ms that a proxy may take, from when it is asked
const CACHE = Deno.env.get("XDG_CACHE_HOME") ??
  join(Deno.env.get("HOME") ?? "", ".cache");

/** How a part is; `absent`: it is not there, and not needed for most. */
type State = "right" | "wrong" | "absent";
/** One line: the part, how it is, what is to be said and done. */
type Told = [part: string, state: State, text: string, remedy?: string];

const PACKAGES = "remove the folder node_modules and run " +
  "`deno install --reload`";
const BUSY = "try again when the machine is less busy";
const LIBRARY = "`deno task tf install` (with --gpu for that build)";

interface Ended {
  ok: boolean;
  out: string;
  /** how it failed, in one line */
  why: string;
  /** it took too long, which says nothing else of it */
  isSlow?: boolean;
}

/** Runs a program; never throws, and never waits for longer than `limit`. */
export async function tried(
  program: string,
  args: string[],
  limit = LIMIT,
): Promise<Ended> {
  const text = (bytes: Uint8Array) =>
    // deno-lint-ignore no-control-regex
    new TextDecoder().decode(bytes).replace(/\x1b\[[\d;]*m/g, "").trim();
  const late = AbortSignal.timeout(limit);
  try {
    const { success, signal, code, stdout, stderr } = await new Deno.Command(
      program,
      {
        args,
        cwd: ROOT,
        env: { NO_COLOR: "1" },
        stdin: "null",
        signal: late,
      },
    ).output();
    const lines = text(stderr).split("\n");
    const told = lines.find((l) => /error/i.test(l)) ?? lines.at(-1);
    const isSlow = late.aborted && !success;
    const why = isSlow
      ? `did not answer in ${limit / 1000} s`
      : signal
      ? `damaged: it ended with signal ${signal}`
      : told?.replace(
        /^error: (Uncaught (\(in promise\) )?)?(\w*Error: )?/,
        "",
      ) ||
        `exit code ${code}`;
    return { ok: success, out: text(stdout), why, isSlow };
  } catch (e) {
    const why = e instanceof Deno.errors.NotFound
      ? "not found"
      : (e as Error).message.split("\n")[0];
    return { ok: false, out: "", why };
  }
}

/** Runs code in a Deno of its own. */
const inDeno = (code: string) => tried(Deno.execPath(), ["eval", code]);

/** A part that failed, or of which only its slowness is known. */
export const failed = (
  part: string,
  { why, isSlow }: Pick<Ended, "why" | "isSlow">,
  remedy: string,
  about = "",
): Told => [
  part,
  "wrong",
  isSlow ? why : about + why,
  isSlow ? BUSY : remedy,
];

function deno(): Told {
  const { deno, typescript } = Deno.version;
  return deno === DENO
    ? ["Deno", "right", `${deno}, TypeScript ${typescript}`]
    : ["Deno", "wrong", `${deno}`, `\`npm i -g deno@${DENO}\`; others differ`];
}

async function node(): Promise<Told> {
  const { out, why, isSlow } = await tried("node", ["--version"]);
  return /^v\d/.test(out) // without one Deno itself answers
    ? ["Node", "right", out]
    : [
      "Node",
      "absent",
      `${isSlow ? why : "not found"}; only \`npx deno\` needs it`,
    ];
}

async function python(): Promise<Told> {
  const remedy = "install Python 3.11 or newer with pip and venv " +
    "(`apt-get install python3 python3-pip python3-venv`)";
  const { ok, out, ...how } = await tried("python3", [
    "-c",
    "import sys, pip, venv; print(*sys.version_info[:3], sep='.'); " +
    "sys.exit(sys.version_info < (3, 11))",
  ]);
  return ok
    ? ["Python", "right", `${out} with pip and venv`]
    : failed("Python", out ? { why: out } : how, remedy);
}

/** Packages with machine code in them: what makes them do something. */
const NATIVE = {
  polars: `import polars from "nodejs-polars";
    if (polars.DataFrame({ a: [1, 2] }).height !== 2) throw new Error("wrong");`,
  sharp: `import sharp from "sharp";
    const background = "red";
    const create = { width: 8, height: 8, channels: 3, background };
    await sharp(await sharp({ create }).jpeg().toBuffer()).raw().toBuffer();`,
};

async function native(name: keyof typeof NATIVE): Promise<Told> {
  const { ok, ...how } = await inDeno(NATIVE[name]);
  return ok ? [name, "right", "works"] : failed(name, how, PACKAGES);
}

async function packages(): Promise<Told> {
  let names: string[];
  try {
    const config = readFileSync(join(ROOT, "deno.json"), "utf8");
    const imports = JSON.parse(config).imports as Record<string, string>;
    names = Object.keys(imports).filter((name) =>
      imports[name].startsWith("npm:") &&
      !/^@tensorflow\/tfjs-node|polars|sharp/.test(name)
    );
  } catch (e) {
    return ["packages", "wrong", `deno.json: ${(e as Error).message}`];
  }
  const { ok, out, ...how } = await inDeno(
    `for (const name of ${JSON.stringify(names)}) try { await import(name); }
     catch (e) { console.log(name + ": " + e.message.split("\\n")[0]); }`,
  );
  return ok && !out
    ? ["packages", "right", `${names.length} load`]
    : failed("packages", out ? { why: out.split("\n")[0] } : how, PACKAGES);
}

/** What `deno task tf info` says, by its labels. */
async function tensorflow(): Promise<Told[]> {
  const { ok, out, why, isSlow } = await tried(Deno.execPath(), [
    ...["run", "--allow-all", join(ROOT, "lib/tensorflow/cli.ts"), "info"],
    ...["--verify"],
  ]);
  const of = (label: string) =>
    out.split("\n").filter((l) => l.startsWith(label))
      .map((l) => l.slice(label.length).trim());
  const told: Told[] = [];
  const [model] = of("CPU "), [features] = of("features");
  if (model) told.push(["CPU", "right", `${model}: ${features}`]);
  const [engine] = of("engine");
  const wrong = engine ?? (ok ? undefined : why);
  // A wrong setting says itself what mends it.
  const [, setting] = /; (set it to .*)$/.exec(wrong ?? "") ?? [];
  const remedy = setting ??
    (/signal|install/.test(wrong ?? "") || engine ? LIBRARY : PACKAGES);
  told.push(
    wrong === undefined
      ? ["TensorFlow", "right", `${of("version")[0]} in ${of("library")[0]}`]
      : failed(
        "TensorFlow",
        { why: wrong.replace(/; (run `|set it to ).*/, ""), isSlow },
        remedy,
      ),
  );
  if (wrong !== undefined) return told;
  const [kernels] = of("kernels");
  told.push(
    kernels?.startsWith("/")
      ? ["kernels", "right", "FERLab's own, compiled here"]
      : ["kernels", "absent", kernels ?? "TensorFlow's own, which are slower"],
  );
  const precision = of("precision");
  const timed = precision.filter((l) => / images: /.test(l));
  const how = (name: string) => timed.filter((l) => l.startsWith(name)).length;
  told.push([
    "precision",
    "right",
    timed.length
      ? `timed here: float32 for ${how("float32")} nets, bfloat16 for ` +
        `${how("bfloat16")} (\`deno task tf info\` lists them)`
      : precision[0] ?? "float32",
  ]);
  const gpus = of("device").filter((l) => l.startsWith("GPU"));
  const { ok: driver, out: found } = await tried("nvidia-smi", ["-L"]);
  const card = driver ? found.split("\n")[0].replace(/ \(UUID.*/, "") : "";
  told.push(
    gpus.length
      ? ["GPU", "right", card || `${gpus.length} in use`]
      : card
      ? ["GPU", "wrong", `${card}, not used`, "`deno task tf install --gpu`"]
      : ["GPU", "absent", "none (no NVIDIA driver answers)"],
  );
  for (const line of of("CUDA")) {
    if (!/missing|cannot/.test(line)) continue;
    told.push(["CUDA", "wrong", line, "`deno task tf install --gpu`"]);
  }
  return told;
}

async function chromium(): Promise<Told> {
  const place = findChromium();
  const { ok, out, why } = place
    ? await tried(place, ["--version"])
    : { ok: false, out: "", why: "not found" };
  if (ok) return ["Chromium", "right", out];
  const text = `${why}; only tests in a browser need it`;
  return ["Chromium", "absent", `${text} (\`apt-get install chromium\`)`];
}

async function jupyter(): Promise<Told> {
  const folder = join(CACHE, "ferlab");
  const venv = existsSync(folder)
    ? readdirSync(folder).find((name) => name.startsWith("venv-jupyterlab-"))
    : undefined;
  const given = Deno.env.get("FERLAB_JUPYTER");
  const path = given ?? (venv && join(folder, venv, "bin", "python"));
  if (!path) {
    return ["Jupyter", "absent", "not yet; `deno task lab` makes it"];
  }
  const { ok, out, ...how } = await tried(path, [
    ...["-m", "jupyterlab", "--version"],
  ]);
  if (ok) return ["Jupyter", "right", `JupyterLab ${out} in ${path}`];
  const remedy = given
    ? "FERLAB_JUPYTER must name a Python that has JupyterLab"
    : `remove ${join(folder, venv!)} and run \`deno task lab\``;
  return failed("Jupyter", how, remedy, `${path}: `);
}

async function kernels(): Promise<Told> {
  const data = jupyterData();
  const argv = await registered(data);
  if (!argv) {
    const text =
      "none for this user; `deno task lab` needs none, other front " +
      "ends do (`deno task lab --install`)";
    return ["kernel", "absent", text];
  }
  if (!isOurs(argv)) {
    const text = `"deno" in ${data} is another: ${argv.join(" ")}`;
    return ["kernel", "absent", `${text} (\`deno task lab --install\`)`];
  }
  const lost = argv.find((word) => /^\/|^\w:/.test(word) && !existsSync(word));
  return lost
    ? ["kernel", "wrong", `${lost} is gone`, "`deno task lab --install`"]
    : ["kernel", "right", `"deno" in ${data} is FERLab's`];
}

/** Whether there is room in a folder, tried by a file in it. */
async function disk(
  part: string,
  folder: string,
  remedy: string,
): Promise<Told> {
  while (!existsSync(folder)) folder = dirname(folder);
  let gb: number;
  try {
    const { bavail, bsize } = statfsSync(folder);
    gb = Math.floor(bavail * bsize / 1e9);
  } catch (e) {
    return [part, "wrong", (e as Error).message, remedy];
  }
  const { ok, ...how } = await inDeno(
    `const file = Deno.makeTempFileSync({ dir: ${JSON.stringify(folder)} });
     try { Deno.writeTextFileSync(file, "0".repeat(1e6)); }
     finally { Deno.removeSync(file); }`,
  );
  return !ok
    ? failed(part, how, remedy, `cannot write in ${folder}: `)
    : gb < SPACE
    ? [part, "wrong", `${gb} GB free at ${folder}`, `free ${SPACE} GB`]
    : [part, "right", `${gb} GB free at ${folder}`];
}

/** The proxy that downloads go by, where the environment names one. */
async function proxy(): Promise<Told[]> {
  const name = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
    .find((name) => Deno.env.get(name));
  if (!name) return [];
  const given = Deno.env.get(name)!;
  const { protocol, hostname, port } =
    URL.parse(/:\/\//.test(given) ? given : `http://${given}`) ?? {};
  const at = Number(port || (protocol === "https:" ? 443 : 80));
  const { ok, isSlow, why } = await inDeno(
    `setTimeout(() => Deno.exit(1), ${ANSWER});
     await Deno.connect(${JSON.stringify({ hostname, port: at })});
     Deno.exit();`,
  );
  const told = `${name}: ${hostname}:${at}`; // its password is not shown
  return [
    ok ? ["proxy", "right", `${told} answers`] : failed(
      "proxy",
      { why: isSlow ? why : `${told} does not answer`, isSlow },
      "correct or unset it",
    ),
  ];
}

async function data(): Promise<Told[]> {
  const given = Deno.env.get("FERLAB_DATA_DIR");
  const own = existsSync(join(ROOT, "data"))
    ? readdirSync(join(ROOT, "data"), { withFileTypes: true })
      .filter((e) => e.isDirectory() && e.name !== "published")
      .map((e) => join(ROOT, "data", e.name))
    : [];
  const folders = given ? [given] : own;
  if (!folders.length) {
    const text = "none: FERLAB_DATA_DIR is not set (see data/README.md); " +
      "synthetic faces need none";
    return [["data", "absent", text]];
  }
  return await Promise.all(folders.map(async (folder): Promise<Told> => {
    const module = join(ROOT, "lib/data/formats/mod.ts");
    const { ok, out, why, isSlow } = await inDeno(
      `const { detectFormat } = await import(${JSON.stringify(module)});
       console.log(detectFormat(${JSON.stringify(folder)}).name);`,
    );
    return ok ? ["data", "right", `${folder}: ${out}`] : [
      "data",
      given ? "wrong" : "absent",
      why.replace(/; looked for .*/, ""),
      isSlow ? BUSY : given && "data/README.md",
    ];
  }));
}

const MARKS: Record<State, string> = { right: "ok", wrong: "NO", absent: "–" };

/** One line of the report. */
function partLine([part, state, text, remedy]: Told): string {
  const mended = state === "wrong" && remedy ? ` → ${remedy}` : "";
  return `${MARKS[state].padEnd(3)}${part.padEnd(12)}${text}${mended}`;
}

/** Prints a line a part; the number of those that are wrong. */
async function examine(): Promise<number> {
  const checks: (() => Told | Told[] | Promise<Told | Told[]>)[] = [
    deno,
    node,
    python,
    packages,
    () => native("polars"),
    () => native("sharp"),
    tensorflow,
    jupyter,
    kernels,
    chromium,
    () => disk("disk", ROOT, "make room and let yourself write there"),
    () =>
      disk(
        "cache",
        CACHE,
        "make room there, or set XDG_CACHE_HOME to a folder of yours",
      ),
    proxy,
    data,
  ];
  let wrong = 0;
  for (const check of checks) {
    const told = await check();
    const isOne = typeof told[0] === "string";
    for (const one of (isOne ? [told] : told) as Told[]) {
      if (one[1] === "wrong") wrong++;
      console.log(partLine(one));
    }
  }
  return wrong;
}

if (import.meta.main) {
  const [given] = Deno.args;
  if (given !== undefined && !/^(-h|--help)$/.test(given)) {
    console.error(`error: doctor takes nothing, and got "${given}"`);
    Deno.exit(2);
  }
  if (given !== undefined) {
    console.log(
      "Usage: deno task doctor\n\nTells what is right on this machine (ok), " +
        "what is wrong (NO) with what mends it,\nand what is not there (–). It " +
        "exits with 1 when something is wrong.",
    );
    Deno.exit(0);
  }
  const wrong = await examine();
  console.log(wrong ? `\n${wrong} to mend` : "\nall is well");
  Deno.exit(wrong ? 1 : 0);
}
