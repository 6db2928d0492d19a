/**
 * What a result keeps of the call that gave it, and calls as JSON: a page then
 * makes the same calls on other rows.
 *
 * A value is itself if it is a text, a boolean, null or a finite number; all
 * else is a list that begins with its kind:
 *
 *     ["u"]                               undefined
 *     ["a", …values]                      an array
 *     ["o", { name: value }, names?, set?]    an object; names of a row's
 *                                         parameters, and its data set
 *     ["r", [[study, number], …], { field: values }, names?]   rows of trials
 *     ["c", call]                         what a call gave
 *     ["i", call, list, key, { field: value }]    an item of it, with changes
 *     ["t", [[study, number, value], …], judged]   a function of trials, by its
 *                                         values; whether it reads the accuracy
 *     ["f", paths, { key: value }]        a function of rows, by what it reads
 *     ["w", …parts]                       a text, of texts and calls
 */
import { channels } from "../charts/mod.ts";
import { bestPer, type Row, type Trial } from "../rows/mod.ts";
import type { TrainingPlan } from "../study/mod.ts";
import { isPlain, keyText, readKey, trialId, watched } from "./item_keys.ts";

const CALL = Symbol.for("ferlab.call");
const ITEM = Symbol.for("ferlab.item");

// deno-lint-ignore no-explicit-any
export type Json = any;
/** A call as JSON: the function's name and its arguments. */
export type CallJson = [name: string, ...args: Json[]];

/** A call of the library and what it gave. */
export class Call {
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

/** Why a call cannot be made again elsewhere: "it rests on …". */
class Unrecordable extends Error {}

/** Calls that gave a sentence, by it; of one sentence the last. */
const sentences = new Map<string, Call>();
/** Older sentences than these are no longer known. */
const MOST_SENTENCES = 500;

/** `f`, whose sentences are known again where they are part of a text. */
// deno-lint-ignore no-explicit-any
export const recordedText = <F extends (...args: any[]) => string>(
  name: string,
  f: F,
): F =>
  ((...args: unknown[]) => {
    const text = f(...args);
    sentences.delete(text);
    sentences.set(text, new Call(name, args, text));
    if (sentences.size > MOST_SENTENCES) {
      sentences.delete(sentences.keys().next().value!);
    }
    return text;
  }) as F;

/** The last call of a rule that chooses a value, which no value can keep. */
let chosen: Call | undefined;

// deno-lint-ignore no-explicit-any
export const recordedChoice = <F extends (...args: any[]) => unknown>(
  name: string,
  f: F,
): F =>
  ((...args: unknown[]) => {
    const result = f(...args);
    chosen = new Call(name, args, result);
    return result;
  }) as F;

/** The call that has just chosen a value, also where it is now a text. */
export function choiceOf(value: unknown): Call | undefined {
  const call = chosen;
  chosen = undefined;
  return String(call?.result) === String(value) ? call : undefined;
}

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
    const id = trialId(trial.study, trial.number);
    const known = originals.get(id);
    const isKnown = known && known.start === trial.start &&
      known.end === trial.end && known.state === trial.state;
    if (!isKnown) originals.set(id, trial);
  }
}

/** The trials of studies, as they are on record. */
export const trialsOnRecord = (studies: readonly string[]): Trial[] =>
  [...originals.values()].filter((t) => studies.includes(t.study));

const originalOf = (row: unknown): Trial | undefined => {
  const { study, number } = (row ?? {}) as Row;
  return typeof study === "string" && typeof number === "number"
    ? originals.get(trialId(study, number))
    : undefined;
};

const namesOf = (row: Row) =>
  (row as { [channels.PARAMETERS]?: readonly string[] })[channels.PARAMETERS];

/** More rows than these in one list are not kept. */
const MOST_ROWS = 20_000;
/** Longer tables of a function are not kept. */
const MOST_CHARACTERS = 500_000;
const DEEPEST = 60;

/** A number of its own in a text, as in "1.2 points" but not in "beta1". */
const NUMBER = /(?<![\w.])\d/;

/**
 * The rows that a function in a call may be asked about: those in its lists, and
 * of the bests of a parameter what each trial would be as one.
 */
const rowsIn = (args: readonly unknown[]): Row[] =>
  args.flatMap((arg) => isPlain(arg) ? [arg, ...Object.values(arg)] : [arg])
    .filter((list) => Array.isArray(list))
    .flatMap((list: Row[]) => {
      const item = list[0] as { [ITEM]?: Item } | undefined;
      const call = item?.[ITEM]?.call;
      if (call?.name !== "bestPer") return list;
      const [rows, parameter] = call.args as [Iterable<Row>, string];
      return [
        ...list,
        ...[...rows].flatMap((row) => bestPer([row], parameter)),
      ];
    })
    .filter((row) => typeof row === "object" && row !== null);

/** Writes values as JSON; what they rest on stands in `calls`, once each. */
export class Recorder {
  readonly calls: CallJson[] = [];
  /** Why what rests on trials could not be kept. */
  why?: string;
  readonly #at = new Map<Call, number>();
  /** The rows of the call whose arguments are written. */
  #rowsOfCall: () => readonly Row[] = () => [];
  #trials = false;
  #depth = 0;

  /**
   * The number of the call that gave a value; undefined where it was changed,
   * has what cannot be kept, or has nothing to do with trials.
   */
  root(value: unknown, call = callOf(value)): number | undefined {
    const before = this.calls.length;
    if (!call) return undefined;
    this.#trials = false;
    try {
      const at = this.#call(call);
      if (this.#trials || before > 0) return at;
    } catch (error) {
      if (!(error instanceof Unrecordable)) throw error;
      if (this.#trials) this.why = error.message;
    }
    return undefined;
  }

  /**
   * A text with the calls behind its sentences; undefined where it has numbers
   * that are of no known call.
   */
  words(text: string): Json {
    const known = [...sentences.keys()].filter((s) => text.includes(s))
      .sort((a, b) => b.length - a.length);
    const split = (part: string): Json[] => {
      const sentence = known.find((s) => part.includes(s));
      if (sentence === undefined) return part ? [part] : [];
      const at = part.indexOf(sentence);
      return [
        ...split(part.slice(0, at)),
        ["c", this.#call(sentences.get(sentence)!)],
        ...split(part.slice(at + sentence.length)),
      ];
    };
    try {
      const parts = split(text);
      const isKnown = parts.every((p) => Array.isArray(p) || !NUMBER.test(p));
      return isKnown ? ["w", ...parts] : undefined;
    } catch (error) {
      if (!(error instanceof Unrecordable)) throw error;
    }
  }

  #call(call: Call): number {
    const known = this.#at.get(call);
    if (known !== undefined) return known;
    const outer = this.#rowsOfCall;
    // A call that this one rests on has rows of its own.
    const args = call.args.map((arg) => {
      this.#rowsOfCall = () => rowsIn(call.args);
      return this.value(arg);
    });
    this.#rowsOfCall = outer;
    this.#at.set(call, this.calls.push([call.name, ...args]) - 1);
    return this.calls.length - 1;
  }

  /** @throws Unrecordable for frames, what is too large, and odd functions */
  value(value: unknown): Json {
    if (value === undefined) return ["u"];
    if (value === null || ["string", "boolean"].includes(typeof value)) {
      return value;
    }
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value === "function") {
      return this.#function(value as (row: Row) => unknown);
    }
    if (typeof value !== "object") {
      this.#refuse(`a value such as ${String(value)}`);
    }
    this.#depth++;
    try {
      if (this.#depth > DEEPEST) {
        this.#refuse("values that are nested too deep");
      }
      return this.#object(value!);
    } finally {
      this.#depth--;
    }
  }

  #object(value: object): Json {
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
    if (originalOf(value)) {
      this.#trials = true;
      this.#refuse("a trial that its cell chose");
    }
    if (!isPlain(value)) this.#refuse("an object that is no plain one");
    const names = namesOf(value);
    const set = (value as { [channels.DATA_SET]?: string })[channels.DATA_SET];
    return [
      "o",
      this.#fields(Object.entries(value)),
      ...names || set ? [names ?? null] : [],
      ...set ? [set] : [],
    ];
  }

  #refuse(what: string): never {
    throw new Unrecordable(
      `it rests on ${what}, which this page does not have`,
    );
  }

  /** A function by what it gave of each row that its call has. */
  #function(of: (row: Row) => unknown): Json {
    const rows = this.#rowsOfCall(), what = "a function of the notebook";
    // The number of a row is another one in a part of the rows.
    if (of.length > 1 || rows.length > MOST_ROWS) this.#refuse(what);
    const read = new Map<string, string[]>();
    /** Nothing where it fails, as one that is none of rows does. */
    const valuesOf = (row: Row): Json[] => {
      try {
        const value = of(watched(row, read));
        return typeof value === "object" && value !== null
          ? []
          : [this.value(value)];
      } catch {
        return [];
      }
    };
    if (rows.length > 0 && rows.every(originalOf)) {
      const values = rows.flatMap((row) => {
        const { study, number } = originalOf(row)!;
        return valuesOf(row).map((value) => [study, number, value]);
      });
      return ["t", values, read.has("accuracy")];
    }
    let values = new Map<string, Json[]>(), known = -1;
    // What it reads may depend on what it read: until nothing is added.
    while (known < read.size) {
      known = read.size;
      values = new Map();
      for (const row of rows) {
        const key = readKey(row, read.values());
        if (!values.has(key)) values.set(key, valuesOf(row));
      }
    }
    const found = [...values].filter(([, value]) => value.length > 0);
    const table = Object.fromEntries(found.map(([key, [v]]) => [key, v]));
    if (found.length === 0) this.#refuse(what);
    if (JSON.stringify(table).length > MOST_CHARACTERS) this.#refuse(what);
    return ["f", [...read.values()], table];
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
