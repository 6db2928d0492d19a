/** What a page's script does with tables: sorted by a head, copied as TSV. */
export const TABLES = `
// A number as reports write it: "−4.77", "53.2 %", "2×10⁻⁴", "1,234", "3 min".
const raised = (digits) => [...digits]
  .map((c) => c === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)).join("");
const numberOf = (text) => {
  const time = /^(?:(\\d+) h ?)?(?:(\\d+) min ?)?(?:([\\d.]+) s)?$/.exec(text);
  if (time && text) {
    return 3600 * (time[1] ?? 0) + 60 * (time[2] ?? 0) + Number(time[3] ?? 0);
  }
  if (/^\\d{4}-\\d\\d/.test(text)) return NaN; // a date is sorted as text
  const plain = text.replace(/\\u2212/g, "-")
    .replace(/(?:([\\d.]+)×)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, (_, n, e) => (n ?? 1) + "e" + raised(e))
    .replace(/(\\d)[,\\u202f\\u00a0](?=\\d{3})/g, "$1");
  const found = /^[+±<>≤≥~ ]*(-?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[-+]?\\d+)?)/i.exec(plain);
  return found ? Number(found[1]) : NaN;
};
const textIn = (row, i) => row.cells[i]?.textContent.trim() ?? "";
const isNothing = (text) => /^(|[-–—]|n\\/a|none)$/i.test(text);

const write = async (words) => {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    const area = document.createElement("textarea");
    area.value = words;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
};

for (const table of document.querySelectorAll("main table")) {
  const head = table.tHead?.rows[table.tHead.rows.length - 1];
  const body = table.tBodies[0];
  if (!head || table.tBodies.length !== 1 || body.rows.length < 2) continue;
  if (body.rows.length > 20000 || table.querySelector("table, [rowspan], [colspan]")) {
    continue;
  }
  const rows = [...body.rows];
  [...head.cells].forEach((cell, i) => {
    if (!cell.textContent.trim() || cell.querySelector("a, button, summary")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...cell.childNodes);
    cell.append(button);
    // Up, down, and as it was.
    button.addEventListener("click", () => {
      const now = cell.getAttribute("aria-sort");
      const next = !now ? "ascending" : now === "ascending" ? "descending" : undefined;
      for (const other of head.cells) other.removeAttribute("aria-sort");
      let order = rows;
      if (next) {
        cell.setAttribute("aria-sort", next);
        const told = rows.map((row) => ({ row, text: textIn(row, i) }));
        const some = told.filter((t) => !isNothing(t.text));
        for (const t of some) t.number = numberOf(t.text);
        const isNumber = some.every((t) => !Number.isNaN(t.number));
        const sign = next === "ascending" ? 1 : -1;
        const words = new Intl.Collator("en", { numeric: true });
        some.sort((a, b) =>
          sign * (isNumber ? a.number - b.number : words.compare(a.text, b.text)));
        // What holds nothing is last in either order.
        order = [...some, ...told.filter((t) => isNothing(t.text))].map((t) => t.row);
      }
      body.append(...order);
    });
  });
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "copy";
  copy.textContent = "Copy as TSV";
  copy.addEventListener("click", async () => {
    const lines = [...table.rows].map((row) =>
      [...row.cells].map((cell) =>
        cell.textContent.trim().replace(/\\s+/g, " ").replace(/^\\u2212(?=[\\d.])/, "-")
      ).join("\\t"));
    await write(lines.join("\\n") + "\\n");
    const box = copy.getBoundingClientRect();
    say("Copied " + body.rows.length + " rows", box.left, box.top);
  });
  table.after(copy);
}
`;
