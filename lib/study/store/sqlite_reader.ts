/** Reading a SQLite file without making anything, on a read-only disk too. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StudyError } from "../errors.ts";
import { type Connection, type Database, Serial } from "./database.ts";
import {
  isThere,
  SQLITE,
  SqliteConnection,
  sqliteFault,
  type SqliteOptions,
  sqliteTransaction,
  whileLocked,
} from "./sqlite.ts";

/** What changes when a file of the database is written. */
function fingerprint(path: string): string {
  return [path, `${path}-wal`].map((file) => {
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
    return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : "none";
  }).join("; ");
}

class Changed extends Error {}

class SqliteReader implements Database {
  readonly dialect = SQLITE;
  readonly #serial = new Serial();

  constructor(readonly name: string, readonly options: SqliteOptions) {}

  read<T>(work: (c: Connection) => Promise<T>): Promise<T> {
    const since = performance.now();
    return this.#serial.run(() =>
      whileLocked(this.name, () => this.#read(work), { ...this.options, since })
    );
  }

  async #read<T>(work: (c: Connection) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return isThere(`${this.name}-wal`)
          ? await this.#beside(work)
          : await this.#alone(work);
      } catch (error) {
        if (!(error instanceof Changed)) throw sqliteFault(this.name, error);
      }
    }
  }

  /** Nobody writes: SQLite needs no file beside this one. */
  async #alone<T>(work: (c: Connection) => Promise<T>): Promise<T> {
    const before = fingerprint(this.name);
    const url = pathToFileURL(this.name);
    url.searchParams.set("immutable", "1");
    try {
      return await withFile(url, work);
    } finally {
      // deno-lint-ignore no-unsafe-finally -- what was read is void
      if (fingerprint(this.name) !== before) throw new Changed();
    }
  }

  /** Beside a writer, or after one that was killed. */
  async #beside<T>(work: (c: Connection) => Promise<T>): Promise<T> {
    if (existsSync(`${this.name}-shm`)) {
      try {
        return await withFile(this.name, work);
      } catch (error) {
        if (!/unable to open|readonly/.test((error as Error).message)) {
          throw error;
        }
      }
    }
    const folder = mkdtempSync(join(tmpdir(), "ferlab-records-"));
    try {
      const before = fingerprint(this.name);
      const copy = join(folder, "records.sqlite");
      copyFileSync(this.name, copy);
      copyFileSync(`${this.name}-wal`, `${copy}-wal`);
      if (fingerprint(this.name) !== before) throw new Changed();
      return await withFile(copy, work);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  write<T>(): Promise<T> {
    return Promise.reject(
      new StudyError(`${this.name} was opened for reading only`),
    );
  }

  close(): Promise<void> {
    return this.#serial.run(() => Promise.resolve());
  }
}

async function withFile<T>(
  file: string | URL,
  work: (c: Connection) => Promise<T>,
): Promise<T> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    db.exec("PRAGMA busy_timeout=2");
    const c = new SqliteConnection(db);
    return await sqliteTransaction(c, "BEGIN", () => work(c));
  } finally {
    db.close();
  }
}

/** Opens a file for reading. @throws StudyError when there is none */
export function openSqliteReader(
  path: string,
  options: SqliteOptions,
): Database {
  if (!isThere(path)) {
    throw new StudyError(`${path}: no trial records here: run the study first`);
  }
  return new SqliteReader(path, options);
}
