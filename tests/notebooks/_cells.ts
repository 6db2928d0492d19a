/** A notebook's own cells over rows of a test. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "../../lib/rows/mod.ts";
import { inFolder } from "../_folder.ts";

/** What needs a data set or a record, or writes one. */
const SKIPPED =
  /^(data|describe|confusion|frames|findings|claims|cost|timeline|agree-\d)$/;

/**
 * The code cells of a notebook in order as one module, and what `names` are
 * after it. `rows` stand in for what the cells of those ids would train:
 * `{ run: [...] }`; null leaves the cell out.
 */
export async function after(
  notebook: string,
  names: string[],
  rows: Record<string, Row[] | null>,
  profile = "cpu",
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const file = new URL(`../../notebooks/${notebook}.ipynb`, import.meta.url);
  const { cells } = JSON.parse(readFileSync(file, "utf8"));
  const sources = cells.flatMap(
    (c: { cell_type: string; id: string; source: string[] }) => {
      const isLeftOut = SKIPPED.test(c.id) || rows[c.id] === null;
      if (c.cell_type !== "code" || isLeftOut) return [];
      const source = c.source.join("");
      return rows[c.id]
        ? source.replace(/await \w+\.run\(\)/, JSON.stringify(rows[c.id]))
        : source.replace('profile = "quick"', `profile = "${profile}"`);
    },
  );
  let found;
  await inFolder(async (dir) => {
    const module = join(dir, "cells.ts");
    writeFileSync(
      module,
      `// @ts-nocheck rows stand in for trials\n${sources.join("\n;\n")}\n` +
        `export { ${names.join(", ")} };\n`,
    );
    found = await import(`file://${module}`);
  });
  return found;
}

/** A trial with an accuracy as a share; null is one that diverged. */
export const trial = (
  params: Row,
  repeat: number,
  accuracy: number | null,
  more: Row = {},
): Row => ({
  ...params,
  state: accuracy === null ? "FAIL" : "COMPLETE",
  repeat,
  seed: 100 + repeat,
  accuracy,
  ...accuracy === null ? { failKind: "diverged" } : {},
  history: [],
  ...more,
});

/**
 * A grid of depth (or another name) and rate with a run an accuracy, repeats in
 * order: `{ 2: { 0.001: [0.5, 0.51, null] } }`.
 */
export const gridOf = (
  values: Record<number, Record<number, (number | null)[]>>,
  name = "depth",
): Row[] =>
  Object.entries(values).flatMap(([value, byRate]) =>
    Object.entries(byRate).flatMap(([lr, runs]) =>
      runs.map((accuracy, repeat) =>
        trial({ [name]: Number(value), lr: Number(lr) }, repeat, accuracy)
      )
    )
  );
