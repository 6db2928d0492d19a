/** Of the panel and of what was drawn again; paper has neither panel nor bar. */
export const STYLE = `
.ask-panel { position: fixed; inset: 0 0 0 auto; width: min(23rem, 100vw); z-index: 30; overflow: auto; overscroll-behavior: contain; background: var(--bg); color: var(--fg); border-left: 1px solid var(--line); padding: 1rem 1.1rem 3rem; font-size: .875rem; line-height: 1.45; }
.ask-panel[hidden], .ask-bar[hidden] { display: none; }
.ask-panel h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
.ask-panel h3 { font-size: .9rem; margin: 1.1rem 0 .35rem; }
.ask-panel .close { float: right; }
.ask-panel label { display: flex; gap: .5em; align-items: baseline; justify-content: space-between; margin: .2rem 0; }
.ask-panel .tick { display: inline-flex; justify-content: start; margin-right: .9em; }
.ask-panel select, .ask-panel input[type=number] { font: inherit; color: inherit; background: var(--bg); border: 1px solid var(--line); border-radius: 5px; padding: .1em .3em; max-width: 62%; min-width: 4.5em; }
.ask-panel input[type=range] { flex: 1; min-width: 6em; }
.ask-panel fieldset { border: 0; margin: .2rem 0; padding: 0; min-width: 0; }
.ask-panel legend { padding: 0; color: var(--soft); }
.ask-panel button, .ask-bar button, .ask { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: .15em .7em; cursor: pointer; }
.ask-panel :is(button, select, input):focus-visible, .ask-bar button:focus-visible, .ask:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.ask-panel ul { list-style: none; margin: 0; padding: 0; }
.ask-panel li { margin: .45rem 0; }
:is(.ask-panel, .ask-bar) .soft { color: var(--soft); }
.ask-panel pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .75rem; border: 1px solid var(--line); border-radius: 6px; padding: .5em; max-height: 12rem; overflow: auto; }
.ask-panel table { border-collapse: collapse; width: 100%; font-size: .8125rem; }
.ask-panel :is(td, th) { border-bottom: 1px solid var(--line); padding: .15em .3em; text-align: left; overflow-wrap: anywhere; }
.ask-panel figure { overflow-x: auto; }
.ask-panel svg { max-width: 100%; height: auto; }
.ask-bar button { flex: none; }
.ask-bar > span { flex: 1 1 13rem; }
.ask-bar { position: sticky; top: 0; z-index: 20; display: flex; flex-wrap: wrap; gap: .3em 1em; align-items: baseline; background: var(--bg); border: 1px solid var(--mark); border-radius: 8px; padding: .4rem .8rem; margin: 0 0 1rem; font-size: .875rem; }
.asked { outline: 1px dashed var(--mark); outline-offset: 4px; border-radius: 4px; }
.asked.as-written { outline-color: var(--line); }
[data-trial] { cursor: pointer; }
.asking .out svg:has([data-trial], [data-setting]) { cursor: crosshair; }
.ask-brush { fill: var(--accent); fill-opacity: .12; stroke: var(--accent); pointer-events: none; }
@media (min-width: 78rem) { body.asking .page { margin-right: 23rem; } }
@media (max-width: 40rem) { .ask-panel { inset: auto 0 0 0; width: 100vw; max-height: 62vh; border-left: 0; border-top: 1px solid var(--line); } }
@media print { .ask-panel, .ask-bar button, .ask { display: none; } .ask-bar { position: static; } }
`;
