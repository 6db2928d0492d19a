/** The notebooks that `deno task bench notebook` measures with. */
import type { Cell, Notebook } from "../../lib/notebook/mod.ts";

const notebook = (cells: Cell[]): Notebook => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {
    kernelspec: { name: "deno", display_name: "Deno", language: "typescript" },
    language_info: { name: "typescript" },
  },
  cells: cells.map((cell, i) => ({ ...cell, id: `cell-${i + 1}` })),
});

const code = (source: string, outputs?: Cell["outputs"]): Cell => ({
  cell_type: "code",
  source,
  metadata: {},
  outputs: outputs ?? [],
  execution_count: outputs ? 1 : null,
});

const markdown = (source: string): Cell => ({
  cell_type: "markdown",
  source,
  metadata: {},
});

/** Numbers in [0, 1) that are the same in each run (mulberry32). */
function draws(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), seed | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Five short cells; each prints `cell N done` last. */
export const fiveCells = (): Notebook =>
  notebook([
    code(`const losses = Array.from({ length: 50 }, (_, i) => Math.exp(-i / 9));
console.log("cell 1 done");`),
    code(`interface Point { step: number; loss: number }
const points: Point[] = losses.map((loss, step) => ({ step, loss }));
console.log("cell 2 done");`),
    code(
      `for (const { step, loss } of points) console.log(step, loss.toFixed(4));
console.log("cell 3 done");`,
    ),
    code(`const best = points.reduce((a, b) => (b.loss < a.loss ? b : a));
console.table([best]);
console.log("cell 4 done");`),
    code(`await new Promise((done) => setTimeout(done, 1));
console.log("cell 5 done");`),
  ]);

/** `cells` cells that print `lines` lines each, as fast as they can. */
export const chatty = (cells: number, lines: number): Notebook =>
  notebook(
    Array.from({ length: cells }, (_, i) =>
      code(`for (let line = 0; line < ${lines}; line++) {
  console.log("${i + 1}." + line);
  if (line % 10 === 9) await new Promise((done) => setTimeout(done, 0));
}`)),
  );

/** What cell `number` (from 1) of {@link chatty} prints. */
export const chattyText = (number: number, lines: number): string =>
  Array.from({ length: lines }, (_, line) => `${number}.${line}\n`).join("");

/** A scatter chart of 330 points in the manner of Observable Plot, ~30 KB. */
function chart(random: () => number): string {
  const colours = ["#4e79a7", "#f28e2c", "#e15759", "#76b7b2"];
  const ticks = Array.from(
    { length: 9 },
    (_, i) =>
      `<line x1="40" x2="620" y1="${20 + 40 * i}" y2="${20 + 40 * i}"/>` +
      `<text x="30" y="${20 + 40 * i}" dy="0.32em">${
        (i / 8).toFixed(2)
      }</text>`,
  );
  const dots = Array.from({ length: 330 }, (_, i) => {
    const [x, y] = [40 + 580 * random(), 20 + 320 * random()];
    return `<circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="3" ` +
      `fill="${colours[i % 4]}"><title>step ${i}\nloss ${
        y.toFixed(4)
      }</title></circle>`;
  });
  const path = Array.from(
    { length: 200 },
    (_, i) =>
      `${i ? "L" : "M"}${(40 + 2.9 * i).toFixed(2)},${
        (340 * random()).toFixed(2)
      }`,
  );
  return `<svg class="plot-d6a7b5" xmlns="http://www.w3.org/2000/svg" ` +
    `xmlns:xlink="http://www.w3.org/1999/xlink" fill="currentColor" ` +
    `font-family="system-ui, sans-serif" font-size="10" text-anchor="middle" ` +
    `width="640" height="400" viewBox="0 0 640 400"><style>.plot-d6a7b5 { ` +
    `--plot-background: white; display: block; height: auto; max-width: 100%; }
.plot-d6a7b5 text { white-space: pre; }</style>` +
    `<clipPath id="plot-clip-1"><rect x="40" y="20" width="580" height="320"/>` +
    `</clipPath><g aria-label="y-axis" stroke="currentColor">${
      ticks.join("")
    }` +
    `</g><g aria-label="dot" clip-path="url(#plot-clip-1)">${
      dots.join("")
    }</g>` +
    `<g aria-label="line" fill="none" stroke="#b07aa1" clip-path="url(#plot-clip-1)">` +
    `<path d="${path.join("")}"/></g></svg>`;
}

/** An executed notebook of 300 cells: 100 of text, 200 of code, 50 charts. */
export function longNotebook(): Notebook {
  const random = draws(1);
  const cells = Array.from({ length: 100 }, (_, i) => [
    markdown(`## Setting ${i + 1}

The loss is $L_{${i}} = -\\sum_k y_k \\log p_k$ and **falls**; see [1](#setting-1).

| epoch | loss | accuracy |
| ----: | ---: | -------: |
| 1 | ${random().toFixed(3)} | ${random().toFixed(3)} |
| 2 | ${random().toFixed(3)} | ${random().toFixed(3)} |`),
    code(
      `// Training with the learning rate of setting ${i + 1}.
const recipe${i} = { lr: ${random().toFixed(5)}, batchSize: ${
        16 + i
      }, name: "run-${i}" };
async function train${i}(epochs: number): Promise<number[]> {
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    losses.push(Math.exp(-epoch * recipe${i}.lr) + ${random().toFixed(3)});
    if (epoch % 10 === 0) console.log(\`epoch \${epoch}: \${losses.at(-1)}\`);
  }
  return losses;
}
const losses${i} = await train${i}(200);`,
      [{
        output_type: "stream",
        name: "stdout",
        text: Array.from(
          { length: 20 },
          (_, e) => `epoch ${10 * e}: \x1b[33m${random()}\x1b[39m\n`,
        ).join(""),
      }],
    ),
    code(
      `Plot.plot({
  grid: true,
  marks: [Plot.dot(losses${i}, { x: "step", y: "loss", fill: "kind", clip: true })],
});`,
      i % 2
        ? [{
          output_type: "execute_result",
          execution_count: 1,
          data: { "text/plain": `\x1b[33m${random()}\x1b[39m` },
          metadata: {},
        }]
        : [{
          output_type: "display_data",
          data: { "image/svg+xml": chart(random), "text/plain": "a chart" },
          metadata: {},
        }],
    ),
  ]);
  return notebook(cells.flat());
}
