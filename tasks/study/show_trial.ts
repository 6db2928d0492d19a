/** All that is on record of one trial, as lines of text. */
import { encodeJson, type TrialRow } from "../../lib/study/commands.ts";
import { clean, factLines, short, table } from "../text.ts";
import { shownParam, valueTexts } from "./values.ts";
import type { FoundStudy } from "./records.ts";
import { reasonOf, trialSeconds } from "./trials.ts";

/** Attributes that have a line of their own, or are told otherwise. */
const TOLD = [
  ...["repeat", "seed", "epochs"],
  ...["fail_kind", "fail_reason", "prune_reason"],
];

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const plain = (value: unknown) =>
  typeof value === "string" ? value : encodeJson(value);

/** Trials that this one was copied from, and those copied from it. */
function retriesOf(trial: TrialRow, trials: readonly TrialRow[]) {
  const of = (t: TrialRow) => t.system.retry_history as number[] | undefined;
  return {
    earlier: of(trial) ?? [],
    later: trials.filter((t) => of(t)?.includes(trial.number))
      .map((t) => t.number),
  };
}

function epochTable(epochs: TrialRow["epochs"], room: number): string {
  const names = [...new Set(epochs.flatMap((e) => Object.keys(e)))]
    .filter((name) => name !== "epoch" && name !== "value");
  return table(
    ["epoch", "value", ...names].map((name) => ({
      head: name,
      cells: epochs.map((e) => {
        const value = e[name] ?? "";
        return typeof value === "number" ? short(value) : plain(value);
      }),
      right: true,
      spare: !/^(epoch|value|lr)$|Accuracy$/.test(name),
    })),
    room,
  );
}

/** Times to the second, UTC. */
const second = (date: Date | null) =>
  date ? date.toISOString().slice(0, 19).replace("T", " ") : "";

/** `show --trial`: facts, groups of attributes, epochs. */
export function trialText(
  { row, name }: FoundStudy,
  trial: TrialRow,
  trials: readonly TrialRow[],
  room: number,
): string {
  const { attrs, system, params, value, state, intermediate } = trial;
  const { earlier, later } = retriesOf(trial, trials);
  const seconds = trialSeconds(trial);
  const reason = reasonOf(trial);
  const worker = system["ferlab:worker"] as
    | { pid: number; host: string }
    | undefined;
  const others = Object.entries(attrs).filter(([key]) => !TOLD.includes(key));
  const facts: [string, string][] = [
    ["trial", `${trial.number} of ${name}`],
    ["state", state + (reason && ` (${reason})`)],
    [
      "parameters",
      Object.entries(params)
        .map(([n, value]) => `${n} ${shownParam(value, n, 17)}`).join(", "),
    ],
    ["repeat", String(attrs.repeat ?? "")],
    ["seed", String(attrs.seed ?? "")],
    [
      "value",
      value === null
        ? ""
        : `${
          valueTexts(trials.map((t) => t.value), row.metric)(value)
        } (${row.metric})`,
    ],
    ["started (UTC)", second(trial.start)],
    ["ended (UTC)", second(trial.complete)],
    ["seconds in all", seconds === null ? "" : seconds.toFixed(1)],
    ["process", worker ? `${worker.pid} on ${worker.host}` : ""],
    ["goes on from", earlier.length ? `trials ${earlier.join(", ")}` : ""],
    ["was retried as", later.length ? `trials ${later.join(", ")}` : ""],
    ...others.filter(([, value]) => !isGroup(value))
      .map(([key, value]): [string, string] => [key, plain(value)]),
  ];
  const groups = others.filter(([, value]) => isGroup(value))
    .map(([key, group]) =>
      `${clean(key)}\n` + factLines(
        Object.entries(group as Record<string, unknown>)
          .map(([name, value]) => [`  ${clean(name)}`, plain(value)]),
        room,
      )
    );
  // Earlier versions kept them in an attribute, Optuna has only the values.
  const epochs = trial.epochs.length
    ? trial.epochs
    : (attrs.epochs ?? intermediate) as TrialRow["epochs"];
  return [
    factLines(facts, room),
    ...groups,
    ...(epochs.length ? [epochTable(epochs, room)] : []),
  ].join("\n\n");
}
