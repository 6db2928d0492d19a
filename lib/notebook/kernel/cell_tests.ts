/** `Deno.test` in cells: Deno's own kernel takes tests and never runs them. */
import type { CellError } from "../file/types.ts";

interface Test {
  name: string;
  fn: (t: unknown) => unknown;
  ignore?: boolean;
  only?: boolean;
}

/**
 * Runs in the kernel, where no name from outside of it is known: puts a
 * `Deno.test` there that keeps the tests of a cell.
 * @returns the number of tests that wait; and what runs them, prints a line
 *   each, and tells of those that failed, or only forgets them
 */
export function cellTests(told: (error: unknown) => string): {
  count: () => number;
  run: (wanted: boolean) => Promise<CellError | undefined>;
} {
  type Hook = "beforeAll" | "beforeEach" | "afterEach" | "afterAll";
  let tests: Test[] = [];
  let hooks: Partial<Record<Hook, (() => unknown)[]>> = {};
  const read = (args: unknown[], more: Partial<Test>): Test => {
    const isObject = (v: unknown) => typeof v === "object" && v !== null;
    const options = (args.find(isObject) ?? {}) as Partial<Test>;
    const fn = args.find((v) => typeof v === "function") as Test["fn"] ??
      options.fn;
    const name = args.find((v) => typeof v === "string") as string ??
      options.name ?? fn?.name;
    if (typeof fn !== "function" || !name) {
      throw new TypeError("a test takes a name and a function");
    }
    return { ...options, name, fn, ...more };
  };
  const adder = (more: Partial<Test>) => (...args: unknown[]) =>
    void tests.push(read(args, more));
  const hook = (name: Hook) => (fn: () => unknown) =>
    void (hooks[name] ??= []).push(fn);
  const test = Object.assign(adder({}), {
    ignore: adder({ ignore: true }),
    skip: adder({ ignore: true }),
    only: adder({ only: true }),
    beforeAll: hook("beforeAll"),
    beforeEach: hook("beforeEach"),
    afterEach: hook("afterEach"),
    afterAll: hook("afterAll"),
  });
  Object.defineProperty(Deno, "test", { configurable: true, value: test });

  /** Runs one test or step; lines that tell what failed in it. */
  const one = async (
    { name, fn, ignore }: Test,
    path: string,
    parent?: unknown,
  ): Promise<string[]> => {
    const depth = parent ? "  " : "";
    if (ignore) {
      console.log(`${depth}${path} ... ignored`);
      return [];
    }
    const start = performance.now();
    const failed: string[] = [];
    const context = { name, origin: "", parent };
    const step = async (...args: unknown[]) => {
      const inner = read(args, {});
      const lines = await one(inner, `${path} ... ${inner.name}`, context);
      failed.push(...lines);
      return lines.length === 0;
    };
    try {
      await fn(Object.assign(context, { step }));
    } catch (e) {
      failed.push(`${path}: ${told(e)}`);
    }
    const ms = Math.round(performance.now() - start);
    const end = failed.length ? "FAILED" : "ok";
    console.log(`${depth}${path} ... ${end} (${ms} ms)`);
    return failed;
  };
  const run = async (wanted: boolean): Promise<CellError | undefined> => {
    const all = tests, around = hooks;
    tests = [];
    hooks = {};
    if (!wanted) return;
    const each = async (name: Hook, failed: string[]) => {
      for (const fn of around[name] ?? []) {
        try {
          await fn();
        } catch (e) {
          failed.push(`${name}: ${told(e)}`);
        }
      }
    };
    const chosen = all.some((t) => t.only) ? all.filter((t) => t.only) : all;
    const failed: string[] = [];
    const names: string[] = [];
    await each("beforeAll", failed);
    for (const t of chosen) {
      const before = failed.length;
      await each("beforeEach", failed);
      failed.push(...await one(t, t.name));
      await each("afterEach", failed);
      if (failed.length > before) names.push(t.name);
    }
    await each("afterAll", failed);
    if (!failed.length) return;
    const many = chosen.length === 1 ? "test" : "tests";
    return {
      ename: "TestFailure",
      evalue: `${names.length} of ${chosen.length} ${many} failed: ` +
        failed[0].split("\n")[0],
      traceback: failed.flatMap((text) => text.split("\n")),
    };
  };
  return { count: () => tests.length, run };
}
