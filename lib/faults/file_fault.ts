/** Why a file or folder cannot be read or written, in words. */

/** By the code that Deno and Node give the system's error. */
const WHY: Record<string, string> = {
  EACCES: "there is no permission",
  EEXIST: "a file or link is in the way",
  EISDIR: "it is a folder",
  ELOOP: "a link leads back to itself",
  ENAMETOOLONG: "a name is too long",
  ENOENT: "there is no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "a file is where a folder has to be",
  EPERM: "there is no permission",
  EROFS: "it is read-only",
};

/** Why the system failed, in words, or the first line that was thrown. */
export function fileFault(error: unknown): string {
  const { code = "", message = String(error) } = Object(error);
  return WHY[code] ?? message.split("\n")[0];
}

/**
 * A system's error that nobody put into words, as one line: its file, why, and
 * what to do; undefined for other errors.
 */
export function bareFileFault(error: unknown): string | undefined {
  const { code = "", message = "" } = Object(error);
  const [, file] = /^(?:E[A-Z]+: |.* \(os error \d+\): ).* '([^']+)'$/
    .exec(message) ?? [];
  return file && WHY[code] && `${file}: ${WHY[code]}: give another path`;
}
