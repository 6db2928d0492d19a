/** `deno task worker`: joins a recorded study and runs its trials. */
import { ensureLibrary, useDeviceOf } from "../lib/tensorflow/commands.ts";
import { path } from "../lib/notebook/commands/mod.ts";
import { command, exiting, say, UsageError, withOptions } from "./cli.ts";
import { storeUrl } from "./study/records.ts";
import {
  addWatchOptions,
  launchOptions,
  watch,
  type WatchOptions,
} from "./study/watch.ts";

/** The only study of a store. @throws StudyError when there are others */
async function onlyStudy(url: string): Promise<string> {
  const { openStore, StudyError } = await import("../lib/study/mod.ts");
  await using store = await openStore(url, { readOnly: true });
  const names = (await store.studies()).map((study) => study.name);
  if (names.length === 1) return names[0];
  throw new StudyError(
    `${store.name} has ${names.length} studies${
      names.length ? ` (${names.join(", ")})` : ""
    }: say which with --study NAME`,
  );
}

async function work(
  o: WatchOptions & { study?: string; objective?: string },
): Promise<number> {
  if (!o.store) {
    throw new UsageError(
      "say where the records are: --store URL, or FERLAB_STORE",
    );
  }
  const { joinStudy, studyFolder } = await import("../lib/study/mod.ts");
  const store = storeUrl(o.store);
  const study = o.study ?? await onlyStudy(store);
  const dir = path(o.dir ?? studyFolder(study));
  const objective = o.objective && path(o.objective);
  if (!objective) await ensureLibrary({ onProgress: say });
  return await watch(o, (watched) =>
    joinStudy(study, {
      ...launchOptions(o),
      ...{ store, dir, objective },
      ...watched,
    }));
}

const program = command("deno task worker", {
  about:
    "Joins a study as a worker: claims its trials one after the other until\n" +
    "all have ended. Start any number of them, on any machines that reach\n" +
    "the store. A trial of a worker that died is put back and run again.\n" +
    "Give the URL in FERLAB_STORE and its password in PGPASSWORD or\n" +
    "~/.pgpass, so that they do not show in the list of processes.",
  examples: ["worker --store postgres://lab@host/studies --study lr-search"],
  takes: (c) =>
    addWatchOptions(withOptions(c, {
      "--study <name>": "the study (default: the only one of the store)",
      "--objective <file>": "the study's module, unless it is a training plan",
    })),
}, work);

await exiting("worker", async () => {
  await useDeviceOf(Deno.args);
  await program().parseAsync(Deno.args, { from: "user" });
});
