/** What the command lines of `deno task` share: errors, and finding a command. */
import { type Command, InvalidArgumentError, type Option } from "commander";
import { meantText } from "../lib/faults/mod.ts";
import { DeviceError } from "../lib/tensorflow/commands.ts";
import { clean } from "./study/format.ts";

/** A command that was called wrongly: exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** One line on the error stream. */
export function say(line: string): void {
  try {
    console.error(line);
  } catch { /* the terminal is closed: the exit code still tells */ }
}

/** Errors whose every line is a fault. */
const FAULTS = ["RecipeError", "StudyError", "UsageError"];

/** Writes text to standard output; false where nobody reads on (`| head`). */
export async function print(text: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) {
      at += await Deno.stdout.write(bytes.subarray(at));
    }
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}

/** Names with commas between, of an option. */
export const listed = (text: string): string[] =>
  text.split(",").map((name) => name.trim());

/** The JSON of `--recipe FILE`. @throws UsageError where there is none */
export async function readRecipe(
  file: string,
): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    const [why] = (error as Error).message.split("\n");
    throw new UsageError(`--recipe ${file}: not readable as JSON (${why})`);
  }
}

/**
 * Runs `work`; what it throws is one line on stderr, or one a fault of a recipe
 * or a study, and an exit code: 2 for wrong usage, 1 for the rest.
 *
 * @param isUsage which errors, beside UsageError and DeviceError, mean a wrong
 * call.
 */
export async function exiting(
  name: string,
  work: () => Promise<unknown>,
  isUsage: (error: unknown) => boolean = () => false,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const e = error as Error & { code?: string; exitCode?: number };
    if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
    const lines = e.message.split("\n");
    const told = FAULTS.includes(e.name) ? lines : lines.slice(0, 1);
    for (const line of told) say(`${name}: ${clean(line)}`);
    const wrong = e instanceof UsageError || e instanceof DeviceError;
    Deno.exit(wrong || isUsage(e) ? 2 : 1);
  }
}

/** Takes one of `names`; of another it says which was meant. */
export function withChoices(option: Option, names: readonly string[]): Option {
  return option.choices(names).argParser((text) => {
    if (names.includes(text)) return text;
    throw new InvalidArgumentError(
      meantText(text, names).replace("; did", "Did") ||
        `Allowed choices are ${names.join(", ")}.`,
    );
  });
}

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
  const [name] = Deno.args;
  if (Object.hasOwn(commands, name ?? "")) {
    program.addCommand((await commands[name]())());
    return;
  }
  if (!rest && name && !name.startsWith("-") && name !== "help") {
    throw new UsageError(
      `no command "${name}"${
        meantText(name, Object.keys(commands)) ||
        `: they are ${Object.keys(commands).join(", ")}`
      }`,
    );
  }
  for (const load of Object.values(commands)) {
    program.addCommand((await load())());
  }
  await rest?.();
}
