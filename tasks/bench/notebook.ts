/**
 * `deno task bench notebook`: the notebook tool beside nbclient, nbconvert and
 * papermill, as JSON lines. Whole processes are timed; all take turns.
 */
import { dirname, join } from "node:path";
import {
  readNotebook,
  startSession,
  stopSession,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { fiveCells, longNotebook } from "./notebook_files.ts";
import {
  compareSides,
  inFolder,
  inTurns,
  machine,
  msOf,
  printResult,
} from "./parts.ts";
import { pythonWith } from "../python.ts";
import { type Bench, done, ours, printed, theirs } from "./notebook_parts.ts";

/** Options of {@link benchNotebook}. */
export interface NotebookBenchOptions {
  rounds: number;
  stress?: boolean;
  onlyStress?: boolean;
  peer: boolean;
}

/** Whether each of the five cells has its own outputs, and no other's. */
async function fiveAreRight(file: string): Promise<boolean> {
  const { cells } = await readNotebook(file);
  const code = cells.filter((c) => c.cell_type === "code");
  return code.every((cell, i) => {
    const ends = [...printed(cell).matchAll(/cell (\d) done/g)];
    return ends.length === 1 && Number(ends[0][1]) === i + 1 &&
      printed(cell).endsWith(`cell ${i + 1} done\n`);
  });
}

/** One thing that is timed; `right` tells whether it did its work well. */
interface Contender {
  name: string;
  command: () => Deno.Command;
  right?: () => Promise<boolean>;
}

function contenders(bench: Bench): Contender[] {
  const { folder } = bench;
  const right = (out: string) => () => fiveAreRight(join(folder, out));
  const mine: Contender[] = [
    {
      name: "run",
      command: () => ours(bench, "run", "-q", "five.ipynb", "-o", "ours.ipynb"),
      right: right("ours.ipynb"),
    },
    { name: "export", command: () => ours(bench, "export", "ours.ipynb") },
    { name: "export-300", command: () => ours(bench, "export", "long.ipynb") },
    {
      name: "rerun",
      command: () => ours(bench, "rerun", "-q", "kept.ipynb", "-c", "5"),
    },
  ];
  if (!bench.bin) return mine;
  const convert = (...args: string[]) => () =>
    theirs(bench, "jupyter-nbconvert", "--log-level=ERROR", ...args);
  const html = (file: string) =>
    convert("--to", "html", "--output", `theirs-${file}.html`, `${file}.ipynb`);
  const peers: Contender[] = [
    {
      name: "run nbclient",
      command: () =>
        theirs(
          bench,
          "jupyter-execute",
          "--output=nbclient.ipynb",
          "five.ipynb",
        ),
      right: right("nbclient.ipynb"),
    },
    {
      name: "run nbconvert",
      command: convert(
        ...["--to", "notebook", "--execute", "--output", "nbconvert.ipynb"],
        "five.ipynb",
      ),
      right: right("nbconvert.ipynb"),
    },
    {
      name: "run papermill",
      command: () =>
        theirs(
          ...[bench, "papermill", "--no-progress-bar"] as const,
          ...["five.ipynb", "papermill.ipynb"],
        ),
      right: right("papermill.ipynb"),
    },
    { name: "export nbconvert", command: html("ours") },
    { name: "export-300 nbconvert", command: html("long") },
  ];
  return [...mine, ...peers];
}

async function processes(bench: Bench, rounds: number) {
  const all = contenders(bench);
  const wrong = new Map(all.map(({ name }) => [name, 0]));
  const session = await startSession(join(bench.folder, "kept.ipynb"));
  const times = await inTurns(
    rounds,
    all.map(({ name, command, right }) => async () => {
      const ms = await msOf(() => done(command()));
      if (right && !await right()) wrong.set(name, wrong.get(name)! + 1);
      return ms;
    }),
    (i) => console.error(`round ${i} of ${rounds}`),
  ).finally(() => stopSession(session));
  const t = (name: string): number[] | undefined =>
    times[all.findIndex((one) => one.name === name)];
  for (const peer of ["nbclient", "nbconvert", "papermill"]) {
    if (peer !== "nbclient" && !bench.bin) continue;
    compareSides("run of 5 cells", {
      peer,
      ours: t("run")!,
      theirs: t(`run ${peer}`),
      goal: peer === "papermill" ? undefined : { ratio: 0.6 },
      more: {
        oursWrong: wrong.get("run"),
        ...(bench.bin ? { theirsWrong: wrong.get(`run ${peer}`) } : {}),
      },
    });
  }
  const peer = "nbconvert";
  compareSides("export of 5 cells", {
    ...{ peer, ours: t("export")!, theirs: t("export nbconvert") },
    goal: { ratio: 0.3 },
  });
  compareSides("export of 300 cells with 50 charts", {
    ...{ peer, ours: t("export-300")!, theirs: t("export-300 nbconvert") },
    goal: { ours: 3000 },
  });
  compareSides("rerun of a cheap cell in a kept session", {
    peer: "nbclient, which can only run the whole notebook",
    ...{ ours: t("rerun")!, theirs: t("run nbclient") },
    goal: { ours: 300 },
  });
}

/** A place where Jupyter finds Deno's own kernel, and nothing of the user's. */
async function prepare(folder: string, peer: boolean): Promise<Bench> {
  const at = (name: string) => join(folder, name);
  const spec = at("jupyter/kernels/deno");
  await Deno.mkdir(spec, { recursive: true });
  await Deno.writeTextFile(
    join(spec, "kernel.json"),
    JSON.stringify({
      argv: [
        Deno.execPath(),
        "jupyter",
        "--kernel",
        "--conn",
        "{connection_file}",
      ],
      display_name: "Deno",
      language: "typescript",
    }),
  );
  await Deno.mkdir(at("sessions"), { mode: 0o700 });
  // Sessions are made and found there by this process too.
  Deno.env.set("XDG_RUNTIME_DIR", at("sessions"));
  const env = {
    JUPYTER_PATH: at("jupyter"),
    JUPYTER_DATA_DIR: at("data"),
    JUPYTER_CONFIG_DIR: at("config"),
    JUPYTER_RUNTIME_DIR: at("runtime"),
    IPYTHONDIR: at("ipython"),
  };
  await writeNotebook(at("five.ipynb"), fiveCells());
  await writeNotebook(at("kept.ipynb"), fiveCells());
  await writeNotebook(at("long.ipynb"), longNotebook());
  return {
    folder,
    env,
    ...(peer ? { bin: dirname(await pythonWith("nbclient")) } : {}),
  };
}

/** Measures the notebook tool and prints it; gives the exit code. */
export const benchNotebook = (o: NotebookBenchOptions): Promise<number> =>
  inFolder(async (folder) => {
    const bench = await prepare(folder, o.peer);
    printResult(machine());
    if (!o.onlyStress) {
      await done(ours(bench, "run", "-q", "kept.ipynb"));
      await processes(bench, o.rounds);
      const { opening } = await import("./notebook_page.ts");
      await opening(bench, o.rounds);
    }
    if (!o.stress && !o.onlyStress) return 0;
    const { stress } = await import("./notebook_stress.ts");
    return await stress(bench) ? 0 : 1;
  });
