/** A SQLite file as a trial database: WAL, one writer at a time. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  DamagedValueError,
  StoreUnavailableError,
  StudyError,
} from "../errors.ts";
import {
  type Connection,
  type Database,
  type Dialect,
  persist,
  type Row,
  Serial,
  type Value,
} from "./database.ts";
import { networkMount } from "./mounts.ts";
import { SqliteFile } from "./sqlite_file.ts";
import type { StoreOptions } from "./types.ts";

export const SQLITE: Dialect = {
  kind: "sqlite",
  forUpdate: "",
  skipLocked: "",
  age: (column) => `(julianday('now') - julianday(${column})) * 86400`,
  jsonArray: (...expressions) => `json_array(${expressions.join(", ")})`,
  jsonStep: "json_object('epoch', step, 'value', CASE " +
    "intermediate_value_type WHEN 'FINITE' THEN intermediate_value " +
    "ELSE intermediate_value_type END)",
  join: (expression) => `group_concat(${expression}, ',')`,
};

const MAX_STATEMENTS = 300;

export class SqliteConnection implements Connection {
  readonly dialect = SQLITE;
  readonly #statements = new Map<string, StatementSync>();

  constructor(readonly db: DatabaseSync) {}

  // deno-lint-ignore require-await -- what it throws becomes a rejection
  async query(sql: string, values: Value[] = []): Promise<Row[]> {
    return this.#statement(sql).all(...values) as Row[];
  }

  run(sql: string, values: Value[] = []): void {
    this.#statement(sql).run(...values);
  }

  // deno-lint-ignore require-await -- what it throws becomes a rejection
  async script(sql: string): Promise<void> {
    this.db.exec(sql);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** Whether SQLite says that another connection holds a lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error &&
    /^database (table |schema )?is locked/.test(error.message);
}

/** One transaction, of which an error leaves nothing. */
export async function sqliteTransaction<T>(
  c: SqliteConnection,
  begin: "BEGIN" | "BEGIN IMMEDIATE",
  work: () => Promise<T>,
): Promise<T> {
  c.db.exec(begin);
  try {
    const result = await work();
    c.db.exec("COMMIT");
    return result;
  } catch (error) {
    if (c.db.isTransaction) c.db.exec("ROLLBACK");
    throw error;
  }
}

/** Retries while `path` is locked, without blocking the event loop. */
export function whileLocked<T>(
  path: string,
  attempt: (again: boolean) => Promise<T>,
  o: {
    waitSeconds: number;
    since?: number;
    onWarning: (message: string) => void;
  },
): Promise<T> {
  const since = o.since ?? performance.now();
  let warned = false;
  return persist(attempt, {
    passing: isBusy,
    until: since + o.waitSeconds * 1000,
    maxPauseMs: 200,
    onWait: () => {
      if (warned || performance.now() - since < 5000) return;
      warned = true;
      o.onWarning(
        `${path} is locked by another process: ` +
          `waiting up to ${o.waitSeconds} s`,
      );
    },
    giveUp: () =>
      new StoreUnavailableError(
        `${path} stayed locked by another process for ${o.waitSeconds} s: ` +
          `close the program that holds it and run the study again`,
      ),
  });
}

export type SqliteOptions = Required<Omit<StoreOptions, "readOnly">>;

class SqliteDatabase implements Database {
  readonly dialect = SQLITE;
  readonly #serial = new Serial();
  #c: SqliteConnection;

  constructor(
    readonly name: string,
    readonly file: SqliteFile,
    readonly options: SqliteOptions,
  ) {
    this.#c = new SqliteConnection(file.db);
  }

  /** Whether the file was another one and is followed now. */
  #follow(): boolean {
    const moved = this.file.follow();
    if (moved) this.#c = new SqliteConnection(this.file.db);
    return moved;
  }

  read<T>(work: (c: Connection) => Promise<T>): Promise<T> {
    return this.#transaction("BEGIN", work);
  }

  write<T>(
    work: (c: Connection, again: boolean) => Promise<T>,
  ): Promise<T> {
    return this.#transaction("BEGIN IMMEDIATE", work);
  }

  #transaction<T>(
    begin: "BEGIN" | "BEGIN IMMEDIATE",
    work: (c: Connection, again: boolean) => Promise<T>,
  ): Promise<T> {
    const since = performance.now();
    return this.#serial.run(() =>
      whileLocked(
        this.name,
        async (again) => {
          try {
            again = this.#follow() || again;
            const once = () =>
              sqliteTransaction(this.#c, begin, () => work(this.#c, again));
            const result = await once();
            if (begin === "BEGIN" || !this.#follow()) return result;
            // What was just written may lie in the file that is gone.
            again = true;
            return await once();
          } catch (error) {
            throw sqliteFault(this.name, error);
          }
        },
        { ...this.options, since },
      )
    );
  }

  close(): Promise<void> {
    // deno-lint-ignore require-await -- what it throws becomes a rejection
    return this.#serial.run(async () => {
      const { file } = this;
      if (!file.db.isOpen) return;
      try {
        file.follow();
      } finally {
        file.db.close();
      }
    });
  }
}

/** SQLite's own errors in one line for the user; others as they are. */
export function sqliteFault(path: string, error: unknown): unknown {
  if (error instanceof DamagedValueError) {
    return new StudyError(`${path}: ${error.message}`);
  }
  if (
    isBusy(error) || (error as { code?: string }).code !== "ERR_SQLITE_ERROR"
  ) {
    return error;
  }
  const { message } = error as Error;
  return message === "database or disk is full"
    ? new StoreUnavailableError(`${path}: the disk is full`)
    : damage(path, message) ?? new StudyError(`${path}: ${message}`);
}

/** What to do about a file that SQLite cannot read; undefined for other faults. */
function damage(path: string, message: string): StudyError | undefined {
  const aside = `${path}.damaged`;
  if (message === "file is not a database") {
    return new StudyError(
      `${path} is no SQLite database: nothing was written; move it away, or ` +
        `choose another folder or --store`,
    );
  }
  if (/^no such (table|column)/.test(message)) {
    return new StudyError(
      `${path} lacks a part of the records (${message}): put a backup there, ` +
        `or choose another folder or --store`,
    );
  }
  if (!/malformed|disk I\/O error/.test(message)) return;
  return new StudyError(
    `${path} is damaged (${message}): move it to ${aside}, copy what is left ` +
      `with \`sqlite3 ${aside} .recover | sqlite3 ${path}\` or put a backup ` +
      `there, and run the study again; checkpoints are kept`,
  );
}

/**
 * Whether there is a file with something in it.
 *
 * @throws StudyError where there is a folder, or what is no file
 */
export function isThere(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat && !stat.isFile()) {
    throw new StudyError(
      `${path} is ${stat.isDirectory() ? "a folder" : "no plain file"}: give ` +
        `the file of the records`,
    );
  }
  return stat !== undefined && stat.size > 0;
}

/**
 * Opens a file for writing, making it when it is not there. One that is deleted
 * while it is open is written again.
 *
 * @throws StudyError when it cannot be written
 * @throws StoreUnavailableError when it stays locked
 */
export async function openSqlite(
  path: string,
  options: SqliteOptions,
): Promise<Database> {
  let file: SqliteFile | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const mount = networkMount(path);
    if (mount) {
      options.onWarning(
        `${path} lies on a network file system (${mount}), where SQLite's ` +
          `locks are not safe: use a local disk or PostgreSQL`,
      );
    }
    const open = file = new SqliteFile(path, options.onWarning);
    // deno-lint-ignore require-await -- what it throws becomes a rejection
    await whileLocked(path, async () => open.prepare(), options);
    return new SqliteDatabase(path, open, options);
  } catch (error) {
    file?.db.close();
    if (error instanceof StudyError) throw error;
    const { message } = error as Error;
    throw damage(path, message) ?? new StudyError(
      `${path}: cannot write trial records (${message}): choose a folder on a ` +
        "writable local disk",
    );
  }
}
