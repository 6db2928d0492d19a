/** What workers and other programs print: Deno's own kernel loses it. */

type Print = (text: string, isStderr: boolean) => void;

/**
 * Runs in the kernel and in its workers, where no name from outside is known:
 * puts a console there, and a `Deno.stdout` and a `Deno.stderr`, that print by
 * `print`.
 */
export function cellStreams(
  print: Print,
  names: ("stdout" | "stderr")[] = ["stdout", "stderr"],
): void {
  const { Console } = (Deno as never)[(Deno as never)["internal"]];
  const own = new (Console as new (print: unknown) => object)(
    (text: string, level: number) => print(text, level > 1),
  );
  for (const [name, method] of Object.entries(own)) {
    if (typeof method === "function") console[name as "log"] = method;
  }
  for (const name of names) {
    const decoder = new TextDecoder();
    const writeSync = (bytes: Uint8Array) => {
      print(decoder.decode(bytes, { stream: true }), name === "stderr");
      return bytes.length;
    };
    const write = async (bytes: Uint8Array) => await writeSync(bytes);
    const writable = new WritableStream({ write: (b) => void writeSync(b) });
    for (const [key, value] of Object.entries({ writeSync, write, writable })) {
      Object.defineProperty(Deno[name], key, { configurable: true, value });
    }
  }
}

/**
 * Runs in the kernel, where no name from outside of it is known: puts a
 * `Deno.Command`, a `Worker` and Node's own there whose output, where it would
 * be that of the kernel's process, is the cell's.
 * @param streams {@link cellStreams}
 */
export function cellChildren(print: Print, streams: typeof cellStreams): void {
  const { setTimeout, Worker } = globalThis;
  const { Command } = Deno;
  const LATE = 200; // ms that what a program started may hold its output open
  type Name = "stdout" | "stderr";

  /** The command with its output piped where it is the kernel's. */
  const piped = (
    [command, options = {}]: ConstructorParameters<typeof Command>,
    usual: "inherit" | "piped",
  ) => {
    const names = (["stdout", "stderr"] as Name[])
      .filter((name) => (options[name] ?? usual) === "inherit");
    const more = Object.fromEntries(names.map((name) => [name, "piped"]));
    return { names, command: new Command(command, { ...options, ...more }) };
  };
  const printed = (output: Deno.CommandOutput, names: Name[]) => {
    for (const name of names) {
      print(new TextDecoder().decode(output[name]), name === "stderr");
    }
    return output;
  };
  class OwnCommand extends Command {
    readonly #given: ConstructorParameters<typeof Command>;
    constructor(...given: ConstructorParameters<typeof Command>) {
      super(...given);
      this.#given = given;
    }
    override async output() {
      const { names, command } = piped(this.#given, "piped");
      return printed(await command.output(), names);
    }
    override outputSync() {
      const { names, command } = piped(this.#given, "piped");
      return printed(command.outputSync(), names);
    }
    override spawn() {
      const { names, command } = piped(this.#given, "inherit");
      const child = command.spawn();
      const all = Promise.allSettled(names.map(async (name) => {
        const texts = child[name].pipeThrough(new TextDecoderStream());
        for await (const text of texts) print(text, name === "stderr");
      }));
      const status = child.status.then(async (status) => {
        await Promise.race([all, new Promise((r) => setTimeout(r, LATE))]);
        return status;
      });
      const value = (value: unknown) => ({ configurable: true, value });
      Object.defineProperty(child, "status", value(status));
      for (const name of names) {
        Object.defineProperty(child, name, value(null));
      }
      return child;
    }
  }

  /** What a worker begins with. */
  const begin = (post: Print, names = "") => `(${streams})(${post}${names});`;
  const module = (code: string) =>
    `data:text/javascript,${encodeURIComponent(code)}`;
  const importing = (first: string, url: string) =>
    module(
      `import ${JSON.stringify(module(first))};import ${JSON.stringify(url)};`,
    );
  const first = begin((text, isStderr) =>
    (self as unknown as Worker).postMessage({ ferlab_print: [text, isStderr] })
  );
  class OwnWorker extends Worker {
    constructor(specifier: string | URL, options?: WorkerOptions) {
      const url = String(specifier);
      super(URL.canParse(url) ? importing(first, url) : specifier, options);
      this.addEventListener("message", (event) => {
        const told = event.data?.ferlab_print;
        if (!Array.isArray(told)) return;
        event.stopImmediatePropagation();
        print(String(told[0]), told[1] === true);
      });
    }
  }

  const threads = process.getBuiltinModule("node:worker_threads");
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  // By the messages that a thread's own `process.stdout`, which stays, sends.
  const firstOfThread = begin((text, isStderr) => {
    const { parentPort } = process.getBuiltinModule("node:worker_threads");
    const type = isStderr ? "WORKER_STDERR" : "WORKER_STDOUT";
    parentPort!.postMessage({ type, data: text });
  }, ", []");
  class OwnThread extends threads.Worker {
    constructor(
      file: string | URL,
      options: ConstructorParameters<typeof threads.Worker>[1] = {},
    ) {
      const url = URL.canParse(file) ? file : pathToFileURL(String(file));
      super(
        options.eval
          ? firstOfThread + file
          : new URL(importing(firstOfThread, String(url))),
        options,
      );
      for (const name of ["stdout", "stderr"] as Name[]) {
        if (options[name]) continue;
        this[name].on("data", (text) => print(String(text), name === "stderr"));
      }
    }
  }
  for (
    const [on, name, value] of [
      [Deno, "Command", OwnCommand],
      [globalThis, "Worker", OwnWorker],
      [threads, "Worker", OwnThread],
    ] as const
  ) {
    Object.defineProperty(value, "name", { value: name });
    Object.defineProperty(on, name, {
      ...{ configurable: true, writable: true, value },
    });
  }
}
