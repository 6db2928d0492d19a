/** A Python with the peers that FERLab is measured against, made on demand. */
import { dirname, join } from "node:path";

const PACKAGES = ["torch==2.15.0", "safetensors==0.8.0"];

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
 * The path of a Python with PyTorch and safetensors: that of
 * FERLAB_PYTHON_TORCH where set, else of a venv in the user's cache, which the
 * first call makes (a large download).
 */
export async function torchPython(): Promise<string> {
  const given = Deno.env.get("FERLAB_PYTHON_TORCH");
  if (given) return given;
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME")!, ".cache");
  const venv = join(cache, "ferlab", "venv-torch-2.15.0");
  const python = join(venv, "bin", "python");
  const ready = join(venv, "ready");
  const packages = PACKAGES.join(" ");
  const made = await Deno.readTextFile(ready).catch(() => undefined);
  if (made !== packages) {
    console.error("making a venv with PyTorch");
    await Deno.mkdir(dirname(venv), { recursive: true });
    await run("python3", "-m", "venv", venv);
    await run(python, "-m", "pip", "install", "--quiet", ...PACKAGES);
    await Deno.writeTextFile(ready, packages);
  }
  return python;
}
