/** What the command lines of `deno task` share: errors, numbers, signals, commands. */
import { Command, InvalidArgumentError, Option } from "commander";
import {
  bareFileFault,
  fileFault,
  inMessage,
  meantText,
} from "../lib/faults/mod.ts";
import {
  inOneLine,
  loadWanted,
  numberOption,
  stopSignal,
  writeAll,
} from "../lib/notebook/commands/mod.ts";
import { clean } from "./text.ts";

export { numberOption, stopSignal };

/** A command that was called wrongly: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * For those who draw faces: a folder that is named in the environment is for
 * other data.
 *
 * @param remedy how the folder would be read
 * @throws UsageError for a folder that is given
 */
export function refuseFolder(given: string | undefined, remedy: string): void {
  if (!given || given === Deno.env.get("FERLAB_DATA_DIR")) return;
  throw new UsageError(
    `--data-dir ${given}: no folder is read, since the faces are drawn: ` +
      remedy,
  );
}

/** One line on the error stream. */
export function say(line: string): void {
  try {
    console.error(line);
  } catch { /* the terminal is closed: the exit code still tells */ }
}

/** Errors whose every line is a fault. */
const FAULTS = ["RecipeError", "StudyError", "UsageError"];
/** Errors of a wrong call: what it names is not there, or cannot be used. */
const WRONG = [
  ...FAULTS,
  ...["CheckpointError", "DataError", "DeviceError", "WeightsError"],
];

/** Writes text to standard output; false where nobody reads on (`| head`). */
export function print(text: string): boolean {
  try {
    writeAll(Deno.stdout, text);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}

/** The same, its line ended. */
export const printLine = (text: string): boolean => print(`${text}\n`);

/** A whole number from 0, for commander. */
export const fromZero = numberOption(
  "a whole number from 0, below 2^53",
  (n) => Number.isSafeInteger(n) && n >= 0,
);

/** More processes than this are a slip of the pen. */
const MOST_JOBS = 256;

/** How many at once, for commander. */
export const jobCount = numberOption(
  `a whole number from 1 to ${MOST_JOBS}`,
  (n) => Number.isInteger(n) && n > 0 && n <= MOST_JOBS,
);

/** Names with commas between, of an option. */
export const namesInOption = (text: string): string[] =>
  text.split(",").map((name) => name.trim());

/**
 * Does `work`; an error of `kinds`, or any without them, is a wrong call, told
 * in one line after `what`.
 */
export async function asUsage<T>(
  what: string,
  work: () => T | Promise<T>,
  ...kinds: (new (message: string) => Error)[]
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isKnown = kinds.some((kind) => error instanceof kind);
    if (kinds.length > 0 && !isKnown) throw error;
    throw new UsageError(`${what}: ${fileFault(error)}`);
  }
}

/** The JSON of `--recipe FILE`. @throws UsageError where there is none */
export async function readRecipe(
  file: string,
): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    throw new UsageError(
      `--recipe ${file}: not readable as JSON (${fileFault(error)})`,
    );
  }
}

/**
 * Runs `work`; what it throws is one line on stderr, or one a fault of a recipe
 * or a study, and an exit code: 2 for wrong usage, 1 for the rest.
 */
export async function exiting(
  name: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const e = error as Error & { code?: string; exitCode?: number };
    if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
    const lines = (bareFileFault(e) ?? e.message).split("\n");
    const told = FAULTS.includes(e.name) ? lines : lines.slice(0, 1);
    for (const line of told) say(`${name}: ${clean(line)}`);
    Deno.exit(WRONG.includes(e.name) ? 2 : 1);
  }
}

/** What an option of a command does, and how its text is read. */
interface OptionTraits {
  /** What its text may be. */
  choices?: readonly string[];
  /** Its value; undefined for a flag, or for the text as it is. */
  // deno-lint-ignore no-explicit-any
  read?: (text: string, before?: any) => unknown;
  default?: unknown;
  /** The variable of the environment that gives it, too. */
  env?: string;
  required?: boolean;
}

/** Takes one of `names`; of another it says which was meant. */
const oneOf = (names: readonly string[]) => (text: string): string => {
  if (names.includes(text)) return text;
  throw new InvalidArgumentError(
    meantText(text, names).replace("; did", "Did") ||
      `Allowed choices are ${names.join(", ")}.`,
  );
};

/** Options by their flags. */
export type Options = Record<
  string,
  [about: string, traits?: OptionTraits] | string
>;

/** Adds options to a command. */
export function withOptions(command: Command, options: Options): Command {
  for (const [flags, given] of Object.entries(options)) {
    const [about, traits = {}] = [given].flat() as [string, OptionTraits?];
    const option = new Option(flags, about);
    const { choices, read = choices && oneOf(choices), env, required } = traits;
    if (choices) option.choices(choices);
    if (read) option.argParser(read);
    if (traits.default !== undefined) option.default(traits.default);
    if (env) option.env(env);
    if (required) option.makeOptionMandatory();
    command.addOption(option);
  }
  return command;
}

/** A command whose errors are one line, and whose work tells the exit code. */
export const finished = (
  command: Command,
  // deno-lint-ignore no-explicit-any
  work: (...args: any[]) => Promise<number>,
): Command =>
  inOneLine(command)
    .action(async (...args) => Deno.exit(await work(...args)));

/** What a command says and takes. */
interface CommandTraits {
  /** In the list of commands; the description without it. */
  summary?: string;
  about: string;
  /** Calls of it, without `deno task`. */
  examples?: readonly string[];
  options?: Options;
  /** Adds arguments, and the options that it shares with other commands. */
  takes?: (command: Command) => Command;
}

/** Makes a command that is `finished`. */
export const command = (
  name: string,
  { summary, about, examples = [], options = {}, takes = (c) => c }:
    CommandTraits,
  work: Parameters<typeof finished>[1],
) =>
(): Command => {
  const made = new Command(name).description(about);
  if (summary) made.summary(summary);
  if (examples.length > 0) {
    const title = `\nExample${examples.length > 1 ? "s" : ""}:`;
    const calls = examples.map((call) => `\n  deno task ${call}`);
    made.addHelpText("after", title + calls.join(""));
  }
  return finished(withOptions(takes(made), options), work);
};

/** @throws UsageError where an argument or an option's value is empty */
function checkEmpty(): void {
  const at = Deno.args.findIndex((text) =>
    text.trim() === "" || /^--[\w-]+=$/.test(text)
  );
  if (at < 0) return;
  const name = Deno.args[at].split("=")[0] || Deno.args[at - 1];
  throw new UsageError(
    name?.startsWith("-")
      ? `${name}: its value is empty: give one, or leave ${name} out`
      : "an argument is empty: take it out",
  );
}

/** Each command's module, loaded where it is wanted: start-up time counts. */
export type Commands = Record<string, () => Promise<() => Command>>;

/**
 * Adds to `program` the command that the arguments name, or all for its help.
 *
 * @param rest adds what `program` does without a command; it then judges words
 * that are none.
 * @throws UsageError for a command that there is not, and for empty words
 */
export async function addCommands(
  program: Command,
  commands: Commands,
  rest?: () => Promise<void>,
): Promise<void> {
  checkEmpty();
  const [name = ""] = Deno.args;
  const isKnown = Object.hasOwn(commands, name);
  if (!rest && !isKnown && !/^(-.*|help|)$/.test(name)) {
    throw new UsageError(
      `no command ${inMessage(name)}${
        meantText(name, Object.keys(commands)) ||
        `: they are ${Object.keys(commands).join(", ")}`
      }`,
    );
  }
  for (const make of await loadWanted(commands)) program.addCommand(make());
  if (!isKnown) await rest?.();
}
