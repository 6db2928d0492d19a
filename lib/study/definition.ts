/** What a study is: a grid, repeats and a seed, and the points they make. */
import { createHash } from "node:crypto";

export type ParamValue = number | string | boolean;
export type Params = Record<string, ParamValue>;

export interface StudyDefinition {
  name: string;
  /** Whether a higher or a lower value is better; default "maximize". */
  direction?: "maximize" | "minimize";
  /** The name of the value each trial returns; default "value". */
  metric?: string;
  grid: Record<string, readonly ParamValue[]>;
  /** Runs of each grid point, each with its own seed; default 1. */
  repeats?: number;
  /** Study seed, from which each point's seed is derived; default 0. */
  seed?: number;
  /**
   * What all trials share (data, fixed parameters), as plain JSON data. It is
   * recorded, and other conditions under the same name are refused.
   */
  conditions?: Record<string, unknown>;
}

export interface TrialPoint {
  params: Params;
  /** 0 … repeats - 1 */
  repeat: number;
  /** 31-bit, from params, repeat and study seed; never from start order. */
  seed: number;
  /** 16 hex digits that name this point within all studies of a folder. */
  key: string;
}

/** An error for the user: one line with what, where and what to do. */
export class StudyError extends Error {
  override name = "StudyError";
}

/** Checks a definition before anything is written. @throws StudyError */
export function checkDefinition(def: StudyDefinition): void {
  const where = `study "${def.name}"`;
  if (!def.name || def.name.length > 512) {
    throw new StudyError(`study name has to have 1 to 512 characters`);
  }
  const repeats = def.repeats ?? 1;
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new StudyError(
      `${where}: repeats is ${repeats}: give a whole number from 1`,
    );
  }
  if (!Number.isSafeInteger(def.seed ?? 0)) {
    throw new StudyError(`${where}: seed is ${def.seed}: give a whole number`);
  }
  for (const [name, values] of Object.entries(def.grid)) {
    if (values.length === 0) {
      throw new StudyError(`${where}: grid.${name} is empty: list its values`);
    }
    const seen = new Set<ParamValue>();
    for (const value of values) {
      if (typeof value === "number" && !Number.isFinite(value)) {
        throw new StudyError(
          `${where}: grid.${name} has ${value}: use finite numbers`,
        );
      }
      if (seen.has(value)) {
        throw new StudyError(
          `${where}: grid.${name} lists ${value} twice: use repeats instead`,
        );
      }
      seen.add(value);
    }
  }
}

function sha256(parts: unknown): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/**
 * All points of a study: the last grid name varies fastest, repeats are the
 * outer loop, so that a study cut short has every point once first.
 *
 * @throws StudyError when the definition is not sound.
 */
export function expandGrid(def: StudyDefinition): TrialPoint[] {
  checkDefinition(def);
  let combinations: Params[] = [{}];
  for (const [name, values] of Object.entries(def.grid)) {
    combinations = combinations.flatMap((params) =>
      values.map((value) => ({ ...params, [name]: value }))
    );
  }
  const points: TrialPoint[] = [];
  for (let repeat = 0; repeat < (def.repeats ?? 1); repeat++) {
    for (const params of combinations) {
      const sorted = Object.keys(params).sort().map((k) => [k, params[k]]);
      const identity = [sorted, repeat, def.seed ?? 0];
      points.push({
        params,
        repeat,
        seed: parseInt(sha256(identity).slice(0, 8), 16) & 0x7fffffff,
        key: sha256([def.name, ...identity]).slice(0, 16),
      });
    }
  }
  return points;
}
