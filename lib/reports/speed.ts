/** Studies of speed: what a cell says of one, and what its trials say. */
import { channels, escapeMarkup, wordsOf } from "../charts/mod.ts";
import {
  analysis,
  type Params,
  type ParamValue,
  parseStudy,
  StudyError,
  TIMED_MODES,
  type TimedMode,
  type TimedSteps,
  timingTrial,
} from "../study/mod.ts";
import { parseRecipe, type Recipe } from "../train/mod.ts";
import { type Effect, effects, FEWEST } from "./effects.ts";
import {
  paramsOf,
  type Row,
  rowsOf,
  speeds,
  speedText,
  valueText,
} from "../rows/mod.ts";
import { displayed, type Shown, tableHtml } from "./markdown_and_tables.ts";
import { parseWhere, Study, type Where } from "./study.ts";

/** What a notebook's cell says of a study of speed. */
export interface SpeedCell {
  name: string;
  nets: Record<string, Recipe>;
  /** By the names of `nets`. */
  steps: Record<string, TimedSteps>;
  /** What is timed, in this order in each repeat; forward where none says. */
  points: (Params & { net: string; batchSize: number; mode?: TimedMode })[];
  repeats: number;
  /** What a point times; its net without it. */
  recipe?: (net: Recipe, point: Params) => Recipe;
}

/** What is timed, in words, by the lines of a protocol. */
function factsOf({ nets, steps, points, repeats }: SpeedCell) {
  const values = (name: string, of: readonly Params[] = points) =>
    [...new Set(of.map((point) => point[name]))].map(String);
  const each = (text: (net: string) => string) =>
    values("net").map((net) => `${net}: ${text(net)}`).join("; ");
  const { net: _, batchSize: __, mode: ___, ...others } = points[0];
  const varied = Object.keys(others).map((n) => [n, values(n).join("; ")]);
  return {
    net: each((net) => {
      const { widths, layers, depth, size } = nets[net];
      return `stages ${widths.join("/")} with ${layers.join("/")} units, ` +
        `depth ${depth}, ${size}×${size}`;
    }),
    ...Object.fromEntries(varied),
    batch: each((net) =>
      values("batchSize", points.filter((p) => p.net === net)).join(", ")
    ),
    timed: values("mode").join("; ").replace(
      /undefined|forward/,
      "forward pass in evaluation, logits read back",
    ),
    steps: each((net) => {
      const { warmUp, least, most } = steps[net];
      const timed = least === most ? most : `${least} to ${most}`;
      return `${timed}, after ${warmUp} of warm-up`;
    }),
    runs: `${repeats} per setting, each running all settings in turn`,
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
 * @throws StudyError or RecipeError, one line, for a parameter, net or point
 * that is not one
 */
export function timed(where: Where, cell: SpeedCell): Study {
  const at = parseWhere("timed", where);
  const example = "{ name, nets, steps, points, repeats }";
  channels.checkOptions("timed", cell, example);
  const { name, nets, steps, points, repeats } = cell;
  rowsOf("timed: the points", points);
  const both = Object.keys(Object(nets))
    .filter((net) => Object.hasOwn(Object(steps), net));
  const timedAt = ({ net, batchSize, mode = "forward", ...others }: Params) => {
    const point = { net, ...others }, { recipe = (own) => own } = cell;
    const own = recipe(nets[String(net)], point);
    return {
      recipe: parseRecipe({ ...own, batchSize }),
      mode: mode as TimedMode,
      steps: steps[String(net)],
    };
  };
  points.forEach((point, i) => {
    const { net, mode = "forward" } = point;
    const bad = !both.includes(net)
      ? `net "${net}": nets and steps have ${both.join(", ")}`
      : !TIMED_MODES.includes(mode) &&
        `mode "${mode}": give ${TIMED_MODES.join(" or ")}`;
    if (bad) throw new StudyError(`timed: points[${i}] has ${bad}`);
    timedAt(point);
  });
  const study = {
    name,
    metric: "images/s",
    search: { kind: "list" as const, points },
    repeats,
    fixed: {
      ...points.some((p) => p.mode) ? {} : { mode: "forward" },
      nets: Object.fromEntries(points.map(({ net }) => [net, nets[net]])),
    },
  };
  parseStudy(study); // before its points are put into words
  const measure = timingTrial(timedAt), facts = factsOf(cell);
  return new Study(at, { study, measure, field: "imagesPerSecond", facts });
}

/** How many times one value is as fast as another, its base. */
export interface Ratio extends Pick<Effect, "value" | "low" | "high" | "n"> {
  label: string;
  /** Geometric mean over the repeats, low and high its 95 % t interval. */
  ratio: number;
}

/**
 * How many times the other values of a parameter are as fast as the base, in
 * pairs that share the repeat and all other parameters; a repeat counts once.
 * Values without a pair are left out.
 *
 * @throws TypeError for a parameter that no row has
 */
export function ratios(
  rows: Iterable<Row>,
  o: { of: string; base: ParamValue },
): Ratio[] {
  channels.checkOptions("ratios", o, '{ of: "net", base: "small" }');
  const { of, base } = o;
  const logs = effects(rowsOf("ratios", rows, [of]), {
    ...{ of, base },
    value: (row) => row.imagesPerSecond && Math.log(row.imagesPerSecond),
  });
  return logs.filter((e) => e.difference !== null && !e.unpaired)
    .map(({ value, difference, n, ...e }) => {
      const end = (log: number | null) =>
        log === null || n < FEWEST ? null : Math.exp(log);
      const label = valueText(of, value), ratio = Math.exp(difference!);
      return { value, label, ratio, low: end(e.low), high: end(e.high), n };
    });
}

/** "1.210 (1.180 to 1.240, 5 repeats)" */
export function ratioText({ ratio, low, high, n }: Ratio): string {
  const interval = low && high
    ? `${low.toFixed(3)} to ${high.toFixed(3)}, `
    : "";
  return `${ratio.toFixed(3)} (${interval}${analysis.counted(n, "repeat")})`;
}

/**
 * Each setting: images a second, its repeats' range, seconds a step. Below it
 * where they were measured: GPU, processor, threads, engine, arithmetic.
 */
export function speedTable(rows: readonly Row[]): Shown {
  const text = (value: number | null) => value && speedText(value);
  const html = tableHtml(
    speeds(rows).map((s) => ({
      ...Object.fromEntries(
        Object.entries(paramsOf(s)).map(([name, v]) => [wordsOf(name), v]),
      ),
      "images/s (median)": text(s.imagesPerSecond) ?? s.error ?? "failed",
      "slowest to fastest repeat": s.n > 1
        ? `${text(s.low)} to ${text(s.high)}`
        : null,
      repeats: s.n,
      "s per step": text(s.secondsPerStep),
      "spread of steps": s.n > 0 ? `${(100 * s.spread).toFixed(0)} %` : null,
    })),
  );
  const machines = rows.filter((row) => row.provenance?.cpu)
    .map(({ provenance: { cpu, threads }, engine, precision }) => {
      const gpu = engine?.devices?.find((d: Row) => d.type === "GPU");
      return `${gpu ? `${gpu.name}, ` : ""}${cpu}, ${threads} threads, ` +
        `TensorFlow ${engine?.version ?? "unknown"}, ${precision}`;
    });
  const where = [...new Set(machines)].join("; ") || "no machine on record";
  return displayed(() => ({
    "text/html": `${html}<p>Measured on ${escapeMarkup(where)}.</p>`,
  }));
}
