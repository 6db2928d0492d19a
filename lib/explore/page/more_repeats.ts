/// <reference lib="dom" />
/** What more repeats would see, and what they would cost. */
import { detectableDifference } from "../../statistics/mod.ts";
import { h } from "./dom.ts";
import type { Report } from "./report.ts";
import { keeps, type State } from "./state.ts";

const MOST_REPEATS = 50;

/** Hours of one more repeat of all that is compared, by those there are. */
function hoursOf(report: Report, state: State): number {
  const all = [...report.trials.values()].filter(keeps(state));
  const repeats = new Set(all.map((t) => t.repeat)).size;
  const seconds = all.reduce((sum, t) => sum + (t.seconds ?? 0), 0);
  return seconds / 3600 / Math.max(1, repeats);
}

/** A slider for each comparison: repeats, the difference seen, hours. */
export function power(report: Report, state: State): Node[] {
  const found = report.comparisons(state).filter((e) => e.sd && e.n >= 2);
  if (found.length === 0) return [];
  const hours = hoursOf(report, state), alpha = 1 - (state.level ?? 0.95);
  return [
    h("h3", {}, "Power"),
    h(
      "p",
      { class: "soft" },
      "The difference that repeats would see (80 % power), by the spread of " +
        "the present pairs, and the hours that more of all trials would take.",
    ),
    h(
      "ul",
      { class: "ask-power" },
      ...found.slice(0, 30).map((e) => {
        const words = h("span", { class: "soft" });
        const tell = (n: number) => {
          const size = 100 * detectableDifference({ sd: e.sd!, n, alpha });
          const more = hours * Math.max(0, n - e.n);
          words.textContent = `${n} repeats see ${size.toFixed(1)} points` +
            (n > e.n ? `; ${more.toFixed(1)} h more` : " (present)");
          slider.setAttribute("aria-valuetext", words.textContent);
        };
        const slider = h("input", {
          ...{ type: "range", min: e.n, max: Math.max(MOST_REPEATS, e.n) },
          value: e.n,
          "aria-label": `Repeats of ${e.pair}`,
          oninput: () => tell(slider.valueAsNumber),
        });
        tell(e.n);
        return h("li", {}, h("div", {}, e.pair), slider, words);
      }),
    ),
  ];
}
