/** What is wrong with the shape of a notebook's JSON (nbformat 4). */
type Json = Record<string, unknown>;

export const isObject = (v: unknown): v is Json =>
  typeof v === "object" && v !== null && !Array.isArray(v);
const isText = (v: unknown) =>
  typeof v === "string" ||
  (Array.isArray(v) && v.every((line) => typeof line === "string"));

/** A value's kind in words. */
function kind(v: unknown): string {
  if (v === undefined) return "missing";
  if (v === null) return "null";
  if (Array.isArray(v)) return "a list";
  return typeof v === "object" ? "an object" : `a ${typeof v}`;
}

const wrong = (name: string, v: unknown, must: string) =>
  `its ${name} is ${kind(v)}, but must be ${must}`;

/** Parts within parts: writers of JSON follow no more. */
const DEEPEST = 1_000;
const isDeep = (v: unknown, left = DEEPEST): boolean =>
  typeof v === "object" && v !== null &&
  (left === 0 || Object.values(v).some((part) => isDeep(part, left - 1)));
const TOO_DEEP = `it nests more than ${DEEPEST} deep`;

const optional = (fits: (v: unknown) => boolean) => (v: unknown) =>
  v === undefined || fits(v);

/** What an output must have, by its type. */
const FIELDS: Record<string, [string, (v: unknown) => boolean, string][]> = {
  stream: [
    ["name", (v) => typeof v === "string", "a text"],
    ["text", isText, "a text or a list of texts"],
  ],
  display_data: [["data", isObject, "an object"]],
  execute_result: [["data", isObject, "an object"]],
  error: [
    ["ename", (v) => typeof v === "string", "a text"],
    ["evalue", (v) => typeof v === "string", "a text"],
    ["traceback", (v) => Array.isArray(v) && isText(v), "a list of texts"],
  ],
};

function wrongOutput(output: unknown): string | undefined {
  if (!isObject(output)) return `is ${kind(output)}, not an object`;
  const fields = FIELDS[String(output.output_type)];
  if (!fields) {
    return `has the output_type ${JSON.stringify(output.output_type)}, which ` +
      "is none";
  }
  const metadata = ["metadata", optional(isObject), "an object"] as const;
  const bad = [metadata, ...fields].find(([name, fits]) => !fits(output[name]));
  if (bad) {
    return `(${output.output_type}): ${wrong(bad[0], output[bad[0]], bad[2])}`;
  }
}

/** What a cell sent that is no output, by its message's type. */
export function wrongMessage(type: string, c: Json): string | undefined {
  const output_type = type === "update_display_data" ? "display_data" : type;
  if (!(output_type in FIELDS)) return;
  if (isDeep(c)) return TOO_DEEP;
  const metadata = c.metadata ?? undefined;
  const why = wrongOutput({ ...c, output_type, metadata });
  if (why) return `it ${why}`;
  const bad = Object.entries(c.data ?? {})
    .find(([mime, value]) => !/\bjson$/.test(mime) && !isText(value));
  if (bad) return wrong(bad[0], bad[1], "a text");
}

function wrongCell(cell: Json): string | undefined {
  if (!isText(cell.source)) {
    return wrong("source", cell.source, "a text or a list of texts");
  }
  if (cell.metadata !== undefined && !isObject(cell.metadata)) {
    return wrong("metadata", cell.metadata, "an object");
  }
  const { outputs } = cell;
  if (outputs !== undefined && !Array.isArray(outputs)) {
    return wrong("outputs", outputs, "a list");
  }
  for (const [i, output] of (outputs as unknown[] ?? []).entries()) {
    const why = wrongOutput(output);
    if (why) return `its output ${i + 1} ${why}`;
  }
}

/**
 * What is wrong with a notebook, to follow the file's name: ` cell 2: its
 * source is a number, …`; undefined when nothing is.
 */
export function malformed(raw: { cells: unknown[]; metadata?: unknown }) {
  if (isDeep(raw)) return `: ${TOO_DEEP}`;
  if (raw.metadata !== undefined && !isObject(raw.metadata)) {
    return `: ${wrong("metadata", raw.metadata, "an object")}`;
  }
  const counts: Record<string, number> = {};
  for (const [i, cell] of raw.cells.entries()) {
    const type = isObject(cell) ? String(cell.cell_type) : "";
    if (!isObject(cell) || !/^(code|markdown|raw)$/.test(type)) {
      return `: its item ${i + 1} is no cell`;
    }
    counts[type] = (counts[type] ?? 0) + 1;
    const name = type === "code" ? "cell" : `${type} cell`;
    const why = wrongCell(cell);
    if (why) return ` ${name} ${counts[type]}: ${why}`;
  }
}
