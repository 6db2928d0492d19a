/** The file of an open database: whether it is still there, written again if not. */
import { mkdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { oneLine, StoreUnavailableError, StudyError } from "../errors.ts";

/** SQLite's help files beside a database. */
const BESIDE = ["-wal", "-shm"];

/** What names a file on this machine, whatever its path; undefined for none. */
function identity(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino}`;
}

/** Opens a file in WAL, which lets readers look on. */
function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  // Our own waiting does not block the event loop, SQLite's does.
  db.exec("PRAGMA busy_timeout=2");
  return db;
}

function settle(db: DatabaseSync): void {
  // FULL, because a commit an epoch is cheap and a power cut must not cost a
  // finished trial.
  db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
}

const MARK = "user_version";
const MARKS = 2 ** 30;

function markOf(db: DatabaseSync): number {
  return Number(db.prepare(`PRAGMA ${MARK}`).get()![MARK]);
}

/** One open file; `db` is another connection after it was written again. */
export class SqliteFile {
  db: DatabaseSync;
  #main?: string;
  #wal?: string;
  /**
   * What tells this record from others: a number at random, and one more each
   * time that it is written again.
   */
  #mark = 0;
  #refused?: StudyError;

  constructor(
    readonly path: string,
    readonly onWarning: (message: string) => void,
  ) {
    this.db = connect(path);
  }

  /** Makes it ready for writing; finds a read-only file or folder. */
  prepare(): void {
    const { db } = this;
    settle(db);
    db.exec("BEGIN IMMEDIATE");
    if (markOf(db) === 0) {
      const mark = 1 + Math.floor(MARKS * Math.random());
      db.exec(`PRAGMA ${MARK}=${mark}`);
    }
    db.exec("COMMIT");
    this.#look();
  }

  #look(): void {
    this.#mark = markOf(this.db);
    this.#main = identity(this.path);
    this.#wal = identity(`${this.path}-wal`);
  }

  /**
   * Goes on with the file at the path where it is another one than the open
   * one; whether it was. One that is gone is written again from what is open.
   *
   * @throws StudyError when the file there is no copy of this record's
   * @throws StoreUnavailableError when it cannot be written
   */
  follow(): boolean {
    if (this.#refused) throw this.#refused;
    const { path } = this;
    const main = identity(path);
    const wal = identity(`${path}-wal`);
    const isWhole = this.#wal === undefined || wal === this.#wal;
    if (main === this.#main && isWhole) {
      this.#wal = wal;
      return false;
    }
    // Where there is another, whoever made it has written out the old one.
    if (main === this.#main && wal === undefined) {
      this.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      this.onWarning(
        `${path}-wal was deleted while the study runs: all that it held is ` +
          `in ${path} now`,
      );
    } else if (main === undefined) this.#restore();
    this.#reopen();
    return true;
  }

  #restore(): void {
    const { path } = this;
    const lock = `${path}.restoring`;
    const copy = `${path}.restored`;
    try {
      mkdirSync(dirname(path), { recursive: true });
      mkdirSync(lock);
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") {
        throw this.#lost(error);
      }
      // Another process writes it: as if it were locked, for as long.
      const age = Date.now() - Number(statSync(lock).mtime);
      if (age > 30_000) rmdirSync(lock);
      throw new Error("database is locked");
    }
    try {
      if (identity(path) !== undefined) return;
      rmSync(copy, { force: true });
      this.#copy(copy);
      // What an unlinked database left would be taken for the new one's.
      for (const end of BESIDE) rmSync(path + end, { force: true });
      renameSync(copy, path);
      this.onWarning(
        `${path} was deleted while the study runs: it is written again, with ` +
          `all its records`,
      );
    } catch (error) {
      throw this.#lost(error);
    } finally {
      rmSync(copy, { force: true });
      rmdirSync(lock);
    }
  }

  /** Writes all that is open to a file, marked as the next one. */
  #copy(file: string): void {
    this.db.exec(`VACUUM INTO '${file.replaceAll("'", "''")}'`);
    const db = connect(file);
    db.exec(`PRAGMA ${MARK}=${this.#mark + 1}`);
    db.close();
  }

  #lost(error: unknown): Error {
    return new StoreUnavailableError(
      `${this.path} was deleted while the study runs and cannot be written ` +
        `again (${oneLine(error)})`,
    );
  }

  #reopen(): void {
    const { path } = this;
    const db = connect(path);
    let mark = -1;
    try {
      mark = markOf(db);
    } catch { /* no database */ }
    const isSame = identity(path) === this.#main;
    const ahead = mark - this.#mark;
    if (!isSame && !(ahead > 0 && ahead < 1000)) {
      db.close();
      const kept = `${path}.kept-${Date.now()}`;
      this.#copy(`${kept}.part`);
      renameSync(`${kept}.part`, kept);
      throw this.#refused = new StudyError(
        `${path} was replaced by another file while the study ran: its ` +
          `records up to now are in ${kept}; put the one to go on with at ` +
          `${path} and run the study again`,
      );
    }
    settle(db);
    // Its help files are another's now: SQLite leaves those of a moved file.
    this.db.close();
    this.db = db;
    this.#look();
  }
}
