/** An audit as one page: counts, sizes, findings, and images where wanted. */
import {
  type Audit,
  changesResults,
  type Finding,
  KINDS,
} from "../../lib/data/commands.ts";
import {
  escapeHtml,
  htmlPage,
  STYLE,
} from "../../lib/notebook/commands/mod.ts";
import { plural } from "../text.ts";
import { byKind, leftText, verdict } from "./audit_text.ts";
import type { Samples } from "./samples.ts";
import { classTable } from "./set.ts";

/** Sizes that the page lists. */
const MOST_SIZES = 10;
/** Findings of one kind that the page lists. */
const MOST_LISTED = 200;

const OWN_STYLE = `
.audit { max-width: 860px; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
.audit h1 { margin-bottom: .3em; overflow-wrap: anywhere; }
.audit .out { margin-bottom: 1.25rem; }
.audit .about { color: var(--soft); overflow-wrap: anywhere; }
.audit td:not(:first-child), .audit th:not(:first-child) { text-align: right; }
.audit td .bar { margin: .2rem 0 .1rem auto; }
.audit td:not(:first-child) { min-width: 8rem; }
.audit .findings { list-style: none; padding: 0; font-size: .875rem; line-height: 1.5; }
.audit .findings li { padding: .4rem 0; margin: 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.audit details { margin: 0 0 1em; }
.audit summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
.audit .grave { color: var(--bad); }
.audit .light { color: var(--mark); }
.audit .faces { display: flex; flex-wrap: wrap; gap: 3px; margin: .3rem 0; }
.audit .faces img { height: 56px; width: auto; border-radius: 3px; }
.audit figcaption { color: var(--soft); font-size: .8125rem; margin-bottom: .2rem; }
.audit figure { margin: 0 0 1rem; }
`;

/** Rows of cells; heads and cells are markup. */
function htmlTable(heads: string[], rows: string[][]): string {
  const row = (cells: string[], tag: string) =>
    `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join("")}</tr>`;
  return `<div class="wide"><table><thead>${row(heads, "th")}</thead>` +
    `<tbody>${rows.map((r) => row(r, "td")).join("")}</tbody></table></div>`;
}

/** A bar as long as a share of the longest one. */
const shareBar = (share: number, longest: number) =>
  share > 0
    ? `<span class="bar" title="${(100 * share).toFixed(1)} %" ` +
      `style="width:${(100 * share / longest).toFixed(1)}%"></span>`
    : "";

const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);

/** Each class's images by split, with a bar for their share of the split. */
function countsHtml({ classes, counts, published }: Audit): string {
  const columns = classTable(classes, counts, published);
  const shares = columns.map(({ head }) => {
    const key = head === "images" ? "all" : head;
    const own: number[] = counts[key as keyof typeof counts] ?? [];
    return own.map((n) => n / sum(own) || 0);
  });
  const longest = shares.flat().reduce((a, b) => Math.max(a, b), 0);
  const rows = columns[0].cells.map((_, i) =>
    columns.map(({ cells }, k) =>
      escapeHtml(cells[i]) + shareBar(shares[k][i] ?? 0, longest)
    )
  );
  return htmlTable(columns.map((c) => escapeHtml(c.head)), rows) +
    `<p class="about">Bars: a class’s share of its split’s images.</p>`;
}

/** The most frequent sizes; all lie within the shorter sides told. */
function sizesHtml(sizes: Audit["sizes"]): string {
  if (sizes.length === 0) return "";
  const all = [...sizes].sort((a, b) => b.count - a.count);
  const images = sum(sizes.map((s) => s.count));
  const share = ({ count }: { count: number }) => count / images;
  const rows = all.slice(0, MOST_SIZES).map((size) => [
    `${size.width} × ${size.height}`,
    `${size.count}${shareBar(share(size), share(all[0]))}`,
  ]);
  const sides = sizes.map((s) => Math.min(s.width, s.height))
    .sort((a, b) => a - b);
  const more = sizes.length - MOST_SIZES;
  return `<h2>Sizes in pixels</h2>${htmlTable(["size", "images"], rows)}` +
    (more > 0
      ? `<p class="about">And ${
        plural(more, "rarer size")
      }; the shorter side ` +
        `is from ${sides[0]} to ${sides.at(-1)} pixels.</p>`
      : "");
}

function faces(samples: Samples | undefined, names: readonly string[]) {
  const images = names.flatMap((name) => {
    const image = samples?.images.get(name);
    const label = escapeHtml(name);
    return image
      ? [`<img src="${image}" alt="${label}" title="${label}">`]
      : [];
  });
  return images.length ? `<div class="faces">${images.join("")}</div>` : "";
}

function findingsHtml(findings: readonly Finding[], samples?: Samples) {
  return [...byKind(findings)].map(([kind, some], i) => {
    const { title } = KINDS[kind];
    const tone = changesResults({ kind }) ? "grave" : "light";
    const more = some.length - MOST_LISTED;
    const lines = some.slice(0, MOST_LISTED).map((f) =>
      `<li>${faces(samples, f.images)}${escapeHtml(f.text)}</li>`
    );
    if (more > 0) lines.push(`<li>and ${more} more; the JSON has all</li>`);
    return `<details${i === 0 ? " open" : ""}><summary><span class="${tone}">` +
      `${escapeHtml(title)}</span>: ${some.length}</summary>` +
      `<ul class="findings">${lines.join("\n")}</ul></details>`;
  }).join("\n");
}

function samplesHtml(samples: Samples): string {
  const grids = [...samples.classes].map(([name, names]) =>
    `<figure><figcaption>${escapeHtml(name)}</figcaption>${
      faces(samples, names)
    }</figure>`
  );
  return `<h2>Samples</h2>${grids.join("\n")}`;
}

const WARNING = `<p class="banner"><b>Not to be published.</b> This page ` +
  `holds faces of the data set: keep it where the data set is kept.</p>`;

/** The page of an audit; self-contained, and no script runs in it. */
export function auditPage(
  audit: Audit,
  place: string,
  samples?: Samples,
): string {
  const { format, layout, images, findings, left, date, hash } = audit;
  const title = `Audit of ${format}`;
  const grave = findings.some(changesResults);
  const about = [
    escapeHtml(place),
    escapeHtml(layout),
    plural(images, "image"),
    `<time>${escapeHtml(date.slice(0, 16).replace("T", " "))}Z</time>`,
  ];
  const omitted = leftText(left);
  return htmlPage({
    title,
    style: STYLE + OWN_STYLE,
    head: `<meta name="referrer" content="no-referrer">\n`,
    body: `<main class="audit">
<h1>${escapeHtml(title)}</h1>
<p class="about">${about.join(" · ")}</p>
${samples ? WARNING : ""}
<p><b class="${grave ? "grave" : ""}">${escapeHtml(verdict(audit))}</b></p>
<h2>Classes</h2>
${countsHtml(audit)}
${omitted ? `<p>Left out by rule: ${escapeHtml(omitted)}.</p>` : ""}
${sizesHtml(audit.sizes)}
${findings.length ? "<h2>Findings</h2>" : ""}
${findingsHtml(findings, samples)}
${samples ? samplesHtml(samples) : ""}
<p class="about">Hash of names, splits, labels and contents: ${hash}</p>
</main>`,
  });
}
