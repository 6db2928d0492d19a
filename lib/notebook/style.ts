/** The style sheet of an exported page. */

const ANSI_LIGHT =
  "24292f b3261e 1a7f37 8a6100 0969da 8250df 0b7285 57606a 6e7781 c62f21 116329 7a4d00 0550ae 7c3fc7 0a6673 424a53"
    .split(" ");
const ANSI_DARK =
  "8b949e ff7b72 56d364 e3b341 79c0ff d2a8ff 56d4dd c9d1d9 8b949e ffa198 7ee787 f2cc60 a5d6ff e2c5ff b3f0ff f0f6fc"
    .split(" ");

const palette = (colours: string[]) =>
  colours.map((c, i) => `--a${i}:#${c}`).join(";");
const ansiClasses = ANSI_LIGHT.map((_, i) =>
  `.a-f${i}{color:var(--a${i})}.a-g${i}{background:var(--a${i});color:var(--bg)}`
).join("\n");

/** CSS for light and dark, narrow and wide windows, and print. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg:#fff; --fg:#1f2328; --soft:#59636e; --faint:#f6f8fa; --line:#d8dee4;
  --accent:#0b62c4; --bad:#b3261e; --bad-bg:#fdf0ef; --mark:#8a6100;
  ${palette(ANSI_LIGHT)};
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg:#0f1318; --fg:#e3e8ee; --soft:#9aa5b1; --faint:#171c23; --line:#2c343e;
    --accent:#78b4ff; --bad:#ff8f86; --bad-bg:#2c1617; --mark:#e3b341;
    ${palette(ANSI_DARK)};
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 1rem/1.65 var(--sans); }
.page { display: grid; grid-template-columns: minmax(0, 900px); justify-content: center; padding: 2.5rem 1.25rem 5rem; }
nav { font-size: .875rem; line-height: 1.4; margin-bottom: 1.5rem; }
nav summary { font-weight: 600; cursor: pointer; color: var(--soft); }
nav ol { list-style: none; margin: .6rem 0 0; padding: 0; }
nav a { display: block; padding: .22rem .75rem; color: var(--soft); border-left: 2px solid var(--line); text-decoration: none; }
nav a:hover { color: var(--accent); border-color: var(--accent); }
nav .l3 a { padding-left: 1.75rem; }
@media (min-width: 1180px) {
  .page.has-toc { grid-template-columns: 230px minmax(0, 900px); column-gap: 3.5rem; }
  nav { position: sticky; top: 2.5rem; align-self: start; max-height: calc(100vh - 5rem); overflow-y: auto; }
}
main { min-width: 0; }
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; letter-spacing: -.012em; margin: 2.2em 0 .6em; font-weight: 650; }
h1 { font-size: 2.15rem; letter-spacing: -.022em; margin-top: 0; }
h2 { font-size: 1.45rem; padding-top: .9em; border-top: 1px solid var(--line); }
h3 { font-size: 1.15rem; }
h4 { font-size: 1rem; }
p, ul, ol, blockquote, dl, .wide { margin: 0 0 1em; }
.md > :is(p, ul, ol) { max-width: 46rem; }
a { color: var(--accent); text-underline-offset: .15em; }
.anchor { opacity: 0; text-decoration: none; font-weight: 400; margin-left: .15em; }
:is(h1, h2, h3, h4):hover .anchor, .anchor:focus { opacity: 1; }
blockquote { border-left: 3px solid var(--line); padding-left: 1em; color: var(--soft); }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; }
img, svg { max-width: 100%; }
img { height: auto; }
code, pre, kbd, samp { font-family: var(--mono); font-size: .84em; }
pre > code { font-size: 1em; }
:not(pre) > code { background: var(--faint); border: 1px solid var(--line); border-radius: 5px; padding: .08em .35em; overflow-wrap: anywhere; }
pre { margin: 0; padding: .85rem 1rem; overflow-x: auto; line-height: 1.55; tab-size: 2; }
.md pre { background: var(--faint); border-radius: 8px; margin-bottom: 1em; }
.shiki, .shiki span { color: var(--shiki-light); }
@media (prefers-color-scheme: dark) { .shiki, .shiki span { color: var(--shiki-dark); } }
.math { overflow-x: auto; overflow-y: hidden; margin: 1em 0; padding: .15em 0; }
math { font-size: 1.08em; }
.cell { margin: 1.1rem 0; }
.code { border: 1px solid var(--line); border-radius: 8px; background: var(--faint); overflow: hidden; }
.code > summary { display: flex; align-items: baseline; gap: .75rem; padding: .4rem .85rem; cursor: pointer; color: var(--soft); font-size: .8125rem; list-style: none; }
.code > summary::-webkit-details-marker { display: none; }
.code > summary::before { content: "▸"; flex: none; }
.code[open] > summary::before { content: "▾"; }
.code > summary:hover { color: var(--fg); }
.code[open] > summary { border-bottom: 1px solid var(--line); }
.code > summary code { flex: 1; min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; background: none; border: 0; padding: 0; font-size: .8rem; }
.code > summary .n, .code > summary .t { flex: none; font-variant-numeric: tabular-nums; }
.code.failed { border-color: var(--bad); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.out { margin-top: .75rem; overflow-x: auto; position: relative; }
.out > pre { padding: .2rem .1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.out.stream > pre { max-height: 32rem; overflow-y: auto; border-left: 3px solid var(--line); padding-left: .9rem; }
.out.stderr > pre { border-color: var(--mark); }
.out svg { height: auto; color: inherit; }
.out svg[class*="plot"] { --plot-background: var(--bg); }
.out svg:is([style*="background: white"], [style*="background:white"], [style*="background: #fff"], [style*="background:#fff"]) { color: #1f2328; }
.out figure { margin: 0; }
.out figcaption { color: var(--soft); font-size: .875rem; }
.out img { display: block; }
.out.image { width: fit-content; max-width: 100%; }
.out.error { border: 1px solid var(--bad); border-left-width: 4px; border-radius: 8px; background: var(--bad-bg); }
.out.error strong { display: block; color: var(--bad); padding: .7rem 1rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.out.error > pre { padding: .5rem 1rem .8rem; }
.banner { border: 1px solid var(--bad); border-left-width: 4px; background: var(--bad-bg); border-radius: 8px; padding: .8rem 1rem; margin-bottom: 2rem; overflow-wrap: anywhere; }
.banner b { color: var(--bad); }
.wide, .out .table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .8rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); font-weight: 600; white-space: nowrap; }
tbody tr:hover { background: var(--faint); }
.provenance { margin-top: 4rem; border-top: 1px solid var(--line); padding-top: 1.25rem; font-size: .875rem; }
.provenance h2 { all: unset; display: block; font-weight: 600; margin-bottom: .6rem; }
.provenance dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.5rem; margin: 0; }
.provenance dt { color: var(--soft); }
.provenance dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
@media (max-width: 34rem) {
  .page { padding-top: 1.5rem; }
  h1 { font-size: 1.7rem; }
  .provenance dl { grid-template-columns: 1fr; gap: 0; }
  .provenance dd { margin-bottom: .5rem; }
}
.a-b{font-weight:700}.a-i{font-style:italic}.a-u{text-decoration:underline}.a-s{text-decoration:line-through}.a-dim{color:var(--soft)}.a-inv{filter:invert(1);background:var(--bg)}
${ansiClasses}
@media print {
  :root { color-scheme: light; --bg:#fff; --fg:#000; --soft:#444; --faint:#f6f8fa; --line:#ccc; --accent:#000; --bad:#b3261e; --bad-bg:#fff; ${
  palette(ANSI_LIGHT)
}; }
  .shiki, .shiki span { color: var(--shiki-light); }
  .page, .page.has-toc { display: block; padding: 0; }
  nav, .anchor { display: none; }
  .code::details-content { content-visibility: visible; height: auto; }
  .out.stream > pre { max-height: none; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  h1, h2, h3, h4, .code > summary { break-after: avoid; }
  .out svg, .out img, tr { break-inside: avoid; }
}
`;
