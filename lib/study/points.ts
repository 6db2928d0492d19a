/** The points of a study: settings and repeats, and how Optuna spells them. */
import {
  type Params,
  type ParamValue,
  type Study,
  StudyError,
} from "./definition.ts";
import { contentKey, repeatSeed } from "./identity.ts";
import { randomPoint } from "./search/random_search.ts";
import { sobolPoint } from "./search/sobol.ts";
import { countOfPoints, type Spaces } from "./search/space.ts";
import { type Distribution, distributionOf, type Point } from "./store/mod.ts";

/** One repeat of one setting. */
export interface TrialPoint extends Point {
  params: Params;
}

/** What a sampler draws from. */
export function spacesOf(study: Study): Spaces {
  return Object.fromEntries(
    Object.entries(study.parameters).map(([name, p]) => {
      if ("values" in p) return [name, { kind: "choices", choices: p.values }];
      const { low, high, log, int, step } = p;
      return [
        name,
        int
          ? { kind: "int", low, high, log, step: step ?? 1 }
          : { kind: "float", low, high, log, step },
      ];
    }),
  );
}

/**
 * How many settings a search finds by its results so far, as many as there are;
 * undefined where they are all known beforehand.
 */
export function sampledSettings(study: Study): number | undefined {
  if (study.search.kind !== "tpe") return undefined;
  return Math.min(study.search.points, countOfPoints(spacesOf(study)));
}

function combinations(study: Study): Params[] {
  let settings: Params[] = [{}];
  for (const [name, parameter] of Object.entries(study.parameters)) {
    const { values } = parameter as { values: ParamValue[] };
    settings = settings.flatMap((params) =>
      values.map((value) => ({ ...params, [name]: value }))
    );
  }
  return settings;
}

/** Searches that know each point by its number. */
const POINTS = { random: randomPoint, sobol: sobolPoint };

/**
 * The settings that a study has before any result; undefined where results tell
 * them (`sampledSettings`).
 */
export function settingsOf(study: Study): Params[] | undefined {
  const { search, seed } = study;
  switch (search.kind) {
    case "grid":
      return combinations(study);
    case "list":
      return search.points;
    case "tpe":
      return undefined;
  }
  const pointAt = POINTS[search.kind];
  const spaces = spacesOf(study);
  return Array.from(
    { length: search.points },
    (_, index) => pointAt(spaces, seed, index),
  );
}

/** One point of a setting. */
export function pointOf(
  study: Study,
  record: string,
  params: Params,
  repeat: number,
): TrialPoint {
  return {
    params,
    repeat,
    seed: repeatSeed(study.seed, repeat),
    key: contentKey([record, params, repeat, study.seed]),
  };
}

/**
 * All points of a study that are known before it runs: repeats are the outer
 * loop, so that a study cut short has every setting once first. None where
 * results tell the settings.
 *
 * @param record the key of the study's record
 */
export function pointsOf(study: Study, record: string): TrialPoint[] {
  const settings = settingsOf(study) ?? [];
  const points = new Map<string, TrialPoint>();
  for (let repeat = 0; repeat < study.repeats; repeat++) {
    for (const params of settings) {
      const point = pointOf(study, record, params, repeat);
      points.set(point.key, point);
    }
  }
  return [...points.values()];
}

/** All values of a parameter that a study names. */
function valuesOf(study: Study, name: string): ParamValue[] {
  if (study.search.kind === "list") {
    return study.search.points.map((p) => p[name]);
  }
  return [...(study.parameters[name] as { values: ParamValue[] }).values];
}

/**
 * Optuna's distribution of each parameter. Kind and log flag of a name have to
 * stay as recorded; choices and ranges grow.
 *
 * @throws StudyError when the study does not fit what is recorded.
 */
export function distributionsOf(
  study: Study,
  stored: Readonly<Record<string, Distribution>> = {},
): Record<string, Distribution> {
  const names = study.search.kind === "list"
    ? Object.keys(study.search.points[0])
    : Object.keys(study.parameters);
  return Object.fromEntries(names.map((name) => {
    const parameter = study.parameters[name];
    const before = Object.hasOwn(stored, name) ? stored[name] : undefined;
    if (!parameter || "values" in parameter) {
      return [name, distributionOf(name, valuesOf(study, name), before)];
    }
    const { int, log, step } = parameter;
    const kind = int ? "IntDistribution" : "FloatDistribution";
    let { low, high } = parameter;
    if (before) {
      if (before.name !== kind || before.attributes.log !== log) {
        const isLog = before.name !== "CategoricalDistribution" &&
          before.attributes.log;
        throw new StudyError(
          `study "${study.name}": parameters.${name} is a ` +
            `${log ? "log " : ""}${kind}, its recorded trials have a ` +
            `${before.name}${isLog ? " on a log scale" : ""}: give the study ` +
            "a new name",
        );
      }
      low = Math.min(low, before.attributes.low);
      high = Math.max(high, before.attributes.high);
    }
    return [
      name,
      int
        ? { name: kind, attributes: { log, step: step ?? 1, low, high } }
        : { name: kind, attributes: { step: step ?? null, low, high, log } },
    ] as [string, Distribution];
  }));
}

/** More rates than these are a slip of the pen. */
const MOST_RATES = 1000;

/**
 * Rates from `from` down (or up) to `to`, `steps` a decade, both ends with
 * them, to four digits: `decades(1e-3, 1e-5, 5)` are fifths of a decade.
 *
 * @throws StudyError for ends or steps that are none, or above 1,000 rates
 */
export function decades(from: number, to: number, steps = 1): number[] {
  const given = [from, to, steps];
  const count = given.every((x) => typeof x === "number" && x > 0)
    ? Math.round(steps * Math.abs(Math.log10(to / from)))
    : NaN;
  if (!Number.isInteger(steps) || !(count < MOST_RATES)) {
    throw new StudyError(
      `decades(${given.join(", ")}): give two rates above 0 and a whole ` +
        `number of steps a decade, for ${MOST_RATES} rates at most`,
    );
  }
  const sign = to < from ? -1 : 1;
  return Array.from({ length: count + 1 }, (_, i) => {
    const rate = 10 ** (Math.log10(from) + sign * i / steps);
    return Number(rate.toPrecision(4));
  });
}
