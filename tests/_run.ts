/** Runs a program of this project as a user would and gives what it said. */
export async function finished(command: Deno.Command) {
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // With an empty cache Deno itself first says what it downloads.
  const err = text(stderr).replace(/^\S*Download\S* .*\n/gm, "");
  return { code, out: text(stdout), err };
}
