/**
 * The one script of an exported page: values under the pointer, all code at
 * once, the theme that was chosen. It reads the page and never runs what is in
 * it; the page's policy allows exactly these bytes.
 */
import { createHash } from "node:crypto";

/** Plain JavaScript; without it the page works, with the browser's tooltips. */
export const PAGE_SCRIPT = `(() => {
"use strict";
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("role", "status");
tip.hidden = true;
document.body.append(tip);

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
// Marks are small: one within 14 pixels of the pointer will do.
const marksOf = new Map();
const nearest = (event) => {
  const chart = event.target.closest?.(".out svg");
  let best, least = 14;
  for (const mark of marksOf.get(chart) ?? []) {
    const box = mark.getBoundingClientRect();
    const away = Math.hypot(
      event.clientX - Math.max(box.left, Math.min(event.clientX, box.right)),
      event.clientY - Math.max(box.top, Math.min(event.clientY, box.bottom)),
    );
    if (away < least) [best, least] = [mark, away];
  }
  return best;
};
let shown, text;
const hide = () => {
  if (shown) {
    titleOf(shown).textContent = text;
    shown.classList.remove("lit");
  }
  shown = undefined;
  tip.hidden = true;
};
const show = (mark, x, y) => {
  if (mark !== shown) {
    hide();
    shown = mark;
    // Emptied while ours is shown, or the browser's own would cover it.
    text = titleOf(mark).textContent;
    titleOf(mark).textContent = "";
    mark.classList.add("lit");
    tip.textContent = text;
    tip.hidden = !text.trim();
  }
  const box = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8));
  const above = y - box.height - 12;
  tip.style.left = left + "px";
  tip.style.top = (above < 8 ? y + 18 : above) + "px";
};
addEventListener("pointermove", (event) => {
  const mark = markAt(event.target) ?? nearest(event);
  if (mark) show(mark, event.clientX, event.clientY);
  else if (event.pointerType !== "touch") hide();
});
addEventListener("pointerdown", (event) => {
  if (!markAt(event.target) && !nearest(event)) hide();
});
addEventListener("scroll", hide, { capture: true, passive: true });

// One stop of the Tab key a chart; the arrow keys go through its values.
for (const chart of document.querySelectorAll(".out svg")) {
  if (chart.parentElement.closest("svg")) continue;
  const marks = [...chart.querySelectorAll("title")]
    .map((title) => title.parentElement)
    .filter((e) => !(e instanceof SVGSVGElement) && markAt(e) === e);
  if (!marks.length) continue;
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
    else return;
    event.preventDefault();
  });
}

const all = document.getElementById("ui--code");
all?.addEventListener("change", () => {
  for (const code of document.querySelectorAll("details.code")) {
    code.open = all.checked;
  }
});
// A link to a folded place opens it.
const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target?.closest("details");
  if (folded) folded.open = true;
};
addEventListener("hashchange", reveal);

let store;
try { store = localStorage; } catch { /* not for pages without an origin */ }
for (const radio of document.querySelectorAll('input[name="ui--theme"]')) {
  if (store?.getItem("nb-theme") === radio.value) radio.checked = true;
  radio.addEventListener("change", () => store?.setItem("nb-theme", radio.value));
}
})();`;

/** The page's Content-Security-Policy; `trust` lets all scripts in it run. */
export function policy(trust: boolean, script = PAGE_SCRIPT): string {
  const hash = createHash("sha256").update(script).digest("base64");
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    `script-src ${trust ? "'unsafe-inline'" : `'sha256-${hash}'`}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
