/** data/README.md says what the code does: the reading rule, the counts. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { FORMATS, SPLITS } from "../../lib/data/mod.ts";
import { READING_RULE } from "../../lib/data/read/decode_image.ts";

const readme = readFileSync(
  new URL("../../data/README.md", import.meta.url),
  "utf8",
);

Deno.test("data/README.md quotes the reading rule as it is", () => {
  assert.ok(readme.includes(READING_RULE));
});

Deno.test("data/README.md names every format and its published counts", () => {
  const rows = readme.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  let checked = 0;
  for (const { name, published = {} } of FORMATS) {
    assert.ok(rows.some(([first]) => first === `\`${name}\``), name);
    for (const split of SPLITS) {
      const counts = Object.values(published[split] ?? {});
      if (counts.length === 0) continue;
      const all = counts.reduce((a, b) => a + b);
      const row = [
        split,
        ...[...counts, all].map((n) => n.toLocaleString("en")),
      ];
      assert.ok(rows.some((r) => r.join() === row.join()), `${name}: ${row}`);
      checked++;
    }
  }
  assert.ok(checked >= 7);
});
