/** `deno task study delete`: removes a study with its trials and files. */
import { rmSync } from "node:fs";
import { bytesBelow, checkpointsOf, logsOf } from "./trials.ts";
import { bytes, clean, plural } from "../text.ts";
import { type RecordOptions, withName, withStudy } from "./records.ts";
import { command, say, UsageError } from "../cli.ts";

function remove(
  name: string,
  o: RecordOptions & { yes?: boolean },
): Promise<number> {
  if (!o.yes && !Deno.stdin.isTerminal()) {
    throw new UsageError("delete asks on a terminal; elsewhere give --yes");
  }
  return withStudy(name, { ...o, write: true }, async (found) => {
    const { store, row, dir, record } = found;
    const trials = await store.trials(row.studyId);
    const files = dir === undefined
      ? []
      : [...checkpointsOf(dir, row, trials), ...logsOf(dir, row, trials)];
    const size = files.reduce((sum, file) => sum + bytesBelow(file), 0);
    const running = trials.filter((t) => t.state === "RUNNING").length;
    const what = clean(
      `"${found.name}" in ${record} with ${plural(trials.length, "trial")}${
        running ? ` (${running} of them running now)` : ""
      }${files.length ? `, their checkpoints and logs (${bytes(size)})` : ""}`,
    );
    if (!o.yes && !confirm(`Delete ${what}?`)) {
      say("nothing was deleted");
      return 1;
    }
    await store.deleteStudy(row.studyId);
    for (const file of files) rmSync(file, { recursive: true });
    console.log(`deleted ${what}`);
    return 0;
  });
}

export const deleteCommand = command("delete", {
  summary: "remove a study with its trials and files",
  about: "Remove a study with all its trials and, where its folder is known, " +
    "their checkpoints and logs. Asks first.",
  examples: ["study delete lr-search --dir runs/quick"],
  takes: withName,
  options: { "--yes": "do not ask" },
}, remove);
