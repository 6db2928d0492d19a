/** Optuna's RDB tables (revision v3.2.0.a), our own beside them, and a check. */
import { setTimeout } from "node:timers/promises";
import { StudyError } from "../errors.ts";
import type { Connection, Database, Dialect } from "./database.ts";

const REVISION = "v3.2.0.a";
const SCHEMA_VERSION = 12;
const LIBRARY_VERSION = "5.0.0";

/** PostgreSQL's types of Optuna's tables; SQLite has their words as texts. */
const ENUMERATIONS = {
  studydirection: ["NOT_SET", "MINIMIZE", "MAXIMIZE"],
  trialstate: ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING"],
  trialvaluetype: ["FINITE", "INF_POS", "INF_NEG"],
  trialintermediatevaluetype: ["FINITE", "INF_POS", "INF_NEG", "NAN"],
};

/** A table of what studies or trials have. */
function ownedTable(
  name: string,
  key: string,
  columns: string,
  unique: string,
): string {
  const isStudys = name.startsWith("study");
  const owner = isStudys ? "study" : "trial";
  return `
CREATE TABLE ${name} (
	${key} SERIAL NOT NULL, 
	${columns.replaceAll(", ", ", \n\t")}, 
	PRIMARY KEY (${key}), 
	UNIQUE (${unique}), 
	FOREIGN KEY(${owner}_id) REFERENCES ${
    isStudys ? "studies" : "trials"
  } (${owner}_id)
);`;
}

function attributeTable(owner: "study" | "trial", kind: "user" | "system") {
  return ownedTable(
    `${owner}_${kind}_attributes`,
    `${owner}_${kind}_attribute_id`,
    `${owner}_id INTEGER, "key" VARCHAR(512), value_json TEXT`,
    `${owner}_id, "key"`,
  );
}

/** Optuna's tables as it makes them itself, in PostgreSQL's words. */
const OPTUNA = `
CREATE TABLE studies (
	study_id SERIAL NOT NULL, 
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
${
  ownedTable(
    "study_directions",
    "study_direction_id",
    "direction studydirection NOT NULL, study_id INTEGER NOT NULL, " +
      "objective INTEGER NOT NULL",
    "study_id, objective",
  )
}
${attributeTable("study", "user")}
${attributeTable("study", "system")}
CREATE TABLE trials (
	trial_id SERIAL NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state trialstate NOT NULL, 
	datetime_start TIMESTAMP WITHOUT TIME ZONE, 
	datetime_complete TIMESTAMP WITHOUT TIME ZONE, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE INDEX ix_trials_study_id ON trials (study_id);
${attributeTable("trial", "user")}
${attributeTable("trial", "system")}
${
  ownedTable(
    "trial_params",
    "param_id",
    "trial_id INTEGER, param_name VARCHAR(512), param_value FLOAT(53), " +
      "distribution_json TEXT",
    "trial_id, param_name",
  )
}
${
  ownedTable(
    "trial_values",
    "trial_value_id",
    "trial_id INTEGER NOT NULL, objective INTEGER NOT NULL, " +
      "value FLOAT(53), value_type trialvaluetype NOT NULL",
    "trial_id, objective",
  )
}
${
  ownedTable(
    "trial_intermediate_values",
    "trial_intermediate_value_id",
    "trial_id INTEGER NOT NULL, step INTEGER NOT NULL, " +
      "intermediate_value FLOAT(53), " +
      "intermediate_value_type trialintermediatevaluetype NOT NULL",
    "trial_id, step",
  )
}
${
  ownedTable(
    "trial_heartbeats",
    "trial_heartbeat_id",
    "trial_id INTEGER NOT NULL, " +
      "heartbeat TIMESTAMP WITHOUT TIME ZONE NOT NULL",
    "trial_id",
  )
}
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO version_info VALUES (1, ${SCHEMA_VERSION}, '${LIBRARY_VERSION}');
INSERT INTO alembic_version VALUES ('${REVISION}');
`;

function optunaTables(kind: Dialect["kind"]): string {
  const types = Object.entries(ENUMERATIONS);
  if (kind === "postgres") {
    return types.map(([name, words]) =>
      `CREATE TYPE ${name} AS ENUM (${
        words.map((word) => `'${word}'`).join(", ")
      });\n`
    ).join("") + OPTUNA;
  }
  const asText = (sql: string, [name, words]: typeof types[number]) =>
    sql.replaceAll(
      ` ${name} `,
      ` VARCHAR(${Math.max(...words.map((word) => word.length))}) `,
    );
  return types.reduce(asText, OPTUNA).replaceAll("SERIAL", "INTEGER")
    .replaceAll("FLOAT(53)", "FLOAT")
    .replaceAll("TIMESTAMP WITHOUT TIME ZONE", "DATETIME");
}

/** Of a study's system attributes: the highest number of a trial so far. */
export const HIGHEST_NUMBER = "ferlab:highest_number";

/** Optuna's tables of what belongs to a trial. */
export const TRIAL_TABLES = [
  ...["trial_params", "trial_values", "trial_intermediate_values"],
  ...["trial_heartbeats", "trial_user_attributes", "trial_system_attributes"],
];

/** Removes what is left of trials that were deleted by hand. */
const orphans = (condition: string) =>
  TRIAL_TABLES.map((table) =>
    `DELETE FROM ${table} WHERE trial_id${condition};`
  )
    .join("\n\t");

/** Our tables: epochs' metrics, artifacts, and who added which setting. */
function ownTables(kind: Dialect["kind"]): string {
  const postgres = kind === "postgres";
  const reference = (table: string, key: string) =>
    postgres ? ` REFERENCES ${table} (${key}) ON DELETE CASCADE` : "";
  const trialId = `trial_id INTEGER NOT NULL${reference("trials", "trial_id")}`;
  const tables = `
CREATE TABLE IF NOT EXISTS ferlab_epochs (
	${trialId},
	epoch INTEGER NOT NULL,
	metrics_json TEXT NOT NULL,
	PRIMARY KEY (trial_id, epoch)
);
CREATE TABLE IF NOT EXISTS ferlab_artifacts (
	${trialId},
	name VARCHAR(512) NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	bytes ${postgres ? "BYTEA" : "BLOB"} NOT NULL,
	PRIMARY KEY (trial_id, name)
);
CREATE TABLE IF NOT EXISTS ferlab_settings (
	study_id INTEGER NOT NULL${reference("studies", "study_id")},
	setting INTEGER NOT NULL,
	token VARCHAR(36) NOT NULL,
	PRIMARY KEY (study_id, setting)
);`;
  if (postgres) return tables;
  // Python does not turn SQLite's foreign keys on, and SQLite uses the ids of
  // deleted rows again. Optuna's own claim on SQLite is unconditional; the
  // guard makes a second one fail.
  return `${tables}
CREATE TRIGGER IF NOT EXISTS ferlab_trials_number AFTER DELETE ON trials
BEGIN
	UPDATE study_system_attributes
	SET value_json=max(CAST(value_json AS INTEGER), OLD.number)
	WHERE study_id=OLD.study_id AND "key"='${HIGHEST_NUMBER}';
	${orphans("=OLD.trial_id")}
END;
CREATE TRIGGER IF NOT EXISTS ferlab_trials_delete AFTER DELETE ON trials
BEGIN
	DELETE FROM ferlab_epochs WHERE trial_id=OLD.trial_id;
	DELETE FROM ferlab_artifacts WHERE trial_id=OLD.trial_id;
END;
CREATE TRIGGER IF NOT EXISTS ferlab_studies_delete AFTER DELETE ON studies
BEGIN DELETE FROM ferlab_settings WHERE study_id=OLD.study_id; END;
CREATE TRIGGER IF NOT EXISTS trials_claim_guard
BEFORE UPDATE OF state ON trials
WHEN NEW.state='RUNNING' AND OLD.state<>'WAITING'
BEGIN SELECT RAISE(ABORT,'trial already claimed'); END;`;
}

/** Finds waiting trials and numbers without reading the others; only for speed. */
const INDEXES = `
CREATE INDEX IF NOT EXISTS ferlab_numbers ON trials (study_id, number);
CREATE INDEX IF NOT EXISTS ferlab_waiting ON trials (study_id, trial_id)
WHERE state='WAITING';
CREATE INDEX IF NOT EXISTS ferlab_broken_off
ON trial_system_attributes (trial_id) WHERE "key"='failed_trial';`;

async function tablesOf(c: Connection): Promise<Set<string>> {
  const rows = await c.query(
    c.dialect.kind === "sqlite"
      ? "SELECT name FROM sqlite_master WHERE type='table'"
      : "SELECT tablename AS name FROM pg_tables " +
        "WHERE schemaname=ANY(current_schemas(false))",
  );
  return new Set(rows.map((r) => String(r.name)));
}

/** Which of our own tables there are. */
export async function hasOwnTables(c: Connection): Promise<boolean> {
  const tables = await tablesOf(c);
  return ["ferlab_epochs", "ferlab_artifacts", "ferlab_settings"]
    .every((name) => tables.has(name));
}

/**
 * "empty" without Optuna's tables, "ours" with those of our revision.
 *
 * @throws StudyError for any other revision, or a file of something else.
 */
async function contents(
  c: Connection,
  name: string,
): Promise<"empty" | "ours"> {
  const tables = await tablesOf(c);
  const optuna = ["studies", "trials", "alembic_version"]
    .some((table) => tables.has(table));
  // A PostgreSQL database may hold tables of other programs as well.
  if (!optuna && (tables.size === 0 || c.dialect.kind === "postgres")) {
    return "empty";
  }
  const row = tables.has("alembic_version")
    ? (await c.query("SELECT version_num AS v FROM alembic_version"))[0]
    : undefined;
  if (row?.v === REVISION) return "ours";
  throw new UnknownRevision(
    `${name}: its schema revision is ${row?.v ?? "none"}, this program ` +
      `knows ${REVISION}: nothing was written: bring an older one up to it ` +
      "by `optuna storage upgrade`, or use another " +
      (c.dialect.kind === "sqlite" ? "folder" : "database"),
    row === undefined && optuna,
  );
}

class UnknownRevision extends StudyError {
  constructor(message: string, readonly unfinished: boolean) {
    super(message);
  }
}

/**
 * Whether Optuna is making its tables now: it writes the revision a moment
 * after them, and PostgreSQL refuses to make a table or type twice.
 */
function isUnfinished(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  return error instanceof UnknownRevision
    ? error.unfinished
    : ["42P07", "42710", "23505"].includes(code);
}

/**
 * Checks before anything is written.
 *
 * @throws StudyError for an unknown revision, or without records to read.
 */
export async function checkRevision(
  db: Database,
  reading: boolean,
): Promise<void> {
  const found = await db.read((c) => contents(c, db.name));
  if (reading && found === "empty") {
    throw new StudyError(
      `${db.name}: no trial records here: run the study first`,
    );
  }
}

/**
 * Makes the tables that are not there yet; whether Optuna's were made.
 *
 * @throws StudyError for an unknown revision; nothing is written then.
 */
export async function createTables(db: Database): Promise<boolean> {
  const { kind } = db.dialect;
  // Two that make the same table or index at once hinder each other.
  const alone = async (c: Connection) => {
    if (kind === "postgres") {
      await c.query("SELECT pg_advisory_xact_lock(7317063)");
    }
  };
  let made = false;
  for (let tries = 0;; tries++) {
    try {
      await db.write(async (c) => {
        await alone(c);
        if (await contents(c, db.name) === "empty") {
          await c.script(optunaTables(kind));
          made = true;
        }
        if (kind === "sqlite" || !await hasOwnTables(c)) {
          await c.script(ownTables(kind));
        }
        // SQLite gives a new trial such an id again.
        if (kind === "sqlite") {
          const last = "SELECT coalesce(max(trial_id), 0) FROM trials";
          await c.script(orphans(`>(${last})`));
        }
      });
      break;
    } catch (error) {
      if (!isUnfinished(error) || tries === 20) throw error;
      await setTimeout(100);
    }
  }
  await db.write(async (c) => {
    await alone(c);
    await c.script(INDEXES);
  }).catch((error) => {
    // Another role made Optuna's tables: it goes without them.
    if ((error as { code?: string }).code !== "42501") throw error;
  });
  return made;
}
