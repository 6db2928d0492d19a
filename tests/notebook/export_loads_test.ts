/** An export loads parsers only where they are needed, and always there. */
import assert from "node:assert/strict";
import type { Cell } from "../../lib/notebook/mod.ts";
import { finished } from "../_run.ts";
import {
  bodyOf,
  chart,
  code,
  display,
  markdown,
  notebook,
  ROOT,
} from "./_notebook.ts";

/** The page of a notebook, by a process that has exported nothing before. */
async function pageOf(...cells: Cell[]): Promise<string> {
  const { out, err } = await finished(
    new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { exportHtml } from "./lib/notebook/export.ts";
console.log(await exportHtml(${JSON.stringify(notebook(...cells))}));`,
      ],
      cwd: ROOT,
      stdout: "piped",
      stderr: "piped",
    }),
  );
  return out || err;
}
const shows = (mime: string, value: unknown) =>
  code("0", [display(mime, value)]);

Deno.test("each kind of content, alone in its notebook, is drawn", async () => {
  const cases: [Cell, RegExp][] = [
    [shows("image/svg+xml", chart), /<svg [^>]*>.*id="out1--clip"/],
    [shows("text/html", "<b>x</b><script></script>"), /<b>x<\/b>/],
    [shows("text/markdown", "a <i>b</i>"), /<i>b<\/i>/],
    [shows("text/markdown", "```py\nNone\n```"), /<span class="k\d">None</],
    [shows("text/latex", "\\alpha"), /class="katex/],
    [shows("application/json", { a: 1 }), /<span class="k\d">"?.*a/],
    [markdown("a <u>b</u>"), /<u>b<\/u>/],
    [markdown("$\\beta$"), /class="katex/],
    [markdown("> ~~~~ sh\n> ls | wc\n> ~~~~"), /<span class="k\d">ls/],
  ];
  const pages: string[] = [];
  for (const [cell] of cases) pages.push(await pageOf(cell));
  for (const [i, [cell, shown]] of cases.entries()) {
    assert.match(bodyOf(pages[i]), shown, JSON.stringify(cell));
  }
});
