/** Compares a chart with its file; FERLAB_SNAPSHOTS=write renews the files. */
import assert from "node:assert/strict";
import type { Chart } from "../../lib/charts/mod.ts";

const folder = new URL("snapshots/", import.meta.url);

/** The chart's SVG, a tag a line, is that of `snapshots/NAME.svg`. */
export function assertSnapshot(name: string, chart: Chart): void {
  const file = new URL(`${name}.svg`, folder);
  const svg = chart.svg.replaceAll("><", ">\n<") + "\n";
  if (Deno.env.get("FERLAB_SNAPSHOTS") === "write") {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(file, svg);
    return;
  }
  assert.equal(
    svg,
    Deno.readTextFileSync(file),
    `${name} differs; look at it, then renew with FERLAB_SNAPSHOTS=write`,
  );
}
