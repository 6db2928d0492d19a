/** A study's trials as one table: what a page needs of them, and no more. */
import { channels } from "../charts/mod.ts";
import type { Row, Trial } from "../rows/mod.ts";
import type { SharedPlan } from "./record.ts";

/** Of a trial; parameters, recipe, curves and provenance stand apart. */
const FIELDS = [
  ...["number", "state", "repeat", "seed", "start", "end", "seconds"],
  ...["accuracy", "low", "high", "balanced", "validation", "chosenEpoch"],
  ...["maxTestAccuracy", "testMacroF1", "optimistic", "confusion"],
  ...["failKind", "reason", "weightsHash", "data"],
];
/** By epoch, to eight digits, more than a chart tells. */
const CURVES = ["trainLoss", "validationLoss"];
/** By epoch as they are: shares, of which means may lie between two digits. */
const EXACT = ["validationAccuracy", "testAccuracy"];
/** Of the machine and the code; no name of a host, and no folder. */
const PROVENANCE = ["code", "lock", "deno", "cpu", "threads", "os"];

/** Studies' trials as JSON. */
export interface TrialTable {
  studies: {
    name: string;
    parameters: string[];
    /** What all its trials share of their recipe. */
    recipe: Row;
    /** What else they share, where they are trainings. */
    plan?: SharedPlan;
    trials: {
      fields: Row;
      params: Row;
      /** What differs from the study's recipe. */
      recipe: Row;
      curves: Record<string, (number | null)[]>;
      /** Its place in `provenance`. */
      made: number;
    }[];
  }[];
  provenance: Row[];
}

const own = (row: Row, names: readonly string[]): Row =>
  Object.fromEntries(
    names.flatMap((n) => row[n] === undefined ? [] : [[n, row[n]]]),
  );

/** "…: cannot open /home/a/b.png" without the folder. */
export const withoutFolders = (text: string): string =>
  text.replace(/(?:[A-Za-z]:)?(?:[\\/][^\\/\s:"'`,;]+)+(?=[\\/])[\\/]/g, "");

/** All texts of a value without folders. */
const scrubbed = (value: unknown): unknown =>
  typeof value === "string"
    ? withoutFolders(value)
    : Array.isArray(value)
    ? value.map(scrubbed)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(
      Object.entries(value).map(([k, v]) => [k, scrubbed(v)]),
    )
    : value;

const rounded = (value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(8)) : null;

/** What of two recipes differs. */
const recipeDifference = (recipe: Row, from: Row): Row =>
  Object.fromEntries(
    Object.entries(recipe).filter(([name, value]) =>
      JSON.stringify(value) !== JSON.stringify(from[name])
    ),
  );

export function packTrials(
  trials: readonly Trial[],
  planOf: (study: string) => SharedPlan | undefined = () => undefined,
): TrialTable {
  const provenance: string[] = [];
  const studies = [...Map.groupBy(trials, (t) => t.study)].map(
    ([name, all]) => {
      const recipe = (scrubbed(all.find((t) => t.recipe)?.recipe) ?? {}) as Row;
      return {
        name,
        parameters: [
          ...new Set(
            all.flatMap((t) =>
              (t as { [channels.PARAMETERS]?: string[] })[
                channels.PARAMETERS
              ] ?? []
            ),
          ),
        ],
        recipe,
        plan: scrubbed(planOf(name)) as SharedPlan | undefined,
        trials: all.map((t) => {
          const made = JSON.stringify(
            own((t.provenance ?? {}) as Row, PROVENANCE),
          );
          if (!provenance.includes(made)) {
            provenance.push(made);
          }
          const names =
            (t as { [channels.PARAMETERS]?: string[] })[channels.PARAMETERS] ??
              [];
          const column = (field: string, of: (value: unknown) => unknown) => [
            field,
            t.history.map((e) => of((e as Row)[field])),
          ];
          return {
            fields: scrubbed(own(t, FIELDS)) as Row,
            params: scrubbed(own(t, names)) as Row,
            recipe: recipeDifference((scrubbed(t.recipe) ?? {}) as Row, recipe),
            curves: Object.fromEntries([
              ...CURVES.map((field) => column(field, rounded)),
              ...EXACT.map((field) => column(field, (v) => v ?? null)),
            ]),
            made: provenance.indexOf(made),
          };
        }),
      };
    },
  );
  return { studies, provenance: provenance.map((text) => JSON.parse(text)) };
}

/** The trials that `packTrials` was given, with what it kept of them. */
export const trialsIn = ({ studies, provenance }: TrialTable): Trial[] =>
  studies.flatMap(({ name, recipe, plan, trials }) =>
    trials.map(({ fields, params, recipe: own, curves, made }) => {
      const epochs = Math.max(0, ...Object.values(curves).map((c) => c.length));
      const history = Array.from({ length: epochs }, (_, i) => ({
        epoch: i + 1,
        ...Object.fromEntries(
          Object.entries(curves).map(([field, values]) => [field, values[i]]),
        ),
      }));
      return Object.assign({
        ...fields,
        study: name,
        recipe: { ...recipe, ...own },
        plan,
        provenance: provenance[made],
        history,
        ...params,
      }, { [channels.PARAMETERS]: Object.keys(params) }) as unknown as Trial;
    })
  );
