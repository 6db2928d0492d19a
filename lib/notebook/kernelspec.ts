/** Registers the kernel of this project with Jupyter. */
import { join, resolve } from "node:path";

/** How Jupyter starts the kernel. */
export const kernelspec = () => ({
  argv: [
    Deno.execPath(),
    "run",
    "--allow-all",
    "--no-check",
    resolve(import.meta.dirname!, "proxy.ts"),
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
export async function writeKernelspec(data: string): Promise<void> {
  const folder = join(data, "kernels", "deno");
  await Deno.mkdir(folder, { recursive: true });
  const text = JSON.stringify(kernelspec(), null, 2) + "\n";
  await Deno.writeTextFile(join(folder, "kernel.json"), text);
}
