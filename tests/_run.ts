/** Runs a program of this project as a user would and gives what it said. */
export async function finished(command: Deno.Command) {
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // Deno itself says what it downloads, or that it waits for another one.
  const err = text(stderr).replace(/^\S*(?:Download|Blocking)\S* .*\n/gm, "");
  return { code, out: text(stdout), err };
}
