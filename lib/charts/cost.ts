/** Accuracy over cost, with the front that nothing cheaper reaches. */
import * as Plot from "@observablehq/plot";
import { axisOf, onAxes } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { type Area, asked, type AxesOptions, frame, tip } from "./frame.ts";
import { bars, OURS, pathItem } from "./marks.ts";
import { lengthOf } from "./noise.ts";
import { type Chart, FONT_SIZE, textWidth } from "./theme.ts";

interface Point {
  cost: number;
  y: number;
  low: number | null;
  high: number | null;
  label: string;
}

/** The names of more points are told in their tooltips only. */
const MOST_LABELS = 60;

/**
 * Draws accuracy (a share) over cost: a labelled point each, its interval if it
 * has one, and the Pareto front as a step line. Costs that span a factor of 20
 * get a log axis.
 */
export function costAccuracyChart(
  rows: Rows,
  o: AxesOptions & {
    cost: Channel;
    /** Default: the mean, else the accuracy. */
    y?: Channel;
    label?: Channel;
    /** With its unit, such as "training time, minutes". */
    costLabel?: string;
  },
): Chart {
  const table = read("costAccuracyChart", rows, {
    ...{ cost: o.cost, y: o.y ?? firstOf("mean", "accuracy") },
    ...{ low: maybe("low"), high: maybe("high") },
    label: o.label ?? maybe("label", "value"),
  });
  const x = axisOf(table, "cost", {
    ...{ ...asked(o, "x"), label: o.costLabel ?? o.xLabel, pad: 0.08 },
  });
  const y = axisOf(table, ["y", "low", "high"], {
    ...{ ...asked(o, "y"), least: lengthOf(o.noise) },
  });
  const { rows: shown, notes } = onAxes(table, { cost: x, y }, "y");
  const done = shown
    .map((r) => ({ ...r, label: String(r.label ?? "") })) as unknown as Point[];
  const front = paretoFront(done);
  const at = { x: "cost", y: "y" };
  return frame("cost-accuracy", o, {
    label: `${y.label} by ${x.label}, ${done.length} points; Pareto front: ` +
      front.map((p) => `${p.label} ${y.say(p.y)}`).join(", "),
    legend: [[
      pathItem("M0,10H13V3H26", "Pareto front: nothing cheaper is better"),
    ]],
    ...{ notes, x, y, isEmpty: done.length === 0 },
    innerHeight: () => 320,
    marks: (area) => [
      Plot.line([...front, { ...front.at(-1)!, cost: x.domain.at(-1)! }], {
        ...{ ...at, curve: "step-after", strokeOpacity: 0.6 },
      }),
      bars(done, { x: "cost", stroke: OURS }),
      Plot.dot(done, {
        ...{ ...at, r: 4.5, fill: OURS },
        title: (p: Point) =>
          tip(
            p.label,
            `${y.say(p.y)} at ${x.label} ${x.say(p.cost)}`,
            p.low !== null && p.high !== null &&
              `${y.say(p.low)} to ${y.say(p.high)}`,
          ),
      }),
      ...labelsOf(done, front, area),
    ],
  });
}

/** Those that no other beats: cheaper at as much accuracy, or better. */
function paretoFront(points: readonly Point[]): Point[] {
  let best = -Infinity;
  return [...points].sort((a, b) => a.cost - b.cost || b.y - a.y)
    .filter((p) => p.y > best && (best = p.y, true));
}

/** Pixels. */
type Box = Record<"left" | "right" | "top" | "bottom", number>;

const overlaps = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Right and left of a point, above, below and at its corners. */
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1]];
const PLACES = [...SIDES, [1, -1], [-1, -1], [1, 1], [-1, 1]];
/** How far from its point a label stands, in pixels. */
const AWAY = 9;

/**
 * The points' names where they cover nothing else; those on the front first,
 * bold, and over lines if there is no other place.
 */
function labelsOf(done: Point[], front: Point[], area: Area) {
  const fontSize = FONT_SIZE - 1, height = fontSize + 3;
  const isFront = new Set(front);
  const steps = front.flatMap((p, i): Box[] => {
    const next = front[i + 1];
    const left = area.x(p.cost), right = next ? area.x(next.cost) : area.right;
    const y = area.y(p.y), top = area.y(next?.y ?? p.y);
    return [
      { left, right, top: y - 1, bottom: y + 1 },
      { left: right - 1, right: right + 1, top, bottom: y },
    ];
  });
  const intervals = done.map((p): Box => ({
    ...{ left: area.x(p.cost), right: area.x(p.cost) },
    ...{ top: area.y(p.high ?? p.y), bottom: area.y(p.low ?? p.y) },
  }));
  const lines = [...steps, ...intervals];
  const named = [...front, ...done.filter((p) => !isFront.has(p))]
    .filter((p) => p.label !== "").slice(0, MOST_LABELS);
  const taken = named.map((p): Box => {
    const x = area.x(p.cost), y = area.y(p.y);
    return { left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 };
  });
  return named.flatMap((p) => {
    const width = textWidth(p.label, fontSize + (isFront.has(p) ? 2 : 0.5));
    const places = PLACES.map(([right, down]) => {
      const dx = AWAY * right, dy = (height / 2 + AWAY - 3) * down;
      const left = area.x(p.cost) + dx - width * (1 - right) / 2;
      const top = area.y(p.y) + dy - height / 2;
      const box = { left, right: left + width, top, bottom: top + height };
      const textAnchor = (["end", "middle", "start"] as const)[right + 1];
      return { dx, dy, textAnchor, box };
    }).filter(({ box }) =>
      box.left >= area.left && box.right <= area.right &&
      box.top >= area.top && box.bottom <= area.bottom &&
      !taken.some((other) => overlaps(box, other))
    );
    const best = places.find(({ box }) =>
      !lines.some((line) => overlaps(box, line))
    ) ?? (isFront.has(p) ? places[0] : undefined);
    if (!best) return [];
    const { box, ...place } = best;
    taken.push(box);
    return Plot.text([p], {
      ...{ x: "cost", y: "y", text: "label", ...place, fontSize },
      fontWeight: isFront.has(p) ? 700 : 400,
    });
  });
}
