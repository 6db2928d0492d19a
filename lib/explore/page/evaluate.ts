/** Makes the calls of a report again, on the trials that a state keeps. */
import { channels } from "../../charts/mod.ts";
import type { Row, Trial } from "../../rows/mod.ts";
import { KEYS, keyText, readKey, trialId } from "../item_keys.ts";
import type { CallJson, Json } from "../record.ts";
import { FUNCTIONS, WITH_MARGIN } from "./functions.ts";
import { keeps, NUMBERS, type State, testingOf } from "./state.ts";

/** All trials of a page by study and number. */
export type Trials = ReadonlyMap<string, Trial>;

/** What is no longer there: an item of rows that are left out. */
const GONE = Symbol();
const DEEPEST = 100;

/** One report's calls under one state; each is made once. */
export class CallEvaluation {
  readonly #made = new Map<number, unknown>();
  /** Calls whose arguments are being made. */
  readonly #open = new Set<number>();
  readonly #keeps: (trial: Row) => boolean;
  #depth = 0;

  constructor(
    readonly calls: readonly CallJson[],
    readonly trials: Trials,
    readonly state: State,
    /** Of rules, in points, where it is not that of the report. */
    readonly margin?: number,
  ) {
    this.#keeps = keeps(state);
  }

  /** What a call gives. @throws what the function throws, and for no call */
  call(at: number): unknown {
    if (this.#made.has(at)) return this.#made.get(at);
    const [name, ...given] = this.calls[at] ?? [];
    if (this.#open.has(at)) throw new Error("a call goes round in a circle");
    const f = FUNCTIONS.get(name as string);
    if (!f) throw new Error(`${name} is no function of a report`);
    this.#open.add(at);
    try {
      const args = given.map((arg) => this.value(arg));
      const made = this.#adapted(name as string, f, args);
      this.#made.set(at, made);
      return made;
    } finally {
      this.#open.delete(at);
    }
  }

  /** The call with what the state says of tests and margins. */
  #adapted(
    name: string,
    f: (...args: unknown[]) => unknown,
    args: unknown[],
  ): unknown {
    const testing = testingOf(this.state);
    if (name === "effects") {
      const { words = {}, ...o } = args[1] as Row;
      const made = f(args[0], { ...o, ...testing }) as Row[];
      for (const effect of made) {
        Object.assign(effect, words[keyText(KEYS.effects(effect))] ?? {});
      }
      return made;
    }
    if (name === "asFamily" && testing.correction === "none") return args;
    if (name === "peakWithin") {
      return f(args[0], args[1], args[2], { ...args[3] as Row, ...testing });
    }
    if (WITH_MARGIN.has(name) && this.margin !== undefined) {
      return f(args[0], { ...args[1] as Row, points: this.margin });
    }
    return f(...args);
  }

  value(json: Json): unknown {
    if (!Array.isArray(json)) return json;
    if (++this.#depth > DEEPEST) throw new Error("nested too deep");
    try {
      return this.#list(json);
    } finally {
      this.#depth--;
    }
  }

  #list([kind, ...parts]: Json[]): unknown {
    switch (kind) {
      case "u":
        return undefined;
      case "a":
        return parts.map((part) => this.value(part))
          .filter((value) => value !== GONE);
      case "o": {
        const object = Object.fromEntries(
          Object.entries(parts[0]).map(([name, value]) => {
            const own = this.value(value);
            return [name, own === GONE ? undefined : own];
          }),
        );
        const [, names, set] = parts;
        return Object.assign(
          object,
          names && { [channels.PARAMETERS]: names },
          set && { [channels.DATA_SET]: set },
        );
      }
      case "r":
        return this.#rows(parts);
      case "c":
        return this.call(parts[0]);
      case "i":
        return this.#item(parts);
      case "w":
        return parts.map((part) => this.value(part)).join("");
      case "t": {
        const [all, isJudged] = parts;
        const values = new Map<string, Json>(
          (all as Json[])
            .map(([study, n, value]) => [trialId(study, n), value]),
        );
        if (isJudged && (this.state.number ?? "test") !== "test") {
          throw new Error(
            "a function of the notebook reads the accuracy as it was judged",
          );
        }
        return this.#function(values, (row) => trialId(row.study, row.number));
      }
      case "f": {
        const [paths, table] = parts;
        const values = new Map(Object.entries(table as Record<string, Json>));
        return this.#function(values, (row) => readKey(row, paths));
      }
    }
    throw new Error(`${String(kind).slice(0, 20)} is no value of a report`);
  }

  /** A function of rows by its values, which knows no others. */
  #function(values: ReadonlyMap<string, Json>, keyOf: (row: Row) => string) {
    return (row: Row): unknown => {
      const key = typeof row === "object" && row ? keyOf(row) : "";
      if (values.has(key)) return this.value(values.get(key));
      throw new Error(
        "a function of the notebook is not known for what is left",
      );
    };
  }

  #rows([of, changed, names]: Json[]): Row[] {
    const { number = "test" } = this.state;
    const fields = Object.entries(changed as Record<string, Json[]>);
    return (of as [string, number][]).flatMap(([study, n], i) => {
      const trial = this.trials.get(trialId(study, n));
      if (!trial) throw new Error(`trial ${n} of ${study} is not in the page`);
      if (!this.#keeps(trial)) return [];
      const accuracy = trial.accuracy === null || trial.accuracy === undefined
        ? trial.accuracy
        : NUMBERS[number].of(trial) ?? null;
      return [Object.assign(
        { ...trial, accuracy },
        Object.fromEntries(
          fields.map(([name, values]) => [name, this.value(values[i])]),
        ),
        names ? { [channels.PARAMETERS]: names } : {},
      )];
    });
  }

  #item([at, list, key, changed]: Json[]): unknown {
    const name = this.calls[at]?.[0], made = this.call(at);
    const own = name === "asFamily"
      ? (made as Row[][])[list] ?? []
      : made as Row[];
    const item = own.find((i) => keyText(KEYS[name!]?.(i)) === key);
    if (!item) return GONE;
    return {
      ...item,
      ...Object.fromEntries(
        Object.entries(changed).map(([field, v]) => [field, this.value(v)]),
      ),
    };
  }
}
