/** Two charts of one x axis, one above the other. */
import { type AnyTable, csvAttribute } from "./rows_as_csv.ts";
import { type Chart, wrap } from "./theme.ts";

/** An SVG's attribute. */
const attribute = (svg: string, name: string) =>
  new RegExp(`^<svg[^>]*? ${name}="([^"]*)"`).exec(svg)?.[1] ?? "";

/** The charts as one, from the top down, with the rows of all. */
export function stacked(
  charts: readonly Chart[],
  tables: readonly AnyTable[],
): Chart {
  const svgs = charts.map((chart) => chart.svg), [first] = svgs;
  const width = Math.max(...svgs.map((svg) => Number(attribute(svg, "width"))));
  let height = 0;
  const parts = svgs.map((svg) => {
    const at = height;
    height += Number(attribute(svg, "height"));
    return `<g class="${attribute(svg, "class")}" ` +
      `transform="translate(0,${at})">` +
      svg.slice(svg.indexOf(">") + 1, -"</svg>".length) + "</g>";
  });
  const label = svgs.map((svg) => attribute(svg, "aria-label")).join("; ");
  const kept = ["text-anchor", "font-size", "font-family", "fill"]
    .map((name) => `${name}="${attribute(first, name)}"`).join(" ");
  return wrap(
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}"` +
      `${csvAttribute(tables)} viewBox="0 0 ${width} ${height}" ` +
      `height="${height}" width="${width}" ${kept} ` +
      `class="${attribute(first, "class")}-panels" ` +
      `style="max-width: 100%">${parts.join("")}</svg>`,
  );
}
