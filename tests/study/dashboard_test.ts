// Records of a study that is under way, shown by the real optuna-dashboard.
import assert from "node:assert/strict";
import {
  runStudy,
  type StudyInput,
  type TrainTrial,
  type TrialRow,
} from "../../lib/study/mod.ts";
import { withDashboard } from "../../tasks/optuna_dashboard.ts";
import { inFolder } from "../_folder.ts";
import { browserTest } from "../browser/_browser.ts";
import { onSqlite, type Place, storeTest } from "./_stores.ts";

const STUDY: StudyInput = {
  name: "loss of depth",
  direction: "minimize",
  metric: "validation loss",
  parameters: {
    lr: [1e-5, 1e-3],
    depth: [2, 4, 8],
    mixing: [false, "mixup", "cutmix"],
  },
  repeats: 2,
  pruner: { kind: "patience", epochs: 1 },
};

/** The trials whose end is told by their number; all others are complete. */
const ODD = { diverged: 0, infinite: 1, broken: 2, poor: 7, running: 12 };

/** Runs STUDY into a store up to a trial that runs for as long as `body`. */
async function underWay(
  store: string,
  dir: string,
  body: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const reached = Promise.withResolvers<void>();
  const train: TrainTrial = async ({ params }, context) => {
    const { number, signal, report } = context;
    const loss = 2 - Number(params.depth) / 8;
    for (let epoch = 1; epoch <= 3; epoch++) {
      const value = number === ODD.diverged && epoch === 2
        ? NaN
        : number === ODD.poor
        ? loss * epoch
        : loss / epoch;
      await report({ epoch, value, attrs: { trainLoss: value / 2 } });
    }
    if (number === ODD.running) {
      reached.resolve();
      await new Promise((end) => signal.addEventListener("abort", end));
    }
    if (number === ODD.broken) throw new Error("no such image");
    const value = number === ODD.diverged
      ? NaN
      : number === ODD.infinite
      ? Infinity
      : loss / 3;
    return { value, attrs: { seconds: 1.5, confusion: [[3, 1], [0, 4]] } };
  };
  const run = runStudy(STUDY, train, { dir, store, signal: stop.signal });
  try {
    await Promise.race([reached.promise, run]);
    await body();
  } finally {
    stop.abort();
    await run;
  }
}

/** The record of STUDY in a database, and the dashboard's address. */
function shown(
  place: Place,
  body: (url: string, trials: TrialRow[]) => Promise<void>,
): Promise<void> {
  return inFolder((dir) =>
    underWay(place.url, dir, async () => {
      const store = await place.open({ readOnly: true });
      const [{ studyId }] = await store.studies();
      const trials = await store.trials(studyId);
      await withDashboard(place.optuna, (url) => body(url, trials));
    })
  );
}

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url);
  const text = await response.text();
  assert.ok(response.ok, `${url}: ${text}`);
  return JSON.parse(text);
}

type Shown = number | "inf" | "-inf" | "nan";

interface ShownStudy {
  study_id: number;
  study_name: string;
  directions: string[];
}

interface ShownTrial {
  number: number;
  state: string;
  values?: Shown[];
  intermediate_values: { step: number; value: Shown }[];
  params: {
    name: string;
    param_internal_value: number;
    distribution: {
      type: string;
      log?: boolean;
      choices?: { pytype: string; value: string }[];
    };
  }[];
  user_attrs: { key: string; value: string }[];
}

interface Detail {
  trials: ShownTrial[];
  best_trials: ShownTrial[];
  objective_names: string[];
  has_intermediate_values: boolean;
  intersection_search_space: { name: string }[];
}

/** A float as the dashboard spells it. */
const spelled = (value: number): Shown =>
  Number.isFinite(value)
    ? value
    : Number.isNaN(value)
    ? "nan"
    : value > 0
    ? "inf"
    : "-inf";

const python = (value: unknown) => value === false ? "False" : String(value);

/** A parameter, as the dashboard's API tells it. */
function valueOf(param: ShownTrial["params"][number]): string | number {
  const { distribution, param_internal_value } = param;
  return distribution.choices?.[param_internal_value].value ??
    param_internal_value;
}

storeTest(
  "optuna-dashboard serves a running study as our store has it",
  (place) =>
    shown(place, async (url, trials) => {
      const { study_summaries: [study, ...others] } = await ask<
        { study_summaries: ShownStudy[] }
      >(`${url}/api/studies`);
      assert.equal(others.length, 0);
      assert.equal(study.study_name, STUDY.name);
      assert.deepEqual(study.directions, ["minimize"]);
      const detail = await ask<Detail>(`${url}/api/studies/${study.study_id}`);
      assert.deepEqual(detail.objective_names, ["validation loss"]);
      assert.equal(detail.has_intermediate_values, true);
      assert.deepEqual(
        detail.intersection_search_space.map((p) => p.name),
        ["depth", "lr", "mixing"],
      );
      assert.deepEqual(
        detail.trials.map((t) => ({
          number: t.number,
          state: t.state.toUpperCase(),
          values: t.values ?? [],
          epochs: t.intermediate_values,
          params: Object.fromEntries(t.params.map((p) => [p.name, valueOf(p)])),
        })),
        trials.map((t) => ({
          number: t.number,
          state: t.state,
          values: t.values.map(spelled),
          epochs: t.intermediate.map(({ epoch, value }) => ({
            step: epoch,
            value: spelled(value),
          })),
          params: { ...t.params, mixing: python(t.params.mixing) },
        })),
      );
      const [{ params }] = detail.trials;
      assert.deepEqual(
        Object.fromEntries(
          params.map(({ name, distribution: d }) => [name, [d.type, d.log]]),
        ),
        {
          lr: ["FloatDistribution", true],
          depth: ["IntDistribution", false],
          mixing: ["CategoricalDistribution", undefined],
        },
      );

      // What was meant to be on record is.
      const at = (number: number) => detail.trials[number];
      assert.equal(detail.trials.length, 36);
      assert.deepEqual(
        Object.values(ODD).map((n) => [at(n).state, at(n).values]),
        [
          ["Fail", undefined],
          ["Complete", ["inf"]],
          ["Fail", undefined],
          ["Pruned", [3]],
          ["Running", undefined],
        ],
      );
      assert.equal(at(ODD.diverged).intermediate_values[1].value, "nan");
      assert.equal(detail.trials.at(-1)?.state, "Waiting");
      // The lowest finite value: depth 8.
      assert.deepEqual(detail.best_trials.map((t) => t.values), [[1 / 3]]);
      const attrs = (number: number) =>
        Object.fromEntries(at(number).user_attrs.map((a) => [a.key, a.value]));
      assert.equal(attrs(ODD.broken).fail_reason, "no such image");
      assert.equal(attrs(ODD.diverged).fail_kind, "diverged");
      assert.equal(attrs(4).confusion, "[[3, 1], [0, 4]]");
      assert.equal(attrs(0).repeat, "0");
      assert.equal(attrs(18).repeat, "1");
      assert.equal(attrs(18).seed, String(trials[18].attrs.seed));
    }),
);

browserTest(
  "optuna-dashboard's pages draw the history and list all trials, without an error",
  ({ open }) =>
    onSqlite((place) =>
      shown(place, async (url, trials) => {
        const { page, sent, errors } = await open("<title>blank</title>");
        await page.context().route(`${url}/**`, (route) => route.continue());
        const study = `${url}/dashboard/studies/1`;

        await page.goto(study);
        const chart = page.locator("#plot-history");
        await chart.getByText("validation loss").first().waitFor();
        const drawn = trials.filter((t) => Number.isFinite(t.value));
        const points = chart.locator(".scatterlayer .point");
        await points.nth(drawn.length - 1).waitFor();
        assert.equal(await points.count(), drawn.length);

        await page.goto(`${study}/smartSelection`);
        const rows = page.locator("tbody tr");
        await rows.nth(trials.length - 1).waitFor();
        assert.deepEqual(
          (await rows.allInnerTexts()).map((row) =>
            row.split("\t").slice(0, 2)
          ),
          trials.map(({ number, state }) => [
            String(number),
            state[0] + state.slice(1).toLowerCase(),
          ]),
        );

        await page.goto(`${study}/trials?numbers=${ODD.broken}`);
        await page.getByText("fail_reason no such image").waitFor();
        assert.deepEqual(errors, []);
        assert.deepEqual(sent, []);
      })
    ),
);
