/**
 * The one script of an exported page: values under the pointer, series and
 * ranges, charts and tables to take along, notes on terms, where one is in the
 * contents, all code at once, the theme that was chosen. It reads the page and
 * never runs what is in it; the page's policy allows exactly these bytes.
 */
import { createHash } from "node:crypto";
import { CHARTS } from "./page_charts.ts";
import { DOWNLOADS } from "./page_downloads.ts";
import { TABLES } from "./page_tables.ts";
import { TERMS } from "./page_terms.ts";

/** Plain JavaScript; without it the page works, with the browser's tooltips. */
export const PAGE_SCRIPT = `(() => {
"use strict";
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("role", "status");
tip.hidden = true;
document.body.append(tip);
const say = (words, x, y) => {
  if (tip.textContent !== words) tip.textContent = words;
  tip.hidden = !words.trim();
  tip.style.left = "0"; // at an edge it would be squeezed
  const box = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(x + 14, innerWidth - box.width - 8));
  const above = y - box.height - 12;
  tip.style.left = left + "px";
  tip.style.top = (above < 8 ? y + 18 : above) + "px";
};
${CHARTS}${TABLES}${DOWNLOADS}${TERMS}
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
// In a narrow window the contents would stand before the answer.
const contents = document.querySelector("nav > details");
if (contents && matchMedia("(max-width: 34rem)").matches) contents.open = false;
// The contents mark the section that is being read: the last whose heading
// has passed the upper third of the window.
const places = [...document.querySelectorAll("nav a[href^='#']")].map((link) => ({
  link,
  heading: document.getElementById(decodeURIComponent(link.hash.slice(1))),
})).filter((p) => p.heading);
let here, isWaiting = false;
const mark = () => {
  isWaiting = false;
  const isEnd = scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 4;
  const passed = places.filter((p) =>
    p.heading.getBoundingClientRect().top < (isEnd ? innerHeight : innerHeight / 3));
  const now = passed.at(-1)?.link;
  if (now === here) return;
  here?.removeAttribute("aria-current");
  now?.setAttribute("aria-current", "location");
  here = now;
};
if (places.length) {
  addEventListener("scroll", () => {
    if (!isWaiting) requestAnimationFrame(mark);
    isWaiting = true;
  }, { passive: true });
  mark();
}

let store;
try { store = localStorage; } catch { /* not for pages without an origin */ }
for (const radio of document.querySelectorAll('input[name="ui--theme"]')) {
  if (store?.getItem("nb-theme") === radio.value) radio.checked = true;
  radio.addEventListener("change", () => store?.setItem("nb-theme", radio.value));
}
})();`;

/** The page's Content-Security-Policy; `trust` lets all scripts in it run. */
export function policy(trust: boolean, scripts = [PAGE_SCRIPT]): string {
  const allowed = scripts.map((script) =>
    `'sha256-${createHash("sha256").update(script).digest("base64")}'`
  );
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    `script-src ${trust ? "'unsafe-inline'" : allowed.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
