/** A study's trials as runs that experiment trackers show: numbers by step, settings, texts. */
import type { ParamValue } from "../definition.ts";
import { jsonText } from "../frames.ts";
import type { StudyRow, TrialRow } from "../store/mod.ts";

/** One number of a run. */
export interface Scalar {
  name: string;
  /** The epoch; of results the last one. */
  step: number;
  value: number;
  /** In ms since 1970. */
  time: number;
}

/** A trial as a run. */
export interface Run {
  /** `trial-0003`. */
  name: string;
  state: TrialRow["state"];
  params: Record<string, ParamValue>;
  scalars: Scalar[];
  /** What is told of it in words: state, reason, hashes. */
  texts: Record<string, string>;
  /** Everything else of the record, as JSON. */
  record: string;
  /** Counts by [true class][predicted class], where they are on record. */
  confusion?: number[][];
  /** In ms since 1970. */
  start: number;
  end: number | null;
}

const isMatrix = (x: unknown): x is number[][] =>
  Array.isArray(x) && x.length > 0 &&
  x.every((row) => Array.isArray(row) && row.length === x.length);

/** When each epoch ended: by their seconds, else evenly over the trial. */
function epochTimes({ epochs, start, complete }: TrialRow): number[] {
  const from = start?.getTime() ?? complete?.getTime() ?? 0;
  const whole = (complete?.getTime() ?? from) - from;
  let passed = 0;
  return epochs.map((epoch, i) => {
    const { seconds } = epoch as { seconds?: unknown };
    passed += typeof seconds === "number" ? 1000 * seconds : NaN;
    return Math.round(
      from +
        (Number.isFinite(passed) ? passed : whole * (i + 1) / epochs.length),
    );
  });
}

function runOf(study: StudyRow, row: TrialRow): Run {
  const times = epochTimes(row);
  const start = row.start?.getTime() ?? row.complete?.getTime() ?? 0;
  const end = row.complete?.getTime() ?? null;
  const scalars = row.epochs.flatMap((attrs, i): Scalar[] => {
    const { epoch, value, ...metrics } = attrs;
    // The objective's own name, unless the epoch has that already.
    const all = { [study.metric]: value, ...metrics };
    return Object.entries(all).flatMap(([name, value]) =>
      typeof value === "number"
        ? [{ name, step: Number(epoch), value, time: times[i] }]
        : []
    );
  });
  const last = Number(row.epochs.at(-1)?.epoch ?? 0);
  const texts: Record<string, string> = { state: row.state };
  const { confusion, ...attrs } = row.attrs;
  const results = { [study.metric]: row.value, ...attrs };
  for (const [name, value] of Object.entries(results)) {
    if (typeof value === "number" && name !== "seed" && name !== "repeat") {
      const time = end ?? times.at(-1) ?? start;
      scalars.push({ name: `result/${name}`, step: last, value, time });
    } else if (typeof value === "string" || typeof value === "boolean") {
      texts[name] = String(value);
    }
  }
  const { repeat, seed } = row.attrs as Record<string, ParamValue | null>;
  const params = { ...row.params };
  if (repeat != null) params.repeat ??= repeat;
  if (seed != null) params.seed ??= seed;
  return {
    name: `trial-${String(row.number).padStart(4, "0")}`,
    state: row.state,
    params,
    scalars,
    texts,
    record: jsonText(row),
    confusion: isMatrix(confusion) ? confusion : undefined,
    start,
    end,
  };
}

/**
 * The trials that have begun, as runs: each epoch's numbers under their names,
 * the objective's under its own, and what the trial ended with as
 * `result/NAME`; repeat and seed are among the parameters.
 */
export function trackerRuns(study: StudyRow, rows: readonly TrialRow[]): Run[] {
  return rows.filter((row) => row.state !== "WAITING")
    .map((row) => runOf(study, row));
}
