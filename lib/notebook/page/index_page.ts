/** A page that lists many reports: each one's question, answer and chart. */
import { basename, dirname, relative } from "node:path";
import { escapeHtml, unescapeHtml, wordsHtml } from "../ansi.ts";
import { replaceText } from "../file/json_text.ts";
import { BOARD_STYLE, verdictClasses, verdictFilter } from "./claims_board.ts";
import { withLinks } from "./neighbours.ts";
import { htmlPage } from "./script.ts";
import { runTime } from "../run/page_provenance.ts";
import { sanitise } from "./sanitise.ts";
import { STYLE } from "./style.ts";

export interface Report {
  /** relative to the index, with `/` */
  file: string;
  title: string;
  /** as `ok`, `failed`, `partly run`, `not run`, `changed` since it ran */
  status: string;
  seconds?: number;
  date?: string;
  question?: string;
  /** of a page that leads with its answer */
  answer?: string;
  /** markup of its claims' counts, as it stands in the report */
  counts?: string;
  /** markup of the main chart, or of the first chart or image, as it stands in the report */
  chart?: string;
}

/** A chart or image with more characters than this has no thumbnail. */
const LARGEST_THUMBNAIL = 400_000;

/** The element that begins at `start`, with what is nested in it. */
function element(html: string, start: number, tag: string): string {
  const either = new RegExp(`<(/?)${tag}[\\s>]`, "g");
  either.lastIndex = start;
  let depth = 0;
  for (let m = either.exec(html); m; m = either.exec(html)) {
    depth += m[1] ? -1 : 1;
    if (depth === 0) return html.slice(start, html.indexOf(">", m.index) + 1);
  }
  return "";
}

/** The start of an output, with the class of what is in it (before: of itself). */
const OUTPUT =
  /<div class="out(?: (?!out)[a-z ]+| (out\d+--))?"[^>]*>(?:<div class="(out\d+--)">)?/g;

/** The first output that is a chart or an image, with its output's class. */
function firstChart(html: string): string | undefined {
  const starts = [...html.matchAll(OUTPUT)];
  for (const [i, m] of starts.entries()) {
    const end = html.indexOf("</section>", m.index);
    const next = starts[i + 1]?.index ?? html.length;
    const output = html.slice(m.index, end < 0 ? next : Math.min(next, end));
    const name = m[1] ?? m[2];
    const svg = output.indexOf("<svg"), img = output.indexOf("<img ");
    const chart = name && svg >= 0
      ? `<div class="${name}">${element(output, svg, "svg")}</div>`
      : img >= 0
      ? output.slice(img, output.indexOf(">", img) + 1)
      : "";
    if (chart && chart.length <= LARGEST_THUMBNAIL) return chart;
  }
}

/** Reads a page that `exportHtml` wrote; `undefined` for any other page. */
export function readReport(file: string, html: string): Report | undefined {
  const head = html.slice(0, html.indexOf("<style>"));
  if (!head.includes(`<meta name="generator" content="nb export">`)) return;
  const meta = (name: string): string | undefined => {
    const found = new RegExp(`<meta name="nb:${name}" content="([^"]*)">`)
      .exec(head)?.[1];
    return found === undefined ? undefined : unescapeHtml(found);
  };
  const seconds = Number(meta("seconds") ?? NaN);
  const body = html.slice(html.indexOf("<body>"));
  const lead = body.indexOf('<section class="lead"');
  const counts = lead < 0 ? -1 : body.indexOf('<p class="counts">', lead);
  return {
    file,
    title: unescapeHtml(/<title>([^<]*)</.exec(head)?.[1] ?? "") || file,
    status: meta("status") ?? "not run",
    ...(Number.isFinite(seconds) ? { seconds } : {}),
    date: meta("date"),
    ...(meta("question") ? { question: meta("question") } : {}),
    ...(lead < 0 ? {} : { answer: meta("answer") }),
    ...(counts < 0 ? {} : { counts: element(body, counts, "p") }),
    chart: firstChart(lead < 0 ? body : body.slice(lead)),
  };
}

const OWN_STYLE = `
.index { max-width: 1100px; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
.index > main > p { color: var(--soft); }
.reports { list-style: none; padding: 0; margin: 1.5rem 0 0; display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
.reports li { margin: 0; }
.thumb { contain: paint; position: relative; }
.reports article { position: relative; height: 100%; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.reports article:has(a:hover) { border-color: var(--accent); }
.thumb { height: 11rem; padding: .75rem; border-bottom: 1px solid var(--line); display: grid; place-items: center; overflow: hidden; color: var(--soft); font-size: .8125rem; }
.thumb > div { width: 100%; height: 100%; min-height: 0; }
.thumb svg, .thumb img { display: block; width: 100%; height: 9.5rem; object-fit: contain; color: var(--fg); --plot-background: transparent; }
.reports .about { padding: .8rem 1rem 1rem; font-size: .8125rem; color: var(--soft); }
.reports h2 { font-size: 1rem; margin: 0 0 .35rem; }
.reports h2 a { text-decoration: none; }
.reports h2 a::after { content: ""; position: absolute; inset: 0; }
.reports .about p { margin: 0; overflow-wrap: anywhere; }
.reports .about .said { color: var(--fg); font-weight: 600; margin: .5rem 0; }
.status { font-weight: 600; }
.status.failed { color: var(--bad); }
.status:is(.partly, .not, .changed) { color: var(--mark); }
`;

function card(report: Report, n: number): string {
  const { title, file, status, seconds, date, chart, answer } = report;
  const href = file.split("/").map(encodeURIComponent).join("/");
  const facts = [
    `<span class="status ${escapeHtml(status.split(" ")[0])}">${
      escapeHtml(status)
    }</span>`,
    ...(seconds === undefined ? [] : [runTime(seconds)]),
    ...(date ? [`<time>${escapeHtml(date)}</time>`] : []),
  ];
  // Made safe again: the file may have changed since its export.
  const safe = (markup: string, name: string) =>
    `<div class="${name}${n}--">${
      sanitise(markup, `${name}${n}--`, { label: "First chart" }).html
    }</div>`;
  const thumb = chart ? safe(chart, "thumb") : "no chart";
  const about = answer === undefined
    ? `<p>${escapeHtml(report.question ?? file)}</p>` +
      `<p>${facts.join(" · ")}</p>`
    : `<p>${escapeHtml(report.question ?? "")}</p>` +
      `<p class="said">${wordsHtml(answer)}</p>` +
      (report.counts ? safe(report.counts, "counts") : "") +
      (status === "ok" ? "" : `<p>${facts.join(" · ")}</p>`);
  const classes = verdictClasses(report.counts);
  return `<li${
    classes && ` class="${classes}"`
  }><article><div class="thumb" aria-hidden="true" inert>${thumb}</div>` +
    `<div class="about"><h2><a href="${escapeHtml(href)}">${
      escapeHtml(title)
    }</a></h2>${about}</div></article></li>`;
}

/**
 * Writes `out`, the index of those of `files` that `exportHtml` wrote, and links
 * these pages with it and, in the order given, with each other. Writes nothing
 * where there are none.
 *
 * @param o.beside markup that stands below, of what two folders' claims say
 * @param o.isNewestFirst else the index has the order given, too
 * @param o.unread is told of each file that cannot be read
 */
export async function writeIndex(
  out: string,
  files: readonly string[],
  o: {
    title: string;
    beside?: string;
    isNewestFirst?: boolean;
    unread?: (file: string, why: string) => void;
  },
): Promise<Report[]> {
  const pages: { file: string; html: string; report: Report }[] = [];
  for (const file of files) {
    try {
      const html = await Deno.readTextFile(file);
      const name = relative(dirname(out), file).replaceAll("\\", "/");
      const report = readReport(name, html);
      if (report) pages.push({ file, html, report });
    } catch (error) {
      o.unread?.(file, (error as Error).message);
    }
  }
  const reports = pages.map(({ report }) => report);
  if (reports.length === 0) return reports;
  for (const { file, html, report } of pages) {
    const linked = withLinks(html, reports, report.file, basename(out));
    if (linked !== html) await replaceText(file, linked);
  }
  if (o.isNewestFirst) {
    reports.sort((a, b) => (b.date ?? "").localeCompare(a.date ?? ""));
  }
  await replaceText(out, indexHtml(reports, o.title, o.beside));
  return reports;
}

/** The index of `reports`, in the order given; no script runs in it. */
export function indexHtml(
  reports: Report[],
  title = "Reports",
  beside = "",
): string {
  const failed = reports.filter((r) => r.status === "failed").length;
  const count = reports.length === 1 ? "1 report" : `${reports.length} reports`;
  return htmlPage({
    title,
    style: STYLE + OWN_STYLE + BOARD_STYLE,
    name: "index",
    body: `<main>
<h1>${escapeHtml(title)}</h1>
<p>${count}${failed ? `, ${failed} failed` : ""}</p>
${verdictFilter(reports.map((r) => r.counts))}
<ul class="reports">
${reports.map((r, i) => card(r, i + 1)).join("\n")}
</ul>
${beside}
</main>`,
  });
}
