/** A trial, a published run and a row of one's own as one kind of row. */
export * from "./published_rows.ts";
export * from "./row.ts";
export * from "./as_runs.ts";
export * from "./settings.ts";
export * from "./speeds.ts";
export * from "./words.ts";
