/**
 * What the kernel is made to do before the first cell, silently: write what
 * cells put out into files (output_log.ts), report the errors that it would
 * swallow, show what bypasses the console, and tell what comes late: from a
 * timer or a promise of an earlier cell.
 */
import { UNTIL } from "./agent.ts";
import { wrapNodes } from "../code/cell_edits.ts";
import { cellChildren, cellStreams } from "./cell_children.ts";
import { cellProcess } from "./cell_process.ts";
import { cellStacks } from "./cell_stacks.ts";
import { cellTests } from "./cell_tests.ts";
import { LOG_HINT } from "./output_log.ts";
import { isDeep } from "../code/strip_types.ts";

/** Where the prelude keeps its functions in the kernel. */
const HIDDEN = 'globalThis[Symbol.for("ferlab.prelude")]';

/** Characters of what one cell prints; what it prints beyond them is lost. */
const MOST = 500e6;
/** Characters of a message of printed text. */
const PIECE = 1 << 20;

/**
 * Errors of promises that nothing awaits and of timers become `error`
 * messages. What is written to Deno.stdout and Deno.stderr becomes stream
 * messages. `ferlab_fence` in a message is the number of the fence before the
 * cell that caused it, where that is another than the last.
 *
 * The kernel drops messages while one of many megabytes is on its way, or where
 * they come faster than they are read, and holds them in memory without limit.
 * So only its own messages go that way: fences, and errors that it catches.
 *
 * The kernel tells an exception's name, message and stack only. It asks
 * `exception instanceof Error` last of all, and there it is caught for its cause.
 */
export const PRELUDE = `void 0;//# sourceURL=ext:ferlab
(() => {
  if (${HIDDEN}) return;
  const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
  const fence = new AsyncLocalStorage();
  let current; // the last fence
  const isError = (v) => Function.prototype[Symbol.hasInstance].call(Error, v);
  let thrown;
  let thrownAt; // the last throw of what is no Error, and its place
  // The kernel asks about null where what was thrown is none of JSON, as 1n or NaN.
  const isThat = (v) => thrownAt && (Object.is(thrownAt.v, v) || v === null && typeof thrownAt.v !== "object");
  const frameOf = (v) => isThat(v) ? [thrownAt.frame] : [];
  Object.defineProperty(Error, Symbol.hasInstance, {
    configurable: true,
    writable: true,
    value(object) {
      if (this === Error) thrown = object;
      return Function.prototype[Symbol.hasInstance].call(this, object);
    },
  });

  const cell = (${cellStacks})();
  const text = (v) => {
    try {
      return isError(v) ? v.stack || v.name + ": " + v.message : Deno.inspect(v);
    } catch {
      return String(v?.message);
    }
  };
  const causes = (error, seen = new Set([error])) => {
    const lines = [];
    const add = (label, v) => {
      if (seen.has(v) || seen.size > 10) return;
      seen.add(v);
      lines.push(...(label + text(v)).split("\\n"), ...causes(v, seen));
    };
    if (!isError(error)) return lines;
    if (error.cause !== undefined) add("Caused by: ", error.cause);
    if (Array.isArray(error.errors)) {
      error.errors.forEach((e, i) => add("Error " + (i + 1) + ": ", e));
    }
    return lines;
  };
  const report = (v, where, at) => {
    const error = isError(v);
    const lines = text(v).split("\\n").filter((l) => !/[(]ext:| Timeout[.]guarded /.test(l));
    try {
      write("error", {
        ename: error ? v.name : "Error",
        evalue: (error ? v.message : String(v)) + " (" + where + ")",
        traceback: [...lines, ...frameOf(v), ...causes(v)],
        ferlab_fence: at,
      });
    } catch { /* the kernel ends */ }
  };
  const tests = (${cellTests})((v) => [text(v), ...causes(v)].join("\\n"));
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason, "in a promise that nothing awaited", fence.getStore());
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    // Of a worker's error only the message comes here.
    if (event.error) report(event.error, "in a callback", fence.getStore());
    else report(event.message, "in a worker", fence.getStore());
  });

  const { broadcast: send, format } = Deno.jupyter;
  const { jupyter: inner } = Deno[Deno.internal];
  const { openSync, removeSync } = Deno, { stringify } = JSON;
  const clock = performance.now.bind(performance);
  const encoder = new TextEncoder();
  const wellFormed = (_, v) => typeof v === "string" ? v.toWellFormed() : v;
  let folder, file, number = 0, told = -Infinity;
  const close = () => {
    if (!file) return;
    file.close();
    file = undefined;
    number++;
  };
  const open = () => file ??= openSync(folder + "/" + number, { append: true, create: true });
  const write = (type, content) => {
    // A line that a full disk cut ends where the next begins.
    const line = encoder.encode("\\n" + stringify({ type, content }, wellFormed) + "\\n");
    try {
      if (!folder) throw new Error("nobody reads it");
      open();
      for (let at = 0; at < line.length;) at += file.writeSync(line.subarray(at));
    } catch {
      return send(type, content);
    }
    if (clock() - told < ${LOG_HINT}) return;
    told = clock();
    send("ferlab_log", {});
  };
  const tell = (type, content, at = fence.getStore()) =>
    write(type, at === current ? content : { ferlab_fence: at, ...content });
  Deno.jupyter.broadcast = async (type, content) => tell(type, content);
  Deno.jupyter.display = async (value, { raw, update, display_id } = {}) =>
    tell(update ? "update_display_data" : "display_data", {
      data: await inner.formatInner(value, raw),
      metadata: {},
      transient: display_id ? { display_id } : {},
    });
  const { broadcastResult } = inner;
  inner.broadcastResult = async (execution_count, result) => {
    if (result === undefined) return;
    try {
      const data = await format(result);
      write("execute_result", { execution_count, data, metadata: {}, transient: {} });
    } catch (e) { // the kernel tells it in its own way
      await broadcastResult(execution_count, {
        [Symbol.for("Jupyter.display")]() {
          throw e;
        },
      });
    }
  };

  const processes = (${cellProcess})({
    print: (text, isStderr, at = current) =>
      print(text, isStderr, (type, content) => tell(type, content, at)),
    isFull: () => room < 0,
    cell: () => fence.getStore() ?? current,
    isOver: (at) => at !== current,
  });
  const pending = new Map(); // timers: of which cell, until when
  const forget = (timer) => {
    try {
      pending.delete(Number(timer));
    } catch { /* it is no timer */ }
  };

  // The event of a timer's error no longer knows who started the timer.
  for (const name of ["setTimeout", "setInterval", "queueMicrotask"]) {
    const original = globalThis[name];
    const wrapped = (callback, ...rest) => {
      if (typeof callback !== "function") return original(callback, ...rest);
      const at = fence.getStore();
      let timer;
      const guarded = function (...args) {
        if (name === "setTimeout") forget(timer);
        try {
          return callback.apply(this, args);
        } catch (e) {
          report(e, "in a timer", at);
        }
      };
      timer = original(guarded, ...rest);
      if (name === "queueMicrotask") return timer;
      pending.set(Number(timer), {
        at,
        timer,
        due: name === "setInterval" ? Infinity : Date.now() + (Number(rest[0]) || 0),
      });
      return timer;
    };
    for (const key of Reflect.ownKeys(original)) {
      if (key === "prototype") continue;
      Object.defineProperty(
        wrapped,
        key,
        Object.getOwnPropertyDescriptor(original, key),
      );
    }
    globalThis[name] = wrapped;
  }

  for (const name of ["clearTimeout", "clearInterval"]) {
    const original = globalThis[name];
    globalThis[name] = (timer) => {
      forget(timer);
      return original(timer);
    };
  }

  let room = ${MOST};
  const print = (text, isStderr, put = tell) => {
    const kept = text.slice(0, Math.max(0, room));
    const name = isStderr ? "stderr" : "stdout";
    for (let at = 0, end; at < kept.length; at = end) {
      end = at + ${PIECE};
      if ((kept.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--; // half a character
      put("stream", { name, text: kept.slice(at, end) });
    }
    if (room < text.length && room >= 0) {
      put("stream", { name, text: "\\n(the cell printed more than ${
  MOST / 1e6
} MB: the rest is lost)\\n" });
    }
    room -= text.length;
  };
  (${cellStreams})(print);
  (${cellChildren})(print, ${cellStreams});

  Object.defineProperty(globalThis, Symbol.for("ferlab.prelude"), {
    value: Object.freeze({
      cell,
      at(label, line, v) {
        if (!isError(v)) thrownAt = { v, frame: "    at cell " + label + ", line " + line };
        return v;
      },
      async test(wanted) {
        const failure = await tests.run(wanted);
        if (failure) write("error", failure);
      },
      into(path, files) {
        try {
          if (folder) removeSync(folder, { recursive: true });
        } catch { /* its reader has done that */ }
        close();
        folder = path;
        number = 0;
        if (files) processes.open(files);
      },
      passed(n) {
        processes.drain();
        fence.enterWith(n);
        current = n;
        room = ${MOST};
        close();
        try {
          // Its reader holds it too before the next cell, which may remove it.
          if (folder) open();
        } catch { /* see write */ }
        const v = thrown;
        const told = {
          causes: causes(v),
          tests: tests.count(),
          ...(isError(v) ? {} : { text: text(isThat(v) ? thrownAt.v : v), frames: frameOf(v) }),
        };
        thrown = thrownAt = undefined;
        send("ferlab_fence", { n, log: number, thrown: told });
      },
      // Those that nothing holds the process open for do not count.
      pending: () =>
        [...pending.values()]
          .filter(({ timer }) => !timer?._destroyed && (timer?.hasRef?.() ?? true))
          .map(({ at, due }) => ({ at, in: due === Infinity ? null : due - Date.now() })),
    }),
  });
})()`;

/** A timer that has not fired yet, or an interval. */
export interface Pending {
  /** the fence before its cell */
  at: number;
  /** ms until it fires; null of an interval */
  in: number | null;
}

/** An expression for {@link Pending}, a list of them. */
export const PENDING = `${HIDDEN}?.pending() ?? []`;

/** What a fence tells of the exception before it. */
export interface Thrown {
  /** tests that the cell gave to Deno.test, and that did not run yet */
  tests?: number;
  /** lines that tell `error.cause`, and the errors of an AggregateError */
  causes: string[];
  /** what was thrown, when it was no Error, and where: lines of a stack */
  text?: string;
  frames?: string[];
}

/**
 * A cell's code as the kernel gets it: it makes itself known, so that the
 * frames of a stack name it and its own lines.
 * @param label what they call it
 * @param id of this run of the cell alone
 */
export function namedCell(cell: string, label: string, id: number): string {
  const name = `cell-${id}`;
  const code = tellingThrows(cell, label);
  const known = [name, label, isDeep(code) ? undefined : code]
    .map((v) => JSON.stringify(v)).join();
  return `${HIDDEN}?.cell(${known});//# sourceURL=${name}\n${code}`;
}

/** An Error knows where it was made, anything else that is thrown does not. */
const tellingThrows = (code: string, label: string): string =>
  !/\bthrow\b/.test(code) ? code : wrapNodes(code, (node, wrap) => {
    if (node.type !== "ThrowStatement") return;
    if (node.argument.type === "NewExpression") return;
    const line = code.slice(0, node.argument.start).split("\n").length;
    const place = `${JSON.stringify(label)}, ${line}`;
    wrap(node.argument, `${HIDDEN}.at(${place}, (`, "))");
  });

/** Code to run before a cell that cannot have a name. */
export const beforeUnnamed = (code: string, label: string): string =>
  `${HIDDEN}?.cell("", ${JSON.stringify(label)}, ${JSON.stringify(code)})`;

/** Code that runs the tests of the cell before it, or only forgets them. */
export const testCode = (wanted: boolean): string =>
  `await (${UNTIL} ?? ((v) => v))(${HIDDEN}.test(${wanted}))`;

/** Code of fence number `n`: what is executed after it belongs to it. */
export const fenceCode = (n: number): string =>
  `${HIDDEN} ? ${HIDDEN}.passed(${n}) : ` +
  `await Deno.jupyter.broadcast("ferlab_fence", { n: ${n} })`;

/**
 * Code that has what cells put out written into a folder; into none without.
 * @param files what the process prints, see {@link cellProcess}
 */
export const intoCode = (folder?: string, files?: string[]): string =>
  `${HIDDEN}?.into(${JSON.stringify(folder)}, ${JSON.stringify(files)})`;

/**
 * Makes sure that a cell that throws is told as one.
 * @param status runs code in the kernel and gives the reply's status
 * @throws {Error} in one line that names Deno's version
 */
export async function checkReplies(
  status: (code: string) => Promise<unknown>,
  version: string = Deno.version.deno,
): Promise<void> {
  const [good, bad] = [
    await status("void 0"),
    await status(`throw new Error("a test of the kernel")`),
  ];
  if (good === "ok" && bad === "error") return;
  throw new Error(
    `the notebook kernel of Deno ${version} answers "${bad}" to a cell that ` +
      `throws and "${good}" to one that does not; use Deno 2.9.6`,
  );
}
