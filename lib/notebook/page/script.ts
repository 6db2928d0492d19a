/**
 * The one script of an exported page: values under the pointer, series and
 * ranges, charts and tables to take along, notes on terms, where one is in the
 * contents, all code at once, the theme that was chosen. It reads the page and
 * never runs what is in it; the page's policy allows exactly these bytes.
 */
import { createHash } from "node:crypto";
import { escapeHtml } from "../ansi.ts";
import { CHARTS } from "./script_charts.ts";
import { TERMS } from "./script_terms.ts";

const TABLES = `
// A number as reports write it: "−4.77", "53.2 %", "2×10⁻⁴", "1,234", "3 min".
const raised = (digits) => [...digits]
  .map((c) => c === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)).join("");
const numberOf = (text) => {
  const time = /^(?:(\\d+) h ?)?(?:(\\d+) min ?)?(?:([\\d.]+) s)?$/.exec(text);
  if (time && text) {
    return 3600 * (time[1] ?? 0) + 60 * (time[2] ?? 0) + Number(time[3] ?? 0);
  }
  if (/^\\d{4}-\\d\\d/.test(text)) return NaN; // a date is sorted as text
  const plain = text.replace(/\\u2212/g, "-")
    .replace(/(?:([\\d.]+)×)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, (_, n, e) => (n ?? 1) + "e" + raised(e))
    .replace(/(\\d)[,\\u202f\\u00a0](?=\\d{3})/g, "$1");
  const found = /^[+±<>≤≥~ ]*(-?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[-+]?\\d+)?)/i.exec(plain);
  return found ? Number(found[1]) : NaN;
};
const textIn = (row, i) => row.cells[i]?.textContent.trim() ?? "";
const isNothing = (text) => /^(|[-–—]|n\\/a|none)$/i.test(text);

const write = async (words) => {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    const area = document.createElement("textarea");
    area.value = words;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
};

const adoptTable = (table) => {
  const head = table.tHead?.rows[table.tHead.rows.length - 1];
  const body = table.tBodies[0];
  if (!head || table.tBodies.length !== 1 || body.rows.length < 2) return;
  if (body.rows.length > 20000 || table.querySelector("table, [rowspan], [colspan]")) {
    return;
  }
  const rows = [...body.rows];
  [...head.cells].forEach((cell, i) => {
    if (!cell.textContent.trim() || cell.querySelector("a, button, summary")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...cell.childNodes);
    cell.append(button);
    // Up, down, and as it was.
    button.addEventListener("click", () => {
      const now = cell.getAttribute("aria-sort");
      const next = !now ? "ascending" : now === "ascending" ? "descending" : undefined;
      for (const other of head.cells) other.removeAttribute("aria-sort");
      let order = rows;
      if (next) {
        cell.setAttribute("aria-sort", next);
        const told = rows.map((row) => ({ row, text: textIn(row, i) }));
        const some = told.filter((t) => !isNothing(t.text));
        for (const t of some) t.number = numberOf(t.text);
        const isNumber = some.every((t) => !Number.isNaN(t.number));
        const sign = next === "ascending" ? 1 : -1;
        const words = new Intl.Collator("en", { numeric: true });
        some.sort((a, b) =>
          sign * (isNumber ? a.number - b.number : words.compare(a.text, b.text)));
        // What holds nothing is last in either order.
        order = [...some, ...told.filter((t) => isNothing(t.text))].map((t) => t.row);
      }
      body.append(...order);
    });
  });
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy";
  copy.textContent = "Copy as TSV";
  copy.addEventListener("click", async () => {
    const lines = [...table.rows].map((row) =>
      [...row.cells].map((cell) =>
        cell.textContent.trim().replace(/\\s+/g, " ").replace(/^\\u2212(?=[\\d.])/, "-")
      ).join("\\t"));
    await write(lines.join("\\n") + "\\n");
    const box = copy.getBoundingClientRect();
    say("Copied " + body.rows.length + " rows", box.left, box.top);
  });
  table.after(copy);
};
document.querySelectorAll("main table").forEach(adoptTable);
`;

const DOWNLOADS = `
const save = (name, type, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
};
// The drawing as it is on the page, without what the script put into it.
const svgOf = (chart) => {
  const copy = chart.cloneNode(true);
  for (const e of copy.querySelectorAll(".zone, .range")) e.remove();
  for (const e of copy.querySelectorAll(".dim, .off, .lit")) e.classList.remove("dim", "off", "lit");
  for (const name of ["data-csv", "tabindex", "aria-roledescription"]) copy.removeAttribute(name);
  copy.setAttribute("role", "img");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const now = getComputedStyle(chart);
  copy.style.color = now.color;
  copy.style.background = getComputedStyle(document.body).backgroundColor;
  // Outside the page its rules are for the drawing alone.
  for (const style of copy.querySelectorAll("style")) {
    style.textContent = style.textContent.replace(/@scope \\([^)]*\\) \\{([^]*)\\}\\s*$/, "$1");
  }
  return new XMLSerializer().serializeToString(copy);
};
const page = location.pathname.split("/").pop().replace(/\\.html?$/, "") || "page";
for (const figure of document.querySelectorAll("figure.numbered")) {
  // The one that is there now: it may have been drawn again.
  const chart = () => figure.querySelector("svg");
  const caption = figure.querySelector(":scope > figcaption");
  const [number] = /^\\w+ \\d+/.exec(caption?.textContent) ?? [];
  if (!chart() || !number || figure.querySelector("table")) continue;
  const name = page + "-" + number.toLowerCase().replace(" ", "-");
  const tools = document.createElement("span");
  tools.className = "take";
  const button = (label, action) => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = label;
    b.setAttribute("aria-label", "Download as " + label);
    b.addEventListener("click", action);
    tools.append(" ", b);
  };
  button("SVG", () => save(name + ".svg", "image/svg+xml", svgOf(chart())));
  const csv = () => chart()?.dataset.csv;
  if (csv()) button("CSV", () => save(name + ".csv", "text/csv;charset=utf-8", csv() ?? ""));
  caption.append(tools);
}
`;

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
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { /* it is no name of a place */ }
  const target = document.getElementById(name);
  const folded = target?.closest("details");
  if (folded) folded.open = true;
};
addEventListener("hashchange", reveal);
// In a narrow window the contents would stand before the answer.
const contents = document.querySelector("nav > details");
if (contents && matchMedia("(max-width: 1099px)").matches) contents.open = false;
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

/** A whole page; it loads nothing from elsewhere. */
export const htmlPage = (page: {
  title: string;
  style: string;
  body: string;
  policy?: string;
  head?: string;
  name?: string;
}): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${
    page.policy ?? policy(false, [])
  }">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${page.head ?? ""}<title>${escapeHtml(page.title)}</title>
<style>${page.style}</style>
</head>
<body${page.name ? ` class="${page.name}"` : ""}>
${page.body}
</body>
</html>
`;

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
    `script-src ${trust ? "'unsafe-inline'" : allowed.join(" ") || "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
