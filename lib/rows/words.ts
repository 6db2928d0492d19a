/** Parameters in words. */
import { analysis, type Params, type ParamValue } from "../study/mod.ts";
import { paramsOf, type Row } from "./row.ts";

/** 0.00316 → "3.16e-3". */
export const rateText = (lr: number): string =>
  Number(lr.toPrecision(3)).toExponential();

/** A parameter's value as text; a learning rate always with its exponent. */
export const valueText = (name: string, value: unknown): string =>
  name === "lr" && typeof value === "number"
    ? rateText(value)
    : typeof value === "object"
    ? JSON.stringify(value)
    : analysis.showValue(value as ParamValue);

/** Values by name, or by its words, as text: "depth 2, lr 1e-3". */
export const paramsText = (
  params: Params,
  word = (name: string) => name,
): string =>
  Object.entries(params).map(([n, v]) => `${word(n)} ${valueText(n, v)}`)
    .join(", ");

/** A row's parameters as text: "depth 2, lr 1e-3". */
export const settingText = (row: Row): string => paramsText(paramsOf(row));
