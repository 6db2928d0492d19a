/** `deno task data cache`: the decoded pixels that are kept on this machine. */
import { Argument, Command } from "commander";
import {
  cacheEntries,
  clearCache,
  defaultCacheDir,
} from "../../lib/data/commands.ts";
import { bytes, minute, plural, roomOf, table } from "../study/format.ts";
import { held } from "./info.ts";
import { print, say } from "./terminal.ts";

function list(dir: string): void {
  const entries = cacheEntries(dir);
  if (entries.length === 0) return say(`the cache is empty: ${dir}`);
  print(table([
    {
      head: "images",
      cells: entries.map((e) => String(e.images?.count ?? "")),
      right: true,
    },
    { head: "holds", cells: entries.map(held) },
    { head: "size", cells: entries.map((e) => bytes(e.bytes)), right: true },
    { head: "written", cells: entries.map((e) => minute(e.written)) },
    { head: "file", cells: entries.map((e) => e.path) },
  ], roomOf(Deno.stdout)));
}

function clear(dir: string): void {
  const removed = clearCache(dir);
  say(
    `removed ${plural(removed.files, "file")}, ${bytes(removed.bytes)}, ` +
      `from ${dir}`,
  );
}

export function cacheCommand(): Command {
  return new Command("cache")
    .summary("list or clear the decoded pixels")
    .description(
      "List the decoded data sets in the user's cache folder " +
        "($XDG_CACHE_HOME/ferlab/data), or remove them. A data set " +
        "that is needed again is decoded again.",
    )
    .addArgument(
      new Argument("[what]", "what to do").choices(["list", "clear"])
        .default("list"),
    )
    .addHelpText("after", "\nExample:\n  deno task data cache clear")
    .showSuggestionAfterError(false) // errors are one line
    .exitOverride()
    .action((what: "list" | "clear") => {
      (what === "clear" ? clear : list)(defaultCacheDir());
      Deno.exit(0);
    });
}
