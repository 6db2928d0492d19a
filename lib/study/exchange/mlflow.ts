/** Runs as a folder of MLflow's file store (`mlruns`). */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Run } from "./tracker_runs.ts";
import type { StudyRow } from "../store/mod.ts";
import type { Picture } from "./tensorboard.ts";

const hex = (text: string, digits: number) =>
  createHash("sha256").update(text).digest("hex").slice(0, digits);

/** MLflow's own numbers of experiments have 18 digits. */
const experimentId = (study: string) =>
  String(10n ** 17n + BigInt(`0x${hex(study, 14)}`) % 10n ** 17n);

/** RunStatus of MLflow's service.proto. */
const STATUS: Record<string, number> = {
  RUNNING: 1,
  COMPLETE: 3,
  FAIL: 4,
  PRUNED: 5,
};
/** SourceType LOCAL. */
const LOCAL = 4;

/** Characters of a name that MLflow takes and that a file may have. */
const ODD = /[^\p{L}\p{N}_.\- ]+/gu;
const LONGEST = 180;

/** Names as MLflow's, `train/loss` as `train.loss`; each its own file. */
function fileNames(names: Iterable<string>): Map<string, string> {
  const taken = new Set<string>();
  const given = new Map<string, string>();
  for (const name of new Set(names)) {
    const plain = name.replaceAll("/", ".").replace(ODD, "_").trim()
      .slice(0, LONGEST).toWellFormed().replace(/^\.+/, "_") || "_";
    let free = plain;
    for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${plain}_${n}`;
    taken.add(free.toLowerCase());
    given.set(name, free);
  }
  return given;
}

/** YAML with a value in JSON, which is YAML as well, a line. */
const yaml = (fields: Record<string, unknown>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`).join("");

/** The longest value of a parameter that MLflow reads. */
const LONGEST_PARAM = 6000;

/**
 * The files (and folders, whose names end in /) of an experiment by their path
 * within an `mlruns` folder: a run a trial with parameters, metrics by epoch, tags, and the whole record and the
 * confusion matrix as artifacts. Numbers are kept in full. A study has the same
 * experiment, and a trial the same run, each time.
 *
 * @param folder the `mlruns` folder, which the artifacts' places name
 * @param pictureOf draws a run's confusion matrix
 */
export async function mlflowFiles(
  study: StudyRow,
  runs: readonly Run[],
  folder: string,
  pictureOf: (run: Run) => Promise<Picture | undefined>,
): Promise<{ experiment: string; files: Map<string, Uint8Array | string> }> {
  const experiment = experimentId(study.name);
  const place = (path: string) => pathToFileURL(join(folder, path)).href;
  const files = new Map<string, Uint8Array | string>();
  const begun = Math.min(...runs.map((run) => run.start));
  const ended = Math.max(...runs.map((run) => run.end ?? run.start));
  files.set(
    "meta.yaml",
    yaml({
      artifact_location: place(experiment),
      creation_time: begun,
      experiment_id: experiment,
      last_update_time: ended,
      lifecycle_stage: "active",
      name: study.name,
    }),
  );
  files.set("tags/ferlab.study", study.name);
  files.set("tags/ferlab.metric", `${study.direction} ${study.metric}`);
  for (const run of runs) {
    const id = hex(`${study.name}\n${run.name}`, 32);
    files.set(
      `${id}/meta.yaml`,
      yaml({
        artifact_uri: place(`${experiment}/${id}/artifacts`),
        end_time: run.end,
        entry_point_name: "",
        experiment_id: experiment,
        lifecycle_stage: "active",
        run_id: id,
        run_name: run.name,
        run_uuid: id,
        source_name: "",
        source_type: LOCAL,
        source_version: "",
        start_time: run.start,
        status: STATUS[run.state],
        tags: [],
        user_id: "",
      }),
    );
    // MLflow takes no run for one without each of them.
    for (const part of ["params", "metrics", "tags", "artifacts"]) {
      files.set(`${id}/${part}/`, "");
    }
    const put = (part: string, texts: Iterable<readonly [string, string]>) => {
      const all = [...texts];
      const names = fileNames(all.map(([name]) => name));
      for (const [name, text] of all) {
        files.set(`${id}/${part}/${names.get(name)}`, text);
      }
    };
    put(
      "params",
      Object.entries(run.params)
        .map(([name, value]) => [name, String(value).slice(0, LONGEST_PARAM)]),
    );
    put(
      "metrics",
      [...Map.groupBy(run.scalars, (s) => s.name)].map(([name, list]) => [
        name,
        list.map(({ time, value, step }) => `${time} ${value} ${step}\n`)
          .join(""),
      ]),
    );
    put("tags", Object.entries(run.texts));
    files.set(`${id}/tags/mlflow.runName`, run.name);
    files.set(`${id}/artifacts/trial.json`, run.record);
    const picture = await pictureOf(run);
    if (picture) files.set(`${id}/artifacts/confusion.png`, picture.png);
  }
  return { experiment, files };
}
