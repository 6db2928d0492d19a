/** The index as a board. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  readClaimsIn,
  sideBySide,
} from "../../lib/notebook/page/claims_board.ts";
import { indexHtml } from "../../lib/notebook/mod.ts";
import { folderTest as test } from "../_folder.ts";

const report = (title: string, counts: string) => ({
  ...{ file: `${title}.html`, title, status: "ok", answer: "yes" },
  counts: `<p class="counts"><span>${counts}</span></p>`,
});

Deno.test("reports are shown by a verdict that one of their claims has", () => {
  const html = indexHtml([
    report("a", "✓ 2 holds</span> <span>? 1 cannot tell"),
    report("b", "✗ 1 does not hold"),
  ]);
  assert.match(html, /<li class="verdict-0 verdict-2">/);
  assert.match(html, /<li class="verdict-1">/);
  assert.match(html, /id="verdict-1--"><span>does not hold/);
  assert.doesNotMatch(html, /id="verdict-3--"/);
  assert.doesNotMatch(
    indexHtml([report("a", "✓ 1 holds")]),
    /id="verdict-0--"/,
  );
});

const left = (verdict: string, ours = "+1") => ({
  ...{ notebook: "03-depth", claim: "two <b>blocks</b>", ours, verdict },
});

Deno.test("claims of two folders stand side by side, and what changed is told", () => {
  const html = sideBySide(
    ["quick", "cpu"],
    [left("cannot tell"), { ...left("holds"), claim: "gone" }],
    [left("holds", "</td><script>1</script>")],
  );
  assert.match(html, /2 of 2 verdicts changed/);
  assert.match(html, /not there/);
  assert.match(html, /<b>cannot tell<\/b>.*<b>holds<\/b>.*changed/s);
  assert.doesNotMatch(html, /<script>|two <b>/);
  assert.match(
    sideBySide(["a", "b"], [left("holds")], [left("holds")]),
    /0 of 1 verdicts changed/,
  );
});

test("a damaged file of claims is left out in one line", async (dir) => {
  const write = (name: string, text: string) =>
    Deno.writeTextFile(join(dir, `${name}.claims.json`), text);
  await write("a", "{");
  await write("b", `{"claims": [{"claim": 5}]}`);
  await write("c", `{"claims": [{"claim": "c", "verdict": "holds"}]}`);
  const told: string[] = [];
  const claims = await readClaimsIn(dir, (line) => told.push(line));
  assert.deepEqual(claims, [
    { notebook: "c", claim: "c", ours: "", verdict: "holds" },
  ]);
  assert.equal(told.length, 2);
  assert.ok(told.every((line) => !line.includes("\n")));
});
