/** What a notebook shows of a study's rows. */
import assert from "node:assert/strict";
import * as explore from "../lib/explore/mod.ts";
import * as lab from "../lib/lab.ts";
import type { Trial } from "../lib/lab.ts";
import * as reports from "../lib/reports/mod.ts";

const { trialTable } = lab;

Deno.test("the trial table shows overall and balanced accuracy side by side", () => {
  const trial = {
    study: "lr",
    number: 0,
    state: "COMPLETE",
    lr: 1e-3,
    repeat: 0,
    seed: 1,
    accuracy: 0.9,
    balanced: 0.5,
    chosenEpoch: 2,
    history: [],
  } as Trial;
  const failed = { ...trial, accuracy: null, balanced: undefined };
  const shown = trialTable([trial, failed]);
  // deno-lint-ignore no-explicit-any
  const html = (shown as any)[Symbol.for("Jupyter.display")]()["text/html"];
  const cells = [...html.matchAll(/<t[hd](?: [^>]*)?>(.*?)<\/t/g)]
    .map(([, cell]) => cell);
  const at = cells.indexOf("balanced accuracy");
  const width = html.match(/<th\b/g)!.length;
  assert.match(cells[width + cells.indexOf("test accuracy")], /^90\.0/);
  assert.match(cells[width + at], /^50\.0/);
  assert.equal(cells[2 * width + at], "–");
});

Deno.test("what a notebook imports hides no piece, chart or group behind another", () => {
  const isModule = (value: unknown) =>
    Object.prototype.toString.call(value) === "[object Module]";
  const groups = Object.entries(lab)
    .filter(([name, value]) =>
      isModule(value) && !/^(analysis|channels|z)$/.test(name)
    )
    .map(([name]) => name).sort();
  assert.equal(
    groups.join(" "),
    "charts data models profiling statistics study train trained weights",
  );
  // What a room needs for itself stands in no notebook's way.
  for (const name of ["fieldsText", "PARAMETERS", "listOf", "effectsIn"]) {
    assert.ok(!(name in lab), name);
  }
  // A name of two sources would be that of one of them, or of none.
  for (const source of [reports, lab.charts]) {
    for (const [name, value] of Object.entries(source)) {
      const own = (explore as Record<string, unknown>)[name] ?? value;
      assert.equal((lab as Record<string, unknown>)[name], own, name);
    }
  }
});
