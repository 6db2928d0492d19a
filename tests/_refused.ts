/** Checks of what is refused in one line. */
import assert from "node:assert/strict";

/** For `assert.throws`: an error of this name, of one line that matches. */
export const inOneLine = (name: string, line: RegExp) => (error: Error) => {
  assert.equal(error.name, name);
  assert.match(error.message, line);
  return !error.message.includes("\n");
};

/** That a program ended with this code, and said why in one line. */
export function assertRefused(
  { code, err }: { code: number; err: string },
  exit: number,
  line: RegExp,
): void {
  assert.equal(code, exit, err);
  assert.match(err, line);
  assert.equal(err.trimEnd().split("\n").length, 1, err);
}
