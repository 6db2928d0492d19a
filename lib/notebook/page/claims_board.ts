/** The index as a board: reports by verdict, claims of two folders side by side. */
import { join } from "node:path";
import { escapeHtml } from "../ansi.ts";

const VERDICTS = ["holds", "does not hold", "cannot tell", "not yet run"];

/** Places in `VERDICTS` of what a report's counts name. */
const verdictsOf = (counts = ""): number[] => {
  const text = counts.replace(/<[^>]*>/g, " ");
  return VERDICTS.flatMap((verdict, i) =>
    new RegExp(`\\d+ ${verdict}(?! hold)`).test(text) ? [i] : []
  );
};

export const verdictClasses = (counts: string | undefined): string =>
  verdictsOf(counts).map((i) => `verdict-${i}`).join(" ");

const radio = (id: string, text: string, checked = false) =>
  `<label><input type="radio" name="ui--verdict" id="${id}--"${
    checked ? " checked" : ""
  }><span>${text}</span></label>`;

/** The choice of a verdict; nothing where reports name none or one. */
export function verdictFilter(counts: readonly (string | undefined)[]): string {
  const found = [...new Set(counts.flatMap(verdictsOf))].sort();
  if (found.length < 2) return "";
  return `<fieldset class="by-verdict"><legend>Reports with a claim that</legend>${
    radio("verdict-all", "any", true)
  }${found.map((i) => radio(`verdict-${i}`, VERDICTS[i])).join("")}</fieldset>`;
}

interface Left {
  notebook: string;
  claim: string;
  ours: string;
  verdict: string;
}

/** Larger files are no notebook's claims. */
const MOST_BYTES = 1_000_000;

/** The claims that notebooks left in a folder; what is none is told. */
export async function readClaimsIn(
  folder: string,
  warn: (message: string) => void,
): Promise<Left[]> {
  const all: Left[] = [];
  const names = (await Array.fromAsync(Deno.readDir(folder)))
    .map((entry) => entry.name).filter((n) => n.endsWith(".claims.json"));
  for (const name of names.sort()) {
    const file = join(folder, name);
    try {
      const { size } = await Deno.stat(file);
      if (size > MOST_BYTES) throw new Error("it is too large");
      const { claims } = JSON.parse(await Deno.readTextFile(file));
      for (const { claim, ours, verdict } of claims) {
        if (typeof claim !== "string") throw new Error("a claim has no text");
        const notebook = name.replace(/\.claims\.json$/, "");
        const [number, told] = [ours, verdict].map((text) =>
          String(text ?? "")
        );
        all.push({ notebook, claim, ours: number, verdict: told });
      }
    } catch (error) {
      warn(`${file}: left out: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  return all;
}

const brief = (text: string) =>
  text.length > 90 ? `${text.slice(0, 90)} …` : text;

/** Claim by claim what two folders say, and what changed. */
export function sideBySide(
  names: [before: string, now: string],
  before: readonly Left[],
  now: readonly Left[],
): string {
  const keyOf = ({ notebook, claim }: Left) => `${notebook}\n${claim}`;
  const [first, second] = [before, now].map((list) =>
    new Map(list.map((left) => [keyOf(left), left]))
  );
  const keys = [...new Set([...second.keys(), ...first.keys()])].sort();
  if (keys.length === 0) return "";
  let changed = 0;
  const rows = keys.map((key) => {
    const sides = [first.get(key), second.get(key)];
    const { notebook, claim } = (sides[1] ?? sides[0])!;
    const isOther = sides[0]?.verdict !== sides[1]?.verdict;
    if (isOther) changed++;
    const cells = sides.map((side) =>
      side
        ? `<td><b>${escapeHtml(side.verdict)}</b><br>${
          escapeHtml(brief(side.ours))
        }</td>`
        : "<td>not there</td>"
    );
    return `<tr class="${isOther ? "other" : "same"}"><td>${
      escapeHtml(notebook)
    }</td><td>${escapeHtml(claim)}</td>${cells.join("")}<td>${
      isOther ? "changed" : ""
    }</td></tr>`;
  });
  const heads = ["Notebook", "Claim", ...names, "Verdict"]
    .map((head) => `<th scope="col">${escapeHtml(head)}</th>`).join("");
  return `<section class="beside"><h2>Claim by claim</h2><p>${changed} of ` +
    `${keys.length} verdicts changed. <label><input type="checkbox" ` +
    `id="ui--changed"> Only those</label></p><div class="wide" role="region" ` +
    `aria-label="Claim by claim" tabindex="0"><table><thead><tr>${heads}</tr>` +
    `</thead><tbody>${rows.join("\n")}</tbody></table></div></section>`;
}

/** Filters without a script. */
export const BOARD_STYLE = `
.by-verdict { border: 0; padding: 0; margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.by-verdict legend { float: left; padding: 0; color: var(--soft); margin-right: .5rem; }
${
  VERDICTS.map((_, i) =>
    `.index:has(#verdict-${i}--:checked) .reports > li:not(.verdict-${i}) { display: none; }`
  ).join("\n")
}
.index:has(#ui--changed:checked) .beside tr.same { display: none; }
.beside { margin-top: 2.5rem; }
.beside table { border-collapse: collapse; font-size: .875rem; }
.beside :is(td, th) { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
.beside .other td:last-child { color: var(--mark); font-weight: 600; }
`;
