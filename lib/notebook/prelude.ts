/**
 * What the kernel is made to do before the first cell, silently: report the
 * errors that it would swallow, show what bypasses the console, and tell what
 * comes late: from a timer or a promise of an earlier cell.
 */

/** Where the prelude keeps its functions in the kernel. */
const HIDDEN = 'globalThis[Symbol.for("ferlab.prelude")]';

/** Around what is printed late: the fence's number, and no more at the end. */
const MARK = { open: "\u001eferlab:", close: "\u001e" };

/**
 * Errors of promises that nothing awaits and of timers become `error`
 * messages. What is written to Deno.stdout and Deno.stderr becomes stream
 * messages. `ferlab_fence` in a message is the number of the fence before the
 * cell that caused it; printed text that is late stands between marks instead,
 * see {@link LateText}.
 *
 * The kernel tells an exception's name, message and stack only. It asks
 * `exception instanceof Error` last of all, and there it is caught for its cause.
 */
export const PRELUDE = `(() => {
  if (${HIDDEN}) return;
  const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
  const fence = new AsyncLocalStorage();
  let current; // the last fence
  const late = () => {
    const at = fence.getStore();
    return at === current ? undefined : at;
  };
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
      await broadcast("error", {
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
    // Of a worker's error only the message comes here.
    if (event.error) report(event.error, "in a callback", fence.getStore());
    else report(event.message, "in a worker", fence.getStore());
  });

  const { format, ...jupyter } = { ...Deno.jupyter };
  // The kernel writes only while it publishes, and drops what comes while a
  // message of many megabytes is on its way: fences of nothing push that on.
  const whole = (publish) => async (...args) => {
    const start = performance.now();
    await publish(...args);
    const took = performance.now() - start;
    if (took < 10) return;
    const until = performance.now() + Math.min(20 * took, 3000);
    while (performance.now() < until) {
      await new Promise((r) => setTimeout(r, 1));
      await jupyter.broadcast("ferlab_fence", { n: -1 });
    }
  };
  const broadcast = whole(jupyter.broadcast), display = whole(jupyter.display);
  Deno.jupyter.broadcast = (type, content, extra) => {
    const at = late();
    const told = at === undefined ? content : { ferlab_fence: at, ...content };
    return broadcast(type, told, extra);
  };
  Deno.jupyter.display = async (value, options = {}) => {
    const at = late();
    if (at === undefined) return await display(value, options);
    const { raw, update, display_id } = options;
    await broadcast(update ? "update_display_data" : "display_data", {
      data: raw ? value : await format(value),
      metadata: {},
      transient: display_id ? { display_id } : {},
      ferlab_fence: at,
    });
  };

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

  const print = Deno[Deno.internal]?.core?.print;
  const marked = (isStderr, run) => {
    const at = late();
    if (at === undefined || !print) return run();
    print(${JSON.stringify(MARK.open)} + at + ${
  JSON.stringify(MARK.close)
}, isStderr);
    try {
      return run();
    } finally {
      print(${JSON.stringify(MARK.open + MARK.close)}, isStderr);
    }
  };
  for (
    const name of ("log debug info dir dirxml warn error assert table count " +
      "group groupCollapsed timeLog timeEnd").split(" ")
  ) {
    const original = console[name];
    const isStderr = /^(warn|error|assert)$/.test(name);
    console[name] = (...args) => marked(isStderr, () => original(...args));
  }
  for (const [name, isStderr] of [["stdout", false], ["stderr", true]]) {
    if (!print) break;
    const decoder = new TextDecoder();
    const writeSync = (bytes) => {
      marked(isStderr, () => print(decoder.decode(bytes, { stream: true }), isStderr));
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
        current = n;
        const v = thrown;
        thrown = undefined;
        return { causes: causes(v), ...(isError(v) ? {} : { text: text(v) }) };
      },
      // Those that nothing holds the process open for do not count.
      pending: () =>
        [...pending.values()]
          .filter(({ timer }) => !timer?._destroyed && (timer?.hasRef?.() ?? true))
          .map(({ at, due }) => ({ at, in: due === Infinity ? null : due - Date.now() })),
    },
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

const MARKED = new RegExp(`${MARK.open}(\\d*)${MARK.close}`);

/** Takes printed text apart at the marks of what is late. */
export class LateText {
  readonly #inside = new Map<string, number>(); // by stream

  /** Parts of a text of a stream; `fence` of those that are late. */
  *parts(
    name: string,
    text: string,
  ): Generator<{ text: string; fence?: number }> {
    if (!this.#inside.has(name) && !text.includes(MARK.open)) {
      return yield { text };
    }
    const pieces = text.split(MARKED);
    for (const [i, piece] of pieces.entries()) {
      if (i % 2) {
        if (piece) this.#inside.set(name, Number(piece));
        else this.#inside.delete(name);
      } else if (piece) yield { text: piece, fence: this.#inside.get(name) };
    }
  }
}

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
