// A Python with the real optuna 5.0.0, found or made once, and what it reads.
import { decodeJson } from "../../lib/study/store/mod.ts";
import { pythonWith } from "../../tasks/python.ts";

async function run(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(
    await pythonWith("optuna"),
    { args, stdout: "piped", stderr: "piped" },
  ).output();
  if (!success) {
    throw new Error(`python ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}

const HEAD = `
import json, math, sys, warnings
warnings.simplefilter("ignore")
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
assert optuna.__version__ == "5.0.0", optuna.__version__
storage = sys.argv[1]
`;

/** Runs Python `code` that has `storage`; the JSON of its last line. */
export async function withStorage<T>(
  storage: string,
  code: string,
): Promise<T> {
  const out = await run(["-c", HEAD + code, storage]);
  return JSON.parse(out.trim().split("\n").at(-1)!) as T;
}

/** The same with `study`, a study by name. */
export function withOptuna<T>(
  storage: string,
  study: string,
  code: string,
): Promise<T> {
  const load = `study = optuna.load_study(study_name=${
    JSON.stringify(study)
  }, storage=storage)\n`;
  return withStorage<T>(storage, load + code);
}

/** Runs Optuna's command line; the JSON that it prints. */
export async function optunaCommand<T>(...args: string[]): Promise<T> {
  const code = "from optuna.cli import main; main()";
  return decodeJson(await run(["-W", "ignore", "-c", code, ...args])) as T;
}
