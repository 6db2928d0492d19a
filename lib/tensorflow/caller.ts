/** Where in the user's code an engine's error belongs, and how it shows values. */

/** The caller's first frame outside the engine: its function, "" if it has no name, and "file:line". */
export function caller(): { name: string; place: string } | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const frames = new Error().stack?.split("\n").slice(1) ?? [];
  Error.stackTraceLimit = limit;
  for (const frame of frames) {
    if (/\/lib\/tensorflow\/|node_modules|ext:/.test(frame)) continue;
    const place = frame.match(/([^/(\s]+:\d+):\d+\)?$/);
    if (!place) continue;
    const name = frame.match(/at (?:async )?([\w$.]+) \(/)?.[1] ?? "";
    return { name: name === "eval" ? "" : name, place: place[1] };
  }
}

/** The caller's first line outside the engine, " (file:line)" or "". */
export function callSite(): string {
  const place = caller()?.place;
  return place ? ` (${place})` : "";
}

/** A value as an error shows it. */
export function valueInError(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${value.slice(0, 9).map(valueInError)}${value.length > 9 ? ",…" : ""}]`
    : typeof value === "string"
    ? JSON.stringify(value)
    : typeof value === "object" && value
    ? `a ${value.constructor?.name ?? "object"}`
    : typeof value === "function"
    ? "a function"
    : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
