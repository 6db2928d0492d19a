/** What one value of a parameter gains over another, paired by seed. */
import { channels, wordsOf } from "../charts/mod.ts";
import { holm, studentQuantile } from "../statistics/mod.ts";
import {
  analysis,
  type Params,
  type ParamValue,
  StudyError,
} from "../study/mod.ts";
import {
  areSingle,
  asRuns,
  type Field,
  parametersOf,
  paramsText,
  pickFields,
  points,
  pointsInterval,
  pText,
  rising,
  type Row,
  rowsOf,
  valueAt,
  valueOf,
  valueText,
} from "../rows/mod.ts";
import { type Shown, table } from "./markdown_and_tables.ts";

/** Fewer paired seeds carry no verdict. */
export const FEWEST = 3;

/** How differences are tested, where not as usual. */
export interface Testing {
  /** Of the intervals; what is left of 1 is the tests' alpha. Default 0.95. */
  level?: number;
  /** For the number of tests: Holm's (default) or none. */
  correction?: analysis.Correction;
  /** Whether seeds pair runs (default); else Welch's test is made. */
  paired?: boolean;
}

/** The tests' alpha; without the rounding of 1 - 0.95. */
export const alphaOf = ({ level = 0.95 }: Testing = {}): number =>
  Number((1 - level).toPrecision(12));

/** "95 % interval" */
const intervalText = ({ level = 0.95 }: Testing = {}): string =>
  `${Number((100 * level).toPrecision(4))} % interval`;

/**
 * The difference that one value makes against another, as `analysis.compareAll`
 * has it; shares of accuracy. Its interval is the test's, or what `noise`
 * allows; p and verdict are by Holm's correction.
 */
export interface Effect extends
  Pick<
    analysis.Comparison,
    "difference" | "low" | "high" | "n" | "p" | "sign" | "verdict"
  > {
  /** Of the parameter; of several their values as text. */
  // deno-lint-ignore no-explicit-any
  value: any;
  // deno-lint-ignore no-explicit-any
  base: any;
  params: Params;
  /** "depth 4", for a chart's row. */
  label: string;
  /** "depth 4 vs 2", for a sentence. */
  pair: string;
  /** No seed is shared, so that Welch's t test of both sides was made. */
  unpaired?: true;
  /** Each seed's difference; a seed counts once. */
  seeds: analysis.Comparison["differences"];
  /** Of the seeds' differences. */
  sd: number | null;
  /** Before Holm's correction; null where no test counts. */
  rawP: number | null;
  /** The verdict is "differs", and the difference above (below) 0. */
  isBetter: boolean;
  isWorse: boolean;
  /** Of published single runs. */
  published?: boolean;
  /** Where it was not tested as usual. */
  testing?: Testing;
}

export interface EffectOptions extends Testing {
  /** The parameter asked about, or several that change together. */
  of: string | readonly string[];
  /** The value that the others are held against; of several by name. */
  base: ParamValue | Params;
  /**
   * best: each value at the setting of the others that has its best mean;
   * mean: the mean over pairs that share all others, a seed counting once.
   */
  at?: "best" | "mean";
  /** The parameters that a pair shares besides the seed; all without it. */
  sharing?: readonly string[];
  /** What is compared; accuracy without it. */
  value?: Field;
  /** Before the values in sentences: `depth` for "depth 4 vs 2". */
  name?: string;
  /** A value as text, where not its own. */
  text?: (params: Params) => string;
  /** Of one published run: what the interval of a difference comes from. */
  noise?: Pick<analysis.NoiseFloor, "sd" | "df">;
}

/** Under this key an empty list of effects keeps why it is empty. */
const WHY = Symbol.for("ferlab.why");

/** Why there is no effect. */
export const whyNone = (of: readonly Effect[]): string =>
  (of as { [WHY]?: string })[WHY] ?? "no two values have finished runs";

/** @throws TypeError for what is no list of effects, such as plain rows */
export function effectsIn<E extends Pick<Effect, "difference" | "n">>(
  where: string,
  of: readonly E[],
): E[] {
  const list = rowsOf(where, of);
  const i = list.findIndex(({ difference, n }) =>
    typeof n !== "number" || difference !== null && !Number.isFinite(difference)
  );
  if (i < 0) return list;
  throw new TypeError(
    `${where}: row ${i + 1} is no effect: give those of effects`,
  );
}

/**
 * The base's parameters by name.
 *
 * @throws StudyError for options that make no sense, and for a base of another
 * type than the rows' values
 */
function baseOf(
  rows: readonly Row[],
  names: readonly string[],
  o: EffectOptions,
): Params {
  const { at = "mean", noise, level = 0.95, value: of = "", text } = o;
  const { correction = "holm", paired = true } = o, one = valueOf(o.base);
  const given = one === undefined ? o.base as Params : { [names[0]]: one };
  const base = pickFields(given ?? {}, names);
  const alike = (name: string) =>
    rows.map((row) => valueAt(row, name))
      .find((value) => String(value) === String(base[name])) ?? base[name];
  const lacking = names.find((name) => !Object.hasOwn(base, name));
  const odd = names.find((name) => typeof alike(name) !== typeof base[name]);
  const wrong = names.length === 0
    ? "of is empty: name the parameter that is asked about"
    : at !== "best" && at !== "mean"
    ? `at is "${at}": give best or mean`
    : !(level > 0 && 0.5 + level / 2 < 1)
    ? `level is ${level}: give one between 0 and 1, such as 0.95`
    : correction !== "holm" && correction !== "none"
    ? `correction is "${correction}": give holm or none`
    : typeof paired !== "boolean"
    ? `paired is "${paired}": give true or false`
    : typeof of !== "string" && typeof of !== "function"
    ? `value is ${channels.whatIs(of)}: give a field's name or a function`
    : text && typeof text !== "function"
    ? `text is ${channels.whatIs(text)}: give a function of the parameters`
    : noise && !(noise.sd >= 0 && noise.df > 0)
    ? `noise has sd ${noise.sd} and df ${noise.df}: give those of noiseOf`
    : lacking !== undefined
    ? `base has no ${lacking}: give the value of each parameter in of`
    : odd !== undefined &&
      `base ${JSON.stringify(base[odd])} is a ${typeof base[odd]}, in the ` +
        `rows ${odd} is a ${typeof alike(odd)}`;
  if (wrong) throw new StudyError(`effects: ${wrong}`);
  return base;
}

/**
 * Every value of a parameter against one of them: differences paired by seed,
 * t tests with Holm's correction over the values, rising. None where the base,
 * or everything else, has no finished run. Rows without repeats, such as
 * published ones, are paired by the parameters that they share.
 *
 * @throws TypeError for a parameter that no row has; StudyError for a base of
 * another type than the rows' values, and rows that are no runs (see `asRuns`)
 */
export function effects(given: Iterable<Row>, o: EffectOptions): Effect[] {
  channels.checkOptions("effects", o, '{ of: "depth", base: 2 }');
  const { noise, value = "accuracy", sharing, level, correction, paired } = o;
  const testing: Testing = { level, correction, paired };
  if (sharing) channels.checkList("effects: the sharing", sharing);
  const names = [o.of].flat() as string[], fields = names.concat(sharing ?? []);
  const needed = typeof value === "string" ? [...fields, value] : fields;
  const rows = rowsOf("effects", given, needed);
  const base = baseOf(rows, names, o), isSingle = areSingle(rows);
  const all = asRuns(
    "effects",
    rows.filter((row) => names.every((n) => valueAt(row, n) !== undefined)),
    sharing ? fields : parametersOf(rows, fields),
    value,
  );
  const own = (params: Params) => pickFields(params, names);
  const key = (params: Params) => JSON.stringify(own(params));
  const tried = new Map(all.map(({ params }) => [key(params), own(params)]));
  if (all.length > 0 && !tried.has(key(base))) {
    const others = [...tried.values()].slice(0, 8).map((p) => paramsText(p));
    if (tried.size > 8) others.push("…");
    const why = `${paramsText(base)} was not tried: there are `;
    return Object.assign([], { [WHY]: why + others.join("; ") });
  }
  // Those of each value's best setting, told apart by the parameters alone.
  const bests = Map.groupBy(analysis.settings(all), (s) => key(s.params));
  const runs = o.at !== "best"
    ? all
    : [...bests.values()].flatMap((tried) =>
      (analysis.bestOf(tried, "maximize")?.runs ?? [])
        .map((run) => ({ ...run, params: own(run.params) }))
    );
  const finished = new Set(
    runs.filter((r) => r.state === "COMPLETE" && r.value !== null)
      .map((r) => key(r.params)),
  );
  if (!finished.has(key(base)) || finished.size === 1) return [];
  const { comparisons } = analysis.compareAll(runs, {
    direction: "maximize",
    ...{ bootstrap: false, ranked: false },
    by: names,
    baseline: base,
    bySeed: o.at !== "best" && !isSingle,
    ...testing,
    alpha: alphaOf(testing),
  });
  const isOne = names.length === 1, called = o.name ?? wordsOf(names[0]);
  // Of several parameters those that are not as in the base.
  const differing = (params: Params) =>
    pickFields(params, names.filter((n) => params[n] !== base[n]));
  const text = (params: Params): string =>
    o.text
      ? `${channels.callAt("effects: the function text", o.text, params, 0)}`
      : isOne
      ? valueText(names[0], params[names[0]])
      : paramsText(differing(params)) || "the base";
  const asValue = (params: Params) => isOne ? params[names[0]] : text(params);
  const found = comparisons.filter((c) => finished.has(key(c.a))).map((c) => {
    const { a, difference, n, sign, kind } = c, words = text(a);
    // That of the mean of n differences of two single runs.
    const half = noise && difference !== null
      ? studentQuantile(0.5 + (level ?? 0.95) / 2, noise.df) *
        Math.SQRT2 * noise.sd / Math.sqrt(n)
      : null;
    const isTested = half === null && c.verdict !== "too few repeats";
    return judged({
      value: asValue(a),
      base: asValue(base),
      params: a,
      label: isOne && !o.text ? `${called} ${words}` : words,
      pair: `${o.name ? `${o.name} ` : ""}${words} vs ${text(base)}`,
      difference,
      low: half === null ? c.low : difference! - half,
      high: half === null ? c.high : difference! + half,
      n,
      seeds: c.differences,
      sd: c.t?.sd ?? null,
      rawP: isTested ? c.rawP : null,
      sign,
      ...kind === "unpaired" && { unpaired: true },
      ...isSingle && { published: true },
      ...(level ?? correction ?? paired) !== undefined && { testing },
    }, isTested ? c.p : null);
  });
  return rising(found, (e) => e.value);
}

/** An effect with its verdict, by a p-value; null where none was tested. */
function judged(
  e: Omit<Effect, "p" | "verdict" | "isBetter" | "isWorse">,
  p: number | null,
): Effect {
  const differs = p !== null && p < alphaOf(e.testing);
  const open = p === null ? "too few repeats" : "indistinguishable";
  const verdict = differs ? "differs" : open;
  const isBetter = differs && e.difference! > 0;
  return { ...e, p, verdict, isBetter, isWorse: differs && !isBetter };
}

/**
 * Several lists of effects as one family of tests: Holm's correction over all
 * of them together.
 */
export function asFamily(...lists: readonly Effect[][]): Effect[][] {
  const tested = lists.flatMap((list) => effectsIn("asFamily", list))
    .filter((e) => e.rawP !== null);
  const corrected = holm(tested.map((e) => e.rawP!));
  return lists.map((list) =>
    list.map((e) =>
      e.rawP === null ? e : judged(e, corrected[tested.indexOf(e)])
    )
  );
}

/** The paired seeds of the effect that has the fewest; 0 of none. */
export function fewest(of: readonly Pick<Effect, "n">[]): number {
  const all = rowsOf("fewest", of, ["n"]);
  return all.length === 0 ? 0 : Math.min(...all.map((e) => e.n));
}

/** Of those that are better the one with the largest gain. */
export const leaderOf = (of: readonly Effect[]): Effect | undefined =>
  effectsIn("leaderOf", of).filter((e) => e.isBetter)
    .sort((a, b) => b.difference! - a.difference!)[0];

/** "2" of "depth 4 vs 2". */
export const baseText = ({ pair }: Pick<Effect, "pair">): string =>
  pair.slice(pair.lastIndexOf("vs ") + "vs ".length);

/** What an effect's sentences are made of. */
type Told = Pick<
  Effect,
  "difference" | "low" | "high" | "n" | "unpaired" | "testing"
>;

/** "+1.20 points (−0.30 to +2.70, n 3)"; of shares. */
export function differenceText(e: Told): string {
  if (e.difference === null) return "no pair";
  const interval = e.low === null ? "no interval" : pointsInterval(e);
  const n = `n ${e.n}${e.unpaired ? " per side, unpaired" : ""}`;
  return `${points(e.difference)} points (${interval}, ${n})`;
}

/**
 * Of effects the largest as a sentence's end: "depth 4 gains 1.2 points over
 * 2 (95 % interval −0.3 to +2.7, 3 paired seeds)".
 */
export function gainText(
  of: readonly (Told & Pick<Effect, "label" | "pair">)[],
): string {
  const [e] = effectsIn("gainText", of).filter((e) => e.difference !== null)
    .sort((a, b) => b.difference! - a.difference!);
  if (!e) return "no two values have a pair of finished runs";
  // An end beside 0 is not said to be 0.
  const isSmall = [e.difference, e.low, e.high].some((share) =>
    share && Math.abs(share) < 5e-4
  );
  const size = (share: number) =>
    (100 * Math.abs(share)).toFixed(isSmall ? 2 : 1);
  const sign = (share: number) => (share < 0 ? "−" : "+") + size(share);
  const interval = e.low === null
    ? "no interval"
    : `${intervalText(e.testing)} ${sign(e.low)} to ${sign(e.high!)}`;
  const [verb, than] = e.difference! < 0
    ? ["loses", "against"]
    : ["gains", "over"];
  const seeds = analysis.counted(e.n, `${e.unpaired ? "un" : ""}paired seed`);
  return `${e.label} ${verb} ${size(e.difference!)} points ${than} ` +
    `${baseText(e)} (${interval}, ${seeds})`;
}

/** "depth 4 vs 2: +1.20 points (−0.30 to +2.70, n 3); …" */
export const effectsText = (of: readonly Effect[]): string =>
  effectsIn("effectsText", of)
    .map((e) => `${e.pair}: ${differenceText(e)}`).join("; ");

/** "by seed +4.96, +2.54" */
export const seedsText = ({ seeds }: Pick<Effect, "seeds">): string =>
  seeds.length === 0
    ? "no seed is shared"
    : `by seed ${seeds.map((s) => points(s.difference)).join(", ")}`;

/** Effects in numbers, a list or several by name. */
export function effectTable(
  of: readonly Effect[] | Record<string, readonly Effect[]>,
): Shown {
  const groups = channels.isGroups(of) ? of : { "": of };
  return table(
    Object.entries(groups).flatMap(([group, list]) =>
      effectsIn("effectTable", list).map((e) => ({
        ...group ? { runs: group } : {},
        compared: e.pair,
        "difference (points)": e.difference === null
          ? "–"
          : points(e.difference),
        [intervalText(e.testing)]: pointsInterval(e),
        [e.published ? "pairs" : "paired seeds"]: e.unpaired
          ? `none, ${e.n} per side`
          : e.n,
        [e.testing?.correction === "none" ? "p" : "p (Holm)"]: pText(e.p),
        verdict: e.published ? "single runs" : e.verdict,
      }))
    ),
    "Each difference, its interval and its test",
  );
}
