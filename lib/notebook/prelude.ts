/**
 * What the kernel is made to do before the first cell, silently: report the
 * errors that it would swallow, and show what bypasses the console.
 */

/** Where the prelude keeps its functions in the kernel. */
const HIDDEN = 'globalThis[Symbol.for("ferlab.prelude")]';

/**
 * Errors of promises that nothing awaits and of timers become `error`
 * messages; `ferlab_fence` in them is the number of the fence before the cell
 * that caused them. What is written to Deno.stdout and Deno.stderr becomes
 * stream messages.
 *
 * The kernel tells an exception's name, message and stack only. It asks
 * `exception instanceof Error` last of all, and there it is caught for its cause.
 */
export const PRELUDE = `(() => {
  if (${HIDDEN}) return;
  const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
  const fence = new AsyncLocalStorage();
  const isError = (v) => Function.prototype[Symbol.hasInstance].call(Error, v);
  let thrown;
  Object.defineProperty(Error, Symbol.hasInstance, {
    configurable: true,
    writable: true,
    value(object) {
      if (this === Error) thrown = object;
      return Function.prototype[Symbol.hasInstance].call(this, object);
    },
  });

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
  const report = async (v, where, at) => {
    const error = isError(v);
    const lines = text(v).split("\\n").filter((l) => !/[(]ext:| Timeout[.]guarded /.test(l));
    try {
      await Deno.jupyter.broadcast("error", {
        ename: error ? v.name : "Error",
        evalue: (error ? v.message : String(v)) + " (" + where + ")",
        traceback: [...lines, ...causes(v)],
        ferlab_fence: at,
      });
    } catch { /* the kernel ends */ }
  };
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason, "in a promise that nothing awaited", fence.getStore());
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    report(event.error, "in a callback", fence.getStore());
  });

  // The event of a timer's error no longer knows who started the timer.
  for (const name of ["setTimeout", "setInterval", "queueMicrotask"]) {
    const original = globalThis[name];
    const wrapped = (callback, ...rest) => {
      if (typeof callback !== "function") return original(callback, ...rest);
      const at = fence.getStore();
      const guarded = function (...args) {
        try {
          return callback.apply(this, args);
        } catch (e) {
          report(e, "in a timer", at);
        }
      };
      return original(guarded, ...rest);
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

  const print = Deno[Deno.internal]?.core?.print;
  for (const [name, isStderr] of [["stdout", false], ["stderr", true]]) {
    if (!print) break;
    const decoder = new TextDecoder();
    const writeSync = (bytes) => {
      print(decoder.decode(bytes, { stream: true }), isStderr);
      return bytes.length;
    };
    const write = async (bytes) => writeSync(bytes);
    const writable = new WritableStream({ write: (b) => void writeSync(b) });
    for (const [key, value] of Object.entries({ writeSync, write, writable })) {
      Object.defineProperty(Deno[name], key, { configurable: true, value });
    }
  }

  Object.defineProperty(globalThis, Symbol.for("ferlab.prelude"), {
    value: {
      passed(n) {
        fence.enterWith(n);
        const v = thrown;
        thrown = undefined;
        return { causes: causes(v), ...(isError(v) ? {} : { text: text(v) }) };
      },
    },
  });
})()`;

/** What a fence tells of the exception before it. */
export interface Thrown {
  /** lines that tell `error.cause`, and the errors of an AggregateError */
  causes: string[];
  /** what was thrown, when it was no Error */
  text?: string;
}

/** Code of fence number `n`: what is executed after it belongs to it. */
export const fenceCode = (n: number): string =>
  `await Deno.jupyter.broadcast("ferlab_fence", ` +
  `{ n: ${n}, thrown: ${HIDDEN}?.passed(${n}) })`;

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
