/**
 * Pythons with what FERLab starts, reads for or is measured against, made on
 * demand. What is in each stands in `venvs/NAME.txt`: every package, also those
 * that others bring, with its version and SHA-256, for all platforms. After a
 * change of `NAME.in` it is written anew by
 *
 *     uv pip compile --universal --generate-hashes --no-header --no-annotate \
 *       --python-version 3.11 --no-build NAME.in -o NAME.txt
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The environments, each by the package that it is for. */
type Venv = "torch" | "nbclient" | "jupyterlab" | "optuna";

/** A committed list of packages. */
function lockOf(name: Venv): { path: string; text: string; version: string } {
  const path = join(import.meta.dirname!, "venvs", `${name}.txt`);
  const text = readFileSync(path, "utf8");
  const version = new RegExp(`^${name}==([\\w.]+)`, "m").exec(text)![1];
  return { path, text, version };
}

export const JUPYTERLAB = lockOf("jupyterlab").version;

async function run(command: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, {
    args,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) {
    throw new Error(
      `\`${command} ${
        args.join(" ")
      }\` failed; python3 (3.11 or newer) with pip and venv is needed`,
    );
  }
}

/** What names another Python than that of a venv, and what is in the venv. */
const VENVS: Record<Venv, [variable: string, what: string]> = {
  torch: ["FERLAB_PYTHON_TORCH", "PyTorch"],
  nbclient: ["FERLAB_JUPYTER", "nbclient, nbconvert and papermill"],
  jupyterlab: ["FERLAB_JUPYTER", `JupyterLab ${JUPYTERLAB}`],
  optuna: ["FERLAB_PYTHON_OPTUNA", "Optuna and its dashboard"],
};

/**
 * The path of a Python: that which the environment names, else that of a venv
 * in the user's cache, which the first call makes: exactly what the list says,
 * each file checked, none built here.
 */
export async function pythonWith(venv: Venv): Promise<string> {
  const [variable, what] = VENVS[venv];
  const given = Deno.env.get(variable);
  if (given) return given;
  const lock = lockOf(venv);
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME")!, ".cache");
  const folder = join(cache, "ferlab", `venv-${venv}-${lock.version}`);
  const path = join(folder, "bin", "python");
  const ready = join(folder, "ready");
  const isReady = async () =>
    await Deno.readTextFile(ready).catch(() => "") === lock.text;
  if (await isReady()) return path;
  await Deno.mkdir(dirname(folder), { recursive: true });
  // Of several processes one makes it, and the others wait.
  using own = await Deno.open(`${folder}.lock`, { create: true, write: true });
  await own.lock(true);
  if (await isReady()) return path;
  console.error(`making a venv with ${what}`);
  await run("python3", "-m", "venv", folder);
  // deno-fmt-ignore
  await run(path, "-m", "pip", "install", "--quiet", "--require-hashes",
    "--only-binary=:all:", "--no-deps", "-r", lock.path);
  await Deno.writeTextFile(ready, lock.text);
  return path;
}
