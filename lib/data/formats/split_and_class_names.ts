/** Words of folders and cells: which split, which class. */
import { expressionOf, EXPRESSIONS } from "../expressions.ts";
import type { ReadOptions, SplitName } from "../types.ts";

const SPLIT_WORDS = new Map<string, SplitName>(Object.entries({
  train: "train",
  training: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  dev: "validation",
  publictest: "validation",
  test: "test",
  testing: "test",
  privatetest: "test",
}));

/** The split that a word means; undefined for another word. */
export function splitOf(word: string): SplitName | undefined {
  return SPLIT_WORDS.get(word.trim().toLowerCase());
}

/** What is left out of seven classes, as listings count it. */
export const CONTEMPT_LEFT = "contempt (7 classes)";

export interface NamedClasses {
  classes: string[];
  /**
   * Index into `classes`; "left" for contempt among seven classes; "unknown"
   * for a word that is no expression where others are.
   */
  labelOf(word: string): number | "left" | "unknown";
}

/**
 * Classes from the words that a data set uses: expressions in the order of
 * `EXPRESSIONS`; the words themselves, sorted, where none is an expression.
 */
export function namedClasses(
  words: Iterable<string>,
  { classes: wanted = 7 }: Pick<ReadOptions, "classes">,
): NamedClasses {
  const plain = (word: string) => word.trim().normalize();
  const all = new Set(Array.from(words, plain));
  const found = new Set([...all].map(expressionOf));
  found.delete(undefined);
  if (found.size === 0) {
    const classes = [...all]
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const index = new Map(classes.map((name, i) => [name, i]));
    return { classes, labelOf: (word) => index.get(plain(word)) ?? "unknown" };
  }
  const classes: string[] = EXPRESSIONS
    .filter((e) => found.has(e) && (e !== "Contempt" || wanted === 8));
  return {
    classes,
    labelOf(word) {
      const expression = expressionOf(word);
      if (expression === undefined) return "unknown";
      const label = classes.indexOf(expression);
      return label < 0 ? "left" : label;
    },
  };
}

/** Published counts by the names of their classes. */
export function countsBy(
  classes: readonly string[],
  counts: readonly number[],
): Record<string, number> {
  return Object.fromEntries(classes.map((name, i) => [name, counts[i]]));
}
