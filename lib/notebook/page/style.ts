/** The style sheet of an exported page. */
import { ANSI, THEME } from "../colour.ts";
import { LEAD_STYLE } from "./report_lead.ts";

const kebab = (name: string) =>
  name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
const names = Object.keys(THEME.light) as (keyof typeof THEME.light)[];
const themed = [
  ...names.map((n) =>
    `--${kebab(n)}:light-dark(${THEME.light[n]},${THEME.dark[n]})`
  ),
  ...ANSI.light.map((light, i) =>
    `--a${i}:light-dark(${light},${ANSI.dark[i]})`
  ),
].join(";\n  ");
const ansiClasses = [
  ...ANSI.light.map((_, i) => `.a-f${i}{color:var(--a${i})}`),
  ...ANSI.light.map((_, i) =>
    `.a-g${i}{background:var(--a${i});color:var(--bg)}`
  ),
].join("\n");

/**
 * CSS for light and dark, narrow and wide windows, and print. A rule on screen
 * for what lies in `:root:has(…)` has a browser style the whole page anew with
 * every element that comes or goes.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  ${themed};
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
:root:has(#ui--light:checked) { color-scheme: light; }
:root:has(#ui--dark:checked) { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
body { margin: 0; background: var(--bg); color: var(--fg); font: 1rem/1.65 var(--sans); }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 1rem; top: .6rem; z-index: 2; background: var(--bg); padding: .3rem .7rem; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; justify-content: flex-end; align-items: center; max-width: 1240px; margin: 0 auto; padding: 1rem 1.25rem 0; font-size: .8125rem; color: var(--soft); }
.tools label { cursor: pointer; }
.tools .all { display: inline-flex; align-items: center; gap: .4rem; }
.tools input[type=checkbox] { accent-color: var(--accent); margin: 0; }
.tools fieldset { display: flex; border: 1px solid var(--line); border-radius: 7px; margin: 0; padding: 2px; }
.tools legend, .tools input[type=radio] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; padding: 0; }
.tools fieldset span { display: block; padding: .05rem .6rem; border-radius: 5px; }
.tools fieldset span:hover { color: var(--fg); }
.tools :checked + span { background: var(--faint); color: var(--fg); box-shadow: 0 0 0 1px var(--line); }
.tools :focus-visible + span { outline: 2px solid var(--accent); outline-offset: 1px; }
.page { display: grid; grid-template-columns: minmax(0, 860px); justify-content: center; padding: 1.5rem 1.25rem 5rem; }
nav { font-size: .875rem; line-height: 1.4; margin-bottom: 1.5rem; }
nav summary { font-weight: 600; cursor: pointer; color: var(--soft); }
nav ol { list-style: none; margin: .6rem 0 0; padding: 0; }
nav a { display: block; padding: .25rem .75rem; color: var(--soft); border-left: 2px solid var(--line); text-decoration: none; }
nav a:is(:hover, :focus-visible, [aria-current]) { color: var(--accent); border-color: var(--accent); }
nav .l3 a { padding-left: 1.75rem; }
main { min-width: 0; outline: none; }
@media (min-width: 1100px) {
  .page.has-toc { grid-template-columns: 220px minmax(0, 860px); column-gap: 3rem; }
  .has-toc nav { position: sticky; top: 2rem; align-self: start; max-height: calc(100vh - 4rem); overflow-y: auto; }
  .has-toc > .provenance { grid-column: 2; }
}
h1, h2, h3, h4, h5, h6 { line-height: 1.25; text-wrap: balance; letter-spacing: -.012em; margin: 2em 0 .6em; font-weight: 650; font-size: 1rem; }
h1, .h1 { font-size: 2.1rem; letter-spacing: -.022em; margin: 0 0 .7em; }
h2, .h2 { font-size: 1.45rem; margin: 2.1em 0 .6em; }
h3, .h3 { font-size: 1.15rem; }
p, ul, ol, blockquote, dl, .wide { margin: 0 0 1em; }
li > :is(ul, ol), li > p:last-child { margin-bottom: 0; }
li + li { margin-top: .2em; }
.md > :is(p, ul, ol, blockquote) { max-width: 44rem; }
a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: from-font; }
.anchor { opacity: 0; text-decoration: none; font-weight: 400; margin-left: .15em; }
:is(h1, h2, h3, h4, h5, h6):hover .anchor, .anchor:focus { opacity: 1; }
blockquote { border-left: 3px solid var(--line); padding-left: 1em; margin-left: 0; color: var(--soft); }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; }
img, svg { max-width: 100%; }
img { height: auto; }
code, pre, kbd, samp { font-family: var(--mono); font-size: .84em; font-variant-ligatures: none; }
pre > code { font-size: 1em; }
:not(pre) > code, kbd { background: var(--faint); border: 1px solid var(--line); border-radius: 5px; padding: .08em .35em; overflow-wrap: anywhere; }
pre { margin: 0; overflow-x: auto; line-height: 1.55; tab-size: 2; font-size: .8125rem; }
.src { background: var(--faint); padding: .85rem 1rem; }
.md .src, .json .src { border: 1px solid var(--line); border-radius: 8px; margin-bottom: 1em; }
.json .src { max-height: 32rem; }
.math { display: block; overflow-x: auto; overflow-y: hidden; margin: 1em 0; padding: .15em 0; }
.math .katex-display { margin: 0; }
.katex { font-size: 1.1em; }
.cell { margin: 1rem 0 1.25rem; }
.box { position: relative; border: 1px solid var(--line); border-radius: 8px; background: var(--faint); overflow: hidden; }
.box.failed { border-color: var(--bad); }
.box > .n { position: absolute; left: 0; top: 0; min-width: 2.5rem; padding: .5rem .55rem; line-height: 1.25rem; font-size: .75rem; text-align: right; color: var(--soft); text-decoration: none; font-variant-numeric: tabular-nums; z-index: 1; }
.box > .n:hover { color: var(--accent); text-decoration: underline; }
.code > summary { display: flex; align-items: center; gap: .65rem; padding: .5rem .85rem .5rem 2.6rem; line-height: 1.25rem; cursor: pointer; color: var(--soft); font-size: .8125rem; list-style: none; }
.code > summary::-webkit-details-marker { display: none; }
.code > summary::before { content: ""; flex: none; width: .4rem; height: .4rem; border: solid currentColor; border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg); margin: 0 .1rem 0 .15rem; }
.code[open] > summary::before { transform: rotate(45deg) translate(-1px, -1px); }
.code > summary:hover { color: var(--fg); }
.code > summary code { flex: 1; min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; background: none; border: 0; padding: 0; font-size: .78rem; }
.code[open] > summary code { visibility: hidden; }
.code > .src { border-top: 1px solid var(--line); }
.code > summary .t { flex: none; font-size: .75rem; font-variant-numeric: tabular-nums; }
.code > summary :is(.not-run, .changed) { color: var(--mark); border: 1px solid; border-radius: 99px; padding: 0 .5rem; line-height: 1.15rem; }
body > .tools:has(#ui--code:checked) ~ .page .code:not([open])::details-content { content-visibility: visible; block-size: auto; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.code > summary:focus-visible, pre:focus-visible { outline-offset: -2px; border-radius: 8px; }
.md, .numbered > figcaption { position: relative; overflow: clip; overflow-clip-margin: 4px; isolation: isolate; overflow-wrap: break-word; }
.raw { contain: layout; margin-bottom: 1em; }
.raw > :first-child { margin-top: 0; }
.raw > :last-child { margin-bottom: 0; }
.md:not(:first-child) > .raw:has(> :is(h1, h2, h3, h4, h5, h6):first-child) { margin-top: 2.5rem; }
.out { margin-top: .75rem; overflow-x: auto; position: relative; contain: layout; }
.out > pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.out.text > pre { padding: 0 .1rem; }
.out.stream > pre { max-height: 32rem; overflow-y: auto; border-left: 3px solid var(--line); padding: .1rem 0 .1rem .9rem; }
.out.stderr > pre { border-color: var(--mark); }
.out svg { height: auto; color: inherit; }
.out .narrow svg { width: 100%; max-width: 26rem; }
@media (max-width: 40rem) {
  .out figure:has(> .narrow) > svg { display: none; }
  .out .narrow { display: block !important; }
}
.out svg[class*="plot"] { --plot-background: var(--bg); }
.out svg:not(svg svg, [class*="plot"], [class*="ferlab"]) { background: #fff; color: #1f2328; }
.out [style*="background"]:not(svg *, [style*="none"], [style*="transparent"], [style*="var("]) { color: #1f2328; }
.out svg :has(> title) { pointer-events: all; }
.out svg .lit { stroke: currentColor; stroke-width: 2px; paint-order: stroke; }
.out svg text.lit { stroke: none; font-weight: 700; }
.out svg [data-at] { pointer-events: stroke; }
.out svg [data-at].lit { stroke-width: 4px; }
.out svg :is(.dim, .off) { opacity: .12; }
.out svg .off { pointer-events: none !important; }
.out svg .zone { fill: transparent; cursor: ns-resize; touch-action: none; }
.out svg:focus:not(:focus-visible), .out svg :focus:not(:focus-visible) { outline: none; }
.out svg .range { fill: var(--accent); fill-opacity: .3; stroke: var(--accent); pointer-events: none; }
.out svg .range[height="0"] { display: none; }
.sort { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; }
.sort::after { content: "↕"; position: absolute; padding-left: .2em; font-weight: 400; opacity: 0; }
.sort:is(:hover, :focus-visible)::after { opacity: .6; }
[aria-sort] > .sort::after { content: "↑"; opacity: 1; }
[aria-sort="descending"] > .sort::after { content: "↓"; }
.copy { display: block; margin-top: .25rem; opacity: 0; }
:is(.out, .md):hover .copy, .copy:focus-visible { opacity: 1; }
@media (hover: none) { .copy, .take button { opacity: 1; } }
figure { margin: 0; }
.numbered > figcaption { color: var(--soft); font-size: .875rem; line-height: 1.5; max-width: 44rem; margin-top: .5rem; }
.numbered > figcaption b { color: var(--fg); }
.numbered > figcaption > p { display: inline; }
.numbered > figcaption + * { margin-top: .35rem; }
.take { white-space: nowrap; }
.take button, .copy { font: inherit; font-size: .75rem; color: var(--soft); background: none; border: 0; padding: 0; cursor: pointer; text-decoration: underline; }
.take button { opacity: 0; margin-left: .35em; }
.numbered:hover .take button, .take button:focus-visible { opacity: 1; }
.term { text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; }
.siblings { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: 0; }
.tools > .siblings { margin-right: auto; font-size: inherit; }
body > .siblings { justify-content: space-between; max-width: 860px; margin: 0 auto; padding: 0 1.25rem 3rem; }
.siblings a { border: 0; padding: .25rem 0; }
.tools .ask { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: .15em .7em; cursor: pointer; }
.out figcaption { color: var(--soft); font-size: .875rem; }
.out img { display: block; }
.out.image { width: fit-content; max-width: 100%; }
.out.image img { background: #fff; border-radius: 4px; }
.left { border: 1px dashed var(--line); border-radius: 8px; padding: .6rem .85rem; font-size: .8125rem; }
.left .note { margin: 0; }
.left summary { cursor: pointer; color: var(--soft); }
.missing { color: var(--mark); border: 1px dashed; border-radius: 5px; padding: 0 .35em; overflow-wrap: anywhere; }
.code .note { margin: 0; padding: .4rem 1rem; }
.note { color: var(--soft); font-size: .8125rem; margin: .4rem 0 0; }
.tip { position: fixed; z-index: 3; max-width: min(22rem, calc(100vw - 16px)); padding: .4rem .65rem; border-radius: 7px; background: var(--fg); color: var(--bg); font-size: .8125rem; line-height: 1.4; white-space: pre-line; overflow-wrap: anywhere; pointer-events: none; box-shadow: 0 3px 14px rgb(0 0 0 / .28); font-variant-numeric: tabular-nums; }
.out.error, .banner { border: 1px solid var(--bad); border-left-width: 4px; border-radius: 8px; background: var(--bad-bg); }
.out.error strong { display: block; color: var(--bad); padding: .7rem 1rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.out.error > :is(pre, .note) { padding: .5rem 1rem .8rem; }
.out.error.meant { border-color: var(--line); background: var(--faint); }
.out.error.meant strong { color: var(--soft); }
.banner { padding: .8rem 1rem; margin-bottom: 1.5rem; overflow-wrap: anywhere; }
.banner b { color: var(--bad); }
.banner:is(.trusted, .partly) { border-color: var(--mark); background: var(--mark-bg); }
.banner:is(.trusted, .partly) b { color: var(--mark); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.5; font-variant-numeric: tabular-nums; }
th, td { padding: .38rem .85rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.num { text-align: right; }
td.num { white-space: nowrap; }
.out:not(.md) table { width: max-content; max-width: 100%; }
.out:not(.md) td { max-width: 28rem; }
thead th, thead td { border-bottom: 1.5px solid var(--soft); font-weight: 600; vertical-align: bottom; }
tbody tr:hover { background: var(--faint); }
.provenance { margin-top: 3.5rem; border-top: 1px solid var(--line); padding-top: 1.25rem; font-size: .875rem; min-width: 0; }
.provenance h2 { font-size: 1rem; margin: 0 0 .7rem; }
.provenance dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.5rem; }
.provenance dt { color: var(--soft); }
.provenance dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; font-variant-numeric: tabular-nums; }
.times summary { cursor: pointer; color: var(--soft); margin-bottom: .5rem; }
.times table { width: 100%; }
.times :is(td, th):nth-child(3) { text-align: right; white-space: nowrap; }
.times td:nth-child(4) { width: 22%; vertical-align: middle; }
.times td:nth-child(2) { max-width: 0; width: 60%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.times td code { background: none; border: 0; padding: 0; }
.bar { display: block; height: .45rem; min-width: 1px; border-radius: 2px; background: var(--accent); }
@media (max-width: 34rem) {
  .page { padding-top: 1rem; }
  h1, .h1 { font-size: 1.7rem; }
  .provenance dl { grid-template-columns: 1fr; gap: 0; }
  .provenance dd { margin-bottom: .5rem; }
  .times td:nth-child(4) { display: none; }
  .out:not(.md) td:first-child:not(.num) { min-width: 6.5rem; }
}
.a-b{font-weight:700}.a-i{font-style:italic}.a-u{text-decoration:underline}.a-s{text-decoration:line-through}.a-dim{color:var(--soft)}.a-inv{background:var(--fg);color:var(--bg)}
${ansiClasses}
${LEAD_STYLE}
@media print {
  :root, :root:has(input) { color-scheme: light; --accent: #000; }
  body { font-size: 10.5pt; }
  .page, .page.has-toc { display: block; padding: 0; }
  nav, body > .siblings, .times, .fold > summary:not(:has(.verdict)), .anchor, .tools, .skip, .tip, .copy, .take, .sort::after, .out svg :is(.range, .zone) { display: none; }
  .out svg :is(.dim, .off) { opacity: 1; }
  :root:not(:has(#ui--code:checked)) .box:not(.failed) { display: none; }
  .code::details-content { content-visibility: visible; block-size: auto; }
  .code > summary code { visibility: hidden; }
  .out.stream > pre, .json .src { max-height: none; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  :is(h1, h2, h3, h4, h5, h6), .code > summary, .numbered > figcaption:first-child { break-after: avoid; }
  th, td { padding: .25rem .5rem; }
  .out:not(.md) td:nth-child(2):last-child { max-width: none; overflow-wrap: anywhere; }
  .out svg, .out img, figure:has(svg, img), figcaption, tr, .banner { break-inside: avoid; }
  .term { text-decoration: none; }
}
`;
