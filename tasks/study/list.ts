/** `deno task study list`: the studies that are on record. */
import { StudyError } from "../../lib/study/commands.ts";
import { clean, json, minute, numbers, roomOf, table, words } from "../text.ts";
import { withUnit } from "./values.ts";
import {
  openReader,
  type RecordOptions,
  storeName,
  storesOf,
  studyNames,
  warn,
  withRecordOptions,
} from "./records.ts";
import { command, say } from "../cli.ts";
import { bestSetting, settingResults } from "./settings.ts";

async function studiesIn(url: string) {
  await using store = await openReader(url);
  const rows = await store.studies();
  const names = studyNames(rows);
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
}

type Listed = Awaited<ReturnType<typeof studiesIn>>;

/** The studies of one record, a line each. */
function listText(studies: Listed): string {
  const count = (state: keyof Listed[0]["trials"]) =>
    studies.map((s) => String(s.trials[state] || ""));
  return table([
    words("study", studies.map((s) => s.name)),
    numbers("complete", count("COMPLETE")),
    numbers("failed", count("FAIL")),
    numbers("pruned", count("PRUNED")),
    numbers("running", count("RUNNING")),
    numbers("waiting", count("WAITING")),
    numbers("best", studies.map((s) => withUnit(s.best, s.metric))),
    words("last activity", studies.map((s) => minute(s.lastActivity)), {
      spare: true,
    }),
  ], roomOf(Deno.stdout));
}

async function list(o: RecordOptions & { json?: boolean }): Promise<number> {
  const stores = storesOf(o);
  const studies: Listed = [];
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
    const parts = Map.groupBy(studies, (study) => study.record);
    console.log(
      Array.from(
        parts,
        ([record, own]) => `${clean(record)}\n${listText(own)}`,
      )
        .join("\n\n"),
    );
  }
  return bad ? 1 : 0;
}

export const listCommand = command("list", {
  summary: "list the studies that are on record",
  about:
    "List studies with their trials by state, the best mean over repeats, " +
    "when a trial last started or ended, and their record. Changes nothing.",
  examples: ["study list --dir runs/quick"],
  takes: withRecordOptions,
  options: {
    "--json": "print the studies as JSON",
  },
}, list);
