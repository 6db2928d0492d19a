/** A SQLite file as a trial database: WAL, one writer at a time. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { StudyError } from "../errors.ts";
import {
  type Connection,
  type Database,
  type Dialect,
  persist,
  type Row,
  Serial,
  type Value,
} from "./database.ts";
import { StoreUnavailableError } from "./errors.ts";
import { networkMount } from "./mounts.ts";

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

export interface SqliteOptions {
  /** How long a lock is waited for. */
  waitSeconds: number;
  onWarning: (message: string) => void;
}

class SqliteDatabase implements Database {
  readonly dialect = SQLITE;
  readonly #serial = new Serial();
  readonly #c: SqliteConnection;

  constructor(
    readonly name: string,
    db: DatabaseSync,
    readonly options: SqliteOptions,
  ) {
    this.#c = new SqliteConnection(db);
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
        (again) =>
          sqliteTransaction(this.#c, begin, () => work(this.#c, again))
            .catch((error) => {
              throw readable(this.name, error);
            }),
        { ...this.options, since },
      )
    );
  }

  close(): Promise<void> {
    return this.#serial.run(() => {
      if (this.#c.db.isOpen) this.#c.db.close();
      return Promise.resolve();
    });
  }
}

/** SQLite's own errors in one line for the user; others as they are. */
export function readable(path: string, error: unknown): unknown {
  if (
    isBusy(error) || (error as { code?: string }).code !== "ERR_SQLITE_ERROR"
  ) {
    return error;
  }
  const { message } = error as Error;
  return message === "database or disk is full"
    ? new StoreUnavailableError(`${path}: the disk is full`)
    : new StudyError(`${path}: ${message}`);
}

/** Whether there is a file with something in it. */
export function isThere(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0;
}

/**
 * Opens a file for writing, making it when it is not there. WAL lets readers
 * look on; FULL, because a commit an epoch is cheap and a power cut must not
 * cost a finished trial.
 *
 * @throws StudyError when it cannot be written
 * @throws StoreUnavailableError when it stays locked
 */
export async function openSqlite(
  path: string,
  options: SqliteOptions,
): Promise<Database> {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const mount = networkMount(path);
    if (mount) {
      options.onWarning(
        `${path} lies on a network file system (${mount}), where SQLite's ` +
          `locks are not safe: use a local disk or PostgreSQL`,
      );
    }
    const open = db = new DatabaseSync(path);
    // Our own waiting does not block the event loop, SQLite's does.
    open.exec("PRAGMA busy_timeout=2");
    await whileLocked(path, () => {
      open.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
      // Finds a read-only file or folder before anything is trained.
      open.exec("BEGIN IMMEDIATE; ROLLBACK");
      return Promise.resolve();
    }, options);
    return new SqliteDatabase(path, open, options);
  } catch (error) {
    db?.close();
    if (error instanceof StudyError) throw error;
    throw new StudyError(
      `${path}: cannot write trial records (${
        (error as Error).message
      }): choose a folder on a writable local disk`,
    );
  }
}
