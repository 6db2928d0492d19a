/** Stack traces that name cells and their own lines. */

/**
 * Runs in the kernel, where no name from outside of it is known. The kernel
 * emits each cell as JavaScript and counts lines there; the same emit, made
 * here with a source map, leads back to the cell.
 * @returns makes a cell known by the name that its frames have; "" when they
 *   have none
 */
export function cellStacks(): (
  name: string,
  label: string,
  code?: string,
) => void {
  const { SourceMap, stripTypeScriptTypes } = process
    .getBuiltinModule("node:module");
  interface Known {
    label: string;
    code?: string;
    map?: InstanceType<typeof SourceMap>;
  }
  const cells = new Map<string, Known>();

  const mapOf = (code: string) => {
    // The emit leaves out imports that nothing uses; the kernel does not.
    const used = [...code.matchAll(/\bimport\s([^"';()]*?)\sfrom\b/g)]
      .map(([, names]) =>
        names.replace(/\btype\s+[\w$]+(\s+as\s+[\w$]+)?/g, "")
      )
      .flatMap((names) => [...names.matchAll(/([\w$]+)(?:\s+as\s+([\w$]+))?/g)])
      .map(([, name, as]) => as ?? name)
      .filter((name) => name !== "as");
    const options = { mode: "transform", sourceMap: true } as never;
    const js = stripTypeScriptTypes(`${code}\n;void [${used}];`, options);
    const map = js.slice(js.lastIndexOf("base64,") + 7);
    return new SourceMap(JSON.parse(atob(map)));
  };
  /** The line of the cell, from 1, behind a place in what was emitted. */
  const lineOf = (name: string, cell: Known, line: number, column: number) => {
    if (cell.code === undefined) return;
    try {
      cell.map ??= mapOf(name ? `void 0;\n${cell.code}` : cell.code);
      const at = cell.map.findEntry(line - 1, column - 1);
      if (!("originalLine" in at)) return;
      return at.originalLine + (name ? 0 : 1);
    } catch {
      cell.code = undefined; // JSX, or anything else that it does not read
    }
  };
  const frame = (site: NodeJS.CallSite) =>
    String(site).replace(
      /(^|\(|^async )(cell-\S+|<anonymous>):(\d+):(\d+)/,
      (text, before, from, line, column) => {
        const name = from === "<anonymous>" ? "" : from;
        const cell = cells.get(name);
        if (!cell) return text;
        const own = lineOf(name, cell, Number(line), Number(column));
        const place = own === undefined ? "" : `, line ${own}`;
        return `${before}cell ${cell.label}${place}`;
      },
    );
  Error.prepareStackTrace = (error, sites) => {
    let head = "Error";
    try {
      const { name, message } = error;
      head = message ? `${name}: ${message}` : String(name);
    } catch { /* its getters throw */ }
    const lines = [head];
    let before = "", times = 1;
    for (const text of sites.map(frame)) {
      if (/\bext:/.test(text)) continue; // Deno's own, and the prelude's
      times = text === before ? times + 1 : 1;
      if (times > 1) lines.pop();
      lines.push(
        `    at ${before = text}${times > 1 ? ` (${times} times)` : ""}`,
      );
    }
    return lines.join("\n");
  };
  return (name, label, code) => void cells.set(name, { label, code });
}
