/// <reference lib="dom" />
/** The panel in which a reader says what counts, and the words that say so. */
import type { Trial } from "../../rows/mod.ts";
import { verdictText } from "../../reports/mod.ts";
import { valueText } from "../../rows/mod.ts";
import { choiceInput, h, labelled, tick } from "./dom.ts";
import { power } from "./more_repeats.ts";
import type { Report } from "./report.ts";
import {
  changesInWords,
  keeps,
  levelText,
  MOST_POINTS,
  NUMBERS,
  parametersIn,
  type State,
  valueKey,
} from "./state.ts";

/** More values of a parameter are a range. */
const MOST_VALUES = 8;

const LEVELS = [0.8, 0.9, 0.95, 0.99];

/** What `append` takes, and false for nothing. */
type Parts = (Node | false)[];

/** Each parameter's values over all trials, numbers rising. */
function parametersOf(trials: readonly Trial[]): [string, unknown[]][] {
  const values = new Map<string, Set<unknown>>();
  for (const trial of trials) {
    for (const name of parametersIn(trial)) {
      if (!values.has(name)) values.set(name, new Set());
      values.get(name)!.add(trial[name]);
    }
  }
  return [...values].filter(([, all]) => all.size > 1).map(([name, all]) => [
    name,
    [...all].sort((a, b) =>
      typeof a === "number" && typeof b === "number" ? a - b : 0
    ),
  ]);
}

/** Without `value` in the list, or with it. */
const toggled = <T>(list: readonly T[], value: T, isIn: boolean): T[] =>
  isIn
    ? [...list.filter((v) => v !== value), value]
    : list.filter((v) => v !== value);

/** An object without a key, or with it. */
function withKey<T>(
  of: Record<string, T>,
  key: string,
  value?: T,
): Record<string, T> {
  const { [key]: _, ...rest } = of;
  return value === undefined ? rest : { ...rest, [key]: value };
}

/** The panel's contents of a state; `change` gives the next one. */
export function panelOf(
  report: Report,
  state: State,
  change: (next: State) => void,
): Parts {
  const trials = [...report.trials.values()];
  const set = (part: Partial<State>) => change({ ...state, ...part });
  const claims = report.claims(state);
  return [
    claims.length > 0 && h("h3", {}, "Verdicts"),
    h(
      "ul",
      { class: "ask-verdicts" },
      ...claims.map((c, i) =>
        h(
          "li",
          {
            "data-claim": i,
            "data-asked": c.isAsked ? "yes" : "no",
            "data-verdict": c.now.verdict,
          },
          `${c.claim}: `,
          h("b", {}, verdictText(c.now.verdict)),
          c.now.verdict !== c.verdict &&
            h("span", { class: "soft" }, ` (as written: ${c.verdict})`),
          !c.isAsked &&
            h(
              "span",
              { class: "soft" },
              " (the notebook's own rule: as written)",
            ),
          c.margin !== undefined && labelled(
            "margin, points",
            h("input", {
              ...{ type: "number", min: 0, max: MOST_POINTS, step: 0.1 },
              value: state.margins[i] ?? c.margin,
              "aria-label": `Margin of “${c.claim}”, points`,
              onchange: (event: Event) => {
                const points = (event.target as HTMLInputElement).valueAsNumber;
                const isOwn = !(points >= 0 && points <= MOST_POINTS) ||
                  points === c.margin;
                set({
                  margins: withKey(
                    state.margins,
                    String(i),
                    isOwn ? undefined : points,
                  ),
                });
              },
            }),
          ),
        )
      ),
    ),
    h("h3", {}, "What is judged"),
    choiceInput(
      Object.fromEntries(Object.entries(NUMBERS).map(([k, n]) => [k, n.name])),
      state.number ?? "test",
      (number) => set({ number: number === "test" ? undefined : number }),
      "The number that is judged",
    ),
    h("h3", {}, "Tests"),
    labelled(
      "confidence level",
      choiceInput(
        Object.fromEntries(
          [...new Set(LEVELS).add(state.level ?? 0.95)].sort()
            .map((level) => [String(level), levelText(level)]),
        ),
        String(state.level ?? 0.95),
        (level) => set({ level: level === "0.95" ? undefined : Number(level) }),
      ),
    ),
    tick(
      "Holm's correction",
      !state.correction,
      (isOn) => set({ correction: isOn ? undefined : "none" }),
    ),
    tick(
      "paired by seed",
      !state.unpaired,
      (isOn) => set({ unpaired: isOn ? undefined : true }),
    ),
    h(
      "h3",
      {},
      `Trials: ${trials.filter(keeps(state)).length} of ${trials.length}`,
    ),
    h(
      "p",
      { class: "soft" },
      "Draw a rectangle in a chart to keep only the trials in it; on a parallel " +
        "axis draw a range, or choose it by the arrow keys and press Enter.",
    ),
    Object.keys(state.only).length > 0 && h("button", {
      type: "button",
      onclick: () => set({ only: {} }),
    }, "All trials, not only those picked in charts"),
    ...parametersOf(trials).map(([name, values]) =>
      values.length > MOST_VALUES && values.every((v) => typeof v === "number")
        ? rangeOf(name, values as number[], state, set)
        : ticksOf(
          name,
          values.map((v) => [valueKey(v), valueText(name, v as string)]),
          state.values[name] ?? [],
          (left) =>
            set({
              values: withKey(
                state.values,
                name,
                left.length > 0 ? left : undefined,
              ),
            }),
        )
    ),
    ticksOf(
      "repeat",
      distinct(trials.map((t) => t.repeat)).map((n) => [n, String(n + 1)]),
      state.seeds,
      (seeds) => set({ seeds }),
    ),
    ticksOf(
      "state",
      distinct(trials.map((t) => t.state)).map((s) => [s, s.toLowerCase()]),
      state.states,
      (states) => set({ states }),
    ),
    ...power(report, state),
  ];
}

/** Rising: 10 comes behind 9. */
const distinct = <T extends string | number>(all: readonly T[]): T[] =>
  [...new Set(all)].sort((a, b) => a < b ? -1 : 1);

/** What trials may have, by key and text, with a tick each. */
function ticksOf<K extends string | number>(
  name: string,
  all: readonly [key: K, text: string][],
  left: readonly K[],
  set: (left: K[]) => void,
): Node | false {
  return all.length > 1 && h(
    "fieldset",
    {},
    h("legend", {}, name),
    ...all.map(([key, text]) =>
      tick(
        text,
        !left.includes(key),
        (isOn) => set(toggled(left, key, !isOn)),
      )
    ),
  );
}

function rangeOf(
  name: string,
  values: number[],
  state: State,
  set: (part: Partial<State>) => void,
): Node {
  const all: [number, number] = [values[0], values.at(-1)!];
  const [low, high] = state.ranges[name] ?? all;
  const end = (i: 0 | 1, words: string) =>
    choiceInput(
      Object.fromEntries(
        values.map((v) => [String(v), `${words} ${valueText(name, v)}`]),
      ),
      String([low, high][i]),
      (value) => {
        const range: [number, number] = [low, high];
        range[i] = Number(value);
        const isAll = range[0] === all[0] && range[1] === all[1];
        set({ ranges: withKey(state.ranges, name, isAll ? undefined : range) });
      },
      `${name} ${words}`,
    );
  return h(
    "fieldset",
    {},
    h("legend", {}, name),
    end(0, "from"),
    " ",
    end(1, "to"),
  );
}

/** More parts of an address that make no sense are counted. */
const MOST_ODD = 3;

/** What is not as written. */
export function changesShown(
  report: Report,
  state: State,
  odd: readonly string[],
): (Node | string)[] {
  const told = changesInWords(
    state,
    report.claims(state).map((c) => c.claim),
  );
  const more = odd.length > MOST_ODD
    ? ` and ${odd.length - MOST_ODD} more`
    : "";
  return [
    h("b", {}, told.length > 0 ? "Not as written: " : "As written. "),
    told.length > 0 && `${told.join("; ")}. `,
    odd.length > 0 &&
    "The address asks for what this report does not have, which is left " +
      `out: ${odd.slice(0, MOST_ODD).join(", ")}${more}. `,
    told.length > 0 &&
    h("span", { class: "soft" }, "What dashes frame follows; the rest stays."),
  ].filter((part) => part !== false);
}
