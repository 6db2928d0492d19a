/** A scientific parameter at its best over the nuisance ones. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { intervalWords, pixels } from "./axis.ts";
import * as channels from "./channels.ts";
import { type AxesOptions, tip } from "./frame.ts";
import { SMALL, widest } from "./text_layout.ts";
import { linesOf, type Point } from "./line.ts";
import { runDots } from "./marks.ts";
import type { Chart } from "./theme.ts";
import { firstHighest } from "./value_text.ts";

/** The height of a line of a setting's words. */
const LINE = 12;

/**
 * Draws an isolation plot (Google's tuning playbook): for each value of the
 * parameter `x` its best mean over the nuisance parameters, whose setting
 * stands at the top, with its interval; every run as a faint dot behind. Settings
 * that failed are counted at the bottom. Of published rows that are no bests
 * the highest at each value is drawn.
 */
export function isolationChart(
  bests: channels.Rows,
  o: AxesOptions & {
    /** The parameter's name. */
    x: string;
    /** All runs, with the parameter and their accuracy. */
    runs?: channels.Rows;
    /** Bests, or rows with the parameter and an accuracy. */
    published?: channels.Rows;
  },
): Chart {
  const { firstOf, INTERVAL, maybe, readChannels } = channels;
  const name = "isolationChart";
  channels.checkOptions(name, o, '{ x: "depth" }');
  const table = readChannels(name, bests, {
    ...{ value: firstOf("value", o.x), y: firstOf("mean", "accuracy") },
    ...{ ...INTERVAL, n: maybe("n"), nuisance: maybe("nuisance") },
    infeasible: maybe("infeasible", "failed"),
  });
  const yName = table.name("y");
  const rows = table.rows.map((r) => ({ ...r, [o.x]: r.value, [yName]: r.y }));
  const runs = readChannels(`${name}, runs`, o.runs ?? [], {
    ...{ x: o.x, y: firstOf("accuracy", yName) },
  }).rows.filter((r) => typeof r.y === "number" && r.x !== null);
  const theirs = readChannels(`${name}, published`, o.published ?? [], {
    ...{ x: firstOf("value", o.x), y: firstOf(yName, "mean", "accuracy") },
  }).rows.filter((r) => typeof r.y === "number");
  const published = [...Map.groupBy(theirs, (r) => r.x).values()]
    .map((own) => firstHighest(own, (r) => Number(r.y))!)
    .map((r) => ({ ...r.row as object, [o.x]: r.x, [yName]: r.y }));
  const rowAt = new Map(rows.map((r) => [r.value, r]));
  const ns = new Set(rows.filter((r) => r.y !== null).map((r) => r.n));
  const n = ns.size === 1 && !ns.has(null) ? ` (n = ${[...ns][0]})` : "";
  const failures = rows.filter((r) => Number(r.infeasible) > 0);
  const wordsAt = (p: Point) =>
    String(rowAt.get(p.x)!.nuisance ?? "").split(", ").filter(Boolean);

  const options = { ...o, y: yName, published };
  const more = { x: runs.map((r) => r.x), y: runs.map((r) => r.y) };
  return linesOf(name, rows, options, more, ({ x, y, series }) => {
    const points = series.flatMap((s) => s.points)
      .filter((p) => rowAt.has(p.x) && p.n > 0);
    const best = firstHighest(points, (p) => p.y);
    // Words lie in lines, or stand upright if they are wider than their place.
    const place = pixels(x, [0, (o.width ?? 720) - 90]);
    const slot: number = d3.min(
      d3.pairs(points.map((p) => place(p.x))),
      ([a, b]: number[]) => b - a,
    ) ?? Infinity;
    const isTurned = widest(points.flatMap(wordsAt), SMALL) > slot - 4;
    const linesAt = (p: Point) =>
      isTurned ? [wordsAt(p).join(", ")] : wordsAt(p);
    const tall: number = isTurned
      ? widest(points.flatMap(linesAt), SMALL)
      : LINE * (d3.max(points, (p: Point) => linesAt(p).length) ?? 0);
    const told = slot > SMALL && tall < 200
      ? points.filter((p) => wordsAt(p).length > 0)
      : [];
    const say = told.length > 0 ? ", named at the top" : "";
    return {
      words: best && [`best ${y.say(best.y)} at ${x.label} ${x.say(best.x)}`],
      bandLabel: `best setting${say}: mean and interval${n}`,
      notes: [
        failures.length > 0 &&
        "× with a number: settings that failed at that value",
      ],
      legend: [
        runs.length > 0 && {
          mark: `<circle cx="13" cy="6" r="3" fill-opacity="0.3"/>`,
          label: "all runs",
        },
      ],
      inset: {
        top: told.length > 0 ? tall + 12 : 4,
        bottom: failures.length > 0 ? 16 : 0,
      },
      title: (p) => {
        const range = intervalWords(y, p.low, p.high), { n } = rowAt.get(p.x)!;
        return tip(
          `${x.label} ${x.say(p.x)}`,
          wordsAt(p).join(", "),
          y.say(p.y) + (range && ` (${range})`),
          n !== null && `n = ${n}`,
          channels.trialWords(undefined, [], { [o.x]: [p.x] }),
        );
      },
      marks: () => [
        runDots(runs, { x, y, told: [o.x] }, {
          ...{ r: 3, fill: "currentColor", fillOpacity: 0.22 },
        }),
        Plot.text(told, {
          ...{ x: "x", frameAnchor: "top", fontSize: SMALL, dy: 2 },
          text: (p: Point) => linesAt(p).join("\n"),
          ...(isTurned
            ? { rotate: -90, textAnchor: "end" }
            : { lineAnchor: "top", lineHeight: LINE / SMALL }),
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
    };
  });
}
