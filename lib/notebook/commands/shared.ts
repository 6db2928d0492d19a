/** What the commands of `deno task nb` share: paths, colours, errors, exit codes. */
import { type Command, InvalidArgumentError } from "commander";
import { dirname, relative, resolve } from "node:path";
import { stripAnsi } from "../ansi.ts";
import { replaceText } from "../file/json_text.ts";
import { clean } from "../terminal_text.ts";
import { TypedText } from "../run/parameter_kinds.ts";

/**
 * The command that the arguments name, or all for their help: loaded where they
 * are wanted, as start-up time counts.
 */
export function loadWanted<T>(
  commands: Record<string, () => Promise<T>>,
): Promise<T[]> {
  const [name = ""] = Deno.args;
  const wanted = Object.hasOwn(commands, name)
    ? [commands[name]]
    : Object.values(commands);
  return Promise.all(wanted.map((load) => load()));
}

/** Throws what is wrong with a command line, and tells it in one line. */
export const inOneLine = (command: Command): Command =>
  command.exitOverride().configureOutput({
    outputError: (text, write) =>
      write(`${text.trimEnd().replaceAll("\n", " ")}\n`),
  });

/** Exit codes of a run that a signal stopped. */
export const EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Aborts with all kept when the user or the system asks to stop; `again` is
 * called when they ask once more.
 */
export function stopSignal(again: (code: number) => void) {
  const stop = new AbortController();
  let code = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    if (Deno.build.os === "windows" && name !== "SIGINT") continue;
    Deno.addSignalListener(name, () => {
      if (stop.signal.aborted) return again(EXIT[name]);
      code = EXIT[name];
      stop.abort();
    });
  }
  /** The exit code; 0 before anything was asked. */
  return { signal: stop.signal, code: () => code };
}

// `deno task` moves to the project's root; paths are meant from before that.
const here = Deno.cwd() === resolve(import.meta.dirname!, "../../..")
  ? Deno.env.get("INIT_CWD") ?? Deno.cwd()
  : Deno.cwd();
export const path = (given: string) => resolve(here, given);
/** An absolute path as messages show it. */
export const shownPath = (absolute: string) => {
  const short = relative(here, absolute);
  return short.startsWith("..") ? absolute : short || ".";
};

/** Puts a text into a colour, where the stream is a terminal. */
const painter = (stream: { isTerminal(): boolean }) => {
  const colour = stream.isTerminal() && !Deno.noColor;
  return (code: number, text: string) =>
    colour ? `\x1b[${code}m${text}\x1b[0m` : text;
};
export const paint = painter(Deno.stderr), paintOut = painter(Deno.stdout);
export const BOLD = 1, DIM = 2, RED = 31, GREEN = 32, YELLOW = 33;

/** Writes a text whole. */
export function writeAll(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += stream.writeSync(bytes.subarray(at));
  }
}

/** A number that an option takes, for commander. */
export const numberOption =
  (what: string, test: (n: number) => boolean) => (text: string): number => {
    const n = Number(text);
    if (text.trim() !== "" && test(n)) return n;
    throw new InvalidArgumentError(`it must be ${what}`);
  };

export const isFolder = async (file: string): Promise<boolean> =>
  (await Deno.stat(file).catch(() => undefined))?.isDirectory ?? false;

/** Fails before a long run, not after it, where `file` cannot be one. */
export async function checkFolder(file: string) {
  if (!await isFolder(dirname(file))) {
    throw new Error(
      `${shownPath(file)}: its folder does not exist; make it first`,
    );
  }
  if (await isFolder(file)) {
    throw new Error(`${shownPath(file)} is a folder; give a file`);
  }
}

/**
 * Does `work` for each file; one that cannot be done is told, and the others go
 * on.
 * @returns what became of those that could, and whether all could
 */
export async function eachFile<T>(
  given: string[],
  work: (file: string, index: number) => Promise<T>,
): Promise<{ results: T[]; ok: boolean }> {
  const results: T[] = [];
  let ok = true;
  for (const [i, name] of given.entries()) {
    const file = path(name);
    try {
      results.push(await work(file, i));
    } catch (e) {
      ok = false;
      fail((e as Error).message.replace(file, shownPath(file)));
    }
  }
  return { results, ok };
}

/** The first line of a text from elsewhere, in which nothing orders the terminal. */
export const plainLine = (text: string): string =>
  clean(stripAnsi(text).split("\n")[0]);

export function fail(message: string) {
  console.error(`${paint(RED, "error:")} ${plainLine(message)}`);
}

const NAME = "[\\p{ID_Start}_$][\\p{ID_Continue}$]*";

/** Papermill's `-p name value` and `-f file` as this command has them. */
export function asPapermill(args: string[]): string[] {
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const isName = new RegExp(`^${NAME}$`, "u").test(args[i + 1] ?? "");
    if (/^(-f|--parameters_file)$/.test(args[i])) words.push("--params");
    else if (!/^(-p|--param|--parameters)$/.test(args[i])) words.push(args[i]);
    else {
      words.push("-p");
      if (isName && i + 2 < args.length) {
        words.push(`${args[i + 1]}=${args[i + 2]}`);
        i += 2;
      }
    }
  }
  return words;
}

/** Collects `-p name=value` options. */
export function parameterOption(
  text: string,
  before?: Record<string, unknown>,
) {
  const [, name, value] = new RegExp(`^\\s*(${NAME})\\s*=([^]*)$`, "u")
    .exec(text) ?? [];
  if (!name) throw new InvalidArgumentError("it must be name=value");
  return { ...before, [name]: new TypedText(value) };
}

/** Prints one line that does not stop the work. */
export function warn(message: string) {
  console.error(`${paint(YELLOW, "warning:")} ${plainLine(message)}`);
}

/** Writes a file at once: who reads it meanwhile finds the old one or the new. */
export async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await replaceText(file, text);
  } catch (e) {
    throw new Error((e as Error).message.replace(file, shownPath(file)));
  }
}
