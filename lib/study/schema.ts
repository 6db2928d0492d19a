/** Optuna's RDB tables (revision v3.2.0.a) and opening a file that has them. */
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StudyError } from "./definition.ts";

export const REVISION = "v3.2.0.a";
const SCHEMA_VERSION = 12;
const LIBRARY_VERSION = "5.0.0";

const attributeTable = (owner: "study" | "trial", kind: string) => `
CREATE TABLE ${owner}_${kind}_attributes (
	${owner}_${kind}_attribute_id INTEGER NOT NULL, 
	${owner}_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (${owner}_${kind}_attribute_id), 
	UNIQUE (${owner}_id, "key"), 
	FOREIGN KEY(${owner}_id) REFERENCES ${
  owner === "study" ? "studies" : "trials"
} (${owner}_id)
);`;

const TABLES = `
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
${attributeTable("study", "user")}
${attributeTable("study", "system")}
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE INDEX ix_trials_study_id ON trials (study_id);
${attributeTable("trial", "user")}
${attributeTable("trial", "system")}
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO version_info VALUES (1, ${SCHEMA_VERSION}, '${LIBRARY_VERSION}');
INSERT INTO alembic_version VALUES ('${REVISION}');
`;

// Optuna's own claim on SQLite is unconditional; this makes a second one fail.
const CLAIM_GUARD = `CREATE TRIGGER IF NOT EXISTS trials_claim_guard
BEFORE UPDATE OF state ON trials
WHEN NEW.state='RUNNING' AND OLD.state<>'WAITING'
BEGIN SELECT RAISE(ABORT,'trial already claimed'); END;`;

/** Runs `work` in one write transaction; an error undoes all of it. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** True for an empty database, false for ours. @throws StudyError for others */
function isEmpty(db: DatabaseSync, path: string): boolean {
  const tables = db.prepare("SELECT name FROM sqlite_master").all()
    .map((row) => String(row.name));
  if (tables.length === 0) return true;
  const found = tables.includes("alembic_version")
    ? db.prepare("SELECT version_num AS v FROM alembic_version").get()?.v
    : "none";
  if (found !== REVISION) {
    throw new StudyError(
      `${path}: its schema revision is ${found ?? "none"}, this program ` +
        `knows ${REVISION}: nothing was written, use another folder`,
    );
  }
  return false;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).size > 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Opens a record file for reading only; works on a read-only disk too.
 *
 * @throws StudyError when the file is missing or of another revision.
 */
export function openForReading(path: string): DatabaseSync {
  if (!exists(path)) {
    throw new StudyError(`${path}: no trial records here: run the study first`);
  }
  let db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec("PRAGMA busy_timeout=10000");
    db.prepare("SELECT count(*) FROM sqlite_master").get();
  } catch {
    // A WAL file in a folder that takes no -shm file beside it.
    db.close();
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    db = new DatabaseSync(url, { readOnly: true });
  }
  try {
    isEmpty(db, path);
  } catch (error) {
    db.close();
    throw error instanceof StudyError ? error : new StudyError(
      `${path}: not a trial record file (${(error as Error).message})`,
    );
  }
  return db;
}

/**
 * Opens a record file for writing, making it when it is not there. WAL lets
 * readers look on; FULL, because a commit an epoch is cheap and a power cut
 * must not cost a finished trial.
 *
 * @throws StudyError when it cannot be written or has another revision; then
 * nothing was written.
 */
export function openForWriting(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (exists(path)) openForReading(path).close();
    db = new DatabaseSync(path);
    db.exec("PRAGMA busy_timeout=10000");
    db.exec("PRAGMA journal_mode=WAL");
    db.exec("PRAGMA synchronous=FULL");
    const open = db;
    transaction(open, () => {
      if (isEmpty(open, path)) open.exec(TABLES);
      open.exec(CLAIM_GUARD);
    });
    return db;
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
