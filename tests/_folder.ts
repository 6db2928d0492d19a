/** Does work in a temporary folder. */
export async function inFolder(
  work: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** `Deno.test` for bodies that `around` gives something to work with. */
export const testsWith = <Given>(
  around: (body: (given: Given) => Promise<void>) => Promise<void>,
) =>
(name: string, body: (given: Given) => Promise<void>): void =>
  Deno.test(name, () => around(body));

/** A test in a temporary folder of its own. */
export const folderTest = testsWith(inFolder);
