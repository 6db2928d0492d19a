/// <reference lib="dom" />
/** Trials picked in a chart: by a rectangle that is drawn, or on an axis. */
import type { Trial } from "../../rows/mod.ts";
import { valueKey } from "./state.ts";

const SVG = "http://www.w3.org/2000/svg";
/** Pixels that a click may move. */
const CLICK = 6;
const MARKS = "[data-trial], [data-setting]";

/** Whether a trial has one of the values of each parameter that it knows. */
function isOf(setting: string): (trial: Trial) => boolean {
  let asked: [name: string, values: string[]][] = [];
  try {
    asked = Object.entries(JSON.parse(setting) as Record<string, unknown[]>)
      .map(([name, values]) => [name, values.map(valueKey)]);
  } catch { /* an output of a stranger's, which stands for no trial */ }
  return (trial) => {
    const known = asked.filter(([name]) => Object.hasOwn(trial, name));
    return known.length > 0 &&
      known.every(([name, values]) => values.includes(valueKey(trial[name])));
  };
}

/** The trials that marks stand for, by study; undefined where they tell none. */
export function trialsOfMarks(
  marks: Iterable<SVGElement>,
  trials: ReadonlyMap<string, Trial>,
): Record<string, number[]> | undefined {
  const found = new Set<Trial>();
  for (const { dataset: { trial, setting } } of marks) {
    const own = trial === undefined ? undefined : trials.get(trial);
    if (own) found.add(own);
    if (setting === undefined) continue;
    for (const t of [...trials.values()].filter(isOf(setting))) {
      found.add(t);
    }
  }
  if (found.size === 0) return undefined;
  const groups = Map.groupBy(found, (t) => t.study);
  return Object.fromEntries(
    [...groups].map(([study, own]) => [
      study,
      own.map((t) => t.number).sort((a, b) => a - b),
    ]),
  );
}

/** Those of another pick that are in this one too; a study in one alone stays. */
export function both(
  a: Record<string, number[]>,
  b: Record<string, number[]>,
): Record<string, number[]> {
  const result = { ...a, ...b };
  for (const study of Object.keys(a).filter((s) => Object.hasOwn(b, s))) {
    const own = new Set(b[study]);
    result[study] = a[study].filter((n) => own.has(n));
  }
  return result;
}

/**
 * Lets a mouse or pen draw a rectangle on charts while `isOn`; `done` gets the
 * marks whose middles lie in it. What an axis keeps arrives as `nb:range`.
 */
export function brush(
  isOn: () => boolean,
  done: (marks: SVGElement[]) => void,
) {
  let drag:
    | { chart: SVGSVGElement; x: number; y: number; box?: Element }
    | null;
  const end = () => {
    drag?.box?.remove();
    drag = null;
  };
  const ends = (event: PointerEvent) => ({
    left: Math.min(drag!.x, event.clientX),
    right: Math.max(drag!.x, event.clientX),
    top: Math.min(drag!.y, event.clientY),
    bottom: Math.max(drag!.y, event.clientY),
  });
  document.addEventListener("pointerdown", (event) => {
    const target = event.target as Element;
    const chart = target.closest<SVGSVGElement>(".out svg");
    if (
      !isOn() || event.button !== 0 || event.pointerType === "touch" ||
      !chart?.querySelector(MARKS) || target.closest("[role=slider]")
    ) return;
    drag = { chart, x: event.clientX, y: event.clientY };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (event.buttons === 0) return end();
    const { left, right, top, bottom } = ends(event);
    if (!drag.box && Math.hypot(right - left, bottom - top) < CLICK) return;
    event.preventDefault();
    if (!drag.box) {
      getSelection()?.removeAllRanges();
      drag.box = drag.chart.appendChild(document.createElementNS(SVG, "rect"));
      drag.box.setAttribute("class", "ask-brush");
    }
    const toChart = drag.chart.getScreenCTM()!.inverse();
    const from = new DOMPoint(left, top).matrixTransform(toChart);
    const to = new DOMPoint(right, bottom).matrixTransform(toChart);
    const size = { width: to.x - from.x, height: to.y - from.y };
    for (
      const [name, value] of Object.entries({ x: from.x, y: from.y, ...size })
    ) {
      drag.box.setAttribute(name, String(value));
    }
  });
  document.addEventListener("selectstart", (event) => {
    if (drag) event.preventDefault();
  });
  document.addEventListener("pointercancel", end);
  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { chart, box } = drag, { left, right, top, bottom } = ends(event);
    end();
    if (!box) return;
    // The click that follows a drag picks no trial.
    const still = (click: Event) => click.stopPropagation();
    addEventListener("click", still, true);
    setTimeout(() => removeEventListener("click", still, true));
    done(
      [...chart.querySelectorAll<SVGElement>(MARKS)].filter((mark) => {
        const { x, y, width, height } = mark.getBoundingClientRect();
        const [midX, midY] = [x + width / 2, y + height / 2];
        return midX >= left && midX <= right && midY >= top && midY <= bottom;
      }),
    );
  });
  document.addEventListener("nb:range", (event) => {
    if (isOn()) done((event as CustomEvent<SVGElement[]>).detail);
  });
}
