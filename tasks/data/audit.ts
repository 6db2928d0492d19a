/** `deno task data audit`: everything that is wrong with a data set. */
import { auditListing, changesResults } from "../../lib/data/mod.ts";
import {
  checkFolder,
  path,
  shownPath,
  writeWhole,
} from "../../lib/notebook/commands/mod.ts";
import { json, roomOf } from "../text.ts";
import { auditText } from "./audit_text.ts";
import { openSet, type SetOptions, withSetOptions } from "./set.ts";
import { command, printLine, say, UsageError } from "../cli.ts";
import { Progress } from "../screen.ts";

interface Options extends SetOptions {
  all?: boolean;
  json?: boolean;
  html?: string;
  samples?: boolean;
}

const PHASES = {
  decode: "decoding images",
  read: "looking at images",
  compare: "comparing images",
};

async function audit(given: string, o: Options): Promise<number> {
  if (o.samples && !o.html) {
    throw new UsageError("--samples is for the page: give --html FILE too");
  }
  const file = o.html && path(o.html);
  if (file) await checkFolder(file);
  const { dir, format, listing } = openSet(given, o);
  const progress = new Progress();
  const result = await auditListing(listing, {
    dir,
    published: format.published,
    onProgress: (phase, done, total) =>
      progress.show(PHASES[phase], done, total),
  }).finally(() => progress.end());
  printLine(
    o.json
      ? json(result)
      : auditText(result, { ...o, room: roomOf(Deno.stdout) }),
  );
  if (file) {
    const { auditPage } = await import("./audit_page.ts");
    const { drawSamples } = await import("./samples.ts");
    const samples = o.samples
      ? await drawSamples(dir, listing, result)
      : undefined;
    await writeWhole(file, auditPage(result, shownPath(dir), samples));
    say(
      shownPath(file) +
        (samples ? ": holds faces of the data set; do not publish it" : ""),
    );
  }
  return result.findings.some(changesResults) ? 1 : 0;
}

export const auditCommand = command("audit", {
  summary: "find leaks, copies, conflicts and bad files",
  about:
    "Decode and compare all images of a data set. Reports counts beside the " +
    "published ones, missing and damaged files, the same image in several " +
    "splits or with several labels (equal bytes, equal pixels or nearly " +
    "equal: saved anew, mirrored, slightly cropped), blank images and " +
    "sizes. Exit code 1 when a finding changes results.",
  examples: [
    "data audit data/fer2013",
    "data audit data/raf-db --html audit.html --samples",
  ],
  takes: withSetOptions,
  options: {
    "--all": "list every finding, not only the first of each kind",
    "--json": "print the whole audit as JSON",
    "--html <file>": "also write it as one HTML page",
    "--samples": "show images on the page, which must then not be published",
  },
}, audit);
