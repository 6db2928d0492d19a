/** Studies of speed: nets timed batch by batch, and what their trials say. */
import { modelOf } from "../models/mod.ts";
import { initialise } from "../nn/mod.ts";
import {
  assertFits,
  count,
  inference,
  OutOfMemoryError,
  type Run,
  throughput,
  trainingMemory,
} from "../profile/mod.ts";
import { meanInterval, quantile } from "../statistics/mod.ts";
import {
  type Params,
  type ParamValue,
  parseStudy,
  StudyError,
  type TrainTrial,
} from "../study/mod.ts";
import { type Arithmetic, engineInfo } from "../tensorflow/mod.ts";
import {
  parseRecipe,
  randomSteps,
  type Recipe,
  settlePrecision,
} from "../train/mod.ts";
import { FEWEST } from "./effects.ts";
import { parseProfile } from "./profiles.ts";
import { checkField, named, parametersOf, paramsOf, type Row } from "./rows.ts";
import { type Shown, table, valueText } from "./show.ts";
import { parseWhere, Study, type Where } from "./study.ts";

/** What is timed: the forward pass in evaluation, or a whole training step. */
const MODES = ["forward", "training step"] as const;
export type Mode = typeof MODES[number];

/** How many steps a trial runs. */
export interface Steps {
  /** Before the clock starts. */
  warmUp: number;
  /** Timed steps: as many as make `images`, but from `least` to `most`. */
  images?: number;
  least: number;
  most: number;
}

/** What a notebook's cell says of a study of speed. */
export interface SpeedCell {
  /** Of its record. */
  name: string;
  /** The notebook whose claims it answers, such as "09-efficiency". */
  notebook?: string;
  /** Recipes by name. */
  nets: Record<string, Recipe>;
  /** By the nets' names. */
  steps: Record<string, Steps>;
  /** What is timed, in this order in each repeat. */
  points: (Params & { net: string; batchSize: number; mode?: Mode })[];
  /** Of all points, where they do not say. */
  mode?: Mode;
  repeats: number;
  /** What a point times; its net without it. */
  recipe?: (net: Recipe, point: Params) => Recipe;
}

/** A `run` of forward passes, or of whole training steps, on random pixels. */
function runOf(recipe: Recipe, mode: Mode, seed: number): Run {
  const forward = modelOf(recipe), { size } = recipe;
  const shape: [number, number, number] = [size, size, 3];
  if (mode === "forward") {
    const precision = recipe.precision as Arithmetic;
    const state = initialise(forward, shape, seed);
    return inference(forward, state, shape, { precision });
  }
  return (batchSize) => {
    assertFits(trainingMemory(count(forward, shape, { batch: batchSize })));
    return randomSteps({ ...recipe, batchSize }, seed);
  };
}

/**
 * Times one point. The value is images a second by the median step.
 *
 * @throws {OutOfMemoryError} where the batch does not fit, which fails the
 * trial with its reason and no other.
 */
const timing = (
  { nets, steps, mode, recipe = (net) => net }: SpeedCell,
): TrainTrial =>
async ({ params, seed }, { signal }) => {
  const net = String(params.net), batchSize = Number(params.batchSize);
  const settled = await settlePrecision(
    { ...recipe(nets[net], params), batchSize },
    { signal },
  );
  const began = performance.now();
  const { warmUp, images = 0, least, most } = steps[net];
  const [row] = await throughput({
    run: runOf(settled, (params.mode ?? mode ?? "forward") as Mode, seed),
    batchSizes: [batchSize],
    warmUp,
    repeats: Math.min(most, Math.max(least, Math.ceil(images / batchSize))),
    signal,
  });
  if (row.error !== null) throw new OutOfMemoryError(row.error);
  return {
    value: row.median!,
    attrs: {
      secondsPerStep: batchSize / row.median!,
      imagesPerSecond: row.imagesPerSecond,
      lowerQuartile: row.lowerQuartile,
      upperQuartile: row.upperQuartile,
      spread: row.spread,
      images: row.images,
      timedSeconds: row.seconds,
      /** Of the whole trial, the first values and the warm-up included. */
      seconds: (performance.now() - began) / 1000,
      precision: settled.precision,
      engine: engineInfo(),
    },
  };
};

/** What is timed, in words, by the lines of a protocol. */
function factsOf(
  { nets, steps, points, mode = "forward", repeats }: SpeedCell,
) {
  const values = (
    name: string,
    own: readonly Params[] = points,
  ) => [...new Set(own.map((p) => p[name] ?? mode))];
  const each = (text: (net: string) => string) =>
    values("net").map((net) => `${net}: ${text(String(net))}`).join("; ");
  const others = Object.keys(points[0]).filter((name) =>
    !["net", "batchSize", "mode"].includes(name)
  );
  return {
    net: each((net) => {
      const { widths, layers, depth, size } = nets[net];
      return `stages ${widths.join("/")} with ${layers.join("/")} units, ` +
        `depth ${depth}, ${size}×${size}`;
    }),
    ...Object.fromEntries(others.map((n) => [n, values(n).join("; ")])),
    batch: each((net) =>
      values("batchSize", points.filter((p) => p.net === net)).join(", ")
    ),
    timed: values("mode").join("; ")
      .replace("forward", "forward pass in evaluation, logits read back"),
    steps: each((net) => {
      const { warmUp, least, most } = steps[net];
      return `${least === most ? most : `${least} to ${most}`}, after ` +
        `${warmUp} of warm-up`;
    }),
    runs: `${repeats} a setting, each running all settings in turn`,
    machine: "named under the table of our result",
    reported: "batch / seconds of the median step",
  };
}

/**
 * Opens a study of speed: its points one after the other, all of them in each
 * repeat, so that what slows the machine for a while slows all. A trial has
 * its parameters, `imagesPerSecond` by the median step and `secondsPerStep`;
 * it has no accuracy.
 *
 * @throws StudyError, one line, for a parameter, net or point that is not one
 */
export function timed(where: Where, cell: SpeedCell): Study {
  const at = parseWhere(where);
  const { name, nets, steps, points, mode, repeats, notebook } = cell;
  const both = Object.keys(nets).filter((net) => net in steps);
  points.forEach(({ net, batchSize, mode: own = mode ?? MODES[0] }, i) => {
    const bad = !both.includes(net)
      ? `net "${net}": nets and steps have ${both.join(", ")}`
      : !(Number.isInteger(batchSize) && batchSize > 0)
      ? `batchSize ${batchSize}: give a whole number from 1 on`
      : !MODES.includes(own)
      ? `mode "${own}": give ${MODES.map((m) => `"${m}"`).join(" or ")}`
      : undefined;
    if (bad) throw new StudyError(`timed: points[${i}] has ${bad}`);
    parseRecipe(nets[net]);
  });
  const used = points.map(({ net }) => [net, nets[net]]);
  const study = {
    name,
    metric: "images/s",
    search: { kind: "list" as const, points },
    repeats,
    fixed: { ...mode ? { mode } : {}, nets: Object.fromEntries(used) },
  };
  parseStudy(study);
  return new Study(parseProfile(at.profile), at, {
    study,
    measure: timing(cell),
    field: "imagesPerSecond",
    facts: factsOf(cell),
  }, notebook);
}

/** One setting of a study of speed over its repeats. */
export interface Speed extends Row {
  /** The repeats' median; null where all failed. */
  imagesPerSecond: number | null;
  /** The slowest and the fastest repeat. */
  low: number | null;
  high: number | null;
  /** Finished repeats. */
  n: number;
  /** Medians: of a step, and of the spread of a trial's steps as a share. */
  secondsPerStep: number | null;
  spread: number | null;
  /** Why a repeat failed. */
  error?: string;
}

/** The settings of rows of speed, in the order of their first trial. */
export function speeds(rows: readonly Row[]): Speed[] {
  const groups = Map.groupBy(rows, (row) => JSON.stringify(paramsOf(row)));
  return [...groups.values()].map((own) => {
    const numbers = (field: string): number[] =>
      own.flatMap((r) => Number.isFinite(r[field]) ? [r[field]] : []);
    const median = (field: string) =>
      numbers(field).length > 0 ? quantile(numbers(field), 0.5) : null;
    const rates = numbers("imagesPerSecond");
    const error = own.find((r) => r.reason)?.reason;
    return named({
      ...paramsOf(own[0]),
      imagesPerSecond: median("imagesPerSecond"),
      low: rates.length > 0 ? Math.min(...rates) : null,
      high: rates.length > 0 ? Math.max(...rates) : null,
      n: rates.length,
      secondsPerStep: median("secondsPerStep"),
      spread: median("spread"),
      ...error ? { error } : {},
    }, parametersOf(own));
  });
}

/** How many times one setting is as fast as another. */
export interface Ratio {
  /** Geometric mean over the repeats. */
  ratio: number;
  /** 95 % t interval of the logarithms; null below three repeats. */
  low: number | null;
  high: number | null;
  n: number;
}

/**
 * How many times value `a` of a parameter is as fast as `b`, in pairs that
 * share the repeat and all other parameters; a repeat counts once. Null where
 * no repeat has both.
 *
 * @throws StudyError for a parameter that no row has
 */
export function ratio(
  rows: readonly Row[],
  { of, a, b }: { of: string; a: ParamValue; b: ParamValue },
): Ratio | null {
  checkField("ratio", rows, of);
  const others = parametersOf(rows).filter((name) => name !== of);
  const pairs = rows.filter((row) => row[of] === a).flatMap((row) => {
    const other = rows.find((r) =>
      r[of] === b && r.repeat === row.repeat &&
      others.every((name) => r[name] === row[name])
    );
    return row.imagesPerSecond && other?.imagesPerSecond
      ? [{
        repeat: row.repeat,
        log: Math.log(row.imagesPerSecond / other.imagesPerSecond),
      }]
      : [];
  });
  const repeats = [...Map.groupBy(pairs, (p) => p.repeat).values()];
  if (repeats.length === 0) return null;
  const { mean, low, high, n } = meanInterval(
    repeats.map((own) => own.reduce((sum, p) => sum + p.log, 0) / own.length),
  );
  const end = (log: number | null) =>
    log === null || n < FEWEST ? null : Math.exp(log);
  return { ratio: Math.exp(mean), low: end(low), high: end(high), n };
}

/** "1.210 (1.180 to 1.240, 5 repeats)" */
export function ratioText({ ratio, low, high, n }: Ratio): string {
  const interval = low === null || high === null
    ? ""
    : `${low.toFixed(3)} to ${high.toFixed(3)}, `;
  return `${ratio.toFixed(3)} (${interval}${n} repeat${n === 1 ? "" : "s"})`;
}

/** Three significant digits, as in 1590 or 0.0123. */
export const speedText = (value: number): string =>
  String(Number(value.toPrecision(value >= 1000 ? 4 : 3)));

/** Each setting: images a second, its repeats' range, seconds a step. */
export function speedTable(rows: readonly Row[]): Shown {
  const text = (value: number | null) =>
    value === null ? "–" : speedText(value);
  return table(
    speeds(rows).map((s) => ({
      ...Object.fromEntries(
        Object.entries(paramsOf(s)).map((
          [name, v],
        ) => [name, valueText(name, v)]),
      ),
      "images/s (median)": s.n === 0
        ? s.error ?? "failed"
        : text(s.imagesPerSecond),
      "slowest to fastest repeat": s.n > 1
        ? `${text(s.low)} – ${text(s.high)}`
        : "–",
      repeats: s.n,
      "s a step": text(s.secondsPerStep),
      "spread of steps": s.spread === null
        ? "–"
        : `${(100 * s.spread).toFixed(0)} %`,
    })),
  );
}

/** Where rows were measured: GPU, processor, threads, engine, arithmetic. */
export function machineText(rows: readonly Row[]): string {
  const texts = rows.flatMap(({ provenance, engine, precision }) => {
    if (!provenance?.cpu) return [];
    const gpu = engine?.devices?.find((d: Row) => d.type === "GPU");
    return [
      `${gpu ? `${gpu.name}, ` : ""}${provenance.cpu}, ` +
      `${provenance.threads} threads, TensorFlow ` +
      `${engine?.version ?? "unknown"}, ${precision}`,
    ];
  });
  return [...new Set(texts)].join("; ") || "no machine on record";
}
