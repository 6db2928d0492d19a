/**
 * Tests by the programs that read what we export. Their Python is named by
 * FERLAB_PYTHON_READERS:
 *
 *     python3 -m venv readers
 *     readers/bin/pip install onnxruntime tensorboard mlflow-skinny
 *     FERLAB_PYTHON_READERS=readers/bin/python deno task test
 */
const python = Deno.env.get("FERLAB_PYTHON_READERS");

/** Runs Python `code` with `args`; the JSON of its last line. */
export async function readBack<T>(code: string, ...args: string[]): Promise<T> {
  const { success, stdout, stderr } = await new Deno.Command(python!, {
    args: ["-W", "ignore", "-c", code, ...args],
    // MLflow asks for this since its store of files gets no new features.
    env: { MLFLOW_ALLOW_FILE_STORE: "true" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(text(stderr));
  return JSON.parse(text(stdout).trim().split("\n").at(-1)!) as T;
}

/** A test that is skipped, and says why, where no such Python is named. */
export function readerTest(
  name: string,
  packages: string,
  fn: () => Promise<void>,
): void {
  const why = python ? "" : ` (needs FERLAB_PYTHON_READERS with ${packages})`;
  Deno.test({ name: name + why, ignore: !python, fn });
}
