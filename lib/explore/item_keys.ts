/** What tells items of a function's result, and rows, from the others. */
import { paramsOf, type Row } from "../rows/mod.ts";

export const KEYS: Record<string, (item: Row) => unknown> = {
  effects: (effect) => effect.params,
  asFamily: (effect) => effect.params,
  bestPer: (best) => best.value,
  settings: (setting) => paramsOf(setting),
};

/** What tells a trial from those of all studies. */
export const trialId = (study: unknown, number: unknown) =>
  `${study}/${number}`;

export const keyText = (key: unknown): string => JSON.stringify(key) ?? "";

/** What an effect is called, which does not change with the rows. */
export const effectWords = ({ label, pair, value, base }: Row) => ({
  ...{ label, pair, value, base },
});

export const isPlain = (value: unknown): value is Row => {
  if (typeof value !== "object" || value === null) return false;
  const proto = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
};

/** A row that notes the paths of what is read of it, in `read`. */
export function watched(
  row: Row,
  read: Map<string, string[]>,
  path: readonly string[] = [],
): Row {
  const note = (name: string | symbol) => {
    if (typeof name !== "string") return;
    const own = [...path, name];
    read.set(own.join("\0"), own);
  };
  return new Proxy({ ...row }, {
    get(target, name) {
      note(name);
      const value = Reflect.get(target, name);
      return isPlain(value) && typeof name === "string"
        ? watched(value, read, [...path, name])
        : value;
    },
    has(target, name) {
      note(name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      note(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys(target) {
      Object.keys(target).forEach(note);
      return Reflect.ownKeys(target);
    },
  });
}

/** What a row has at these paths, as text; of an object only that it is one. */
export const readKey = (row: Row, paths: Iterable<readonly string[]>): string =>
  keyText([...paths].map((path) => {
    const value = path.reduce(
      (of: unknown, name) =>
        isPlain(of) && Object.hasOwn(of, name) ? of[name] : undefined,
      row,
    );
    return isPlain(value) ? {} : value;
  }));
