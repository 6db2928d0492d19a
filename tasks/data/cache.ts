/** `deno task data cache`: the decoded pixels that are kept on this machine. */
import { Argument } from "commander";
import {
  cacheEntries,
  clearCache,
  defaultCacheDir,
} from "../../lib/data/commands.ts";
import {
  bytes,
  minute,
  numbers,
  plural,
  roomOf,
  table,
  words,
} from "../text.ts";
import { held } from "./info.ts";
import { command, printLine, say } from "../cli.ts";

function list(dir: string): void {
  const entries = cacheEntries(dir);
  if (entries.length === 0) return say(`the cache is empty: ${dir}`);
  printLine(table([
    numbers("images", entries.map((e) => String(e.images?.count ?? ""))),
    words("holds", entries.map(held)),
    numbers("size", entries.map((e) => bytes(e.bytes))),
    words("written", entries.map((e) => minute(e.written))),
    words("file", entries.map((e) => e.path)),
  ], roomOf(Deno.stdout)));
}

function clear(dir: string): void {
  const removed = clearCache(dir);
  say(
    `removed ${plural(removed.files, "file")}, ${bytes(removed.bytes)}, ` +
      `from ${dir}`,
  );
}

export const cacheCommand = command("cache", {
  summary: "list or clear the decoded pixels",
  about: "List the decoded data sets in the user's cache folder " +
    "($XDG_CACHE_HOME/ferlab/data), or remove them. A data set that is " +
    "needed again is decoded again.",
  examples: ["data cache clear"],
  takes: (c) =>
    c.addArgument(
      new Argument("[what]", "what to do").choices(["list", "clear"])
        .default("list"),
    ),
}, (what: "list" | "clear") => {
  (what === "clear" ? clear : list)(defaultCacheDir());
  return Promise.resolve(0);
});
