/**
 * What a page's script does to take charts along: as SVG, and as CSV the rows
 * that a chart keeps in its `data-csv`.
 */
export const DOWNLOADS = `
const save = (name, type, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
};
// The drawing as it is on the page, without what the script put into it.
const svgOf = (chart) => {
  const copy = chart.cloneNode(true);
  for (const e of copy.querySelectorAll(".zone, .range")) e.remove();
  for (const e of copy.querySelectorAll(".dim, .off, .lit")) e.classList.remove("dim", "off", "lit");
  for (const name of ["data-csv", "tabindex", "aria-roledescription"]) copy.removeAttribute(name);
  copy.setAttribute("role", "img");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const now = getComputedStyle(chart);
  copy.style.color = now.color;
  copy.style.background = getComputedStyle(document.body).backgroundColor;
  // Outside the page its rules are for the drawing alone.
  for (const style of copy.querySelectorAll("style")) {
    style.textContent = style.textContent.replace(/@scope \\([^)]*\\) \\{([^]*)\\}\\s*$/, "$1");
  }
  return new XMLSerializer().serializeToString(copy);
};
const page = location.pathname.split("/").pop().replace(/\\.html?$/, "") || "page";
for (const figure of document.querySelectorAll("figure.numbered")) {
  const chart = figure.querySelector("svg");
  const caption = figure.querySelector(":scope > figcaption");
  if (!chart || !caption || figure.querySelector("table")) continue;
  const name = page + "-" +
    caption.textContent.match(/^\\w+ \\d+/)[0].toLowerCase().replace(" ", "-");
  const tools = document.createElement("span");
  tools.className = "take";
  const button = (label, action) => {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = label;
    b.setAttribute("aria-label", "Download as " + label);
    b.addEventListener("click", action);
    tools.append(" ", b);
  };
  button("SVG", () => save(name + ".svg", "image/svg+xml", svgOf(chart)));
  const csv = chart.dataset.csv;
  if (csv) button("CSV", () => save(name + ".csv", "text/csv;charset=utf-8", csv));
  caption.append(tools);
}
`;
