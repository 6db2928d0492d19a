/** Trial stores: Optuna's RDB schema in a SQLite file or on PostgreSQL. */
import { StudyError } from "../errors.ts";
import type { Database } from "./database.ts";
import { RdbStore } from "./rdb.ts";
import { checkRevision, prepare } from "./schema.ts";
import { isThere, openSqlite } from "./sqlite.ts";
import { openSqliteReader } from "./sqlite_reader.ts";
import type { Store } from "./types.ts";

export {
  decodeJson,
  type Distribution,
  distributionOf,
  encodeJson,
} from "./encoding.ts";
export { LostTrialError, StoreUnavailableError } from "./errors.ts";
export * from "./types.ts";

export interface StoreOptions {
  /** Makes and changes nothing; works on a read-only disk. */
  readOnly?: boolean;
  /**
   * How long a lock (60 s by default) or a lost server (300 s) is waited for
   * before a call fails with StoreUnavailableError.
   */
  waitSeconds?: number;
  /** What the user should know but nothing stops for. */
  onWarning?: (message: string) => void;
}

/**
 * Opens the trial store of a path, `sqlite:///path`, `postgres://…`,
 * `postgresql://…` or Optuna's `postgresql+psycopg2://…`, and makes its tables
 * when there are none. Close it when done.
 *
 * @throws StudyError when it cannot be used, or has an unknown revision.
 */
export async function openStore(
  url: string,
  options: StoreOptions = {},
): Promise<Store> {
  const { readOnly = false, onWarning = () => {} } = options;
  const path = sqlitePath(url);
  if (path === undefined) throw new StudyError("PostgreSQL is on its way");
  const settings = { waitSeconds: options.waitSeconds ?? 60, onWarning };
  let db: Database | undefined;
  try {
    if (readOnly || isThere(path)) {
      // Before anything is written, WAL included.
      db = openSqliteReader(path, settings);
      if (await checkRevision(db) === "empty" && readOnly) {
        throw new StudyError(
          `${path}: no trial records here: run the study first`,
        );
      }
    }
    if (!readOnly) {
      db = await openSqlite(path, settings);
      await prepare(db);
    }
    return new RdbStore(db!);
  } catch (error) {
    await db?.close();
    throw error;
  }
}

function sqlitePath(url: string): string | undefined {
  if (url.startsWith("sqlite:///")) return url.slice("sqlite:///".length);
  return /^postgres(ql)?(\+\w+)?:/.test(url) ? undefined : url;
}
