/** `deno task study list`: the studies that are on record. */
import { Command } from "commander";
import { StudyError } from "../../lib/study/commands.ts";
import { json, minute, roomOf, table, withUnit } from "./format.ts";
import {
  addRecordOptions,
  namesOf,
  openReader,
  type RecordOptions,
  say,
  storeName,
  storesOf,
  warn,
} from "./records.ts";
import { bestSetting, settingResults } from "./settings.ts";

async function studiesIn(url: string) {
  const store = await openReader(url);
  try {
    const rows = await store.studies();
    const names = namesOf(rows);
    const listed = [];
    for (const row of rows) {
      const results = await store.results(row.studyId);
      const best = bestSetting(settingResults(results), row.direction);
      const times = results.flatMap((r) => [r.start, r.complete])
        .filter((time) => time !== null);
      listed.push({
        name: names.get(row.studyId)!,
        record: storeName(url, store),
        direction: row.direction,
        metric: row.metric,
        trials: row.trials,
        best: best?.mean ?? null,
        bestParams: best?.params ?? null,
        lastActivity: times.length
          ? new Date(Math.max(...times.map(Number)))
          : null,
      });
    }
    return listed;
  } finally {
    await store.close();
  }
}

async function list(o: RecordOptions & { json?: boolean }): Promise<number> {
  const stores = storesOf(o);
  const studies: Awaited<ReturnType<typeof studiesIn>> = [];
  let bad = false;
  for (const url of stores) {
    try {
      studies.push(...await studiesIn(url));
    } catch (error) {
      if (stores.length === 1 || !(error instanceof StudyError)) throw error;
      warn(error.message);
      bad = true;
    }
  }
  if (o.json) console.log(json({ studies }));
  else if (studies.length === 0) {
    say("no study is on record here: `deno task study` runs one");
  } else {
    const count = (state: keyof typeof studies[0]["trials"]) =>
      studies.map((s) => String(s.trials[state] || ""));
    console.log(table([
      { head: "study", cells: studies.map((s) => s.name) },
      { head: "complete", cells: count("COMPLETE"), right: true },
      { head: "failed", cells: count("FAIL"), right: true },
      { head: "pruned", cells: count("PRUNED"), right: true },
      { head: "running", cells: count("RUNNING"), right: true },
      { head: "waiting", cells: count("WAITING"), right: true },
      {
        head: "best",
        cells: studies.map((s) => withUnit(s.best, s.metric)),
        right: true,
      },
      {
        head: "last activity",
        cells: studies.map((s) => minute(s.lastActivity)),
        spare: true,
      },
      { head: "record", cells: studies.map((s) => s.record) },
    ], roomOf(Deno.stdout)));
  }
  return bad ? 1 : 0;
}

export function listCommand(): Command {
  return addRecordOptions(new Command("list"))
    .summary("list the studies that are on record")
    .description(
      "List studies with their trials by state, the best mean over " +
        "repeats, when a trial last started or ended, and their " +
        "record. Changes nothing.",
    )
    .option("--json", "print the studies as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  deno task study list --dir runs/quick",
    )
    .action(async (options) => Deno.exit(await list(options)));
}
