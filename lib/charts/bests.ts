/** A scientific parameter at its best over the nuisance ones. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { pixels } from "./axis.ts";
import { firstOf, maybe, read, type Rows, type Value } from "./channels.ts";
import { type Area, type AxesOptions, tip } from "./frame.ts";
import { widest } from "./layout.ts";
import { linesOf, MOST_DOTS, type Point } from "./line.ts";
import type { Chart } from "./theme.ts";
import { firstHighest } from "./values.ts";

const SMALL = 10, LINE = 12;

/**
 * Draws an isolation plot (Google's tuning playbook): for each value of the
 * parameter `x` its best mean over the nuisance parameters, whose setting
 * stands above it, with its interval; every run as a faint dot behind. Settings
 * that failed are counted at the bottom. Of published rows that are no bests
 * the highest at each value is drawn.
 */
export function isolationChart(
  bests: Rows,
  o: AxesOptions & {
    /** The parameter's name. */
    x: string;
    /** All runs, with the parameter and their accuracy. */
    runs?: Rows;
    /** Bests, or rows with the parameter and an accuracy. */
    published?: Rows;
  },
): Chart {
  const table = read("isolationChart", bests, {
    ...{ value: firstOf("value", o.x), y: firstOf("mean", "accuracy") },
    ...{ low: maybe("low"), high: maybe("high"), n: maybe("n") },
    nuisance: maybe("nuisance"),
    infeasible: maybe("infeasible", "failed"),
  });
  const yName = table.name("y");
  const rows = table.rows.map((r) => ({ ...r, [o.x]: r.value, [yName]: r.y }));
  const runs = read("isolationChart, runs", o.runs ?? [], {
    ...{ x: o.x, y: firstOf("accuracy", yName) },
  }).rows.filter((r) => typeof r.y === "number" && r.x !== null);
  const published = highestOf(
    read("isolationChart, published", o.published ?? [], {
      ...{ x: firstOf("value", o.x), y: firstOf(yName, "mean", "accuracy") },
    }).rows,
  ).map((r) => ({ [o.x]: r.x, [yName]: r.y }));
  const step = Math.max(1, runs.length / MOST_DOTS);
  const sample = d3.range(0, runs.length, step)
    .map((i: number) => runs[Math.floor(i)]);
  const rowAt = new Map(rows.map((r) => [r.value, r]));
  const ns = new Set(rows.filter((r) => r.y !== null).map((r) => r.n));
  const n = ns.size === 1 && !ns.has(null) ? ` (n = ${[...ns][0]})` : "";
  const failures = rows.filter((r) => Number(r.infeasible) > 0);

  return linesOf(
    "isolationChart",
    rows,
    { ...o, x: o.x, y: yName, published },
    { x: runs.map((r) => r.x), y: runs.map((r) => r.y) },
    ({ x, y, series, published }) => {
      const points = series.flatMap((s) => s.points)
        .filter((p) => rowAt.has(p.x) && p.n > 0);
      const best = firstHighest(points, (p) => p.y);
      const wordsAt = (p: Point) =>
        String(rowAt.get(p.x)!.nuisance ?? "").split(", ").filter(Boolean);
      // Words lie in lines, or stand upright if they are wider than their place.
      const width = (o.width ?? 720) - 90;
      const places = points.map((p) => pixels(x, [0, width])(p.x));
      const slot = d3.min(d3.pairs(places), ([a, b]: number[]) => b - a) ??
        width;
      const isTurned = widest(points.flatMap(wordsAt), SMALL) > slot - 4;
      const linesAt = (p: Point) =>
        isTurned ? [wordsAt(p).join(", ")] : wordsAt(p);
      const sizeAt = (p: Point) => {
        const long = widest(linesAt(p), SMALL), deep = linesAt(p).length * LINE;
        return isTurned
          ? { width: deep, height: long }
          : { width: long, height: deep };
      };
      const tall = d3.max(points, (p: Point) => sizeAt(p).height) ?? 0;
      const told = slot > SMALL && tall < 200
        ? points.filter((p) => wordsAt(p).length > 0)
        : [];
      // Above its own values, and above a published one that it would cover.
      const crest = (p: Point, area: Area) => {
        const here = (all: readonly { x: Value; y: Value }[]) =>
          all.filter((r) => r.x === p.x).map((r) => r.y as number);
        const own = Math.max(p.y, p.high || p.y, d3.max(here(runs)) ?? p.y);
        const reach = area.y(own) - tall - 16;
        return Math.max(
          own,
          d3.max(here(published).filter((v) => area.y(v) >= reach)) ?? own,
        );
      };
      return {
        words: best && [`best ${y.say(best.y)} at ${x.label} ${x.say(best.x)}`],
        bandLabel: `best setting: mean and interval${n}`,
        notes: [
          failures.length > 0 &&
          "× with a number: settings that failed at that value",
        ],
        legend: [
          runs.length > 0 && {
            mark: `<circle cx="13" cy="6" r="3" fill-opacity="0.3"/>`,
            label: step > 1
              ? `${MOST_DOTS} of ${runs.length} runs`
              : "all runs",
          },
        ],
        inset: {
          top: told.length > 0 ? tall + 12 : 4,
          bottom: failures.length > 0 ? 16 : 0,
        },
        title: (p) =>
          tip(
            `${x.label} ${x.say(p.x)}`,
            wordsAt(p).join(", "),
            y.say(p.y) +
              (p.low < p.high ? ` (${y.say(p.low)} to ${y.say(p.high)})` : ""),
            rowAt.get(p.x)!.n !== null && `n = ${rowAt.get(p.x)!.n}`,
          ),
        marks: (area) => [
          Plot.dot(sample, {
            ...{ x: "x", y: "y", r: 3, fill: "currentColor" },
            fillOpacity: 0.22,
            title: (r: typeof runs[number]) =>
              `${x.label} ${x.say(r.x!)}: ${y.say(r.y!)}`,
            className: "ferlab-runs",
          }),
          Plot.text(told, {
            x: "x",
            y: (p: Point) => crest(p, area),
            text: (p: Point) => linesAt(p).join("\n"),
            fontSize: SMALL,
            ...(isTurned
              ? { rotate: -90, textAnchor: "start" as const, dy: -10 }
              : { lineAnchor: "bottom" as const, dy: -8, lineHeight: 1.2 }),
          }),
          // Where all failed, the number stands beside the cross of the line.
          ...[true, false].map((isAll) =>
            Plot.text(failures.filter((r) => (r.y === null) === isAll), {
              ...{ x: o.x, y: () => y.domain[0], dy: 10, dx: isAll ? 12 : 0 },
              text: (r: typeof rows[number]) =>
                `${isAll ? "" : "×"}${r.infeasible}`,
              fontSize: SMALL,
            })
          ),
        ],
        fade: {
          classes: ["ferlab-means", "ferlab-lines", "ferlab-runs"],
          labels: (area) =>
            told.map((p) => {
              const { width, height } = sizeAt(p);
              const y = area.y(crest(p, area)) - 8 - height;
              return { x: area.x(p.x) - width / 2, y, width, height };
            }),
        },
      };
    },
  );
}

/** The first of the highest rows at each x. */
function highestOf<T extends { x: unknown; y: unknown }>(rows: T[]): T[] {
  const done = rows.filter((r) => typeof r.y === "number");
  return [...Map.groupBy(done, (r) => r.x).values()]
    .map((own) => firstHighest(own, (r) => r.y as number)!);
}
