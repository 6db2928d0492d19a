/** Trial stores: Optuna's RDB schema in a SQLite file or on PostgreSQL. */
import { StudyError } from "../errors.ts";
import type { Database } from "./database.ts";
import { openPostgres, settleTimeZone } from "./postgres.ts";
import { storeIn } from "./rdb.ts";
import { checkRevision, createTables } from "./tables.ts";
import { isThere, openSqlite, type SqliteOptions } from "./sqlite.ts";
import { openSqliteReader } from "./sqlite_reader.ts";
import type { Store, StoreOptions } from "./types.ts";
import { isPostgresUrl, parsePostgresUrl } from "./url.ts";

export {
  decodeJson,
  type Distribution,
  distributionOf,
  encodeJson,
} from "./encoding.ts";
export { LostTrialError, StoreUnavailableError } from "../errors.ts";
export { isFinalFailure, vainTries } from "./adding.ts";
export * from "./types.ts";

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
  const isOther = /^[a-z][\w+.-]*:\/\//i.test(url) &&
    !url.startsWith("sqlite:///");
  if (isOther && !isPostgresUrl(url)) {
    throw new StudyError(
      `${url.replace(/:\/\/.*/, "://…")}: no such store: give a file, ` +
        `sqlite:///FILE or a URL of PostgreSQL`,
    );
  }
  const db = isPostgresUrl(url)
    ? await postgresDatabase(url, {
      readOnly,
      onWarning,
      waitSeconds: options.waitSeconds ?? 300,
    })
    : await sqliteDatabase(url.replace(/^sqlite:\/\/\//, ""), readOnly, {
      onWarning,
      waitSeconds: options.waitSeconds ?? 60,
    });
  return storeIn(db);
}

async function sqliteDatabase(
  path: string,
  readOnly: boolean,
  options: SqliteOptions,
): Promise<Database> {
  if (readOnly || isThere(path)) {
    // Before anything is written, WAL included.
    const reader = openSqliteReader(path, options);
    await checkRevision(reader, readOnly);
    if (readOnly) return reader;
  }
  const db = await openSqlite(path, options);
  return await closedOnError(db, () => createTables(db));
}

async function postgresDatabase(
  url: string,
  options: Required<StoreOptions>,
): Promise<Database> {
  const db = openPostgres(parsePostgresUrl(url), options);
  return await closedOnError(db, async () => {
    if (options.readOnly) return await checkRevision(db, true);
    const made = await createTables(db);
    await settleTimeZone(db, made, options.onWarning);
  });
}

async function closedOnError(
  db: Database,
  work: () => Promise<unknown>,
): Promise<Database> {
  try {
    await work();
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}
