/**
 * What a result keeps of the call that gave it, and calls as JSON: a page then
 * makes the same calls on other rows.
 *
 * A value is itself if it is a text, a boolean, null or a finite number; all
 * else is a list that begins with its kind:
 *
 *     ["u"]                               undefined
 *     ["a", …values]                      an array
 *     ["o", { name: value }, names?]      an object; names of a row's parameters
 *     ["r", [[study, number], …], { field: values }, names?]   rows of trials
 *     ["c", call]                         what a call gave
 *     ["i", call, list, key, { field: value }]    an item of it, with changes
 *     ["t", [[study, number, value], …]]  a function of trials, by its values
 */
import { channels } from "../charts/mod.ts";
import type { Row, Trial } from "../rows/mod.ts";
import type { TrainingPlan } from "../study/mod.ts";
import { keyText } from "./keys.ts";

const CALL = Symbol.for("ferlab.call");
const ITEM = Symbol.for("ferlab.item");

// deno-lint-ignore no-explicit-any
export type Json = any;
/** A call as JSON: the function's name and its arguments. */
export type CallJson = [name: string, ...args: Json[]];

/** A call of the library and what it gave. */
class Call {
  constructor(
    readonly name: string,
    readonly args: readonly unknown[],
    readonly result: unknown,
  ) {}
  /** Shown by a cell it would be all trials. */
  [Symbol.for("Deno.customInspect")](): string {
    return `call of ${this.name}`;
  }
}

/** A part of a call's result: of which list (of several), by which key. */
interface Item {
  call: Call;
  list: number;
  key: string;
  original: Row;
}

/** A function's values of trials, in place of the function. */
export class Tabulated {
  constructor(readonly rows: readonly Row[], readonly of: (row: Row) => Json) {}
}

/** Why a call cannot be made again elsewhere. */
class Unrecordable extends Error {}

/**
 * `f` with results that keep the call. Items of a list, by `keyOf`, keep it as
 * well: copies of them, filtered lists and `{ ...item, label }` know theirs.
 */
// deno-lint-ignore no-explicit-any
export function recorded<F extends (...args: any[]) => any>(
  name: string,
  f: F,
  { keyOf, prepare = (args) => args }: {
    keyOf?: (item: Row) => unknown;
    /** Arguments without functions, where they can do without. */
    prepare?: (args: unknown[], result: unknown) => unknown[];
  } = {},
): F {
  const marked = (args: unknown[], result: unknown) => {
    if (typeof result !== "object" || result === null) return result;
    const call = new Call(name, prepare(args, result), result);
    if (keyOf && Array.isArray(result)) {
      const lists = Array.isArray(result[0]) ? result : [result];
      lists.forEach((list: Row[], i) =>
        list.forEach((item, at) => {
          const original = { ...item };
          list[at] = original;
          const mark: Item = {
            call,
            list: i,
            key: keyText(keyOf(item)),
            original,
          };
          Object.assign(original, { [ITEM]: mark });
        })
      );
    }
    // Copies of an object keep what is enumerable; a list is no object.
    Object.defineProperty(result, CALL, {
      ...{
        value: call,
        configurable: true,
        enumerable: !Array.isArray(result),
      },
    });
    return result;
  };
  return ((...args: unknown[]) => {
    const result = f(...args);
    return result instanceof Promise
      ? result.then((value) => marked(args, value))
      : marked(args, result);
  }) as F;
}

/** The call that gave a value; undefined where that has been changed since. */
export function callOf(value: unknown): Call | undefined {
  const call = (value as { [CALL]?: Call } | null)?.[CALL];
  if (!call || call.result === value) return call;
  const given = Object.entries(call.result as Row);
  return given.every(([k, v]) => (value as Row)[k] === v) ? call : undefined;
}

const originals = new Map<string, Trial>();
const idOf = ({ study, number }: Row) => `${study}/${number}`;

/** Of a study of trainings by its name: what its trials share beside a recipe. */
export type SharedPlan = Pick<TrainingPlan, "data" | "limits" | "objective"> & {
  seed: number;
};
const plans = new Map<string, SharedPlan>();
export const planOf = (study: string) => plans.get(study);

/** Keeps trials as they are on record, which rows made of them differ from. */
export function remember(trials: readonly Trial[], plan?: TrainingPlan): void {
  if (plan) {
    const { data, limits, objective, study: { name, seed = 0 } } = plan;
    plans.set(name, { data, limits, objective, seed });
  }
  for (const trial of trials) {
    const known = originals.get(idOf(trial));
    const isKnown = known && known.start === trial.start &&
      known.end === trial.end && known.state === trial.state;
    if (!isKnown) originals.set(idOf(trial), trial);
  }
}

/** The trials of studies, as they are on record. */
export const remembered = (studies: readonly string[]): Trial[] =>
  [...originals.values()].filter((t) => studies.includes(t.study));

const originalOf = (row: unknown): Trial | undefined => {
  const { study, number } = (row ?? {}) as Row;
  return typeof study === "string" && typeof number === "number"
    ? originals.get(idOf({ study, number }))
    : undefined;
};

const namesOf = (row: Row) =>
  (row as { [channels.PARAMETERS]?: readonly string[] })[channels.PARAMETERS];

/** More rows than these in one list are not kept. */
const MOST_ROWS = 20_000;
const DEEPEST = 60;

/** Writes values as JSON; what they rest on stands in `calls`, once each. */
export class Recorder {
  readonly calls: CallJson[] = [];
  readonly #at = new Map<Call, number>();
  #trials = false;
  #depth = 0;

  /**
   * The number of the call that gave a value; undefined where it was changed,
   * has what cannot be kept, or has nothing to do with trials.
   */
  root(value: unknown): number | undefined {
    const call = callOf(value), before = this.calls.length;
    if (!call) return undefined;
    this.#trials = false;
    try {
      const at = this.#call(call);
      if (this.#trials || before > 0) return at;
    } catch (error) {
      if (!(error instanceof Unrecordable)) throw error;
    }
    return undefined;
  }

  #call(call: Call): number {
    const known = this.#at.get(call);
    if (known !== undefined) return known;
    const args = call.args.map((arg) => this.value(arg));
    this.#at.set(call, this.calls.push([call.name, ...args]) - 1);
    return this.calls.length - 1;
  }

  /** @throws Unrecordable for functions, frames and what is too large */
  value(value: unknown): Json {
    if (value === undefined) return ["u"];
    if (value === null || ["string", "boolean"].includes(typeof value)) {
      return value;
    }
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value !== "object" || ++this.#depth > DEEPEST) {
      throw new Unrecordable(`${typeof value}`);
    }
    try {
      return this.#object(value!);
    } finally {
      this.#depth--;
    }
  }

  #object(value: object): Json {
    if (value instanceof Tabulated) {
      const values = value.rows.map((row) => {
        const { study, number } = originalOf(row) ?? this.#refuse("a row");
        return [study, number, this.value(value.of(row))];
      });
      return ["t", values];
    }
    const call = callOf(value);
    if (call) return ["c", this.#call(call)];
    if (Array.isArray(value)) {
      if (value.length > MOST_ROWS) this.#refuse("a list of many rows");
      return value.length > 0 && value.every(originalOf)
        ? this.#rows(value)
        : ["a", ...value.map((item) => this.value(item))];
    }
    const item = (value as { [ITEM]?: Item })[ITEM];
    if (item) return this.#item(item, value);
    const proto = Object.getPrototypeOf(value);
    if (proto !== Object.prototype && proto !== null) this.#refuse("an object");
    const names = namesOf(value);
    return ["o", this.#fields(Object.entries(value)), ...names ? [names] : []];
  }

  #refuse(what: string): never {
    throw new Unrecordable(what);
  }

  #fields(entries: [string, unknown][]): Record<string, Json> {
    return Object.fromEntries(
      entries.map(([name, value]) => [name, this.value(value)]),
    );
  }

  #item({ call, list, key, original }: Item, value: Row): Json {
    const changed = Object.entries(value)
      .filter(([name, own]) => own !== original[name]);
    return ["i", this.#call(call), list, key, this.#fields(changed)];
  }

  #rows(rows: readonly Row[]): Json {
    this.#trials = true;
    const of = rows.map((row) => originalOf(row)!);
    const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    // Of trials that were read again the parts are equal, not the same.
    const changed = fields.filter((field) =>
      rows.some((row, i) =>
        row[field] !== of[i][field] &&
        keyText(row[field]) !== keyText(of[i][field])
      )
    );
    const names = [...new Set(rows.flatMap((row) => namesOf(row) ?? []))];
    const isNamed = rows.every((row, i) =>
      keyText(namesOf(row)) === keyText(namesOf(of[i]))
    );
    return [
      "r",
      of.map(({ study, number }) => [study, number]),
      Object.fromEntries(
        changed.map((f) => [f, rows.map((row) => this.value(row[f]))]),
      ),
      ...isNamed ? [] : [names],
    ];
  }
}
