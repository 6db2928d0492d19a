/** An audit as lines for a terminal. */
import {
  type Audit,
  changesResults,
  type Finding,
  type FindingKind,
  KINDS,
  SPLITS,
} from "../../lib/data/commands.ts";
import {
  BOLD,
  clean,
  DIM,
  paint,
  plural,
  RED,
  table,
  YELLOW,
} from "../text.ts";
import { classTable } from "./set.ts";

/** Findings of one kind that are told where not all are asked for. */
const FIRST = 5;

/** Sizes that the text names; the rest are counted. */
const MOST_SIZES = 5;

/** The findings by kind, in their order. */
export function byKind(
  findings: readonly Finding[],
): Map<FindingKind, Finding[]> {
  return Map.groupBy(findings, (f) => f.kind);
}

/** `48 × 48 (35887), 100 × 80 (3) and 12 more`. */
export function sizesText(sizes: Audit["sizes"]): string {
  const named = sizes.slice(0, MOST_SIZES)
    .map(({ width, height, count }) => `${width} × ${height} (${count})`);
  const more = sizes.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** What is left out by rule: `contempt (7 classes): 250`. */
export function leftText(left: Audit["left"]): string {
  return Object.entries(left).map(([what, n]) => `${what}: ${n}`).join(", ");
}

/** How much of the other splits is in train, too; empty for nothing. */
function leakText({ alsoInTrain, counts }: Audit): string {
  const words = SPLITS.filter((s) => alsoInTrain[s]).map((split) => {
    const all = counts[split]!.reduce((a, b) => a + b, 0);
    const copied = alsoInTrain[split]!;
    return `${copied} of ${all} ${split} images ` +
      `(${(100 * copied / all).toFixed(1)} %)`;
  });
  return words.length ? `; in train, too: ${words.join(", ")}` : "";
}

/** The one line that says how the audit ended. */
export function verdict(audit: Audit): string {
  const { findings, counts } = audit;
  if (findings.length === 0) return "clean: nothing was found";
  const grave = findings.filter(changesResults).length;
  const light = findings.length - grave;
  const parts = [
    grave === 0
      ? "nothing that changes results"
      : grave === 1
      ? "1 finding that changes results"
      : `${grave} findings that change results`,
    light ? plural(light, "note") : "",
  ];
  const mayLeak = counts.all !== undefined &&
    findings.some(({ kind }) =>
      kind === "duplicate" || kind === "nearDuplicate"
    );
  return parts.filter(Boolean).join(", ") + leakText(audit) +
    (mayLeak ? "; a random split may put copies on both sides" : "");
}

/**
 * An audit: counts, sizes, the first findings of each kind (or `all`), gravest
 * first, the verdict.
 */
export function auditText(
  audit: Audit,
  { room, all }: { room: number; all?: boolean },
): string {
  const { format, layout, images, classes, counts, published, left } = audit;
  const parts = [
    clean(
      `${format}, ${layout}: ${plural(images, "image")}, ` +
        `${classes.length} classes`,
    ),
    table(classTable(classes, counts, published), room),
    [
      audit.sizes.length ? `sizes: ${sizesText(audit.sizes)}` : "",
      leftText(left) ? clean(`left out by rule: ${leftText(left)}`) : "",
      `hash: ${audit.hash}`,
    ].filter(Boolean).join("\n"),
  ];
  for (const [kind, some] of byKind(audit.findings)) {
    const { title, changesResults } = KINDS[kind];
    const told = all ? some : some.slice(0, FIRST);
    const more = some.length - told.length;
    parts.push([
      paint(changesResults ? RED : YELLOW, `${title}: ${some.length}`),
      ...told.map((f) => `  ${clean(f.text)}`),
      ...more > 0 ? [paint(DIM, `  and ${more} more; --all tells all`)] : [],
    ].join("\n"));
  }
  return [...parts, paint(BOLD, verdict(audit))].join("\n\n");
}
