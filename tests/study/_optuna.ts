// A Python with the real optuna 5.0.0, found or made once, and what it reads.
import { optunaPython } from "../../tasks/python.ts";

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(
      `${command} ${args[0]}: ${new TextDecoder().decode(stderr)}`,
    );
  }
  return new TextDecoder().decode(stdout);
}

/** Runs Python `code` that has `study`, the named study, and `optuna`. */
export async function withOptuna<T>(
  records: string,
  study: string,
  code: string,
): Promise<T> {
  const head = `
import json, math, sys, warnings
warnings.simplefilter("ignore")
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
assert optuna.__version__ == "5.0.0", optuna.__version__
study = optuna.load_study(study_name=sys.argv[2],
                          storage="sqlite:///" + sys.argv[1])
`;
  const out = await run(await optunaPython(), [
    "-c",
    head + code,
    records,
    study,
  ]);
  return JSON.parse(out.trim().split("\n").at(-1)!) as T;
}
