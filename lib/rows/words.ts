/** Numbers and parameters in words. */
import {
  analysis,
  type Parameter,
  type Params,
  type ParamValue,
  plannedTrials,
  type Study,
} from "../study/mod.ts";
import { paramsOf, type Row } from "./row.ts";

export const { rateText } = analysis;

/**
 * A parameter's value as text; a learning rate always with its exponent, a field
 * with parts as "kind cosine, per step".
 */
export const valueText = (name: string, value: unknown): string =>
  typeof value === "object" && value !== null
    ? Object.entries(value).map(([part, own]) =>
      Array.isArray(value) ? String(own) : `${part} ${valueText(part, own)}`
    ).join(", ")
    : analysis.showValue(value as ParamValue, name);

/** Values by name, or by its words, as text: "depth 2, lr 1e-3". */
export const paramsText = (
  params: Params,
  word = (name: string) => name,
): string =>
  Object.entries(params).map(([n, v]) => `${word(n)} ${valueText(n, v)}`)
    .join(", ");

/** A row's parameters as text: "depth 2, lr 1e-3". */
export const settingText = (row: Row): string => paramsText(paramsOf(row));

/** "a", "a and b", "a, b and c" */
export const andText = (parts: readonly string[]): string =>
  new Intl.ListFormat("en-GB").format(parts);

/** "2", "0.09 to 0.25", "2, 4 and 6"; of more values than `most` their ends. */
export function rangeText(values: readonly number[], most = 1): string {
  const texts = [...new Set(values)].sort((a, b) => a - b)
    .map((value) => value.toLocaleString("en"));
  return texts.length > Math.max(1, most)
    ? `${texts[0]} to ${texts.at(-1)}`
    : andText(texts);
}

/** Seconds as people say them: "41 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return s % 60 ? `${m} min ${s % 60} s` : `${m} min`;
  return m % 60 ? `${Math.floor(m / 60)} h ${m % 60} min` : `${m / 60} h`;
}

/** A difference of shares in points, with its sign: "+0.76". */
export const points = (share: number): string =>
  `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(2)}`;

/** An interval of shares in points: "+0.44 to +2.85"; "–" without one. */
export const pointsInterval = (
  of: { low: number | null; high: number | null } | null | undefined,
): string =>
  of == null || of.low === null || of.high === null
    ? "–"
    : `${points(of.low)} to ${points(of.high)}`;

/** A p-value: "0.034", "< 0.001"; "–" where no test was made. */
export const pText = (p: number | null | undefined): string =>
  p == null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3);

/** What a study tries of a parameter: "1e-3, 1e-2" or "1e-9 to 1e-6, log". */
export const triedText = (name: string, p: Parameter): string =>
  "values" in p
    ? p.values.map((v) => valueText(name, v)).join(", ")
    : [p.low, p.high].map((v) => valueText(name, v)).join(" to ") +
      (p.log ? ", log" : "");

/** "12 settings of depth and lr, 5 repeats each" */
export function planText(study: Study): string {
  const { parameters, search, repeats } = study;
  const points = search.kind === "list" ? search.points : [];
  const names = new Set([parameters, ...points].flatMap(Object.keys));
  const varied = [...names].filter((name) =>
    Object.hasOwn(parameters, name) ||
    new Set(points.map((point) => point[name])).size > 1
  );
  const of = varied.length > 0 ? ` of ${andText(varied)}` : "";
  const settings = analysis.counted(plannedTrials(study) / repeats, "setting");
  return `${settings}${of}, ${analysis.counted(repeats, "repeat")} each`;
}

/** Three significant digits, as in 1590 or 0.0123. */
export const speedText = (value: number): string =>
  String(Number(value.toPrecision(value >= 1000 ? 4 : 3)));
