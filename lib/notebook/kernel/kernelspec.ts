/** Registers the kernel of this project with Jupyter. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const PROXY = resolve(import.meta.dirname!, "proxy.ts");

/** The name of Deno's own kernel, which the notebooks ask for. */
const NAME = "deno";
/** What Deno's own is called while this one has its name. */
const ASIDE = "deno-plain";

export const kernelspec = () => ({
  argv: [
    Deno.execPath(),
    "run",
    "--allow-all",
    "--no-check",
    PROXY,
    "--conn",
    "{connection_file}",
  ],
  display_name: "FERLab (Deno)",
  language: "typescript",
  interrupt_mode: "message",
});

/**
 * Writes the kernel's specification under `data`, a folder for
 * `JUPYTER_PATH`. Its name is that of Deno's own kernel, which notebooks of
 * this project ask for and also run on.
 */
export async function writeKernelspec(data: string): Promise<string> {
  const folder = join(data, "kernels", NAME);
  await Deno.mkdir(folder, { recursive: true });
  const text = JSON.stringify(kernelspec(), null, 2) + "\n";
  await Deno.writeTextFile(join(folder, "kernel.json"), text);
  return folder;
}

/** The folder in which Jupyter keeps what is this user's. */
export function jupyterData(): string {
  const { env, build } = Deno;
  const home = env.get("HOME") ?? env.get("USERPROFILE") ?? "";
  const usual = {
    darwin: join(home, "Library", "Jupyter"),
    windows: join(env.get("APPDATA") ?? home, "jupyter"),
  }[build.os as string] ??
    join(env.get("XDG_DATA_HOME") || join(home, ".local", "share"), "jupyter");
  return env.get("JUPYTER_DATA_DIR") || usual;
}

/** The command that a registered kernel is started by; none when there is none. */
export async function registered(
  data: string,
  name = NAME,
): Promise<string[] | undefined> {
  const file = join(data, "kernels", name, "kernel.json");
  const text = await Deno.readTextFile(file).catch(() => undefined);
  if (text === undefined) return;
  try {
    const { argv } = JSON.parse(text);
    return Array.isArray(argv) ? argv.map(String) : [];
  } catch {
    return [];
  }
}

/** Whether a kernel's command starts this one, of this copy or of another. */
export const isOurs = (argv: string[]) =>
  argv.some((word) => /[\\/]notebook[\\/](kernel[\\/])?proxy\.ts$/.test(word));

/**
 * Registers the kernel for this user, for every front end. Deno's own, where
 * it has the name, stays as {@link ASIDE}.
 * @returns what was done, a line each
 */
export async function installKernelspec(
  data: string = jupyterData(),
): Promise<string[]> {
  const at = (name: string) => join(data, "kernels", name);
  const before = await registered(data);
  const lines: string[] = [];
  if (before && !isOurs(before)) {
    if (existsSync(at(ASIDE))) await Deno.remove(at(NAME), { recursive: true });
    else await Deno.rename(at(NAME), at(ASIDE));
    lines.push(`the kernel that was "${NAME}" is "${ASIDE}" from now on`);
  }
  return [`${await writeKernelspec(data)}: registered`, ...lines];
}

/** Takes back what {@link installKernelspec} did. */
export async function uninstallKernelspec(
  data: string = jupyterData(),
): Promise<string[]> {
  const at = (name: string) => join(data, "kernels", name);
  const before = await registered(data);
  if (!before || !isOurs(before)) {
    return [`${at(NAME)}: FERLab's kernel is not registered there`];
  }
  await Deno.remove(at(NAME), { recursive: true });
  const lines = [`${at(NAME)}: removed`];
  if (existsSync(at(ASIDE))) {
    await Deno.rename(at(ASIDE), at(NAME));
    lines.push(`the kernel that was "${ASIDE}" is "${NAME}" again`);
  }
  return lines;
}
