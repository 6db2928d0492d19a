/** Pythons with what FERLab starts, reads for or is measured against, made on demand. */
import { dirname, join } from "node:path";

const TORCH = ["torch==2.15.0", "safetensors==0.8.0"];
export const JUPYTERLAB = "4.6.6";
const JUPYTER = [
  "nbclient==0.11.0",
  "nbconvert==7.17.2",
  "papermill==2.7.0",
  "ipykernel==7.4.0", // nbconvert and papermill want one to be there
];
const OPTUNA = [
  "optuna==5.0.0",
  "optuna-dashboard==0.21.0",
  "psycopg2-binary==2.9.13",
  "pandas==3.1.1", // trials_dataframe
  "scikit-learn==1.9.1", // importances
];

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
      }\` failed; python3 with pip and venv is needed`,
    );
  }
}

/**
 * A Python with `packages`: that of the environment variable `name` where set,
 * else of `venv` in the user's cache, which the first call makes.
 */
async function python(
  { name, venv, packages, what }: {
    name: string;
    venv: string;
    packages: string[];
    what: string;
  },
): Promise<string> {
  const given = Deno.env.get(name);
  if (given) return given;
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME")!, ".cache");
  const folder = join(cache, "ferlab", venv);
  const path = join(folder, "bin", "python");
  const ready = join(folder, "ready");
  const text = packages.join(" ");
  const made = await Deno.readTextFile(ready).catch(() => undefined);
  if (made !== text) {
    console.error(`making a venv with ${what}`);
    await Deno.mkdir(dirname(folder), { recursive: true });
    await run("python3", "-m", "venv", folder);
    await run(path, "-m", "pip", "install", "--quiet", ...packages);
    await Deno.writeTextFile(ready, text);
  }
  return path;
}

/**
 * The path of a Python with PyTorch and safetensors (FERLAB_PYTHON_TORCH, or a
 * venv, which is a large download).
 */
export const torchPython = (): Promise<string> =>
  python({
    name: "FERLAB_PYTHON_TORCH",
    venv: "venv-torch-2.15.0",
    packages: TORCH,
    what: "PyTorch",
  });

/**
 * The path of a Python with nbclient, nbconvert and papermill
 * (FERLAB_JUPYTER, or a venv).
 */
export const notebookPython = (): Promise<string> =>
  python({
    name: "FERLAB_JUPYTER",
    venv: "venv-nbclient-0.11.0",
    packages: JUPYTER,
    what: "nbclient, nbconvert and papermill",
  });

/** The path of a Python with JupyterLab (FERLAB_JUPYTER, or a venv). */
export const jupyterPython = (): Promise<string> =>
  python({
    name: "FERLAB_JUPYTER",
    venv: `venv-jupyterlab-${JUPYTERLAB}`,
    packages: [`jupyterlab==${JUPYTERLAB}`],
    what: `JupyterLab ${JUPYTERLAB}`,
  });

/**
 * The path of a Python with Optuna, its dashboard, and what they read records
 * with (FERLAB_PYTHON_OPTUNA, or a venv).
 */
export const optunaPython = (): Promise<string> =>
  python({
    name: "FERLAB_PYTHON_OPTUNA",
    venv: "venv-optuna-5.0.0",
    packages: OPTUNA,
    what: "Optuna and its dashboard",
  });
