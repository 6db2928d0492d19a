/**
 * What a page's script does with charts. It knows nothing of their making: a
 * mark is an element with a title, shapes with one `data-series` belong
 * together, and of parallel axes each line tells in `data-at` where it crosses
 * them and each axis (an SVG line with `data-axis`) where it stands.
 */
export const CHARTS = `
// A mark is an element with a title of its own; a chart's title is no value.
const titleOf = (mark) => {
  for (const child of mark.children) {
    if (child.localName === "title") return child;
  }
};
const markAt = (target) => {
  for (let e = target; e instanceof SVGElement; e = e.parentElement) {
    if (e instanceof SVGSVGElement) return;
    if (titleOf(e)) return e;
  }
};
// Most marks are small: one within 14 pixels of the pointer will do.
const marksOf = new Map();
const nearest = (event) => {
  const chart = event.target.closest?.(".out svg");
  let best, least = 14;
  for (const mark of marksOf.get(chart) ?? []) {
    const box = mark.getBoundingClientRect();
    if (Math.max(box.width, box.height) > 60) continue;
    const away = Math.hypot(
      event.clientX - Math.max(box.left, Math.min(event.clientX, box.right)),
      event.clientY - Math.max(box.top, Math.min(event.clientY, box.bottom)),
    );
    if (away < least) [best, least] = [mark, away];
  }
  return best;
};
// Lines are thin: one within 4 pixels will do.
const FAMILY = "[data-series], [data-at]";
const around = ({ clientX: x, clientY: y }) => {
  for (const d of [0, 1, 2, 3, 4]) {
    for (const [dx, dy] of [[0, d], [0, -d], [d, 0], [-d, 0]]) {
      const own = document.elementFromPoint(x + dx, y + dy)?.closest(FAMILY);
      if (own?.closest(".out svg")) return own;
    }
  }
};

// Of the shapes that belong together those of one series are lifted.
let lifted, family = [];
const lift = (shape) => {
  const own = shape?.closest(FAMILY);
  const chart = own?.closest(".out svg");
  const keyOf = (e) => e.dataset.series ?? e;
  const key = own && keyOf(own);
  if (lifted?.key === key && lifted?.chart === chart) return;
  for (const e of family) e.classList.remove("dim");
  lifted = own && { key, chart };
  family = own ? [...chart.querySelectorAll(FAMILY)] : [];
  for (const e of family) e.classList.toggle("dim", keyOf(e) !== key);
};

let shown, text;
const hide = () => {
  if (shown) {
    titleOf(shown).textContent = text;
    shown.classList.remove("lit");
  }
  shown = undefined;
  tip.hidden = true;
  lift();
};
const show = (mark, x, y) => {
  if (mark !== shown) {
    hide();
    shown = mark;
    // Emptied while ours is shown, or the browser's own would cover it.
    text = titleOf(mark).textContent;
    titleOf(mark).textContent = "";
    mark.classList.add("lit");
    lift(mark);
  }
  say(text, x, y);
};
const point = (event) => {
  if (event.target.closest?.("[data-note]")) return; // a term shows its own
  const mark = markAt(event.target) ?? nearest(event) ?? around(event);
  if (mark && titleOf(mark)) show(mark, event.clientX, event.clientY);
  else if (mark || event.pointerType !== "touch" || event.type === "pointerdown") {
    hide();
    lift(mark);
  }
};
addEventListener("pointermove", point);
addEventListener("pointerdown", point);
addEventListener("scroll", hide, { capture: true, passive: true });

// One stop of the Tab key a chart; the arrow keys go through its values.
const adopt = (chart) => {
  if (chart.parentElement.closest("svg")) return;
  const marks = [...chart.querySelectorAll("title")]
    .map((title) => title.parentElement)
    .filter((e) => !(e instanceof SVGSVGElement) && markAt(e) === e);
  if (!marks.length) return;
  marksOf.set(chart, marks);
  chart.tabIndex = 0;
  chart.setAttribute("aria-roledescription", "chart; arrow keys read its values");
  let at = -1;
  const go = (n) => {
    at = (n + marks.length) % marks.length;
    const box = marks[at].getBoundingClientRect();
    show(marks[at], box.left + box.width / 2, box.top);
  };
  chart.addEventListener("focus", () => {
    if (chart.matches(":focus-visible")) go(Math.max(at, 0));
  });
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", (event) => {
    const key = event.key;
    if (key === "ArrowRight" || key === "ArrowDown") go(at + 1);
    else if (key === "ArrowLeft" || key === "ArrowUp") go(at - 1);
    else if (key === "Home") go(0);
    else if (key === "End") go(-1);
    else if (key === "Escape") return hide();
    else if (key === "Enter" && at >= 0) {
      marks[at].dispatchEvent(new MouseEvent("click", { bubbles: true }));
    } else return;
    event.preventDefault();
  });
  brushable(chart);
};
document.querySelectorAll(".out svg").forEach(adopt);
// What was drawn again answers the hand as well.
document.addEventListener("nb:drawn", (event) => {
  event.target.querySelectorAll("svg").forEach(adopt);
  event.target.querySelectorAll("table").forEach(adoptTable);
});

// A range on an axis, by drag or arrow keys, dims the lines that miss it.
function brushable(chart) {
  const axes = [...chart.querySelectorAll("line[data-axis]")].slice(0, 50);
  const lines = [...chart.querySelectorAll("[data-at]")].slice(0, 5000).map((e) => ({
    e,
    at: e.dataset.at.split(" ").map(Number),
    words: (titleOf(e)?.textContent ?? "").split("\\n"),
  }));
  if (!axes.length || !lines.length) return;
  // An image has no parts that could be reached.
  chart.setAttribute("role", "group");
  const ranges = [];
  const within = (at, i) => {
    const range = ranges[i];
    return !range || (at[i] >= range[0] && at[i] <= range[1]);
  };
  axes.forEach((axis, i) => {
    const [x, y1, y2] = ["x1", "y1", "y2"].map((n) => Number(axis.getAttribute(n)));
    const top = Math.min(y1, y2), bottom = Math.max(y1, y2);
    const levels = [...new Set(lines.map((l) => l.at[i]))]
      .filter((y) => y >= top - 1 && y <= bottom + 1).sort((a, b) => b - a);
    if (!levels.length) return;
    const rect = (name, width) => {
      const r = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      r.setAttribute("class", name);
      r.setAttribute("x", x - width / 2);
      r.setAttribute("width", width);
      chart.append(r);
      return r;
    };
    const range = rect("range", 12), zone = rect("zone", 24);
    zone.setAttribute("y", top - 10);
    zone.setAttribute("height", bottom - top + 20);
    const name = lines[0].words[i]?.split(": ")[0] ?? "";
    const attributes = {
      tabindex: 0, role: "slider", "aria-orientation": "vertical",
      "aria-label": name + ": range; arrow keys move it, with Shift they widen it",
      "aria-valuemin": 0, "aria-valuemax": levels.length - 1,
    };
    for (const key in attributes) zone.setAttribute(key, attributes[key]);
    const tell = () => {
      const own = ranges[i];
      range.setAttribute("y", own ? own[0] : top);
      range.setAttribute("height", own ? Math.max(1, own[1] - own[0]) : 0);
      let kept = 0;
      for (const line of lines) {
        const isIn = axes.every((_, k) => within(line.at, k));
        line.e.classList.toggle("off", !isIn);
        kept += isIn;
      }
      const told = lines.filter((l) => own && within(l.at, i))
        .sort((a, b) => b.at[i] - a.at[i])
        .map((l) => l.words[i]?.slice(name.length + 2));
      const [low, high] = [told[0], told.at(-1)];
      const words = !own ? "all" : !told.length ? "none"
        : low === high ? low : low + " to " + high;
      const value = words + "; " + kept + " of " + lines.length + " lines";
      zone.setAttribute("aria-valuenow", Math.max(0, levels.findIndex((y) => own && y <= own[1])));
      zone.setAttribute("aria-valuetext", value);
      return name + ": " + value;
    };
    const tellAt = (px, py) => { hide(); say(tell(), px, py); };
    tell();

    const yOf = (event) =>
      new DOMPoint(event.clientX, event.clientY)
        .matrixTransform(chart.getScreenCTM().inverse()).y;
    // For whoever wants the lines that all ranges keep.
    const keep = () => {
      if (!ranges.some(Boolean)) return;
      const kept = lines.filter((l) => axes.every((_, k) => within(l.at, k)));
      chart.dispatchEvent(new CustomEvent("nb:range", {
        ...{ bubbles: true, detail: kept.map((l) => l.e) },
      }));
    };
    let from;
    zone.addEventListener("pointerdown", (event) => {
      from = yOf(event);
      zone.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    zone.addEventListener("pointermove", (event) => {
      if (from === undefined) return;
      const to = yOf(event);
      // A click, which does not move, takes the range away.
      ranges[i] = Math.abs(to - from) < 4 ? undefined : [Math.min(from, to), Math.max(from, to)];
      tellAt(event.clientX, event.clientY);
      event.stopPropagation();
    });
    zone.addEventListener("pointerup", (event) => {
      if (from !== undefined && Math.abs(yOf(event) - from) < 4) {
        ranges[i] = undefined;
        tellAt(event.clientX, event.clientY);
      }
      from = undefined;
      keep();
    });
    zone.addEventListener("pointercancel", () => { from = undefined; });

    let low = -1, high = -1;
    zone.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (step) {
        if (!ranges[i]) low = high = step > 0 ? 0 : levels.length - 1;
        else {
          high = Math.max(0, Math.min(levels.length - 1, high + step));
          low = event.shiftKey ? Math.min(low, high) : high;
        }
        ranges[i] = [levels[high] - 1, levels[low] + 1];
      } else if (event.key === "Escape") ranges[i] = undefined;
      else if (event.key === "Enter") return keep();
      else return;
      const box = zone.getBoundingClientRect();
      tellAt(box.left + box.width / 2, box.top);
      event.preventDefault();
      event.stopPropagation();
    });
    zone.addEventListener("blur", hide);
  });
}
`;
