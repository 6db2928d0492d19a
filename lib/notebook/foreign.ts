/** Notebooks of other kernels. */
import type { Notebook } from "./types.ts";

const OURS = /^(deno|typescript|javascript)$/i;
const text = (v: unknown) => typeof v === "string" && v ? v : undefined;

/**
 * The name of the kernel that a notebook asks for, when it is not Deno's; a
 * notebook that names none is taken to be Deno's.
 */
export function foreignKernel({ metadata }: Notebook): string | undefined {
  const { kernelspec, language_info } = metadata as Record<
    string,
    Record<string, unknown> | null | undefined
  >;
  const name = text(kernelspec?.name);
  const language = text(kernelspec?.language) ?? text(language_info?.name);
  if (name && OURS.test(name)) return;
  if (language ? OURS.test(language) : !name) return;
  return name ? `"${name}"` : `one of ${language}`;
}

/** @throws {Error} in one line when `nb` is another kernel's */
export function refuseForeign(file: string, nb: Notebook): void {
  const kernel = foreignKernel(nb);
  if (kernel === undefined) return;
  throw new Error(
    `${file}: its kernel is ${kernel}; only Deno notebooks are run here ` +
      '(metadata.kernelspec.name "deno")',
  );
}
