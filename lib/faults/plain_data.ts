/** What JSON cannot hold of what a user wrote. */
import { inMessage } from "./fields.ts";

/** Deeper data are nobody's. */
const DEEPEST = 100;

/**
 * Why `value` is no plain data, and where in it: lists and objects of texts,
 * numbers, booleans, null and dates.
 *
 * @param above what it is in, from the outermost
 */
export function* notPlain(
  value: unknown,
  path: PropertyKey[] = [],
  above: readonly unknown[] = [],
): Generator<{ path: PropertyKey[]; what: string }> {
  const isObject = typeof value === "object" && value !== null;
  if (!isObject && !/function|symbol/.test(typeof value)) return;
  if (value instanceof Date && !isNaN(+value)) return;
  if (above.includes(value)) {
    yield { path, what: "holds itself; give plain data" };
  } else if (above.length > DEEPEST) {
    const what = `nests deeper than ${DEEPEST} levels; give plain data`;
    yield { path: path.slice(0, 3), what };
  } else if (Array.isArray(value) || inMessage(value) === "an object") {
    for (const [key, inner] of Object.entries(value as object)) {
      const at = Array.isArray(value) ? Number(key) : key;
      yield* notPlain(inner, [...path, at], [...above, value]);
    }
  } else yield { path, what: `got ${inMessage(value)}; give plain data` };
}
