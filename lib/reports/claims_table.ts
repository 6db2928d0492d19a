/** What a claim's verdict is worth, and claims as a table. Plain values in. */
import { escapeMarkup } from "../charts/mod.ts";
import type { ClaimsFile } from "./claims_file.ts";
import type { Study } from "./study.ts";
import {
  cannotTell,
  type Judgement,
  verdictCounts,
  verdictHtml,
} from "./verdicts.ts";

/** What a verdict is worth where it was judged. */
export function settled(
  c: Judgement & { aboutFaces?: boolean },
  { profile, dataName, job }: Pick<Study, "profile" | "dataName" | "job">,
): Judgement {
  const { ours, verdict, why, onlyAt, aboutFaces = "recipe" in job } = c;
  const isOpen = verdict === "not yet run" || ours === "–";
  if (onlyAt && onlyAt.profile !== profile && !isOpen) {
    return cannotTell(onlyAt.because, ours);
  }
  const word = verdict === "holds" ? "would hold" : "would not";
  return isOpen || verdict === "cannot tell" || !aboutFaces ||
      dataName !== "synthetic"
    ? { ours, verdict, why }
    : cannotTell(
      `on synthetic faces it ${word}, which real ones have to confirm; ${why}`,
      ours,
    );
}

/** More characters of a number are cut in a table of one line a claim. */
const MOST = 64;

/** The first of several numbers of a claim, cut where it is long: "+1.2 …". */
export function brief(text: string): string {
  const [first] = text.split("; ");
  const cut = first.length > MOST
    ? first.slice(0, MOST).replace(/\s+\S*$/, "")
    : first;
  return cut === text ? cut : `${cut} …`;
}

/** A claim of the table. */
export type ClaimRow = ClaimsFile["claims"][number];

/** Claims as a table's HTML; a verdict opens to its reason and to what was cut. */
export function claimsHtml(list: readonly ClaimRow[]): string {
  const columns = ["the notes' claim", "published", "ours", "verdict"];
  const rows = list.map(({ claim, published, ours, verdict, why }) => {
    const cells = [claim, ...[published, ours].map(brief)].map(escapeMarkup);
    const whole = Object.entries({ Published: published, Ours: ours })
      .filter(([, text]) => brief(text) !== text)
      .map(([name, text]) => `<p>${name}: ${escapeMarkup(text)}</p>`);
    const reason = `<details class="fold"><summary>${
      verdictHtml(verdict)
    }</summary><p>${escapeMarkup(why)}</p>${whole.join("")}</details>`;
    return `<tr>${
      [...cells, reason].map((cell, i) =>
        `<td data-column="${columns[i]}">${cell}</td>`
      ).join("")
    }</tr>`;
  });
  const counts = verdictCounts(list)
    .map(({ verdict, n }) => verdictHtml(verdict, n)).join(" ");
  return `<p class="counts">${counts}</p><table class="claims"><thead><tr>${
    columns.map((column) => `<th>${column}</th>`).join("")
  }</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
