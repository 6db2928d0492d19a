/**
 * What the proxy puts into the kernel before the first cell: a line to the
 * proxy that tells whether the event loop lives, ends what a cell awaits, and
 * ends the kernel when the proxy is gone.
 */
import { wrapNodes } from "../code/cell_edits.ts";

/** Names under which a cell's awaits find the agent. */
export const UNTIL = 'globalThis[Symbol.for("ferlab.until")]';
const EACH = 'globalThis[Symbol.for("ferlab.each")]';

/** The watcher is a thread of its own: an endless loop does not stop it. */
const watcher = (port: number) => `
  const line = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
  self.postMessage(0);
  await line.read(new Uint8Array(1)).catch(() => {});
  Deno.kill(Deno.pid, "SIGKILL");`;

/**
 * Code to execute in the kernel. Over the line to `port` it first says
 * `token`; it answers "ping" by "pong N", N being the number of listeners of
 * SIGINT; at "stop" it rejects all that top-level awaits wait for, or the next
 * one where there is none, until it reads "go"; at "collect"
 * it collects garbage: a cell that was ended in a loop after an await has lost
 * its end, and the kernel learns it only when the cell's promise is collected.
 */
export const agentCode = (port: number, token: string): string =>
  `void 0;//# sourceURL=ext:ferlab-agent
  void await (async () => {
  const waits = new Set();
  let isStopped = false;
  const interrupted = () => {
    const error = new Error("stopped");
    error.name = "Interrupted";
    return error;
  };
  const until = (value) => new Promise((resolve, reject) => {
    if (isStopped) return reject(interrupted());
    waits.add(reject);
    const end = (settle) => (v) => { waits.delete(reject); settle(v); };
    Promise.resolve(value).then(end(resolve), end(reject));
  });
  async function* each(source) {
    const items = (source[Symbol.asyncIterator] ?? source[Symbol.iterator])
      .call(source);
    let ended = false;
    try {
      while (true) {
        const { done, value } = await until(items.next());
        ended = done;
        if (done) return;
        yield value;
      }
    } finally {
      if (!ended) items.return?.();
    }
  }
  for (const [name, value] of Object.entries({ until, each })) {
    Object.defineProperty(globalThis, Symbol.for("ferlab." + name), { value });
  }
  let listeners = 0;
  for (const [name, by] of [["addSignalListener", 1], ["removeSignalListener", -1]]) {
    const original = Deno[name];
    Deno[name] = (signal, listener) => {
      original(signal, listener);
      if (signal === "SIGINT") listeners += by;
    };
  }
  const line = await Deno.connect({ hostname: "127.0.0.1", port: ${port} });
  const say = (text) => line.write(new TextEncoder().encode(text + "\\n"));
  await say(${JSON.stringify(token)});
  const watcher = new Worker("data:text/javascript," + encodeURIComponent(${
    JSON.stringify(watcher(port))
  }), { type: "module" });
  await new Promise((seen) => watcher.onmessage = seen);
  const listen = async () => {
    for await (const text of line.readable.pipeThrough(new TextDecoderStream())) {
      for (const order of text.trim().split("\\n")) {
        if (order === "ping") await say("pong " + Math.max(0, listeners));
        if (order === "collect") {
          const { setFlagsFromString } = await import("node:v8");
          setFlagsFromString("--expose-gc");
          (await import("node:vm")).runInNewContext("gc")();
          await say("collected");
        }
        if (order === "go") isStopped = false;
        if (order === "stop") {
          isStopped = waits.size === 0;
          for (const reject of waits) reject(interrupted());
          waits.clear();
        }
      }
    }
  };
  listen().catch(() => {});
})()`;

/** `await x` becomes `await until(x)`, and so with `for await`. */
export const interruptible = (code: string): string =>
  !code.includes("await") ? code : wrapNodes(code, (node, wrap) => {
    if (/Function/.test(node.type)) return false; // its awaits are its own
    if (node.type === "AwaitExpression") {
      wrap(node.argument, `${UNTIL}((`, "))");
    } else if (node.type === "ForOfStatement" && node.await) {
      wrap(node.right, `${EACH}((`, "))");
    }
  });
