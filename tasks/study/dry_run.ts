/** `deno task study --dry-run`: what is missing of the notebooks' own plans. */
import {
  type Cell,
  readNotebook,
  runNotebook,
} from "../../lib/notebook/mod.ts";
import {
  COST_TYPE,
  costText,
  type StudyCost,
} from "../../lib/reports/commands.ts";
import { duration } from "../../lib/rows/mod.ts";
import { canonical } from "../../lib/study/commands.ts";
import { say } from "../cli.ts";
import { runCells } from "./run_cells.ts";

/**
 * Seconds of all missing trials, one after the other. Trials that several
 * studies plan for one record count once.
 */
export function totalSeconds(costs: readonly StudyCost[]): number {
  const settings = new Map<string, number>();
  for (const { plan, estimate } of costs) {
    if (!plan || !estimate) continue;
    const { name, seed } = plan.study;
    const record = canonical({ ...plan, study: { name, seed } });
    const sum = estimate.settings
      .reduce((all, s) => all + s.missing * s.seconds, 0);
    // A search knows how many of its trials are left, not which.
    const share = sum > 0 ? estimate.seconds / sum : 0;
    for (const { params, missing, seconds } of estimate.settings) {
      const key = `${record} ${canonical(params)}`;
      const own = share * missing * seconds;
      settings.set(key, Math.max(own, settings.get(key) ?? 0));
    }
  }
  return [...settings.values()].reduce((a, b) => a + b, 0);
}

interface DryRun {
  parameters: Record<string, unknown>;
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

interface ToldCost extends StudyCost {
  /** Number of its cell among the code cells. */
  cell: number;
  /** Its cell needs one of a study whose trials are missing. */
  isProvisional?: boolean;
}

/** What one notebook told, and why it told no more, a line each. */
interface Told {
  costs: ToldCost[];
  errors: {
    text: string;
    /** Its cell needs results that there are not yet. */
    isOpen: boolean;
  }[];
}

const isInjected = ({ metadata: { tags } }: Cell) =>
  Array.isArray(tags) && tags.includes("injected-parameters");

const costsIn = ({ outputs = [] }: Cell): StudyCost[] =>
  outputs.flatMap((out) => {
    const cost = "data" in out ? out.data[COST_TYPE] : undefined;
    return cost ? [cost as StudyCost] : [];
  });

/**
 * Runs the cells in which a study runs, and those that they need, with
 * FERLAB_DRY_RUN set: it tells its cost there and trains nothing. After a cell
 * that fails go on those that do not need it.
 */
async function tellNotebook(file: string, o: DryRun): Promise<Told> {
  const codeOf = (cells: Cell[]) => cells.filter((c) => c.cell_type === "code");
  const cells = codeOf((await readNotebook(file)).cells);
  const { asked, withNeeds } = runCells(cells);
  const told = new Map<string, ToldCost>();
  const errors: Told["errors"] = [];
  for (let left = asked; left.length > 0 && !o.signal.aborted;) {
    const needed = new Set(left.flatMap((n) => [...withNeeds(n)]));
    const sources = new Set([...needed].map((n) => cells[n - 1].source));
    const run = await runNotebook(file, {
      ...o,
      env: { ...o.env, FERLAB_DRY_RUN: "1" },
      only: (_, cell) => sources.has(cell.source) || isInjected(cell),
      onEvent: (e) => e.type === "warning" && say(e.message),
    });
    const all = codeOf(run.notebook.cells);
    // The run also counts the cell of parameters that it puts in.
    const ran = all.length === cells.length
      ? all
      : all.filter((c) => !isInjected(c));
    for (const [i, cell] of ran.entries()) {
      if (!sources.has(cell.source)) continue;
      for (const cost of costsIn(cell)) {
        const key = canonical([cost.study, cost.plan ?? null]);
        if (!told.has(key)) told.set(key, { ...cost, cell: i + 1 });
      }
    }
    const { error, failedCell } = run;
    const at = failedCell ? ran.indexOf(all[failedCell - 1]) + 1 : 0;
    if (error) {
      errors.push({
        text: at > 0
          ? error.replace(`${file} cell ${failedCell}`, `${file} cell ${at}`)
          : error,
        isOpen: at > 0 && [...told.values()]
          .some((c) => c.missing > 0 && withNeeds(at).has(c.cell)),
      });
    }
    left = at === 0 ? [] : left.filter((n) => n > at && !withNeeds(n).has(at));
  }
  const costs = [...told.values()];
  for (const cost of costs) {
    const needs = withNeeds(cost.cell);
    cost.isProvisional = costs.some((c) =>
      c.cell !== cost.cell && c.missing > 0 && needs.has(c.cell)
    );
  }
  return { costs, errors };
}

/** The last line: how long all of it takes. */
function totalText(costs: readonly StudyCost[], isOpen: boolean): string {
  const seconds = totalSeconds(costs);
  const also = [
    costs.some((c) => !c.estimate && c.missing > 0) && "what is measured",
    isOpen && "what depends on results",
  ].filter(Boolean).join(" and ");
  const time = seconds > 0 ? `about ${duration(seconds)}` : "nothing to train";
  return `in all ${time}${also && `, and ${also}`}`;
}

/** What a notebook has to run: its trials, and how long the known ones take. */
export interface Planned {
  trials: { total: number; missing: number };
  seconds: number;
  /** Whether it also measures, which takes as long as it finds. */
  measures: boolean;
}

/**
 * Prints what is missing of each notebook's studies, and about how long all of
 * it takes. Nothing is written. Returns the exit code, and what was found.
 */
export async function dryRun(
  notebooks: readonly { name: string; file: string }[],
  o: DryRun,
): Promise<{ code: number; planned: Map<string, Planned> }> {
  const all: StudyCost[] = [];
  const planned = new Map<string, Planned>();
  let isOpen = false, failed = false;
  for (const { name, file } of notebooks) {
    console.log(name);
    const { costs, errors } = await tellNotebook(file, o);
    if (o.signal.aborted) return { code: 130, planned };
    const before = totalSeconds(all);
    all.push(...costs);
    const sum = (of: "total" | "missing") =>
      costs.reduce((n, cost) => n + cost[of], 0);
    planned.set(name, {
      trials: { total: sum("total"), missing: sum("missing") },
      seconds: totalSeconds(all) - before,
      measures: costs.some((c) => !c.estimate && c.missing > 0),
    });
    for (const cost of costs) {
      const may = "; its plan depends on earlier results";
      console.log(`  ${costText(cost)}${cost.isProvisional ? may : ""}`);
    }
    if (costs.length + errors.length === 0) console.log("  no studies");
    for (const error of errors) {
      if (error.isOpen) {
        isOpen = true;
        console.log(
          `  what depends on their results is unknown: ${error.text}`,
        );
      } else {
        failed = true;
        say(`study: ${name}: ${error.text}`);
      }
    }
  }
  console.log(totalText(all, isOpen));
  return { code: failed ? 1 : 0, planned };
}
