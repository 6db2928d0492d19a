/** What workers and other programs print: Deno's own kernel loses it. */

type Print = (text: string, isStderr: boolean) => void;

/**
 * Runs in the kernel, where no name from outside of it is known: puts a
 * `Deno.Command` and a `Worker` there whose output, where it would be that of
 * the kernel's process, is the cell's.
 */
export function cellChildren(print: Print): void {
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
  const install = () => {
    const { Console } = (Deno as never)[(Deno as never)["internal"]];
    const own = new (Console as new (print: unknown) => object)(
      (text: string, level: number) =>
        (self as unknown as Worker).postMessage({
          ferlab_print: [text, level > 1],
        }),
    );
    for (const [name, method] of Object.entries(own)) {
      if (typeof method === "function") console[name as "log"] = method;
    }
  };
  const module = (code: string) =>
    `data:text/javascript,${encodeURIComponent(code)}`;
  const first = JSON.stringify(module(`(${install})()`));
  class OwnWorker extends Worker {
    constructor(specifier: string | URL, options?: WorkerOptions) {
      const url = String(specifier);
      const code = `import ${first};import ${JSON.stringify(url)};`;
      super(URL.canParse(url) ? module(code) : specifier, options);
      this.addEventListener("message", (event) => {
        const told = event.data?.ferlab_print;
        if (!Array.isArray(told)) return;
        event.stopImmediatePropagation();
        print(String(told[0]), told[1] === true);
      });
    }
  }
  for (
    const [on, name, value] of [
      [Deno, "Command", OwnCommand],
      [globalThis, "Worker", OwnWorker],
    ] as const
  ) {
    Object.defineProperty(value, "name", { value: name });
    Object.defineProperty(on, name, {
      ...{ configurable: true, writable: true, value },
    });
  }
}
