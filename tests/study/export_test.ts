// A study's records as Parquet, CSV and JSON files.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import pl from "nodejs-polars";
import { exportStudy, formatOf, jsonOf } from "../../lib/study/export.ts";
import type { StudyRow, TrialRow } from "../../lib/study/store/mod.ts";
import { inFolder } from "../_folder.ts";
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

Deno.test("CSV has every cell as it is, formulas as text, the epochs beside it", () =>
  inFolder(async (folder) => {
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
  }));

Deno.test("Parquet keeps types, NaN, null and times of trials and epochs", () =>
  inFolder(async (folder) => {
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
  }));

Deno.test("JSON has the whole record: settings, attributes, epochs, NaN", () =>
  inFolder(async (folder) => {
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
  }));

Deno.test("a study without trials is exported in every format", () =>
  inFolder(async (folder) => {
    for (const format of ["csv", "parquet", "json"] as const) {
      await exportStudy(STUDY, [], {
        format,
        file: join(folder, `a.${format}`),
      });
    }
    assert.equal(csv(join(folder, "a.csv")).length, 1);
    assert.equal(pl.readParquet(join(folder, "a.parquet")).height, 0);
    assert.deepEqual(JSON.parse(jsonOf(STUDY, [])).trials, []);
  }));

Deno.test("a file that cannot be written is named, and the old ones stay whole", () =>
  inFolder(async (folder) => {
    const file = join(folder, "lr.csv");
    await exportStudy(STUDY, ROWS, { format: "csv", file });
    const before = readFileSync(file, "utf8");
    await Deno.mkdir(join(folder, "other.epochs.csv"));
    await assert.rejects(
      exportStudy(STUDY, [], {
        format: "csv",
        file: join(folder, "lr.csv", "inner.csv"),
      }),
      /^StudyError: .*inner\.csv: cannot be written: /,
    );
    await assert.rejects(
      exportStudy(STUDY, [], {
        format: "csv",
        file: join(folder, "other.csv"),
      }),
      /^StudyError: .*other\.epochs\.csv: cannot be written: /,
    );
    assert.equal(readFileSync(file, "utf8"), before);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith(".")),
      [],
    );
  }));

Deno.test("a file's name tells its format", () => {
  assert.equal(formatOf("a/b.PARQUET"), "parquet");
  assert.equal(formatOf("a.csv"), "csv");
  assert.throws(
    () => formatOf("a.xlsx"),
    /^StudyError: a\.xlsx: its name tells no format: end it with \.parquet, /,
  );
});
