/// <reference lib="dom" />
/** One trial, and what another does otherwise. */
import { lineChart } from "../../charts/mod.ts";
import type { Row, Trial } from "../../rows/mod.ts";
import type { SharedPlan } from "../record.ts";
import { choiceInput, h } from "./dom.ts";

const text = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? JSON.stringify(value)
    : String(value ?? "–");

const percent = (share: number | null | undefined) =>
  typeof share === "number" ? `${(100 * share).toFixed(2)} %` : "–";

const table = (rows: [string, ...unknown[]][], heads: string[] = []) =>
  h(
    "table",
    {},
    heads.length > 0 &&
      h("thead", {}, h("tr", {}, ...heads.map((t) => h("th", {}, t)))),
    h(
      "tbody",
      {},
      ...rows.map(([name, ...cells]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name),
          ...cells.map((cell) => h("td", {}, text(cell))),
        )
      ),
    ),
  );

/** Fields of the recipe in which the trials of a study differ. */
const variedOf = (trials: readonly Trial[]): string[] => {
  const [first] = trials, base = (first?.recipe ?? {}) as Row;
  return Object.keys(base).filter((name) =>
    trials.some((t) => text((t.recipe as Row)?.[name]) !== text(base[name]))
  );
};

/** Counts of true and predicted classes, as they are or as shares. */
function confusionOf(counts: readonly (readonly number[])[]): Node {
  const box = h("div");
  const sum = (of: readonly number[]) => of.reduce((a, b) => a + b, 0);
  const show = (as: string) => {
    const cell = (row: readonly number[], j: number) => {
      if (as === "counts") return row[j];
      const total = as === "rows" ? sum(row) : sum(counts.map((r) => r[j]));
      return total > 0 ? `${(100 * row[j] / total).toFixed(0)} %` : "–";
    };
    box.replaceChildren(table(
      counts.map((row, i) => [`true ${i}`, ...row.map((_, j) => cell(row, j))]),
      ["", ...counts.map((_, j) => `as ${j}`)],
    ));
  };
  show("counts");
  const kinds = {
    counts: "counts",
    rows: "shares of the true class (rows)",
    columns: "shares of the predicted class (columns)",
  };
  return h(
    "div",
    {},
    h("h3", {}, "Confusion"),
    choiceInput(kinds, "counts", show, "Confusion as"),
    box,
  );
}

/** A command that trains this trial again; its repeats before it, too. */
export function commandOf(trial: Trial): string | undefined {
  if (!trial.plan || !trial.recipe) return undefined;
  const { seed, ...shared } = trial.plan as SharedPlan;
  const { seed: _, lr, ...recipe } = trial.recipe as Row;
  const study = {
    name: `${trial.study}-again`,
    ...{ parameters: { lr: [lr] }, repeats: trial.repeat + 1, seed },
  };
  const plan = JSON.stringify({ study, recipe, ...shared });
  const folder = shared.data?.name === "synthetic"
    ? ""
    : " --data-dir FOLDER-OF-THE-IMAGES";
  return `cat > trial.json <<'END'\n${plan}\nEND\n` +
    `deno task study run trial.json${folder}`;
}

function copyOf(text: string): HTMLButtonElement {
  const button = h("button", {
    type: "button",
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select and copy it by hand";
      }
    },
  }, "Copy");
  return button;
}

/** A trial's recipe, curves, confusion, provenance and command. */
export function trialView(
  trial: Trial,
  other: Trial | undefined,
  all: readonly Trial[],
): Node[] {
  const varied = variedOf(all.filter((t) => t.study === trial.study));
  const recipe = (of: Trial, name: string) => (of.recipe as Row)?.[name];
  const curves = (["validationAccuracy", "testAccuracy"] as const).flatMap(
    (series) =>
      trial.history.filter((e) => typeof e[series] === "number").map((e) => ({
        ...{ epoch: e.epoch, accuracy: e[series] },
        series: series === "testAccuracy" ? "test" : "validation",
      })),
  );
  const chart = h("div");
  if (curves.length > 0) {
    chart.innerHTML = lineChart(curves, {
      ...{ x: "epoch", series: "series", width: 330, yLabel: "accuracy" },
    }).html;
  }
  const command = commandOf(trial);
  const differing = other && [
    ...new Set([
      ...Object.keys(trial.recipe ?? {}),
      ...Object.keys(other.recipe ?? {}),
    ]),
  ].filter((name) => text(recipe(trial, name)) !== text(recipe(other, name)));
  const made = Object.entries((trial.provenance ?? {}) as Row);
  return [
    h("h3", { tabindex: -1 }, `Trial ${trial.number} of ${trial.study}`),
    table([
      ["state", trial.failKind ?? trial.state.toLowerCase()],
      ...trial.reason ? [["reason", trial.reason] as [string, unknown]] : [],
      ["repeat", `${trial.repeat + 1}, seed ${trial.seed}`],
      ["test accuracy", percent(trial.accuracy)],
      ["of epoch", trial.chosenEpoch],
      ["maximum on test", percent(trial.maxTestAccuracy)],
      ["balanced", percent(trial.balanced)],
      ...varied.map((n): [string, unknown] => [n, recipe(trial, n)]),
    ]),
    chart,
    ...Array.isArray(trial.confusion)
      ? [confusionOf(trial.confusion as number[][])]
      : [],
    ...other
      ? [
        h("h3", {}, `Beside trial ${other.number} of ${other.study}`),
        table(
          [
            ["test accuracy", percent(trial.accuracy), percent(other.accuracy)],
            ["repeat", trial.repeat + 1, other.repeat + 1],
            ...differing!.map((n): [string, ...unknown[]] => [
              n,
              recipe(trial, n),
              recipe(other, n),
            ]),
          ],
          ["", `trial ${trial.number}`, `trial ${other.number}`],
        ),
      ]
      : [h("p", { class: "soft" }, "Pick another point to see both.")],
    h("h3", {}, "How it was made"),
    table([
      ...made as [string, unknown][],
      ...trial.weightsHash
        ? [["weights (SHA-256)", trial.weightsHash] as [string, unknown]]
        : [],
    ]),
    ...command
      ? [
        h("h3", {}, "To make it again"),
        h(
          "pre",
          { tabindex: 0, role: "group", "aria-label": "Command" },
          command,
        ),
        copyOf(command),
      ]
      : [],
  ];
}
