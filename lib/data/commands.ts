/** What commands use of data sets beside what others may import. */
export { setHash, sizesOf } from "./audit/audit.ts";
export { countsOf, publishedCounts } from "./audit/checks.ts";
export { readHeads } from "./audit/facts.ts";
export { type Finding, type FindingKind, KINDS } from "./audit/types.ts";
export { formatOf, GENERAL } from "./formats/mod.ts";
export * from "./mod.ts";
export {
  cacheEntries,
  type CacheFile,
  clearCache,
  defaultCacheDir,
} from "./read/cache.ts";
export { cutImage, READING_RULE } from "./read/decode_image.ts";
