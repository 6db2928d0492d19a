// A study's records as Parquet, CSV and JSON files.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import pl from "nodejs-polars";
import {
  exportFormatOf,
  exportRuns,
  exportStudy,
  jsonOf,
  type Tracker,
} from "../../lib/study/exchange/export_study.ts";
import type { StudyRow, TrialRow } from "../../lib/study/store/mod.ts";
import { crc32c, type Picture } from "../../lib/study/exchange/tensorboard.ts";
import { folderTest as test, inFolder } from "../_folder.ts";
import { readBack, readerTest } from "../_readers.ts";
import { choice, FLOAT, TIME, trial } from "./_trials.ts";

const STUDY: StudyRow = {
  studyId: 1,
  name: "lr",
  direction: "maximize",
  metric: "accuracy",
  attrs: { ferlab: { family: "lr", key: "k", fixed: { epochs: 2 } } },
  system: {},
  trials: { WAITING: 0, RUNNING: 0, COMPLETE: 1, FAIL: 1, PRUNED: 0 },
  start: TIME,
  end: TIME,
};

const ROWS: TrialRow[] = [
  trial({
    params: { "mixing.alpha": 0.1, note: 'a "quoted", text\nof two lines' },
    distributions: {
      "mixing.alpha": FLOAT,
      note: choice('a "quoted", text\nof two lines', "=1+1"),
    },
    value: 0.5,
    values: [0.5],
    attrs: { repeat: 0, seed: 7, recipe: { lr: [0.1, NaN] }, dataHash: "00ff" },
    intermediate: [{ epoch: 1, value: NaN }, { epoch: 2, value: 0.5 }],
    epochs: [
      { epoch: 1, value: NaN, loss: Infinity, recalls: [0.5, NaN] },
      { epoch: 2, value: 0.5, loss: -0.25, recalls: [0.5, 1] },
    ],
  }),
  trial({
    number: 1,
    state: "FAIL",
    params: { "mixing.alpha": 1e-5, note: "=1+1" },
    distributions: { "mixing.alpha": FLOAT, note: choice("=1+1") },
    attrs: { fail_kind: "error", fail_reason: "-inf\tor +inf", dataHash: "" },
    complete: null,
  }),
];

const csv = (file: string): string[][] => parse(readFileSync(file, "utf8"));

test("CSV has every cell as it is, formulas as text, the epochs beside it", async (folder) => {
  const file = join(folder, "made", "lr.csv");
  const written = await exportStudy(STUDY, ROWS, { format: "csv", file });
  assert.deepEqual(written, [file, join(folder, "made", "lr.epochs.csv")]);
  assert.deepEqual(csv(file), [
    [
      ...["number", "state", "value", "start", "complete", "seconds"],
      ...["repeat", "seed", "mixing.alpha", "note"],
      ...["fail_kind", "fail_reason", "recipe", "dataHash"],
    ],
    [
      ...["0", "COMPLETE", "0.5", "2026-11-25T10:00:00.123Z"],
      ...["2026-11-25T10:01:30.623Z", "90.5", "0", "7", "0.1"],
      'a "quoted", text\nof two lines',
      ...["", "", '{"lr":[0.1,"NaN"]}', "00ff"],
    ],
    [
      ...["1", "FAIL", "", "2026-11-25T10:00:00.123Z", "", "", "", ""],
      ...["0.00001", "'=1+1", "error", "'-inf\tor +inf", "", ""],
    ],
  ]);
  assert.deepEqual(csv(written[1]), [
    ["number", "epoch", "value", "loss", "recalls"],
    ["0", "1", "NaN", "Infinity", '[0.5,"NaN"]'],
    ["0", "2", "0.5", "-0.25", "[0.5,1]"],
  ]);
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes('"a ""quoted"", text\nof two lines"'));
  assert.ok(text.endsWith(',""\r\n'), "no text is not the same as no value");
});

test("Parquet keeps types, NaN, null and times of trials and epochs", async (folder) => {
  const file = join(folder, "lr.parquet");
  const written = await exportStudy(STUDY, ROWS, { format: "parquet", file });
  assert.deepEqual(written, [file, join(folder, "lr.epochs.parquet")]);
  const trials = pl.readParquet(file);
  assert.equal(
    String(trials.schema.start),
    "DataType(Datetime(ms,UTC))",
  );
  const [first, second] = trials.toRecords();
  assert.deepEqual(first.start, TIME);
  assert.equal(first["mixing.alpha"], 0.1);
  assert.equal(first.recipe, '{"lr":[0.1,"NaN"]}');
  assert.equal(second.note, "=1+1");
  assert.equal(second.value, null);
  assert.equal(second.dataHash, "");
  assert.deepEqual(pl.readParquet(written[1]).toRecords(), [
    {
      number: 0,
      epoch: 1,
      value: NaN,
      loss: Infinity,
      recalls: '[0.5,"NaN"]',
    },
    { number: 0, epoch: 2, value: 0.5, loss: -0.25, recalls: "[0.5,1]" },
  ]);
});

test("JSON has the whole record: settings, attributes, epochs, NaN", async (folder) => {
  const file = join(folder, "lr.json");
  assert.deepEqual(
    await exportStudy(STUDY, ROWS, { format: "json", file }),
    [file],
  );
  const text = readFileSync(file, "utf8");
  const { study, trials } = JSON.parse(
    text,
    (_, v) => v === "NaN" || v === "Infinity" ? Number(v) : v,
  ) as { study: StudyRow; trials: TrialRow[] };
  assert.deepEqual(study.attrs, STUDY.attrs);
  assert.equal(study.direction, "maximize");
  assert.deepEqual(
    trials.map((t) => ({
      ...t,
      start: t.start && new Date(t.start),
      complete: t.complete && new Date(t.complete),
    })),
    ROWS,
  );
});

test("a study without trials is exported in every format", async (folder) => {
  for (const format of ["csv", "parquet", "json"] as const) {
    await exportStudy(STUDY, [], {
      format,
      file: join(folder, `a.${format}`),
    });
  }
  assert.equal(csv(join(folder, "a.csv")).length, 1);
  assert.equal(pl.readParquet(join(folder, "a.parquet")).height, 0);
  assert.deepEqual(JSON.parse(jsonOf(STUDY, [])).trials, []);
});

test("a file that cannot be written is named, and the old ones stay whole", async (folder) => {
  const file = join(folder, "lr.csv");
  await exportStudy(STUDY, ROWS, { format: "csv", file });
  const before = readFileSync(file, "utf8");
  await Deno.mkdir(join(folder, "other.epochs.csv"));
  await assert.rejects(
    exportStudy(STUDY, [], {
      format: "csv",
      file: join(folder, "lr.csv", "inner.csv"),
    }),
    /^StudyError: .*inner\.csv: cannot be written: a file or link is in the/,
  );
  await assert.rejects(
    exportStudy(STUDY, [], {
      format: "csv",
      file: join(folder, "n".repeat(300)),
    }),
    /^StudyError: .*n: cannot be written: a name is too long$/,
  );
  await assert.rejects(
    exportStudy(STUDY, [], {
      format: "csv",
      file: join(folder, "other.csv"),
    }),
    /^StudyError: .*other\.epochs\.csv: cannot be written: /,
  );
  await assert.rejects(
    exportStudy(STUDY, [], { format: "csv", file: "/dev/null" }),
    /^StudyError: \/dev\/null: cannot be written: no plain file$/,
  );
  assert.equal(readFileSync(file, "utf8"), before);
  const link = join(folder, "link.csv");
  await Deno.symlink("lr.csv", link);
  await exportStudy(STUDY, [], { format: "csv", file: link });
  assert.notEqual(readFileSync(file, "utf8"), before);
  assert.ok(Deno.lstatSync(link).isSymlink);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".")),
    [],
  );
});

Deno.test("a file's name tells its format", () => {
  assert.equal(exportFormatOf("a/b.PARQUET"), "parquet");
  assert.equal(exportFormatOf("a.csv"), "csv");
  assert.throws(
    () => exportFormatOf("a.xlsx"),
    /^StudyError: a\.xlsx: its name tells no format: end it with \.parquet, /,
  );
});

/** A PNG of one pixel. */
const PIXEL: Picture = {
  png: Uint8Array.from(
    atob(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    ),
    (c) => c.charCodeAt(0),
  ),
  width: 1,
  height: 1,
};

const TRACKED: TrialRow[] = [
  trial({
    ...ROWS[0],
    params: { "mixing.alpha": 0.1, "../up": "x", "on/off": true },
    attrs: {
      ...ROWS[0].attrs,
      testAccuracy: 0.512345678901,
      confusion: [[3, 1], [0, 4]],
      dataHash: "00ff",
    },
    epochs: [
      { epoch: 1, value: 0.25, loss: Infinity, seconds: 30 },
      { epoch: 2, value: 0.5, loss: -0.25, kappa: 0, seconds: 40 },
    ],
  }),
  trial({ ...ROWS[1], params: { "mixing.alpha": 1e-5, "on/off": false } }),
  trial({ number: 2, state: "WAITING", params: {} }),
];

const track = (tracker: Tracker, folder: string) =>
  exportRuns(STUDY, TRACKED, {
    ...{ tracker, folder, name: "lr" },
    pictureOf: ({ confusion }) => Promise.resolve(confusion && PIXEL),
  });

test("CRC-32C is that of RFC 3720, and frames each record of an event file", async (folder) => {
  // RFC 3720, appendix B.4, and the usual check value.
  assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  const own = await track("tensorboard", folder);
  const file = join(own, "trial-0000");
  const bytes = readFileSync(join(file, readdirSync(file)[0]));
  const masked = (part: Uint8Array) => {
    const crc = crc32c(part);
    return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
  };
  let at = 0, records = 0;
  for (; at < bytes.length; records++) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.equal(
      bytes.readUInt32LE(at + 8),
      masked(bytes.subarray(at, at + 8)),
    );
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(bytes.readUInt32LE(at + 12 + length), masked(data));
    at += length + 16;
  }
  assert.equal(at, bytes.length);
  // Version, start, 3 + 4 numbers of epochs, 2 results, picture, end.
  assert.equal(records, 13);
  // A number of 0 is written as any other.
  assert.ok(bytes.includes("kappa\x15\0\0\0\0", 0, "latin1"));
});

test("runs are written beside what a folder holds, and replaced whole", async (folder) => {
  for (const tracker of ["tensorboard", "mlflow"] as const) {
    const place = join(folder, tracker);
    const own = await track(tracker, place);
    const before = readdirSync(own, { recursive: true }).length;
    assert.equal(await track(tracker, place), own);
    assert.equal(readdirSync(own, { recursive: true }).length, before);
    assert.deepEqual(readdirSync(place).length, 1);
    const all = readdirSync(place, { recursive: true }).map(String);
    assert(
      all.every((name) => !/(^|\/)\.\.(\/|$)/.test(name)),
    );
    const mark = {
      tensorboard: "events.out.tfevents.0.ferlab",
      mlflow: "tags",
    };
    const marked = join(own, mark[tracker]);
    await Deno.remove(marked, { recursive: true });
    await assert.rejects(track(tracker, place), /holds what no export wrote/);
  }
  const file = join(folder, "file");
  await Deno.writeTextFile(file, "");
  await assert.rejects(
    track("mlflow", file),
    /^StudyError: .*cannot be written/,
  );
});

readerTest(
  "TensorBoard reads the scalars, parameters and pictures of runs",
  "tensorboard",
  () =>
    inFolder(async (folder) => {
      await track("tensorboard", folder);
      const read = await readBack<Record<string, unknown>>(
        `
import json, sys
from tensorboard import context
from tensorboard.backend.event_processing import (
  data_provider, event_accumulator, plugin_event_multiplexer)
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import (
  api_pb2, backend_context, list_session_groups)
ea = event_accumulator.EventAccumulator(sys.argv[1] + "/lr/trial-0000")
ea.Reload()
image = ea.Images("confusion")[0]
mux = plugin_event_multiplexer.EventMultiplexer()
mux.AddRunsFromDirectory(sys.argv[1])
mux.Reload()
provider = data_provider.MultiplexerDataProvider(mux, sys.argv[1])
backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
groups = list_session_groups.Handler(
  context.RequestContext(), backend, "", api_pb2.ListSessionGroupsRequest(
    start_index=0, slice_size=9, allowed_statuses=[0, 1, 2, 3])).run()
kind = lambda v: getattr(v, v.WhichOneof("kind"))
print(json.dumps({
  "scalars": {t: [[s.step, s.value, s.wall_time] for s in ea.Scalars(t)]
              for t in ea.Tags()["scalars"]},
  "image": [image.step, image.width, image.height,
            len(image.encoded_image_string)],
  "groups": [[g.name, {k: kind(v) for k, v in g.hparams.items()},
              [m.value for m in g.metric_values], g.sessions[0].status]
             for g in groups.session_groups]}).replace("Infinity", '"inf"'))
`,
        folder,
      );
      const start = TIME.getTime() / 1000, end = start + 90.5;
      const near = Math.fround(0.512345678901);
      assert.deepEqual(read, {
        scalars: {
          accuracy: [[1, 0.25, start + 30], [2, 0.5, start + 70]],
          loss: [[1, "inf", start + 30], [2, -0.25, start + 70]],
          kappa: [[2, 0, start + 70]],
          seconds: [[1, 30, start + 30], [2, 40, start + 70]],
          "result/accuracy": [[2, 0.5, end]],
          "result/testAccuracy": [[2, near, end]],
        },
        image: [2, 1, 1, PIXEL.png.length],
        groups: [
          [
            "trial-0000",
            {
              ...{ "mixing.alpha": 0.1, "../up": "x", "on/off": true },
              ...{ repeat: 0, seed: 7 },
            },
            [0.5],
            1,
          ],
          ["trial-0001", { "mixing.alpha": 1e-5, "on/off": false }, [], 2],
        ],
      });
    }),
);

readerTest(
  "MLflow reads the parameters, metrics, tags and artifacts of runs",
  "mlflow",
  () =>
    inFolder(async (folder) => {
      await track("mlflow", folder);
      const read = await readBack<Record<string, unknown>>(
        `
import json, sys
from mlflow.tracking import MlflowClient
c = MlflowClient(tracking_uri=sys.argv[1])
[e] = [e for e in c.search_experiments() if e.name == "lr"]
runs = c.search_runs([e.experiment_id], order_by=["attributes.run_name"])
print(json.dumps([{
  "name": r.info.run_name, "status": r.info.status, "params": r.data.params,
  "metrics": {k: [[m.step, str(m.value), m.timestamp]
                  for m in c.get_metric_history(r.info.run_id, k)]
              for k in r.data.metrics},
  "hash": r.data.tags.get("dataHash"),
  "times": [r.info.start_time, r.info.end_time],
  "artifacts": [a.path for a in c.list_artifacts(r.info.run_id)],
} for r in runs]))
`,
        folder,
      );
      const start = TIME.getTime(), end = start + 90500;
      assert.deepEqual(read, [
        {
          name: "trial-0000",
          status: "FINISHED",
          params: {
            ...{ "mixing.alpha": "0.1", "_up": "x", "on.off": "true" },
            ...{ repeat: "0", seed: "7" },
          },
          metrics: {
            accuracy: [[1, "0.25", start + 30000], [2, "0.5", start + 70000]],
            loss: [[1, "inf", start + 30000], [2, "-0.25", start + 70000]],
            kappa: [[2, "0.0", start + 70000]],
            seconds: [[1, "30.0", start + 30000], [2, "40.0", start + 70000]],
            "result.accuracy": [[2, "0.5", end]],
            "result.testAccuracy": [[2, "0.512345678901", end]],
          },
          hash: "00ff",
          times: [start, end],
          artifacts: ["confusion.png", "trial.json"],
        },
        {
          name: "trial-0001",
          status: "FAILED",
          params: { "mixing.alpha": "0.00001", "on.off": "false" },
          metrics: {},
          hash: "",
          times: [start, null],
          artifacts: ["trial.json"],
        },
      ]);
    }),
);
