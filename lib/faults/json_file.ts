/** A JSON file by its schema, or what is wrong with it. */
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { z } from "zod";

/** No file that is read so takes more. */
const MOST_BYTES = 2 ** 28;

/** What a file holds; `error` says in one line that it is no `what`, and why. */
export function readAs<T>(
  file: string,
  schema: z.ZodType<T>,
  what: string,
): { data?: T; error?: string } {
  const wrong = (why: string) => ({
    error: `${basename(file)}: not ${what}: ${why}`,
  });
  let json: unknown;
  try {
    const { size } = statSync(file);
    if (size > MOST_BYTES) return wrong(`it has ${size} bytes, too many`);
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return wrong("it cannot be read as JSON");
  }
  const { data, error } = schema.safeParse(json);
  if (data) return { data };
  const [{ path, message }] = error!.issues;
  return wrong([path.join("."), message].filter(Boolean).join(": "));
}
