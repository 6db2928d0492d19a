/** Two charts of one x axis, one above the other. */
import { type Chart, escapeMarkup, wrap } from "./theme.ts";

/** An SVG's attribute. */
const attribute = (svg: string, name: string) =>
  new RegExp(`^<svg[^>]*? ${name}="([^"]*)"`).exec(svg)?.[1] ?? "";

/** The charts as one, from the top down; `csv` are the rows of all. */
export function stacked(charts: readonly Chart[], csv: string): Chart {
  const svgs = charts.map((chart) => chart.svg);
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
    .map((name) => `${name}="${attribute(svgs[0], name)}"`).join(" ");
  const rows = escapeMarkup(csv).replaceAll("\r\n", "&#10;");
  return wrap(
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${label}" ` +
      `data-csv="${rows}" viewBox="0 0 ${width} ${height}" height="${height}" ` +
      `width="${width}" ${kept} class="${
        attribute(svgs[0], "class")
      }-panels" ` +
      `style="max-width: 100%">${parts.join("")}</svg>`,
  );
}
