/** Fields of a schema whose faults read as one line: what was given, what to give. */
import { z } from "zod";
import { escaped } from "../weights/mod.ts";

/** A value as a message shows it: one short line. */
export function inMessage(value: unknown): string {
  if (typeof value === "string") {
    const short = value.length > 40 ? `${value.slice(0, 40)}…` : value;
    return escaped(JSON.stringify(short));
  }
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null || typeof value !== "object") {
    return typeof value === "function" ? "a function" : String(value);
  }
  const { name } = Object.getPrototypeOf(value)?.constructor ?? Object;
  if (name === "Object") return "an object";
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

/** The error of a field: what was given, and what it takes. */
export const takes = (wanted: string) => ({
  error: ({ input }: { input?: unknown }) =>
    `got ${inMessage(input)}; give ${wanted}`,
});

/** A whole number, both bounds included. */
export function wholeNumber(low: number, high: number) {
  const error = takes(`a whole number from ${low} to ${high}`);
  return z.int(error).min(low, error).max(high, error);
}

/** A number from `low` to `high`, both included. */
export function real(low: number, high: number) {
  const error = takes(`a number from ${low} to ${high}`);
  return z.number(error).min(low, error).max(high, error);
}

/** A number above 0 that is one in float32 too, where the step computes. */
export function positive() {
  const error = takes("a number above 0, within float32's range");
  return z.number(error).refine((x) => {
    const single = Math.fround(x);
    return single > 0 && Number.isFinite(single);
  }, error);
}

/** Decay of a running mean. 1, or what float32 rounds to it, is refused. */
export function beta() {
  const error = {
    error: ({ input }: { input?: unknown }) =>
      typeof input === "number" && Math.fround(input) === 1
        ? "a beta of 1 keeps its start for ever and divides by 0; give a number from 0 to below 1, such as 0.999"
        : `got ${inMessage(input)}; give a number from 0 to below 1`,
  };
  return z.number(error).min(0, error)
    .refine((x) => Math.fround(x) < 1, error);
}

/** One of `values`. */
export function oneOf<const T extends string | number | boolean>(values: T[]) {
  const names = values.map((v) => JSON.stringify(v));
  return z.literal(values, takes(names.join(" or ")));
}
